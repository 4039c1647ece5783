"""The notary: states in the log what the ledger has marked, one batch after another, and has it signed.

It may be killed anywhere, run twice at a time, or meet a ledger or a bucket that was restored from a backup: as long as
one ledger decides, no two trees of one size are ever signed. Each step begins with the checkpoint, then the ledger:
what is decided in the ledger is signed later, so a checkpoint that is ahead of the ledger read after it shows that the
ledger was restored.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

from logarchive.errors import ArchiveError
from logarchive.moment import instant, parse_instant
from logarchive.proof.batch import Batch
from logarchive.proof.checkpoint import Checkpoint
from logarchive.proof.log import CHECKPOINT, Newest, ProofLog
from logarchive.proof.mark import Key, Marks
from logarchive.proof.state import State, StateItem
from logarchive.proof.waiting import Waiting
from logarchive.runtime.invocation import Invocation
from logarchive.store.bucket import ChangedError

#: How many items of an old archive are marked at a time.
PAGE = 200


@dataclass
class Notary:
    """One run."""

    log: ProofLog
    marks: Marks
    state: StateItem
    invocation: Invocation
    page: int = PAGE
    #: How many entries this run has appended.
    appended: int = 0
    waiting: Waiting = field(init=False)

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.marks, self._unreadable)

    def run(self) -> dict[str, Any]:
        """Go on until nothing is marked, or too little time is left; return where the log stands.

        Raises ArchiveError if what is stored is not the log that was signed; nothing is signed then.
        """
        self.waiting.look()
        try:
            self.log.announce_key()
            while self.invocation.enough_time() and self._step():
                pass
            return self._result()
        except ArchiveError as error:
            self.invocation.log("proof.failed", error=str(error))
            self.invocation.count("ProofErrors", 1)
            raise
        finally:
            self.invocation.count("ProofEntries", self.appended)
            self.invocation.count("ProofBacklogSeconds", self._backlog())

    def _step(self) -> bool:
        """Take the next step; return whether there may be another one."""
        newest, state = self.log.newest(), self.state.read(self.invocation.clock())
        size = newest.checkpoint.size
        self.waiting.heads = state.scan.ended
        if size > state.size and not self._decided(size, state.batch):
            return self._adopt(newest, state)
        if size < state.size and self.log.newest().checkpoint.size >= state.size:
            return True  # another notary was at work meanwhile
        if size not in {state.size, state.end}:
            raise ArchiveError(
                f"{CHECKPOINT} has {size} entries, but the ledger says that the log has {state.size}: "
                "the bucket was restored from a backup, or the checkpoint put back"
            )
        if state.root:
            self.log.check_continues(newest.checkpoint, state.size, state.root)
        return self._publish(state.batch, newest) if state.batch else self._go_on(state, newest)

    def _decided(self, size: int, batch: Batch | None) -> bool:
        """Return whether a log of that size ends with the batch that is decided, not with one of another ledger."""
        return batch is not None and size == batch.end and self.log.holds(batch)

    def _publish(self, batch: Batch, newest: Newest) -> bool:
        """Do what is left of a batch that is decided."""
        after = newest.checkpoint
        if after.size == batch.end:
            self.log.check(after)
        else:
            try:
                after = self._append(batch, newest)
            except ChangedError:
                return True
        for mark in batch.marks:
            if self.marks.clear(mark):
                self.waiting.answered(mark)
        self.state.finish(batch, after.root)
        return True

    def _append(self, batch: Batch, newest: Newest) -> Checkpoint:
        after = self.log.publish(batch, newest)
        self.appended += len(batch.entries)
        self.invocation.count("ProofSigned", 1)
        self.invocation.log("proof.published", size=after.size, entries=len(batch.entries), root=after.root.hex())
        return after

    def _go_on(self, state: State, newest: Newest) -> bool:
        """Decide the next batch. Without one, go on taking in an old archive; or see that the log is as signed."""
        now = self.invocation.clock()
        if unknown := self.log.unknown(state.size):
            self.invocation.log("proof.unknown", size=state.size, entries=len(unknown))
            self.state.decide(state, unknown, (), now)
        elif chosen := self.waiting.batch(self.invocation.enough_time):
            entries, marks = tuple(one.entry for one in chosen), tuple(one.mark for one in chosen)
            self.state.decide(state, entries, marks, now)
        elif self.invocation.enough_time() and state.scan.due(now):
            marked, after = self.marks.mark_page(self.page, state.scan.after, instant(now))
            self.state.advance(state, state.scan.next(marked, after, now))
            self.invocation.log("proof.taken_in", marked=marked, ended=after is None)
        else:
            self._confirm(newest, state)
            return False
        return True

    def _confirm(self, newest: Newest, state: State) -> None:
        """See that the log is as it was signed, and signed with the key of today."""
        self.log.check(newest.checkpoint)
        if newest.etag and self.log.signer and not self.log.signed(newest):
            moment = self.state.reserve(state, self.invocation.clock())
            if moment is None:
                return  # another notary is at work
            try:
                self.log.sign_again(newest, moment)
            except ChangedError:
                return
        self.invocation.count("ProofSigned", 1)

    def _adopt(self, newest: Newest, state: State) -> bool:
        """Go on after the log that is there: the ledger was restored from a backup, and knows less of it.

        A batch that it has decided meanwhile is dropped; its marks are not, so it is decided anew.
        """
        self.log.check(newest.checkpoint)
        if state.root:
            self.log.check_continues(newest.checkpoint, state.size, state.root)
        self.state.adopt(state, newest.checkpoint)
        self.invocation.log("proof.adopted", size=newest.checkpoint.size, known=state.end)
        return True

    def _result(self) -> dict[str, Any]:
        newest, state = self.log.newest(), self.state.read(self.invocation.clock())
        return {
            "ok": True,
            "size": newest.checkpoint.size,
            "root": base64.b64encode(newest.checkpoint.root).decode(),
            "appended": self.appended,
            "signed": self.log.signed(newest),
            "oldest_mark": self.waiting.oldest(),
            "taken_in": state.scan.ended,
        }

    def _backlog(self) -> float:
        oldest = self.waiting.oldest()
        return (self.invocation.clock() - parse_instant(oldest)).total_seconds() if oldest else 0

    def _unreadable(self, key: Key, error: Exception) -> None:
        self.invocation.log("proof.invalid", source=key.partition, window=key.sort, error=str(error))
        self.invocation.count("ProofErrors", 1)
