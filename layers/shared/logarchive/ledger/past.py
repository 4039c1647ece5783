"""The settled past of a source, summed up in one item, so that whoever wants its sums reads only what came after.

A sum is right as long as the head's `reopened` is what it was before the windows were read: whoever makes a finished
window due again, or plans one in the past, adds to it in the same transaction. See docs/decisions/0026.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from logarchive.ledger.dynamodb import Write
from logarchive.ledger.entry import Entry, Head, Instant
from logarchive.ledger.head import counts_reopened
from logarchive.ledger.ledger import Ledger
from logarchive.moment import EPOCH

PAST = "#past"
#: A sum is stored again once so many more windows are in it.
WORTH_A_WRITE = 24
_STORED = ConfigDict(frozen=True)


class Reach(BaseModel):
    """Up to when windows have reached a state, from the oldest on and without a gap."""

    model_config = _STORED

    until: Instant | None = None
    #: Whether a gap, or a window that has not reached it, has ended it.
    ended: bool = False

    def over(self, entries: Sequence[Entry], reached: Callable[[Entry], bool]) -> "Reach":
        """Return how far it reaches with these entries, which follow in order of time."""
        until, ended = self.until, self.ended
        for entry in entries:
            until = until or entry.window.start
            ended = ended or until != entry.window.start or not reached(entry)
            if ended:
                break
            until = entry.window.end
        return Reach(until=until, ended=ended)


class Sums(BaseModel):
    """What the windows of a source come to."""

    model_config = _STORED

    windows: int = 0
    sealed: Reach = Reach()
    settled: Reach = Reach()
    issues: dict[str, int] = {}
    rows: int = 0
    kept: int = 0
    last_error: str | None = None
    #: Version of the mapping -> how many visited windows it has made something of.
    mappings: dict[str, int] = {}

    def plus(self, entries: Sequence[Entry]) -> "Sums":
        """Return the sums with these entries, which follow in order of time and are not split."""
        return Sums(
            windows=self.windows + len(entries),
            sealed=self.sealed.over(entries, lambda entry: entry.state == "sealed"),
            settled=self.settled.over(entries, lambda entry: entry.finished),
            issues=dict(Counter(self.issues) + Counter(entry.issue for entry in entries if entry.issue)),
            rows=self.rows + sum(entry.numbers.rows for entry in entries),
            kept=self.kept + sum(entry.numbers.kept for entry in entries),
            last_error=next((entry.error for entry in reversed(entries) if entry.error), self.last_error),
            mappings=dict(Counter(self.mappings) + Counter(str(entry.mapping) for entry in entries if entry.visits)),
        )

    def outdated(self, mapping: int) -> int:
        """Return how many windows an older version of the mapping than this one has made something of."""
        return sum(count for version, count in self.mappings.items() if int(version) < mapping)


class Past(BaseModel):
    """The sums of all windows that start before a moment. None of them is due some day."""

    model_config = _STORED

    before: Instant = EPOCH
    #: What the head's `reopened` was before the windows were read.
    reopened: int = 0
    sums: Sums = Sums()


def read_past(ledger: Ledger, head: Head | None) -> Past:
    """Return the stored sums if they are right for a head that was read; an empty past otherwise."""
    item = ledger.table.get(ledger.partition, PAST) if head and counts_reopened(head) else None
    past = Past.model_validate(item) if item else Past()
    return past if head and past.reopened == head.reopened else Past()


def write_past(ledger: Ledger, head: Head | None, past: Past, following: Sequence[Entry]) -> None:
    """Store the sums of `past` and of what follows it up to the first window that is due some day, if it is worth it.

    `head` was read before `following`, which are in order of time and not split.
    """
    if head is None or not counts_reopened(head):
        return
    # What is planned at the cursor or later counts as nothing new.
    before = min([head.cursor, *(entry.window.start for entry in following if entry.due_at)])
    settled = [entry for entry in following if entry.window.start < before]
    if len(settled) >= WORTH_A_WRITE:
        longer = Past(before=before, reopened=head.reopened, sums=past.sums.plus(settled))
        ledger.table.update(Write(ledger.partition, PAST, longer.model_dump(mode="json"), ()))
