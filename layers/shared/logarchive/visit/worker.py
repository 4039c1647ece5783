"""The worker loop: take a slot, then claim, visit and commit until nothing is due or too little time is left."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from logarchive.errors import LostClaimError
from logarchive.ledger.entry import Entry, Slot
from logarchive.ledger.ledger import Ledger
from logarchive.net.exchange import Exchange
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.runtime.invocation import Invocation
from logarchive.store.bucket import Store
from logarchive.visit.attempt import Visitor

#: Of so many due windows the one that is lost soonest is taken.
CANDIDATES = 25
#: How long after the invocation's end a lease runs, so that it outlives the function whatever the clocks say.
LEASE_MARGIN = dt.timedelta(seconds=60)
#: A worker gives up after so many failures of the unexpected kind in a row.
MOST_FAILURES = 3


@dataclass(kw_only=True)
class Worker[S: Source, K: BaseModel]:
    """Works off what is due of one source."""

    provider: Provider[S, K]
    source: S
    ledger: Ledger
    store: Store
    invocation: Invocation
    open_exchange: Callable[[Path], Exchange]
    #: Visits begun in this invocation.
    begun: int = 0
    #: The end of the newest window that had rows.
    heard_until: dt.datetime | None = None

    def run(self) -> Iterator[Entry]:
        """Yield each visited window as committed; nothing if every slot is taken.

        The unexpected (a bug, AWS refusing) is raised after everything else was done that could be.
        """
        taken = self._take_slot()
        if taken is None:
            self.invocation.log("worker.no_slot", source=self.ledger.name)
            return
        failures: list[Exception] = []
        self.heard_until = taken.heard_until
        try:
            yield from self._work(failures)
        finally:
            self.ledger.free_slot(taken.number, self.invocation.name, self.invocation.clock(), self.heard_until)
        if failures:
            raise ExceptionGroup(f"{self.ledger.source}: visits failed unexpectedly", failures)

    def visit(self, entry: Entry) -> Entry | None:
        """Claim one window and visit it; None if another worker has it, or took it meanwhile."""
        claimed = self._claim(entry)
        return self._visit(claimed) if claimed else None

    def _work(self, failures: list[Exception]) -> Iterator[Entry]:
        while self.invocation.enough_time() and len(failures) < MOST_FAILURES:
            claimed = self._claim_next()
            if claimed is None:
                return
            try:
                entry = self._visit(claimed)
            except Exception as error:  # noqa: BLE001 (raised by `run`, once the other windows had their turn)
                self.invocation.log(
                    "visit.failed", source=self.ledger.name, window=claimed.window_key, error=repr(error)
                )
                failures.append(error)
            else:
                if entry:
                    yield entry
                if entry and entry.due_at and entry.due_at <= self.invocation.clock():
                    return  # put back: there was no time for it

    def _claim_next(self) -> Entry | None:
        """Claim the due window that is lost soonest; None when nothing is due that others do not hold."""
        while candidates := self.ledger.due(self.invocation.clock(), CANDIDATES):
            for entry in sorted(candidates, key=_urgency):
                claimed = self._claim(entry)
                if claimed:
                    return claimed
        return None

    def _claim(self, entry: Entry) -> Entry | None:
        return self.ledger.claim(entry, self.invocation.clock(), self.invocation.deadline + LEASE_MARGIN)

    def _visit(self, claimed: Entry) -> Entry | None:
        visitor = Visitor(
            provider=self.provider,
            source=self.source,
            ledger=self.ledger,
            store=self.store,
            open_exchange=self.open_exchange,
            clock=self.invocation.clock,
            alive=self.invocation.ensure_time,
        )
        late, self.begun = self.begun > 0, self.begun + 1
        try:
            entry = visitor.visit(claimed, late_start=late)
        except LostClaimError:
            self.invocation.log("claim.lost", source=self.ledger.name, window=claimed.window_key)
            return None
        if entry.rows:
            self.heard_until = max(entry.window.end, self.heard_until or entry.window.end)
        self.invocation.report_visit(self.ledger.name, claimed, entry)
        return entry

    def _take_slot(self) -> Slot | None:
        now, until = self.invocation.clock(), self.invocation.deadline + LEASE_MARGIN
        tries = (
            self.ledger.take_slot(number, self.invocation.name, now, until) for number in range(self.source.workers)
        )
        return next((slot for slot in tries if slot), None)


def _urgency(entry: Entry) -> tuple[bool, dt.datetime, dt.datetime]:
    return entry.lost_at is None, entry.lost_at or entry.window.start, entry.window.start
