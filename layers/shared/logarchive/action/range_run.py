"""What `backfill` and `replay` have in common: they have the windows of a range visited, here or by workers."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Backfill, Replay
from logarchive.action.result import Result, window_result, windows_result
from logarchive.action.work import dispatch
from logarchive.ledger.entry import Entry
from logarchive.provider.source import Source
from logarchive.visit.worker import Worker


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

    def _visited(self, worker: Worker[S, K], entry: Entry) -> Result:
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
