"""The action `work`: the worker loop of one source. Also how a range is visited, and how workers are started."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Backfill, Replay, Work
from logarchive.action.result import Result, window_result, windows_result
from logarchive.ledger.entry import Entry, Head
from logarchive.provider.source import Source

if TYPE_CHECKING:
    from logarchive.visit.worker import Worker


def dispatch[S: Source, K: BaseModel](
    archive: Archive[S, K], source_name: str, source: S, due: int, head: Head | None, workers: int | None = None
) -> int:
    """Start a worker for every free slot of a source, at most one per due window; return how many were started.

    `workers` replaces the source's own number. Raises ConfigError for a bad secret, before anything is started.
    """
    if not due:
        return 0
    archive.source_loader.secret(source)
    slots, now = workers or source.workers, archive.invocation.clock()
    busy = sum(slot.until > now for slot in head.slots) if head else 0
    count = max(0, min(due, slots - busy))
    for _ in range(count):
        event = Work(action="work", source=source_name, workers=workers, by=archive.invocation.name)
        archive.dispatch(event.model_dump(exclude_none=True))
    archive.invocation.log("source.dispatched", source=source_name, due=min(due, slots), workers=count)
    return count


def work[S: Source, K: BaseModel](archive: Archive[S, K], event: Work) -> Result:
    """Run the worker loop for one source."""
    source = archive.source(event.source, event.workers)
    with archive.worker(event.source, source) as worker:
        windows = [window_result(event.source, entry) for entry in worker.run()]
    return windows_result(archive.provider.name, windows)


@dataclass(frozen=True)
class RangeRun[S: Source, K: BaseModel]:
    """Visits of the windows of one range."""

    archive: Archive[S, K]
    event: Backfill | Replay
    source: S
    #: Whether a window is to be visited; the others are only listed.
    included: Callable[[Entry], bool]
    #: Makes a window due now; None if it cannot be visited now.
    make_due: Callable[[Entry], Entry | None]

    def visit(self, entries: Sequence[Entry], following: dt.datetime | None) -> Result:
        """Visit windows, or have workers do so; `following` is where the next call continues."""
        return self._inline(entries, following) if self.event.inline else self._background(entries, following)

    def _background(self, entries: Sequence[Entry], following: dt.datetime | None) -> Result:
        windows = [self._made_due(entry) for entry in entries]
        workers, ledger = self.event.workers, self.archive.ledger(self.event.source)
        due = len(ledger.due(self.archive.invocation.clock(), workers or self.source.workers))
        started = dispatch(self.archive, self.event.source, self.source, due, ledger.head(), workers)
        return windows_result(self.archive.provider.name, windows, following=following, dispatched=started)

    def _inline(self, entries: Sequence[Entry], following: dt.datetime | None) -> Result:
        windows: list[Result] = []
        with self.archive.worker(self.event.source, self.source) as worker:
            for entry in entries:
                if not self.archive.invocation.enough_time():
                    following = entry.window.start
                    break
                windows.append(self._visited(worker, entry))
        return windows_result(self.archive.provider.name, windows, following=following)

    def _visited(self, worker: "Worker[S, K]", entry: Entry) -> Result:
        if not self.included(entry):
            return window_result(self.event.source, entry)
        due = self.make_due(entry)
        visited = worker.visit(due) if due else None
        return window_result(self.event.source, visited or entry, busy=visited is None)

    def _made_due(self, entry: Entry) -> Result:
        if not self.included(entry):
            return window_result(self.event.source, entry)
        due = self.make_due(entry)
        return window_result(self.event.source, due or entry, busy=due is None)
