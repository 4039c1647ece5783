"""What a replay would change: each window is rebuilt and compared with its object, and nothing is written."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.result import Result, window_result, windows_result
from logarchive.errors import ArchiveError, OutOfTimeError, ProviderError
from logarchive.ledger.entry import Entry
from logarchive.provider.source import Source
from logarchive.row.difference import ADDED, MOST_EXAMPLES, REMOVED, Difference, Example, difference
from logarchive.row.order import ordered
from logarchive.store.bucket import sha256_of
from logarchive.visit.context import VisitContext
from logarchive.visit.merger import same_rows
from logarchive.visit.rebuild import Rebuilder, Rebuilt

#: An example's value is cut where it is longer.
MOST_VALUE_CHARACTERS = 200


@dataclass
class DryRun[S: Source, K: BaseModel]:
    """The windows of a range, compared one after the other."""

    archive: Archive[S, K]
    source_name: str
    compared: int = 0
    #: Those that differ, or could not be compared.
    windows: list[Result] = field(default_factory=list[Result])
    total: Difference = field(default_factory=Difference)
    examples: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def compare(self, source: S, entries: Sequence[Entry], following: dt.datetime | None) -> Result:
        """Compare windows while there is time; `following` is where the next call continues."""
        with self.archive.worker(self.source_name, source) as worker:
            for entry in entries:
                # At least one: whoever follows `next` gets on.
                if self.compared and not self.archive.invocation.enough_time():
                    following = entry.window.start
                    break
                self.compared += 1
                try:
                    self._compare(worker.context, entry)
                except (ArchiveError, OutOfTimeError, ProviderError) as error:
                    self._list(entry, error=worker.context.session.redaction.text(str(error)))
        return windows_result(
            self.archive.provider.name, self.windows, following=following, difference=self._difference()
        )

    def _compare(self, context: VisitContext[S, K], entry: Entry) -> None:
        ensure_time, place = context.invocation.ensure_time, context.place(entry.window)
        with TemporaryDirectory(prefix="replay-") as name:
            path = Path(name) / "existing.parquet"
            existing = path if entry.object and context.store.fetch(place.logs, path) else None
            if entry.object and (existing is None or sha256_of(existing) != entry.object.sha256):
                raise ArchiveError(f"{place.logs} is not what the ledger says: a worker may be writing it; call again")
            rebuilt = Rebuilder(context.store, place, context.builder(entry.window), Path(name)).rebuild(entry.visits)
            if existing and rebuilt.path and same_rows(existing, rebuilt.path):
                found = Difference()
            else:
                old = ordered(existing, ensure_time) if existing else None
                found = difference(old, rebuilt.path, ensure_time)
        if found or rebuilt.numbers.rejects != entry.numbers.rejects:
            self._add(context, entry, rebuilt, found)

    def _add(self, context: VisitContext[S, K], entry: Entry, rebuilt: Rebuilt, found: Difference) -> None:
        self._list(
            entry,
            rows_after=rebuilt.object_rows,
            rejects_after=rebuilt.numbers.rejects,
            added=found.added,
            removed=found.removed,
            changed=found.changed,
            columns=dict(found.columns),
        )
        self.total.added += found.added
        self.total.removed += found.removed
        self.total.changed += found.changed
        self.total.columns += found.columns
        shown = Counter(example["what"] for example in self.examples)
        for example in found.examples:
            if shown[example.what] < MOST_EXAMPLES:
                shown[example.what] += 1
                self.examples.append(_shown(context, entry, example))

    def _list(self, entry: Entry, **more: Any) -> None:  # noqa: ANN401 (JSON)
        self.windows.append(window_result(self.source_name, entry) | more)

    def _difference(self) -> dict[str, Any]:
        return {
            "windows": self.compared,
            "added": self.total.added,
            "removed": self.total.removed,
            "changed": self.total.changed,
            "columns": dict(self.total.columns),
            "examples": self.examples,
        }


def _shown[S: Source, K: BaseModel](context: VisitContext[S, K], entry: Entry, example: Example) -> dict[str, Any]:
    """Return an example as a result shows it: its values masked, then cut."""
    redaction = context.session.redaction

    def brief(value: Any) -> Any:  # noqa: ANN401 (a value of a row)
        return redaction.brief(_json(value), MOST_VALUE_CHARACTERS)

    def row_or_value(shown: Any) -> Any:  # noqa: ANN401 (a row, by column, or the value of one)
        whole = example.what in {ADDED, REMOVED}
        return {column: brief(value) for column, value in shown.items()} if whole and shown else brief(shown)

    return {
        "window": entry.window_key,
        "record_id": brief(example.record_id),
        "what": example.what,
        "old": row_or_value(example.old),
        "new": row_or_value(example.new),
    }


def _json(value: Any) -> Any:  # noqa: ANN401 (a value of a row)
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, list | dict):  # `attributes`
        return dict(cast("Any", value))
    return value
