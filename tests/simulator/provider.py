"""What a provider that is played has: endpoints, records and switches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from tests.simulator.message import Asked, Request, Response
from tests.simulator.record import Record, Shelf
from tests.simulator.traffic import Habits
from tests.simulator.world import World, to_ms


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: which requests it takes, what they ask for, how it answers, and how it refuses with a status."""

    endpoint: str
    matches: Callable[[Request], bool]
    asked: Callable[[Request], Asked]
    answer: Callable[[Request], Response]
    refuse: Callable[[int, Request], Response]
    fail: Callable[[dict[str, str]], Response]


def at(method: str, *paths: str) -> Callable[[Request], bool]:
    """Return what says whether a request is for one of the paths."""
    return lambda request: request.method == method and request.path in paths


class Provider[S: Habits, R: Record = Record](ABC):
    """A vendor's API: its endpoints, its records, and `switches` that tests set by name."""

    name: str

    def __init__(self, world: World, switches: S, make: Callable[[int, str], list[R]]) -> None:
        self.world = world
        self.switches = switches
        self.shelf = Shelf(make)

    @abstractmethod
    def routes(self) -> tuple[Route, ...]:
        """Return the endpoints."""

    def shown(self, start_ms: int, end_ms: int) -> list[R]:
        """Return what is shown now of a half-open range, the newest first."""
        return self.shelf.newest_first(start_ms, end_ms, self.world.now_ms(), self.switches.gone_after_ms)

    def truth(self, start: datetime, end: datetime) -> Iterator[Record]:
        """Yield every record whose time lies in the half-open range, served or not."""
        return self.shelf.range(to_ms(start), to_ms(end))

    def add(self, record: Record) -> Record:
        """Hold one more record."""
        return self.shelf.add(cast("R", record))

    def expire(self, request: Request) -> None:  # noqa: B027 (not every provider hands out links)
        """Make the link of a request invalid until it is listed anew."""
