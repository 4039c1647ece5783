"""Moments and durations: as text, as epoch milliseconds, and the clock."""

import datetime as dt
import re
from collections.abc import Callable

from pydantic import TypeAdapter

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

MILLISECOND = dt.timedelta(milliseconds=1)
SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

OFFSET = re.compile(r"[+-](0[0-9]|1[0-4]):[0-5][0-9]")

_LENGTH = TypeAdapter(dt.timedelta)

type Clock = Callable[[], dt.datetime]


def instant(moment: dt.datetime) -> str:
    """Write a UTC moment as `2026-11-22T13:00:00Z` (whole seconds, sorts as text)."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def parse_instant(text: str) -> dt.datetime:
    """Read what `instant` wrote. Raises ValueError for every other form of a moment."""
    moment = dt.datetime.fromisoformat(text)
    if text != instant(moment):
        raise ValueError(f"{text!r} is no UTC moment in whole seconds; for instance 2026-11-22T13:00:00Z")
    return moment


def duration(length: dt.timedelta) -> str:
    """Write whole seconds as ISO 8601 with days, hours, minutes and seconds: `PT1H`, `P1DT30M`."""
    minutes, seconds = divmod(length // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    date = f"{days}D" if days else ""
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    return f"P{date}{'T' + time if time else ''}" if date or time else "PT0S"


def parse_duration(text: str) -> dt.timedelta:
    """Read what `duration` wrote."""
    return _LENGTH.validate_python(text)


def floor(moment: dt.datetime, length: dt.timedelta) -> dt.datetime:
    """Return the last multiple of `length` since the epoch that is not after `moment`."""
    return EPOCH + (moment - EPOCH) // length * length


def to_epoch_ms(moment: dt.datetime) -> int:
    """Return whole milliseconds since the epoch."""
    return (moment - EPOCH) // MILLISECOND


def zone(offset: str) -> dt.timezone:
    """Return the time zone of an offset from UTC such as `+09:00`. Raises ValueError for any other text."""
    if not OFFSET.fullmatch(offset):
        raise ValueError("is no offset from UTC; for instance +09:00")
    length = dt.timedelta(hours=int(offset[1:3]), minutes=int(offset[4:]))
    return dt.timezone(-length if offset[0] == "-" else length)
