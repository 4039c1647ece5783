"""Security365's records hour by hour: with ties, a crowded hour, late ones and ids, in the order they are paged in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import orjson

from tests.simulator.record import Record
from tests.simulator.security365_item import KINDS, ODD, UNREADABLE_TIMES, item
from tests.simulator.traffic import Habits, Maker, offsets, visibility
from tests.simulator.world import HOUR_MS

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


REFERER = "https://example.com/app"
MAX_SIZE = 10_000


@dataclass(slots=True)
class Security365Switches(Habits):
    """What tests may change. The last group shapes records, as all of `Habits` does."""

    referer: str = REFERER  # the one registered with the licence
    require_token: bool = False  # Authorization: Bearer
    require_api_key: bool = False
    api_key_header: str = "x-api-key"
    body: str = "flat"  # from and to beside size, or filters: inside an object of that name
    cap: int = MAX_SIZE  # a lower one than the page's 10,000, so that tests reach it cheaply
    reach: str = "per_range"  # the cap holds for all pages of a range; or per_call: for each page only
    total: str = "size"  # as in the sample; or all: the overall number, as the page's table says
    inclusive_key: bool = False  # a page begins with the item of its key, not after it
    exclusive_end: bool = False

    records_an_hour: float = 460
    crowd: int = 25_000
    crowd_phase: int = 62  # the crowd is in hours whose number since the epoch is this modulo 168
    tie: int = 300  # so many in one millisecond, whatever the scale
    tie_phase: int = 10  # in hours whose number is this modulo 24, and in the crowd
    sort_time: str = "ms"  # or ns: `sort` begins with nanoseconds, which no float can hold
    odd_fraction: float = 0.02

    @property
    def unit(self) -> int:
        """How many of the units that `sort` begins with are a millisecond."""
        return NS if self.sort_time == "ns" else 1

    def is_crowded(self, hour_ms: int) -> bool:
        """Say whether the crowd is in this hour."""
        return hour_ms // HOUR_MS % 168 == self.crowd_phase

    def is_tied(self, hour_ms: int) -> bool:
        """Say whether a tie is in this hour."""
        return hour_ms // HOUR_MS % 24 == self.tie_phase or self.is_crowded(hour_ms)


class Security365Maker(Maker[Security365Switches, Item]):
    """Makes the items of the licence, in order."""

    def made(self, rng: Random, hour_ms: int, host: str) -> list[Item]:
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

    def _bad(self, rng: Random, hour_ms: int) -> Iterator[Item]:
        """Yield the items without a readable time, and those that are no JSON."""

        def wrong(fields: dict[str, str], kind: str) -> Item:
            return self._item(rng, hour_ms, hour_ms + rng.randrange(HOUR_MS), 0, 1, fields, kind)

        for number in range(self.switches.unreadable_times):
            yield wrong({"time": UNREADABLE_TIMES[number % len(UNREADABLE_TIMES)]}, "unreadable_time")
        for _ in range(self.switches.unparsable):
            yield wrong({"event": "nope"}, "unparsable")
