"""What a provider must bring to be played: routes, truth and switches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tests.simulator.message import Asked, Request, Response
from tests.simulator.record import Record


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: which requests it takes, what they ask for, how it answers, and how it refuses with a status."""

    endpoint: str
    matches: Callable[[Request], bool]
    asked: Callable[[Request], Asked]
    answer: Callable[[Request], Response]
    refuse: Callable[[int, Request], Response]
    fail: Callable[[dict[str, str]], Response]


class Provider(Protocol):
    """A vendor's API. Its `switches` are a dataclass whose fields tests set by name."""

    name: str

    @property
    def switches(self) -> object:
        """The settings that tests may change."""
        ...

    def routes(self) -> tuple[Route, ...]:
        """Return the endpoints."""
        ...

    def truth(self, start: datetime, end: datetime) -> Iterator[Record]:
        """Yield every record of a half-open range, served or not."""
        ...

    def add(self, record: Record) -> Record:
        """Hold one more record."""
        ...

    def expire(self, request: Request) -> None:
        """Make the link of a request invalid until it is listed anew."""
        ...
