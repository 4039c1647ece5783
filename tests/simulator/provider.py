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
from tests.simulator.world import to_ms


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
    switches: S
    shelf: Shelf[R]

    @abstractmethod
    def routes(self) -> tuple[Route, ...]:
        """Return the endpoints."""

    def truth(self, start: datetime, end: datetime) -> Iterator[Record]:
        """Yield every record whose time lies in the half-open range, served or not."""
        return self.shelf.range(to_ms(start), to_ms(end))

    def add(self, record: Record) -> Record:
        """Hold one more record."""
        return self.shelf.add(cast("R", record))

    def expire(self, request: Request) -> None:  # noqa: B027 (not every provider hands out links)
        """Make the link of a request invalid until it is listed anew."""
