"""What all providers of one simulator share: seed, scale and clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def utc_now() -> datetime:
    """Return the real time."""
    return datetime.now(UTC)


def to_ms(moment: datetime) -> int:
    """Return an aware datetime as epoch milliseconds, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """Return epoch milliseconds as an aware UTC datetime, exactly."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def told(text: str, form: str) -> datetime:
    """Return a time that was told without a zone as if it were UTC; ValueError if it is not in that form."""
    return datetime.strptime(f"{text} +0000", f"{form} %z")


def zone_of(text: str) -> timedelta | None:
    """Return the offset from UTC that a text such as +09:00 says; None if it is no such text."""
    match = re.fullmatch(r"([+-])([01]\d|2[0-3]):([0-5]\d)", text)
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -offset if match[1] == "-" else offset


def hours(start_ms: int, end_ms: int) -> range:
    """Return the starts of the UTC hours that touch the half-open range."""
    return range(start_ms // HOUR_MS * HOUR_MS, end_ms, HOUR_MS)


class World:
    """Seed, scale and clock: the same seed and hour give the same records."""

    def __init__(self, seed: int, scale: float, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.scale = scale
        self.clock = clock
        self.offset = timedelta()

    def now(self) -> datetime:
        """Return the simulator's time."""
        return self.clock() + self.offset

    def now_ms(self) -> int:
        """Return the simulator's time in epoch milliseconds."""
        return to_ms(self.now())

    def random(self, *key: object) -> Random:
        """Return the random numbers that belong to a key under this seed."""
        return Random("/".join(map(str, (self.seed, *key))))
