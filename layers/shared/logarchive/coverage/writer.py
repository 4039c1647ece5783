"""Writes the coverage page, the table `windows` and reports into the bucket, from what the ledger holds at that moment.

It reads the windows of the last 400 days, and to the first of that month, of every source: what it costs grows with the
number of sources, not with the age of the archive.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from logarchive.coverage.event import WriteReport
from logarchive.coverage.gap import Expected, Leaf, leaves_of
from logarchive.coverage.model import Coverage, SourceCoverage, source_coverage
from logarchive.coverage.page import page
from logarchive.coverage.report import Month, reasons, report, source_month
from logarchive.coverage.window_table import months
from logarchive.errors import OutOfTimeError
from logarchive.ledger.dynamodb import ABSENT, Table, Write, equal
from logarchive.ledger.entry import Entry, Head, Instant
from logarchive.ledger.ledger import Ledger
from logarchive.ledger.registry import registered
from logarchive.moment import DAY, floor
from logarchive.proof.log import ProofLog
from logarchive.proof.state import PARTITION
from logarchive.runtime.invocation import Invocation
from logarchive.window import Span

INDEX = "coverage/index.html"
HTML, PARQUET = "text/html; charset=utf-8", "application/vnd.apache.parquet"
SORT = "#coverage"
#: How many days the page shows, today included.
DAYS = 400
#: A source with more windows is not read: they would not fit into the function's memory.
MOST_WINDOWS = 45_000
#: From here on no further source is read: what is left is for writing.
LAST_SECONDS = 60


class Written(BaseModel):
    """When the page was begun last: an item of the ledger."""

    model_config = ConfigDict(frozen=True)

    at: Instant


@dataclass(frozen=True)
class CoverageWriter:
    """The writer of one archive, for one invocation."""

    log: ProofLog
    table: Table
    providers: Sequence[str]
    invocation: Invocation
    #: Returns the sources that cannot be used, and why; the ledger has never held some of them.
    invalid: Callable[[], Mapping[str, str]] = dict
    most_windows: int = MOST_WINDOWS
    #: Sources that could not be read, and why.
    unread: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def write_daily(self) -> bool:
        """Write the page once a day; return whether it was written. If there is too little time, the next run does.

        What fails is not tried again before tomorrow: the invocation fails, which is reported.
        """
        item = self.table.get(PARTITION, SORT)
        last, now = Written.model_validate(item) if item else None, self.invocation.clock()
        if (last and last.at.date() >= now.date()) or not self.invocation.enough_time():
            return False
        when = equal(**last.model_dump(mode="json")) if last else ABSENT
        if not self.table.update(Write(PARTITION, SORT, Written(at=now).model_dump(mode="json"), when)):
            return False  # another notary does
        self.write()
        return True

    def write(self, start: dt.datetime | None = None) -> dict[str, Any]:
        """Write the table `windows`, then the page; the table from `start` on, if that is earlier."""
        now = self.invocation.clock()
        shown = Span(floor(now, DAY) - (DAYS - 1) * DAY, floor(now, DAY) + DAY)
        first = min(start or shown.start, shown.start)
        read = Span(first.replace(day=1, hour=0, minute=0, second=0), shown.end)
        sources: list[SourceCoverage] = []
        windows = 0
        for provider, name, head, entries in self._sources(read):
            leaves = leaves_of(entries, now)
            self._write_windows(provider, name, [leaf for leaf in leaves if leaf.window.start >= read.start], now)
            visible = [leaf for leaf in leaves if leaf.window.end > shown.start]
            sources.append(source_coverage(f"{provider}/{name}", head, visible, shown, Expected(now)))
            windows += len(leaves)
            del entries, leaves, visible  # before the next source is read: a window takes 5 KB
        note = self.log.newest().note.decode()
        invalid = self.invalid()
        body = page(Coverage(self.log.store.bucket, now, sources, self.unread, note, invalid))
        self.log.store.publish(INDEX, body, HTML)
        self.invocation.log(
            "coverage.written", sources=len(sources), windows=windows, bytes=len(body), unread=len(self.unread)
        )
        found = {"errors": _named(self.unread), "invalid": _named(invalid.items())}
        return {"ok": True, "key": INDEX, "sources": len(sources), "windows": windows, **found}

    def write_report(self, event: WriteReport) -> dict[str, Any]:
        """Write the report of a month, which is read to its end, or as far as it has come."""
        now, month, language = self.invocation.clock(), event.span, event.language
        sources = [
            source_month(f"{provider}/{name}", head, leaves_of(entries, now), month, now)
            for provider, name, head, entries in self._sources(month)
        ]
        note = self.log.newest().note.decode()
        unread, invalid = [name for name, _ in self.unread], self.invalid()
        made = Month(self.log.store.bucket, month, now, sources, unread, note, invalid, event.zone)
        self.log.store.publish(event.key, report(made, language), HTML)
        self.invocation.log("report.written", key=event.key, sources=len(sources), unread=len(self.unread))
        found: dict[str, Any] = {"errors": _named(self.unread), "invalid": _named(invalid.items())}
        why = reasons(made, "en")
        found |= {"provisional": bool(why), "provisional_because": why}
        return {"ok": True, "key": event.key, "sources": len(sources), **found}

    def _sources(self, span: Span) -> Iterator[tuple[str, str, Head | None, list[Entry]]]:
        """Yield every source that the ledger has ever held, with its windows in a span; note those that fail."""
        for provider in self.providers:
            for name in registered(self.table, provider):
                try:
                    head, entries = self._read(Ledger(self.table, provider, name), span)
                except (OutOfTimeError, ValueError) as error:
                    self.unread.append((f"{provider}/{name}", str(error)))
                    self.invocation.log("coverage.invalid", source=f"{provider}#{name}", error=str(error))
                else:
                    yield provider, name, head, entries
                    del entries

    def _read(self, ledger: Ledger, span: Span) -> tuple[Head | None, list[Entry]]:
        if self.invocation.seconds_to_work() < LAST_SECONDS:
            raise OutOfTimeError("the function's time is used up: invoke it again")
        head, entries = ledger.head(), ledger.covering(span, self.most_windows + 1)
        if len(entries) > self.most_windows:
            raise ValueError(
                f"has more than {self.most_windows:,} windows in the time shown: a longer `window` makes fewer"
            )
        return head, entries

    def _write_windows(self, provider: str, source_name: str, leaves: Sequence[Leaf], now: dt.datetime) -> None:
        for key, body in months(provider, source_name, leaves, now).items():
            self.log.store.publish(key, body, PARQUET)


def _named(problems: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"source": name, "error": why} for name, why in problems]
