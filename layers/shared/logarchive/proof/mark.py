"""Marks: items of the ledger of which the log must state something new, and the statements that answer them.

A window or head is marked by the write that changes it. What an earlier version has written is not marked: it is found
by reading the whole table once, page by page.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from logarchive.ledger.dynamodb import Item, Table, Write, equal, where
from logarchive.ledger.entry import FEED_ID, PROVEN, UNPROVEN, Entry, Head, StoredObject
from logarchive.ledger.head import HEAD
from logarchive.moment import instant
from logarchive.proof.batch import Mark
from logarchive.proof.statement import MOST_VISITS, Hashed, HashedRows, source_statement, window_statement
from logarchive.store.bucket import Store
from logarchive.store.place import Place

#: How many keys one page of the index has.
_PAGE = 1000


@dataclass(frozen=True, order=True)
class Key:
    """A marked item as the index shows it. Heads come last: no time is promised before its windows are named."""

    is_head: bool
    partition: str
    sort: str
    unproven: str

    @classmethod
    def of_item(cls, item: Mapping[str, Any]) -> "Key":
        """Read a key from an item."""
        return cls(item["window"] == HEAD, item["source"], item["window"], item[UNPROVEN])


@dataclass(frozen=True)
class Statement:
    """An entry, and the mark that it answers."""

    mark: Mark
    entry: bytes


@dataclass(frozen=True)
class Marks:
    """The marks of all sources."""

    table: Table
    store: Store

    def waiting(self) -> list[Key]:
        """Return what the index shows, in the order in which it is to be stated."""
        keys: list[Key] = []
        items, after = self.table.scan(_PAGE, index=UNPROVEN)
        keys += map(Key.of_item, items)
        while after:
            items, after = self.table.scan(_PAGE, after, index=UNPROVEN)
            keys += map(Key.of_item, items)
        return sorted(keys)

    def statements(self, key: Key) -> Iterator[Statement]:
        """Yield the statement of a marked item; nothing if it is marked no longer.

        With a split window come those of its parts: a log that names only one of them would leave time out.
        """
        item = self.table.get(key.partition, key.sort)
        if item is None or UNPROVEN not in item:
            return
        if key.is_head:
            yield _of_head(item)
            return
        yield self._of_window(item)
        if item["state"] == "split":
            start, end = (instant(moment) for moment in vars(Entry.of_item(item).window).values())
            within = equal(source=key.partition) + where("window", "between", start, end)
            parts = (part for part in self.table.query(within) if UNPROVEN in part and part["window"] != key.sort)
            yield from map(self._of_window, parts)

    def clear(self, mark: Mark) -> bool:
        """Remove a mark that was answered, and note how far; False if the item has changed since."""
        put = {PROVEN: {**mark.seen, "visits": mark.visits}} | ({UNPROVEN: None} if mark.complete else {})
        when = equal(unproven=mark.unproven, **mark.seen)
        return self.table.update(Write(mark.partition, mark.sort, put, when)) is not None

    def mark_page(self, limit: int, after: Item | None, now: str) -> tuple[int, Item | None]:
        """Mark what is neither marked nor stated in a page of the table; return how many, and where to go on."""
        items, following = self.table.scan(limit, after)
        return sum(self._mark(item, now) for item in items if _forgotten(item)), following

    def _mark(self, item: Item, now: str) -> bool:
        put = {UNPROVEN: now, PROVEN: {"visits": _named(item)}}
        when = where(UNPROVEN, "absent") + equal(**_seen(item))
        return self.table.update(Write(item["source"], item["window"], put, when)) is not None

    def _of_window(self, item: Item) -> Statement:
        entry, named = Entry.of_item(item), _named(item)
        provider, _, source_name = item["source"].partition("#")
        place = Place(provider, source_name, entry.window)
        visits = entry.visits[named : named + MOST_VISITS]
        manifests = [place.manifest(visit) for visit in visits if place.manifest(visit) != entry.manifest]
        stated = window_statement(
            provider,
            source_name,
            entry,
            None if PROVEN in item and _first(item) else item[UNPROVEN],
            manifests=[self._hashed(key) for key in (*manifests, entry.manifest) if key],
            object=_rows(entry.object or entry.placeholder) or self._old_placeholder(item, entry, place),
            rejects=self._rejects(item, entry, place),
        )
        complete = named + len(visits) == len(entry.visits)
        return Statement(_mark_of(item, named + len(visits), complete=complete), stated)

    def _hashed(self, key: str) -> Hashed:
        """Hash a manifest; raw may have expired."""
        body = self.store.find(key)
        return {"key": key, "sha256": hashlib.sha256(body).hexdigest() if body is not None else None}

    def _rejects(self, item: Item, entry: Entry, place: Place) -> Hashed | None:
        """Return the rejects. The version before did not note them: if they are there, at least their key is stated."""
        if entry.rejects_object:
            return {"key": entry.rejects_object.key, "sha256": entry.rejects_object.sha256}
        return self._listed(place.rejects) if _first(item) and entry.visits else None

    def _old_placeholder(self, item: Item, entry: Entry, place: Place) -> HashedRows | None:
        """Return the empty object that the version before may have written, and did not note either."""
        found = self._listed(place.logs) if _first(item) and entry.attempt > 1 else None
        return {**found, "bytes": None} if found else None

    def _listed(self, key: str) -> Hashed | None:
        return {"key": key, "sha256": None} if key in self.store.keys(key) else None


def _rows(stored: StoredObject | None) -> HashedRows | None:
    return {"key": stored.key, "sha256": stored.sha256, "bytes": stored.bytes} if stored else None


def _of_head(item: Item) -> Statement:
    provider, _, source_name = item["source"].partition("#")
    return Statement(_mark_of(item), source_statement(provider, source_name, Head.model_validate(item)))


def _mark_of(item: Item, visits: int = 0, *, complete: bool = True) -> Mark:
    return Mark(
        partition=item["source"],
        sort=item["window"],
        unproven=item[UNPROVEN],
        seen=_seen(item),
        visits=visits,
        complete=complete,
    )


def _seen(item: Item) -> dict[str, Any]:
    """Return the attributes of which one changes with every mark."""
    names = ("begin", FEED_ID) if item["window"] == HEAD else ("state", "committed")
    return {name: item.get(name) for name in names}


def _named(item: Item) -> int:
    """Return how many good visits of a window the log names."""
    return int(item.get(PROVEN, {}).get("visits", 0))


def _first(item: Item) -> bool:
    """Return whether the log has no entry of an item, or none since an earlier version has changed it."""
    return not _stated(item)


def _stated(item: Item) -> Item:
    """Return what the newest entry has seen of an item."""
    return {name: value for name, value in item.get(PROVEN, {}).items() if name != "visits"}


def _forgotten(item: Item) -> bool:
    """Return whether an item is neither marked nor stated as it is."""
    stands = item["window"] == HEAD or not item["window"].startswith("#")
    return stands and UNPROVEN not in item and _stated(item) != _seen(item)
