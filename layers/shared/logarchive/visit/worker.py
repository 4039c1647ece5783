"""The worker loop: take a slot, then claim, visit and commit until nothing is due or too little time is left."""

import datetime as dt
import traceback
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from pydantic import BaseModel

from logarchive.errors import ArchiveError, LostClaimError
from logarchive.ledger.entry import Entry, Slot
from logarchive.provider.source import Source
from logarchive.visit.attempt import MOST_ERROR_CHARACTERS, VisitFailedError, visit
from logarchive.visit.context import VisitContext
from logarchive.visit.replay import replay

#: How many due windows are read; the one whose records are lost soonest at the provider is taken.
CANDIDATES = 25
#: How long after the invocation's end a lease runs, so that it outlives the function whatever the clocks say.
LEASE_MARGIN = dt.timedelta(seconds=60)
#: A worker stops after this many visits whose outcome could not be written to the ledger: then AWS is failing.
MOST_UNCOMMITTED = 3
#: CloudWatch takes 256 KB a line.
MOST_TRACE_CHARACTERS = 20_000
_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass
class Worker[S: Source, K: BaseModel]:
    """Visits the due windows of one source."""

    context: VisitContext[S, K]
    #: Whether this invocation has begun a visit.
    begun: bool = False
    #: The end of the newest window that had rows.
    last_rows_until: dt.datetime | None = None
    #: Under which name it holds slot and claims: an event that Lambda delivers twice has the same id twice.
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)

    def run(self) -> Generator[Entry]:
        """Yield each visited window as committed; nothing if every slot is taken. Its slot is free once it is closed.

        The unexpected (a bug, AWS refusing) is raised after everything else was done that could be.
        """
        ledger, invocation = self.context.ledger, self.context.invocation
        slot = self._take_slot()
        if slot is None:
            invocation.log("worker.no_slot", source=self._source_name)
            return
        failures: list[Exception] = []
        self.last_rows_until = slot.last_rows_until
        try:
            yield from self._work(failures)
        finally:
            ledger.free_slot(slot.number, self.owner, invocation.clock(), self.last_rows_until)
        if failures:
            raise ExceptionGroup(f"{ledger.partition}: visits failed unexpectedly", failures)

    def visit(self, entry: Entry) -> Entry | None:
        """Claim one window and visit it; None if another worker has it, or took it meanwhile."""
        claimed = self._claim(entry)
        return self._visit(claimed) if claimed else None

    def _work(self, failures: list[Exception]) -> Iterator[Entry]:
        invocation, uncommitted = self.context.invocation, 0
        while invocation.enough_time() and uncommitted < MOST_UNCOMMITTED:
            claimed = self._claim_next()
            if claimed is None:
                return
            entry = None
            try:
                entry = self._visit(claimed)
            except Exception as error:  # noqa: BLE001 (raised by `run`, once the other windows had their turn)
                entry = error.entry if isinstance(error, VisitFailedError) else None
                uncommitted += entry is None
                failures.append(self._failed(claimed, error))
            if entry:
                yield entry
            # One that was put back is due at once; a replay that was put back keeps its mark.
            if entry and entry.replay == claimed.replay and entry.due_at and entry.due_at <= invocation.clock():
                return  # there was no time for it

    def _failed(self, claimed: Entry, error: Exception) -> Exception:
        """Log an error that nobody foresaw, with its traceback, and return it, masked and cut where that is needed."""
        cause = error
        if isinstance(error, VisitFailedError) and isinstance(error.__cause__, Exception):
            cause = error.__cause__
        brief = self.context.session.redaction.brief
        trace = "".join(traceback.format_exception(cause))
        said = {"error": brief(repr(cause), MOST_ERROR_CHARACTERS), "traceback": brief(trace, MOST_TRACE_CHARACTERS)}
        self.context.invocation.log("visit.failed", source=self._source_name, window=claimed.window_key, **said)
        return cause if said["traceback"] == trace else ArchiveError(said["error"])

    def _claim_next(self) -> Entry | None:
        """Claim the due window that is lost soonest; None when nothing is due that others do not hold."""
        while candidates := self.context.ledger.due(self.context.invocation.clock(), CANDIDATES):
            for entry in sorted(candidates, key=_urgency):
                claimed = self._claim(entry)
                if claimed:
                    return claimed
        return None

    def _claim(self, entry: Entry) -> Entry | None:
        invocation = self.context.invocation
        return self.context.ledger.claim(entry, self.owner, invocation.clock(), self._lease_end)

    def _visit(self, claimed: Entry) -> Entry | None:
        late_start, self.begun = self.begun, True
        try:
            attempt = replay if claimed.replay else visit
            entry = attempt(self.context, claimed, late_start=late_start)
        except LostClaimError:
            self.context.invocation.log("claim.lost", source=self._source_name, window=claimed.window_key)
            return None
        if entry.numbers.rows:
            self.last_rows_until = max(entry.window.end, self.last_rows_until or entry.window.end)
        invocation = self.context.invocation
        report = invocation.report_replay if claimed.replay else invocation.report_visit
        report(self._source_name, claimed, entry)
        return entry

    def _take_slot(self) -> Slot | None:
        ledger, invocation = self.context.ledger, self.context.invocation
        tries = (
            ledger.take_slot(number, self.owner, invocation.clock(), self._lease_end)
            for number in range(self.context.source.workers)
        )
        return next((slot for slot in tries if slot), None)

    @property
    def _lease_end(self) -> dt.datetime:
        return self.context.invocation.deadline + LEASE_MARGIN

    @property
    def _source_name(self) -> str:
        return self.context.ledger.source_name


def _urgency(entry: Entry) -> tuple[dt.datetime, bool, bool, dt.datetime]:
    """Order windows: what is lost soonest first; then what has not failed yet; then what is oldest; replays last."""
    lost_at = None if entry.replay else entry.lost_at
    return lost_at or _NEVER, bool(entry.replay), entry.failures > 0, entry.window.start
