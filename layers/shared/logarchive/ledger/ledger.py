"""The ledger of one source: which windows there are, who works on them, what became of them.

Every change is one conditional write or one transaction, so that any of them may be repeated, doubled or lost half-way.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase, Key

from logarchive.errors import ArchiveError
from logarchive.ledger.dynamodb import Item, Table, Write, source_is
from logarchive.ledger.entry import Entry, Head, Slot
from logarchive.moment import instant
from logarchive.window import Span, Window

HEAD = "#head"
SLOT = "#slot/"
REGISTRY = "#sources"
#: A transaction takes 100 items, one of them the head.
BATCH = 99
#: How often a write is tried again that another one was in the way of.
TRIES = 10


@dataclass(frozen=True)
class Ledger:
    """The ledger items of one source, `{provider}#{name}`."""

    table: Table
    provider: str
    name: str

    @property
    def source(self) -> str:
        """The partition key."""
        return f"{self.provider}#{self.name}"

    def head(self) -> Head | None:
        """Read the source's head and its worker slots, in one query."""
        items = {
            item["window"]: item for item in self.table.query(source_is(self.source) & Key("window").begins_with("#"))
        }
        if HEAD not in items:
            return None
        slots = [Slot.model_validate(item) for sort, item in items.items() if sort.startswith(SLOT)]
        return Head.model_validate({**items[HEAD], "slots": slots})

    def create(self, head: Head) -> None:
        """Write the head of a source seen for the first time, and enter its name in the provider's registry."""
        values = head.model_dump(mode="json", exclude={"slots", "known"})
        registry = Write(f"{self.provider}#", REGISTRY, {}, when="", add={"names": {self.name}})
        self.table.transact([Write(self.source, HEAD, values), registry])

    def covering(self, span: Span) -> list[Entry]:
        """Return the entries that overlap `span` and are not split, in order."""
        after = self._entries(Key("window").between(instant(span.start), instant(span.end)))
        before = self._entries(Key("window").lt(instant(span.start)), ScanIndexForward=False, Limit=4)
        left = next((entry for entry in before if entry.state != "split"), None)
        found = ([left] if left else []) + [entry for entry in after if entry.state != "split"]
        return [entry for entry in found if entry.window.start < span.end and entry.window.end > span.start]

    def plan(self, head: Head, entries: Sequence[Entry], changes: Mapping[str, Any]) -> Head | None:
        """Add planned entries (at most BATCH) and change the head, if nobody changed it since; None otherwise."""
        version = head.version + 1
        put = {**changes, "version": version}
        writes = [Write(self.source, HEAD, put, "#version = :seen_version", seen={"version": head.version})]
        writes += [Write(self.source, entry.window_key, _item(entry)) for entry in entries]
        return Head.model_validate({**head.model_dump(mode="json"), **put}) if self.table.transact(writes) else None

    def due(self, now: dt.datetime, limit: int) -> list[Entry]:
        """Return the first entries whose `due_at` has passed, earliest first."""
        condition = source_is(self.source) & Key("due_at").lte(instant(now))
        return [_entry(item) for item in self.table.first(condition, limit, IndexName="due")]

    def open(self) -> Iterator[Entry]:
        """Yield every entry that is neither finished nor split, earliest due first."""
        return map(_entry, self.table.query(source_is(self.source), IndexName="due"))

    def every(self) -> Iterator[Entry]:
        """Yield every entry, split ones too; costs what is kept."""
        return self._entries(Key("window").gt("1"))

    def read(self, window: Window) -> Entry | None:
        """Read one window's entry."""
        item = self.table.get(self.source, window.key)
        return _entry(item) if item else None

    def claim(self, entry: Entry, now: dt.datetime, until: dt.datetime) -> Entry | None:
        """Take a due window until `until`; None if another worker was faster."""
        when = Attr("due_at").lte(instant(now)) & _seen(entry)
        put = {"due_at": instant(until), "attempt": entry.attempt + 1}
        return self._update(entry, put, when, add={"killed": 1, "loose": 1})

    def commit(self, held: Entry, result: Entry) -> Entry | None:
        """Write what became of a claim, if it is still held as it was seen; None otherwise.

        A failed condition is success when the item shows this very claim as committed: the SDK repeated the call.
        """
        put = _item(result) | {"committed": held.attempt, "killed": 0}
        when = Attr("attempt").eq(held.attempt) & Attr("loose").eq(held.loose) & Attr("committed").lt(held.attempt)
        done = self._update(held, put, when)
        if done:
            return done
        now = self.read(held.window)
        return now if now and now.attempt == now.committed == held.attempt else None

    def held(self, entry: Entry) -> Entry | None:
        """Return the entry as it stands if this claim is still the last one and open; None otherwise."""
        now = self.read(entry.window)
        return now if now and now.attempt == entry.attempt and now.committed < entry.attempt and now.due_at else None

    def disturb(self, lost: Entry, now: dt.datetime) -> None:
        """Say that a claim which was lost has left a complete visit in raw: finished windows are due again for it."""
        for _ in range(TRIES):
            entry = self.read(lost.window)
            if entry is None or entry.state == "split":
                raise ArchiveError(f"{self.source} {lost.window_key} was split; a visit complete in raw stays unmerged")
            put = {"state": "archived", "due_at": instant(now)} if entry.finished else {}
            when = _seen(entry) & Attr("loose").eq(entry.loose) & Attr("committed").eq(entry.committed)
            if self._update(entry, {**put, "loose": entry.loose + 1}, when):
                return
        raise ArchiveError(
            f"{self.source} {lost.window_key}: the ledger would not take the news of a visit that lost its claim"
        )

    def make_due(self, entry: Entry, now: dt.datetime) -> Entry | None:
        """Make a window that no worker holds due now; None if it changed meanwhile."""
        state = "archived" if entry.visits else "planned"
        when = _seen(entry) & Attr("state").eq(entry.state) & Attr("committed").eq(entry.committed)
        return self._update(entry, {"state": state, "due_at": instant(now)}, when)

    def split(self, held: Entry, parts: Sequence[Entry]) -> bool:
        """Replace a claimed window by `parts` in one transaction; False if the claim is lost."""
        done = {"state": "split", "due_at": None, "committed": held.attempt, "killed": 0, "issue": None, "error": None}
        seen = {"attempt": held.attempt, "committed": held.committed, "loose": held.loose}
        when = "#attempt = :seen_attempt AND #committed = :seen_committed AND #loose = :seen_loose"
        writes = [Write(self.source, held.window_key, done, when, seen=seen)]
        writes += [Write(self.source, part.window_key, _item(part)) for part in parts]
        bump = Write(self.source, HEAD, {}, "attribute_exists(#source)", add={"version": 1})
        return self.table.transact([*writes, bump])

    def take_slot(self, number: int, owner: str, now: dt.datetime, until: dt.datetime) -> Slot | None:
        """Take a worker's slot that is free or whose lease has run out; None if it is neither."""
        when = Attr("until").not_exists() | Attr("until").lte(instant(now))
        put = {"number": number, "owner": owner, "until": instant(until)}
        item = self.table.update(self.source, f"{SLOT}{number:02d}", put=put, when=when)
        return Slot.model_validate(item) if item else None

    def free_slot(self, number: int, owner: str, now: dt.datetime, heard_until: dt.datetime | None = None) -> None:
        """Give a slot back, if it is still ours; and remember the newest window with rows that was seen in it."""
        put = {"until": instant(now)} | ({"heard_until": instant(heard_until)} if heard_until else {})
        self.table.update(self.source, f"{SLOT}{number:02d}", put=put, when=Attr("owner").eq(owner))

    def remember(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Keep ids that a provider's list may forget; return all that were ever kept, in order."""
        new, head = set(ids), self.head()
        known = set(head.known) if head else set[str]()
        if new - known:
            # Added to a set, so that what another worker has seen meanwhile is kept as well.
            self._add_known(new - known)
        return tuple(sorted(known | new, key=lambda one: (len(one), one)))

    def _add_known(self, ids: set[str]) -> None:
        for _ in range(TRIES):
            if self.table.update(self.source, HEAD, put={}, add={"known": ids}, when=Attr("source").exists()):
                return
        raise ArchiveError(f"{self.source}: the ledger would not take the ids {sorted(ids)}")

    def _entries(self, condition: ConditionBase, **options: Any) -> Iterator[Entry]:  # noqa: ANN401 (options of Query)
        items = self.table.query(source_is(self.source) & condition, **options)
        return (_entry(item) for item in items if not item["window"].startswith("#"))

    def _update(
        self, entry: Entry, put: Mapping[str, Any], when: ConditionBase, add: Mapping[str, int | set[str]] | None = None
    ) -> Entry | None:
        item = self.table.update(self.source, entry.window_key, put=put, add=add, when=when)
        return _entry(item) if item else None


def registered(table: Table, provider: str) -> list[str]:
    """Return the names of all sources of a provider that the ledger has ever held."""
    item = table.get(f"{provider}#", REGISTRY)
    return sorted(item["names"]) if item else []


def _seen(entry: Entry) -> ConditionBase:
    return Attr("attempt").eq(entry.attempt)


def _entry(item: Item) -> Entry:
    return Entry.model_validate({**item, "window_key": item["window"]})


def _item(entry: Entry) -> Item:
    return entry.model_dump(mode="json", exclude={"window_key"})
