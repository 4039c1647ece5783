"""The action `backfill`: plans the gaps of a range, makes its planned windows due again, and has them visited."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Backfill
from logarchive.action.result import MOST_WINDOWS, Result, windows_result
from logarchive.action.work import RangeRun
from logarchive.errors import ConfigError
from logarchive.ledger.entry import Entry
from logarchive.ledger.planner import Planner
from logarchive.moment import floor, instant
from logarchive.provider.source import Source
from logarchive.window import Span, Window

#: The most windows that `dry_run` counts, so that it ends within seconds.
MOST_COUNTED = 10_000
#: What a visit is estimated to take where no window of the range was visited yet.
_REQUESTS, _SECONDS = 1.0, 5.0
#: An order of magnitude, at list prices of 2026: Lambda at 1769 MB, S3 PUTs, DynamoDB writes and reads of one window.
_USD_PER_SECOND = 1.769 / 1.024 * 0.0000166667
_USD_PER_WINDOW = 4 * 0.000005 + 6 * 0.000000625 + 4 * 0.000000125


def backfill[S: Source, K: BaseModel](archive: Archive[S, K], event: Backfill) -> Result:
    """Plan and visit a range. Raises ConfigError for an unknown source, or a range that is not allowed."""
    source = archive.source(event.source, event.workers)
    if event.end > (now := archive.invocation.clock()):
        latest = floor(now, archive.provider.smallest_window)
        raise ConfigError(f"end: {instant(event.end)} is in the future; the latest possible end is {instant(latest)}")
    archive.source_loader.check_aligned("start", event.start)
    archive.source_loader.check_aligned("end", event.end)
    archive.source_loader.check_start(event.start)
    run = _BackfillRun(archive, event, source)
    if event.dry_run:
        return run.estimate()
    archive.source_loader.secret(source)
    return run.visit()


@dataclass(frozen=True)
class _BackfillRun[S: Source, K: BaseModel]:
    archive: Archive[S, K]
    event: Backfill
    source: S

    def estimate(self) -> Result:
        planner = self.archive.planner(self.event.source, self.source)
        planner.admit(planner.ledger.head())
        span, entries, missing = self._beginning(planner, MOST_COUNTED)
        again = sum(1 for entry in entries if self._included(entry))
        estimate, following = _estimate(len(missing) + again, entries), self._following(span.end)
        provider = self.archive.provider.name
        return windows_result(provider, [], following=following, estimate=estimate, new=len(missing), again=again)

    def visit(self) -> Result:
        entries, following = self._plan()
        return RangeRun(self.archive, self.event, self.source, self._included, self._make_due).visit(entries, following)

    def _plan(self) -> tuple[list[Entry], dt.datetime | None]:
        """Plan the first windows of the range; return their entries, and where the next call continues."""
        planner = self.archive.planner(self.event.source, self.source)
        planner.head()
        span, _, _ = self._beginning(planner, MOST_WINDOWS)
        planner.fill(span, MOST_WINDOWS)
        entries = planner.ledger.covering(span, MOST_WINDOWS + 1)  # another planner may have made them shorter
        end = entries[MOST_WINDOWS].window.start if len(entries) > MOST_WINDOWS else span.end
        return entries[:MOST_WINDOWS], self._following(end)

    def _beginning(self, planner: Planner, most: int) -> tuple[Span, list[Entry], list[Window]]:
        """Return the beginning of the range that holds at most `most` windows: its entries, and the missing windows."""
        span = self.event.span
        entries = planner.ledger.covering(span, most + 1)
        if len(entries) > most:
            span = Span(span.start, entries[most].window.start)
        missing = list(islice(planner.uncovered(span, entries), most + 1))
        starts = sorted(window.start for window in (*missing, *(entry.window for entry in entries)))
        if len(starts) > most:
            span = Span(span.start, starts[most])
        return (
            span,
            [entry for entry in entries if entry.window.start < span.end],
            [window for window in missing if window.start < span.end],
        )

    def _following(self, end: dt.datetime) -> dt.datetime | None:
        return end if end < self.event.end else None

    def _included(self, entry: Entry) -> bool:
        return self.event.reopen or not entry.finished

    def _make_due(self, entry: Entry) -> Entry | None:
        """Make a window due now; return None if another worker holds it, or it is to be replayed first."""
        now = self.archive.invocation.clock()
        return (
            None if entry.replay or entry.leased(now) else self.archive.ledger(self.event.source).make_due(entry, now)
        )


def _estimate(windows: int, entries: Sequence[Entry]) -> dict[str, float]:
    """Estimate what one visit of each of `windows` takes, from the entries that were visited before."""
    visited = [entry for entry in entries if entry.visits]
    requests = sum(entry.requests for entry in visited) / len(visited) if visited else _REQUESTS
    seconds = sum(entry.seconds for entry in visited) / len(visited) if visited else _SECONDS
    return {
        "windows": windows,
        "requests": round(windows * requests),
        "minutes": round(windows * seconds / 60, 1),
        "usd": round(windows * (seconds * _USD_PER_SECOND + _USD_PER_WINDOW), 4),
    }
