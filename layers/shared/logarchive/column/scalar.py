"""Numbers and moments as APIs write them; the conversions of columns are built of these."""

import datetime as dt
import functools
import re
from decimal import Context, Decimal
from typing import Any

from logarchive.moment import to_epoch_ms
from logarchive.record.block import Verbatim

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]"
    r"([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?) ?"
    r"([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_COMPACT = re.compile(r"[0-9]{14}")
_DASHED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")

#: Wide enough that nothing is rounded before it is cut.
_WIDE = Context(prec=200)
#: Digits of an epoch's whole part -> (multiplier, divisor) to milliseconds. Units cannot be confused from 2001 to 2286.
_UNITS = {10: (1000, 1), 13: (1, 1), 16: (1, 1000), 19: (1, 1_000_000)}


class Inexact(int):
    """A column's value that does not hold all its source says, so that the source's text stays in `attributes`."""

    __slots__ = ()


def decimal(value: Any) -> Decimal | None:  # noqa: ANN401 (JSON)
    """Read a number, or text that is one, exactly."""
    if value.__class__ is int:
        return Decimal(value)
    text = value.text if value.__class__ is Verbatim else value
    if text.__class__ is not str or not _NUMBER.fullmatch(text):
        return None
    return Decimal(text)


def epoch_in_ms(value: Any) -> Inexact | None:  # noqa: ANN401 (JSON)
    """Read an epoch in s, ms, µs or ns, recognised by its number of digits; truncated to ms."""
    exact = decimal(value)
    if exact is None or not 0 < exact < Decimal(10) ** 19:
        return None
    unit = _UNITS.get(len(str(int(exact))))
    return (
        None if unit is None else Inexact(_WIDE.divide_int(_WIDE.multiply(exact, Decimal(unit[0])), Decimal(unit[1])))
    )


def instant_ms(text: str, zone: dt.tzinfo) -> int | None:
    """Read an ISO 8601 moment, in `zone` when it names none; truncated to ms."""
    match = _MOMENT.fullmatch(text)
    if not match:
        return None
    day, clock, offset = match.groups()
    try:
        moment = dt.datetime.fromisoformat(f"{day}T{clock.replace(',', '.')}{(offset or '').upper()}")
        return to_epoch_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        return None


@functools.lru_cache(maxsize=1024)
def _minute_ms(text: str, zone: dt.tzinfo) -> int | None:
    return instant_ms(f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:]}", zone)


def zoned_ms(text: str, zone: dt.tzinfo) -> int | None:
    """Read a moment of a zone: exactly `YYYYMMDDHHMMSS` and `YYYY-MM-DD HH:MM:SS`, inexactly ISO 8601 and epochs."""
    text = text.strip()
    if _COMPACT.fullmatch(text):
        minute = _minute_ms(text[:12], zone)
        return None if minute is None or text[12] > "5" else minute + int(text[12:]) * 1000
    instant = instant_ms(text, zone)
    if instant is not None and _DASHED.fullmatch(text):
        return instant
    return epoch_in_ms(text) if instant is None else Inexact(instant)
