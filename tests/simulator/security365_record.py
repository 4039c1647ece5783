"""Security365's records hour by hour: with ties, a crowded hour, late ones and ids, in the order they are paged in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import orjson

from tests.simulator.record import Record, quiet
from tests.simulator.security365_item import KINDS, ODD, UNREADABLE_TIMES, item
from tests.simulator.traffic import offsets, visibility
from tests.simulator.world import HOUR_MS

if TYPE_CHECKING:
    from tests.simulator.security365 import Security365Switches
    from tests.simulator.world import World

NS = 1_000_000  # a millisecond
TRACES = 4096  # so few trace ids that they are no identity


@dataclass(slots=True, eq=False)
class Item(Record):
    """A record with the two parts of its `sort`: `rank` (its time, in ms or ns) and `id`."""

    rank: int = 0
    id: str = ""


def keyed(record: Record, unit: int) -> Item:
    """Return a record as an item; without a `sort` to read it is filed by its time and the hash of its text."""
    made = (record.time_ms * unit, hashlib.sha256(record.text).hexdigest().upper())
    rank, identity = _sort(record) or made
    plain = (record.time_ms, record.visible_ms, record.text, record.hour_ms, record.kind, record.fleeting)
    return Item(*plain, host=record.host, rank=rank, id=identity)


def _sort(record: Record) -> tuple[int, str] | None:
    try:
        rank, identity = record.value["sort"]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return (rank, identity) if isinstance(rank, int) and isinstance(identity, str) else None


def in_order(items: list[Item]) -> None:
    """Sort backwards: by rank, and among equal ranks the last id first."""
    items.sort(key=lambda one: one.id, reverse=True)
    items.sort(key=lambda one: one.rank)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the items of one hour from the seed, the hour and the switches alone."""

    world: World
    switches: Security365Switches

    def __call__(self, hour_ms: int, _host: str = "") -> list[Item]:
        """Return the items of the hour, in order."""
        if quiet(hour_ms, self.switches.quiet):
            return []
        rng = self.world.random("security365", hour_ms)
        items: list[Item] = []
        moments = self._moments(rng, hour_ms)
        for offset in moments:
            self._put(items, rng, hour_ms, hour_ms + offset, rng.randrange(NS))
        for _ in range(self.switches.tie if self.switches.is_tied(hour_ms) else 0):
            self._put(items, rng, hour_ms, hour_ms + self._tied(moments), NS // 2)
        items += self._bad(rng, hour_ms)
        in_order(items)
        return items

    def _moments(self, rng: Random, hour_ms: int) -> list[int]:
        moments = offsets(rng, hour_ms, self.switches, self.world.scale)
        if self.switches.is_crowded(hour_ms):
            moments += [rng.randrange(HOUR_MS) for _ in range(int(self.switches.crowd * self.world.scale))]
        return sorted(moments)

    def _tied(self, moments: list[int]) -> int:
        """Return the millisecond of the tie: about where the hour reaches the cap, else in its middle."""
        at = self.switches.cap - self.switches.tie // 2
        if 0 < at < len(moments):
            return moments[-at]
        return moments[len(moments) // 2] if moments else HOUR_MS // 2

    def _put(self, items: list[Item], rng: Random, hour_ms: int, time_ms: int, ns: int) -> None:
        chance, r, kind = rng.random(), rng.getrandbits(64), "plain"
        fields = KINDS[r % len(KINDS)](r)
        if chance < self.switches.odd_fraction:
            fields, kind = fields | rng.choice(ODD), "odd"
        items.append(self._item(rng, hour_ms, time_ms, ns, r, fields, kind))
        if chance > 1 - self.switches.duplicate_fraction:
            items.append(self._item(rng, hour_ms, time_ms, ns, r, fields, "duplicate"))

    def _item(
        self, rng: Random, hour_ms: int, time_ms: int, ns: int, r: int, fields: dict[str, str], kind: str
    ) -> Item:
        """Return an item of its own id; a duplicate says all else as the one before it."""
        rank = time_ms * self.switches.unit + (ns if self.switches.unit > 1 else 0)
        identity = f"{rng.getrandbits(256):064X}"
        own = {"traceId": f'"115cf83e-68ff-11f0-{r % TRACES:04x}-42aa5db897b7"', "time": str(time_ms)}
        own |= {"crc32": str(r & 0xFFFF), "sort": f'[{rank},"{identity}"]'}
        visible_ms, fleeting = visibility(rng, hour_ms, time_ms, self.switches)
        text = item(own | fields).encode()
        return Item(time_ms, visible_ms, text, hour_ms, kind, fleeting, rank=rank, id=identity)

    def _bad(self, rng: Random, hour_ms: int) -> list[Item]:
        """Return the items without a readable time, and those that are no JSON."""
        bad: list[Item] = []
        for number in range(self.switches.unreadable_times):
            fields = {"time": UNREADABLE_TIMES[number % len(UNREADABLE_TIMES)]}
            bad.append(self._wrong(rng, hour_ms, fields, "unreadable_time"))
        broken = range(self.switches.unparsable)
        return bad + [self._wrong(rng, hour_ms, {"event": "nope"}, "unparsable") for _ in broken]

    def _wrong(self, rng: Random, hour_ms: int, fields: dict[str, str], kind: str) -> Item:
        return self._item(rng, hour_ms, hour_ms + rng.randrange(HOUR_MS), 0, 1, fields, kind)
