"""The ledger of one source: which windows there are, who works on them, what became of them.

Every change is one conditional write or one transaction, so that any of them may be repeated, doubled or lost half-way.
A change of what the proof log states marks its item in the same write (`unproven`), so that the notary finds it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from logarchive.errors import ArchiveError
from logarchive.ledger.dynamodb import ABSENT, EXISTS, Write, equal, where
from logarchive.ledger.entry import CLAIMS_WITHOUT_COMMIT, UNMERGED_CLAIMS, Entry, Head, Replay, Slot, State
from logarchive.ledger.head import HEAD, counts_reopened, head_of
from logarchive.ledger.items import REOPENED, TRIES, Items, mark
from logarchive.moment import EPOCH, SECOND, instant
from logarchive.window import Span

REGISTRY = "#sources"
#: A transaction takes 100 items, one of them the head.
BATCH = 99
#: When windows to be replayed are due: before all others, so that one read tells whether there are any.
REPLAYS_DUE, NO_REPLAY = EPOCH, where("replay", "absent")


@dataclass(frozen=True)
class Ledger(Items):
    """The ledger items of one source."""

    def head(self) -> Head | None:
        """Read the source's head and its worker slots, in one query."""
        return head_of(self.table.query(self._key + where("window", "begins with", "#")))

    def create(self, head: Head, now: dt.datetime) -> bool:
        """Write the head of a new source, and its name in the provider's registry; False if there is a head already."""
        item = head.model_dump(mode="json", exclude={"slots", "known"}) | mark(now)
        registry = Write(f"{self.provider}#", REGISTRY, {}, (), add={"names": {self.source_name}})
        return self.table.transact([Write(self.partition, HEAD, item, ABSENT), registry])

    def covering(self, span: Span, limit: int | None = None) -> list[Entry]:
        """Return the entries that overlap `span` and are not split, in order; at most `limit` are read and returned."""
        after = self._entries(where("window", "between", instant(span.start), instant(span.end)))
        before = self._entries(where("window", "<", instant(span.start)), backwards=True)
        left = next((entry for entry in before if entry.state != "split"), None)
        leaves = chain([left] if left else [], (entry for entry in after if entry.state != "split"))
        overlapping = (entry for entry in leaves if entry.window.start < span.end and entry.window.end > span.start)
        return list(islice(overlapping, limit))

    def plan(
        self,
        head: Head,
        entries: Sequence[Entry],
        now: dt.datetime,
        *,
        begin: dt.datetime | None = None,
        cursor: dt.datetime | None = None,
    ) -> Head | None:
        """Add planned entries (at most BATCH) and move the head's bounds; None if somebody changed it meanwhile."""
        moved = head.next(begin=begin, cursor=cursor)
        item = moved.bounds() | (mark(now) if begin else {})
        past = any(entry.window.start < head.cursor for entry in entries)
        add = {REOPENED: 1} if past or not counts_reopened(head) else {}
        writes = [Write(self.partition, HEAD, item, equal(version=head.version), add)]
        return moved if self.table.transact([*writes, *self._new(entries, now)]) else None

    def due(self, now: dt.datetime, limit: int) -> list[Entry]:
        """Return the first entries whose `due_at` has passed, earliest first; replays only if nothing else is due."""
        entries = self._due(EPOCH, now, limit)
        replays = entries and entries[0].due_at == REPLAYS_DUE
        return (self._due(REPLAYS_DUE + SECOND, now, limit) if replays else []) or entries

    def open(self) -> Iterator[Entry]:
        """Yield every entry that is due some day, those to be replayed first."""
        return map(Entry.of_item, self.table.query(self._key, index="due"))

    def every(self, start: dt.datetime = EPOCH) -> Iterator[Entry]:
        """Yield every entry from `start` on, split ones too; costs what is kept."""
        return self._entries(where("window", ">", instant(start)))

    def claim(self, entry: Entry, owner: str, now: dt.datetime, until: dt.datetime) -> Entry | None:
        """Take a due window until `until`; None if another worker was faster."""
        when = where("due_at", "<=", instant(now)) + equal(**entry.seen("attempt"))
        put = entry.attributes(due_at=until, attempt=entry.attempt + 1, claimed_by=owner)
        add = {CLAIMS_WITHOUT_COMMIT: 1, UNMERGED_CLAIMS: 1}
        return self._update(Write(self.partition, entry.window_key, put, when, add))

    def commit(self, held: Entry, result: Entry, now: dt.datetime) -> Entry | None:
        """Write what became of a claim, if it is still held as it was seen; None otherwise."""
        done = result.replace(committed=held.attempt, claims_without_commit=0)
        open_claim = where("committed", "<", held.attempt)
        when = equal(**held.seen("attempt", "unmerged_claims")) + open_claim
        return self._update(Write(self.partition, held.window_key, done.item() | mark(now), when))

    def held(self, entry: Entry) -> Entry | None:
        """Return the entry as it is now if this claim is still the last one and open; None otherwise."""
        now = self.read(entry.window)
        return now if now and now.attempt == entry.attempt and now.committed < entry.attempt and now.due_at else None

    def reopen_for_unmerged_visit(self, lost: Entry, now: dt.datetime) -> None:
        """Write down that a lost claim has left a complete visit under `raw/`; a finished window is due again for it.

        Raises ArchiveError if that cannot be written down: nobody would look for the visit.
        """
        for _ in range(TRIES):
            entry = self.read(lost.window)
            if entry is None or entry.state == "split":
                raise ArchiveError(
                    f"{self.partition} {lost.window_key} was split; a visit complete in raw stays unmerged"
                )
            # A replay, which may have been asked for since, merges it by itself.
            reopens = entry.finished and entry.replay is None
            reopened = entry.attributes(state="archived", due_at=now) | mark(now) if reopens else {}
            put = reopened | entry.attributes(unmerged_claims=entry.unmerged_claims + 1)
            when = equal(**entry.seen("attempt", "unmerged_claims", "committed")) + (NO_REPLAY if reopens else ())
            # Not `_written`: a claim adds the same, and would be taken for this write. To count it twice is harmless.
            write = Write(self.partition, entry.window_key, put, when)
            if self.table.transact([write, self._reopened]) if reopens else self.table.update(write):
                return
        raise ArchiveError(
            f"{self.partition} {lost.window_key}: a visit complete in raw stays unmerged, since the ledger's entry "
            f"changed {TRIES} times while that was written down"
        )

    def mark_replay(self, entry: Entry, now: dt.datetime) -> Entry | None:
        """Mark a window that no worker has claimed to be rebuilt from `raw/`; None if it changed meanwhile."""
        put = entry.attributes(replay=Replay(asked=now, due_at=entry.due_at), due_at=REPLAYS_DUE, replay_error=None)
        due = equal(due_at=instant(entry.due_at)) if entry.due_at else where("due_at", "absent")
        when = equal(**entry.seen("attempt", "state", "committed")) + due + NO_REPLAY
        return self._make_due(entry, Write(self.partition, entry.window_key, put, when))

    def replay_again(self, lost: Entry, now: dt.datetime) -> None:
        """Have a window replayed once more, since a lost claim may have written an object that is not in the ledger.

        Whoever holds the window by now may have read the object before: its commit is refused, and it looks again.
        """
        for _ in range(TRIES):
            entry = self.read(lost.window)
            if entry is None or (entry.replay and not entry.claimed):
                return
            put = entry.attributes(unmerged_claims=entry.unmerged_claims + 1)
            when = equal(**entry.seen("attempt", "unmerged_claims", "committed"))
            write = Write(self.partition, entry.window_key, put, when)
            if self.table.update(write) if entry.claimed else self.mark_replay(entry, now):
                return
        raise ArchiveError(f"{self.partition} {lost.window_key}: a replay could not be asked for {TRIES} times")

    def make_due(self, entry: Entry, now: dt.datetime) -> Entry | None:
        """Make a window that no worker holds due now; None if it changed meanwhile."""
        state: State = "archived" if entry.visits else "planned"
        put = entry.attributes(state=state, due_at=now) | (mark(now) if state != entry.state else {})
        when = equal(**entry.seen("attempt", "state", "committed")) + NO_REPLAY
        return self._make_due(entry, Write(self.partition, entry.window_key, put, when))

    def split(self, held: Entry, parts: Sequence[Entry], now: dt.datetime) -> bool:
        """Replace a claimed window by `parts` in one transaction; False if the claim is lost."""
        put = held.attributes(
            state="split",
            due_at=None,
            committed=held.attempt,
            claims_without_commit=0,
            issue=None,
            error=None,
            placeholder=held.placeholder,
        )
        when = equal(**held.seen("attempt", "committed", "unmerged_claims"))
        whole = Write(self.partition, held.window_key, put | mark(now), when)
        # A planner that has read the window as a whole must look again.
        head = Write(self.partition, HEAD, {}, EXISTS, add={"version": 1, "counted": 1})
        return self.table.transact([whole, *self._new(parts, now), head])

    def take_slot(self, number: int, owner: str, now: dt.datetime, until: dt.datetime) -> Slot | None:
        """Take a worker's slot that is free or whose lease has run out; None if it is neither."""
        item = self._write_slot(
            Slot(number=number, owner=owner, until=until), where("until", "absent or <=", instant(now))
        )
        return Slot.model_validate(item) if item else None

    def free_slot(self, number: int, owner: str, now: dt.datetime, last_rows_until: dt.datetime | None = None) -> None:
        """Give a slot back, if it is still ours; and write down the newest window with rows that was seen in it."""
        slot = Slot(number=number, owner=owner, until=now, last_rows_until=last_rows_until)
        self._write_slot(slot, equal(owner=owner))

    def remember(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Keep ids that a provider's list may forget; return all that were ever kept, in order."""
        new, head = set(ids), self.head()
        known = set(head.known) if head else set[str]()
        # Added to a set, so that what another worker has seen meanwhile is kept as well.
        write = Write(self.partition, HEAD, {}, EXISTS, add={"known": new - known})
        if new - known and not any(self.table.update(write) for _ in range(TRIES)):
            raise ArchiveError(f"{self.partition}: the ids {sorted(new - known)} could not be written to the ledger")
        return tuple(sorted(known | new, key=lambda id_: (len(id_), id_)))
