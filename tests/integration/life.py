"""Lives of sources: configured, visited as time goes by until every window is finished, and then looked at."""

import datetime as dt
import itertools
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from tests import truth
from tests.integration.stage import HOUR, Stage
from tests.simulator import HIDDEN, Asked, Record
from tests.truth.parquet import Held, rows

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
#: How long after its beginning a visit may still be served; none takes so long, and none follows so soon.
VISIT = dt.timedelta(minutes=30)
#: What has a readable time, and so becomes a row.
TIMED = {"plain", "odd", "duplicate", "shifted", "added"}


class Bucket(truth.Bucket):
    """A bucket whose parts, which many manifests may name, are read once."""

    def read(self, key: str) -> bytes:
        return self._part(key) if key.startswith("raw/") else super().read(key)

    @lru_cache(maxsize=4096)  # noqa: B019 (it lives as long as a test)
    def _part(self, key: str) -> bytes:
        return super().read(key)


@dataclass
class Life:
    """A source whose life is over: every window is finished."""

    on: Stage
    place: truth.Place
    start: dt.datetime
    end: dt.datetime
    window: dt.timedelta = HOUR
    #: Only records of these are in the feed, if any are named.
    hosts: Collection[str] = ()
    #: What the provider holds, and what row a record is that was read back, where it is not as usual.
    truth_of: Callable[[str, dt.datetime, dt.datetime], Iterator[Record]] | None = None
    row_of: Callable[[Any], Any] | None = None
    secrets: tuple[str, ...] = HIDDEN
    #: How often each window was visited.
    visits: int = 3

    @cached_property
    def windows(self) -> list[truth.Window]:
        return self.on.windows(self.place.provider, self.place.source)

    @cached_property
    def bucket(self) -> truth.Bucket:
        return Bucket(self.on.bucket.client, self.on.bucket.name)

    def total(self, number: str) -> int:
        return sum(int(window.item.get(number, 0)) for window in self.windows)

    def records(self, window: truth.Window) -> list[Record]:
        """Return what the provider ever held of a window."""
        records = (self.truth_of or self.on.simulator.truth)(self.place.provider, window.start, window.end)
        return [record for record in records if not self.hosts or record.host in self.hosts]

    def manifests(self, window: truth.Window) -> list[Any]:
        """Return the manifests of a window's visits."""
        keys = [key for key in self.bucket.keys(self.place.raw(window)) if key.endswith("manifest.json")]
        return [json.loads(self.bucket.read(key)) for key in keys]

    def held(self, window: truth.Window) -> list[Held]:
        """Return the rows of a window's object."""
        return list(rows(self.bucket.read(self.place.logs(window)))) if window.item.get("object") else []

    def late(self, window: truth.Window) -> list[Record]:
        """Return what became rows of a window only after its first visit."""
        first = dt.datetime.strptime(f"{window.item['visits'][0][:15]} +0000", "%Y%m%dT%H%M%S %z")
        records = [one for one in self.records(window) if one.kind in TIMED]
        if self.place.provider == "apigateway":  # other windows' visits are served its records too
            last = window.visited_at or first
            return [one for one in records if one.visible_from > first and one.due(last)]
        after = (first + VISIT).timestamp() * 1000
        return [one for one in records if one.served_ms and one.served_ms > after]


@dataclass
class Way:
    """How a source lives: how long, in which windows and steps, and what happens before each step."""

    hours: int
    window: dt.timedelta = HOUR
    before: Callable[[], object] = lambda: None
    revisit: tuple[str, ...] = ("PT1H", "P1D")
    #: What the life is seen by afterwards.
    seen: dict[str, Any] = field(default_factory=dict[str, Any])


def lived(on: Stage, provider: str, way: Way, **configured: object) -> Life:
    """Let a source live, and until all of its windows are sealed."""
    hours = way.window // HOUR
    on.put_source(provider, "shop", window=f"PT{hours}H", revisit=way.revisit, **configured)
    end = START + way.hours * HOUR
    on.live(provider, "shop", end, way.window, way.before)
    return Life(on, truth.Place(provider, "shop"), START, end, way.window, visits=1 + len(way.revisit), **way.seen)


def every(number: int) -> Callable[[Asked], bool]:
    """Return what holds for each so-many-th request."""
    numbers = itertools.count(1)
    return lambda _asked: next(numbers) % number == 0
