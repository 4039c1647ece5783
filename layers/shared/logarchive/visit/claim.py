"""A claim: one worker's hold on a window, from the ledger's claim to its commit.

Its `entry` is the window as the ledger showed it last, with what recovery has merged since. Every write to the ledger
is conditional on it, so that whoever has lost the claim changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logarchive.errors import ArchiveError, LostClaimError
from logarchive.ledger.entry import Entry
from logarchive.ledger.ledger import Ledger
from logarchive.moment import Clock
from logarchive.store.bucket import ChangedError

#: How often a step is tried again because what it has read was changed by another worker.
TRIES = 20


@dataclass
class Claim:
    """The right to visit one window until the lease ends."""

    ledger: Ledger
    entry: Entry
    clock: Clock
    #: Visits of earlier claims that may be complete under `raw/` without being merged into the object.
    unmerged: int
    #: The hash of the object as the ledger knew it when it granted the claim.
    sha256: str | None
    #: Whether this claim's own visit is complete under `raw/`.
    complete: bool = False

    @classmethod
    def of(cls, ledger: Ledger, claimed: Entry, clock: Clock) -> "Claim":
        """Return the claim that the ledger has just granted; it counts itself among `unmerged_claims`."""
        return cls(ledger, claimed, clock, claimed.unmerged_claims - 1, _sha256(claimed))

    def retry[T](self, step: Callable[[], T]) -> T:
        """Do a step; again from its beginning while it raises ChangedError and the claim is still held."""
        for _ in range(TRIES):
            try:
                return step()
            except ChangedError:
                self.ensure_held()
        raise ArchiveError(
            f"{self.entry.window_key}: the object in logs/ was changed by other workers {TRIES} times during the write"
        )

    def ensure_held(self) -> None:
        """Read the entry again, with the visits that were reported unmerged. Raises LostClaimError."""
        now = self.ledger.held(self.entry)
        if now is None:
            raise LostClaimError(self.entry.window_key)
        self.unmerged += now.unmerged_claims - self.entry.unmerged_claims
        self.entry = self.entry.replace(unmerged_claims=now.unmerged_claims)

    def commit(self, result: Entry) -> Entry:
        """Commit a good visit, and return the entry as committed.

        Raises ChangedError if the claim is lost, or if a visit of an earlier claim was reported unmerged.
        """
        done = self._commit(result)
        if done is None:
            raise ChangedError
        return done

    def release(self, result: Entry) -> Entry:
        """Commit what is not a good visit; the next claim looks for what is unmerged. Raises LostClaimError."""
        unmerged = self.unmerged + self.complete
        done = self._commit(result.replace(unmerged_claims=unmerged))
        if done is None:
            raise LostClaimError(self.entry.window_key)
        return done

    def _commit(self, result: Entry) -> Entry | None:
        now = self.clock()
        # What recovery has merged is in `self.entry` already, and new to the ledger all the same.
        written = result if _sha256(result) == self.sha256 else result.replace(written_at=now)
        return self.ledger.commit(self.entry, written, now)

    def split(self, parts: Sequence[Entry]) -> Entry:
        """Replace the window by `parts`. Raises LostClaimError if the claim is lost, or a visit was reported."""
        if not self.ledger.split(self.entry, parts, self.clock()):
            raise LostClaimError(self.entry.window_key)
        return self.entry.replace(state="split", due_at=None)

    def report_unmerged(self) -> None:
        """If this claim is lost, record that its complete visit is not merged."""
        if self.complete and self.ledger.held(self.entry) is None:
            self.ledger.reopen_for_unmerged_visit(self.entry, self.clock())


def _sha256(entry: Entry) -> str | None:
    return entry.object.sha256 if entry.object else None
