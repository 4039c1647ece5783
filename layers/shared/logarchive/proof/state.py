"""Where the notary stands: one item of the ledger. One conditional write to it decides what comes next in the log."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from logarchive.ledger.dynamodb import ABSENT, Condition, Item, Table, Write, equal, where
from logarchive.ledger.entry import Instant
from logarchive.moment import SECOND
from logarchive.proof.batch import Batch, Mark
from logarchive.proof.checkpoint import Checkpoint

PARTITION, SORT = "#proof", "#log"
#: A function of the version before may still run for so long; what it writes is not marked.
SETTLE = dt.timedelta(minutes=30)


class Scan(BaseModel):
    """How far the table has been read for what is not marked; it is read again until nothing of that kind is found."""

    model_config = ConfigDict(frozen=True)

    begins_at: Instant
    #: The key of the last item that was read.
    after: Item | None = None
    #: How many items were marked since it was read from the beginning.
    marked: int = 0
    ended: bool = False

    def due(self, now: dt.datetime) -> bool:
        """Return whether another page is to be read now."""
        return not self.ended and now >= self.begins_at

    def next(self, marked: int, after: Item | None, now: dt.datetime) -> "Scan":
        """Return how far the table has been read after one more page."""
        total = self.marked + marked
        if after is None and total:
            return Scan(begins_at=now + SETTLE)
        return Scan(begins_at=self.begins_at, after=after, marked=total, ended=after is None)


class State(BaseModel):
    """The notary's item."""

    model_config = ConfigDict(frozen=True)

    #: How many entries are in the log, and their marks cleared.
    size: int
    #: Their root, in hex; empty for no entry.
    root: str = ""
    scan: Scan
    #: What comes next, once it is decided.
    batch: Batch | None = None
    #: The name of the last dated checkpoint: when its batch was decided, or later.
    moment: str = ""

    @property
    def end(self) -> int:
        """How many entries the log may have."""
        return self.batch.end if self.batch else self.size


@dataclass(frozen=True)
class StateItem:
    """The item. A write that comes too late changes nothing: read again."""

    table: Table

    def read(self, now: dt.datetime) -> State:
        """Read it, or begin it."""
        item = self.table.get(PARTITION, SORT)
        if item is None:
            begun = State(size=0, scan=Scan(begins_at=now))
            self._write(begun.model_dump(mode="json", exclude_none=True), ABSENT)
            item = self.table.get(PARTITION, SORT)
        return State.model_validate(item)

    def decide(self, state: State, entries: tuple[bytes, ...], marks: tuple[Mark, ...], now: dt.datetime) -> None:
        """Decide what comes next, if nothing is decided yet."""
        batch = Batch(start=state.size, moment=_after(state.moment, now), entries=entries, marks=marks)
        when = equal(size=state.size, moment=state.moment) + where("batch", "absent")
        self._write({"batch": batch.item(), "moment": batch.moment}, when)

    def reserve(self, state: State, now: dt.datetime) -> str | None:
        """Return a name for a checkpoint that is signed without a batch, so that no batch has it; None if too late."""
        moment = _after(state.moment, now)
        when = equal(size=state.size, moment=state.moment) + where("batch", "absent")
        return moment if self._write({"moment": moment}, when) else None

    def finish(self, batch: Batch, root: bytes) -> None:
        """Write down that a batch is published, and its marks cleared."""
        when = equal(size=batch.start) + where("batch", "exists")
        self._write({"batch": None, "size": batch.end, "root": root.hex()}, when)

    def adopt(self, state: State, log: Checkpoint) -> None:
        """Go on after entries that the log has, and a restored ledger does not know."""
        self._write({"batch": None, "size": log.size, "root": log.root.hex()}, equal(size=state.size))

    def advance(self, state: State, scan: Scan) -> None:
        """Write down how far the table has been read."""
        before, after = (one.model_dump(mode="json", exclude_none=True) for one in (state.scan, scan))
        self._write({"scan": after}, equal(scan=before))

    def _write(self, put: Mapping[str, Any], when: Condition) -> bool:
        return self.table.update(Write(PARTITION, SORT, put, when)) is not None


def _named(now: dt.datetime) -> str:
    """Write a moment as it names a dated checkpoint."""
    return f"{now:%Y%m%dT%H%M%SZ}"


def _after(moment: str, now: dt.datetime) -> str:
    """Name a batch by now, or by the next second if that name is taken: a run decides several within a second."""
    if _named(now) > moment:
        return _named(now)
    return _named(dt.datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC) + SECOND)
