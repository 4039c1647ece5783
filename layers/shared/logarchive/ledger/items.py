"""The items of one source in the ledger's table: how entries and slots are read and written."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from logarchive.ledger.dynamodb import ABSENT, EXISTS, Condition, Item, Table, Write, equal, where
from logarchive.ledger.entry import UNPROVEN, Entry, Slot
from logarchive.ledger.head import HEAD, SLOT
from logarchive.moment import instant
from logarchive.window import Window

#: The head's count of windows that became due again after they were finished, or were planned in the past.
REOPENED = "reopened"
#: How often a write is tried again because another write was under way.
TRIES = 10


@dataclass(frozen=True)
class Items:
    """The items of one source."""

    table: Table
    provider: str
    source_name: str

    @property
    def partition(self) -> str:
        """The partition key of the source's items, `elsa#checkout`."""
        return f"{self.provider}#{self.source_name}"

    def read(self, window: Window) -> Entry | None:
        """Read one window's entry."""
        item = self.table.get(self.partition, window.key)
        return Entry.of_item(item) if item else None

    @property
    def _key(self) -> Condition:
        return equal(source=self.partition)

    def _due(self, first: dt.datetime, last: dt.datetime, limit: int) -> list[Entry]:
        key = self._key + where("due_at", "between", instant(first), instant(last))
        return list(map(Entry.of_item, self.table.first(key, limit, index="due")))

    def _entries(self, sort: Condition, *, backwards: bool = False) -> Iterator[Entry]:
        items = self.table.query(self._key + sort, backwards=backwards)
        return (Entry.of_item(item) for item in items if not item["window"].startswith("#"))

    def _new(self, entries: Iterable[Entry], now: dt.datetime) -> Iterator[Write]:
        return (Write(self.partition, entry.window_key, entry.item() | mark(now), ABSENT) for entry in entries)

    @property
    def _reopened(self) -> Write:
        """What belongs to each write that makes a finished window due again."""
        return Write(self.partition, HEAD, {}, EXISTS, add={REOPENED: 1})

    def _make_due(self, entry: Entry, write: Write) -> Entry | None:
        """Make an entry due; if it was finished, the head counts that. None if the condition did not hold."""
        if entry.due_at:
            return self._update(write)
        for _ in range(TRIES):  # other writes of the head may be under way
            self.table.transact([write, self._reopened])
            if (item := self._shown(write)) or self.read(entry.window) != entry:
                return Entry.of_item(item) if item else None
        return None

    def _update(self, write: Write) -> Entry | None:
        item = self._written(write)
        return Entry.of_item(item) if item else None

    def _write_slot(self, slot: Slot, when: Condition) -> Item | None:
        item = slot.model_dump(mode="json", exclude_none=True)
        return self._written(Write(self.partition, f"{SLOT}{slot.number:02d}", item, when))

    def _written(self, write: Write) -> Item | None:
        """Write an item and return it as it is then; None if the condition did not hold.

        A failed condition is success if the item shows this very write: the SDK repeats a call whose response was lost.
        So `write.put` has to hold what no other writer puts there.
        """
        return self.table.update(write) or self._shown(write)

    def _shown(self, write: Write) -> Item | None:
        """Return the item if it shows this write; but for its mark: the notary may have been faster."""
        now = self.table.get(write.partition, write.sort)
        put = {name: value for name, value in write.put.items() if name != UNPROVEN}
        return now if now and all(now.get(name) == value for name, value in put.items()) else None


def mark(now: dt.datetime) -> dict[str, str]:
    """Return what tells the notary that an item has changed."""
    return {UNPROVEN: instant(now)}
