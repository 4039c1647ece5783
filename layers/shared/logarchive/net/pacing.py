"""How soon one request may follow another, how long to wait before the next attempt, and how to wait in time."""

import datetime as dt
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from logarchive.moment import Clock
from logarchive.net.transport import Remaining

LONGEST_BACKOFF_SECONDS = 30.0
LONGEST_RETRY_AFTER_SECONDS = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Time as a worker's requests see it; tests pass a clock of their own."""

    clock: Clock
    sleep: Callable[[float], None]
    #: The seconds until the deadline.
    remaining: Remaining = lambda: math.inf
    #: A random number in [0, 1).
    jitter: Callable[[], float] = random.random

    def sleep_in_time(self, seconds: float) -> bool:
        """Sleep if that ends before the deadline; return whether it did."""
        if seconds >= self.remaining():
            return False
        if seconds:
            self.sleep(seconds)
        return True


@dataclass
class Pace:
    """Spaces requests evenly, `interval` apart; the first one may be sent at once."""

    interval: dt.timedelta
    clock: Clock
    _next: dt.datetime | None = None

    def turn_seconds(self) -> float:
        """Take the next turn and return how long to wait for it: at most the interval, should the clock be set back."""
        now = self.clock()
        due = min(max(self._next or now, now), now + self.interval)
        self._next = due + self.interval
        return (due - now).total_seconds()


def interval(pace: int | None, workers: int) -> dt.timedelta:
    """Return the time between two requests of one of the workers that share `pace` requests a minute."""
    return dt.timedelta(minutes=1) * workers / pace if pace else dt.timedelta(0)


def backoff_seconds(attempt: int, jitter: float) -> float:
    """Return the wait after the failed attempts so far: 1, 2, 4 s …, times a half to one by `jitter` in [0, 1)."""
    return min(LONGEST_BACKOFF_SECONDS, 2.0 ** (attempt - 1)) * (0.5 + jitter / 2)


def retry_after_seconds(value: str | None, now: dt.datetime) -> float | None:
    """Read a Retry-After header, seconds or an HTTP date, as a day at most; None when absent or unreadable."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdecimal():
        return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
    moment = http_date(value)
    return None if moment is None else min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER_SECONDS)


def http_date(value: str | None) -> dt.datetime | None:
    """Read an HTTP date; None when absent or unreadable."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):  # a number in it may be too large for what holds it
        return None
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC)
