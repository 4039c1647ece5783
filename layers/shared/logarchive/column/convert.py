"""Which key of a record becomes a column, and how: values as parsed -> the column's type, None where one does not fit.

A JSON number whose text would not survive parsing arrives as `Verbatim`. A result of type `Inexact` fills the column
and still leaves the source's own text in `attributes`.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from logarchive.column.scalar import Inexact, decimal, epoch_in_ms, instant_ms, zoned_ms
from logarchive.moment import zone
from logarchive.record.block import Verbatim

type Convert = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True)
class FieldMapping:
    """One key of a record that becomes one column.

    `take`: a value that fits the column is removed from the record. A value that does not fit stays in `attributes`,
    and so does every value with `take=False` (for a column that is derived from a key).
    """

    key: str
    convert: Convert
    take: bool = True


_NONE = type(None)
_TEXTS = {str, _NONE}
_INTEGERS = {int, _NONE}
_INTEGER = re.compile(r"-?[1-9][0-9]{0,18}|0")
_ANY_INTEGER = re.compile(r"-?[1-9][0-9]*|0")
#: Integers that a double holds exactly; `-0` is excluded.
_SHORT = re.compile(r"-?[1-9][0-9]{0,14}|0")
_PADDED = re.compile(r"-?0[0-9]")

_FIRST_MS, _LAST_MS = 10**12, 10**13 - 1

_SEVERITIES = {
    **dict.fromkeys(("TRACE", "FINEST", "FINER", "VERBOSE"), 1),
    **dict.fromkeys(("DEBUG", "FINE", "CONFIG"), 5),
    **dict.fromkeys(("INFO", "INFORMATION", "INFORMATIONAL"), 9),
    "NOTICE": 10,
    **dict.fromkeys(("WARN", "WARNING"), 13),
    **dict.fromkeys(("ERROR", "ERR", "SEVERE"), 17),
    **dict.fromkeys(("FATAL", "CRITICAL", "CRIT", "ALERT", "EMERGENCY", "EMERG", "PANIC"), 21),
}
#: Python's numeric levels, highest first.
_LEVELS = ((50, 21), (40, 17), (30, 13), (20, 9), (10, 5), (1, 1))


def each(convert_value: Callable[[Any], Any]) -> Convert:
    """Make a conversion of a column from a conversion of one value; None stays None."""

    @functools.wraps(convert_value)
    def convert(values: list[Any]) -> list[Any]:
        return [None if value is None else convert_value(value) for value in values]

    return convert


def _texts(convert_value: Callable[[str], Any]) -> Convert:
    """Like `each`, for text only, called once per different text; other values do not fit."""

    def convert(values: list[Any]) -> list[Any]:
        known = {value: convert_value(value) for value in {value for value in values if value.__class__ is str}}
        return [known[value] if value.__class__ is str else None for value in values]

    return convert


def text(values: list[Any]) -> list[Any]:
    """Take text as it is."""
    if set(map(type, values)) <= _TEXTS:
        return values
    return [value if value.__class__ is str else None for value in values]


def _integer(value: Any) -> int | None:  # noqa: ANN401 (JSON)
    if value.__class__ is int:
        return value
    return int(value) if value.__class__ is str and _INTEGER.fullmatch(value) else None


def integer(values: list[Any]) -> list[Any]:
    """Take integers, and text that is exactly how an integer is written."""
    if set(map(type, values)) <= _INTEGERS:
        return values
    return [_integer(value) for value in values]


@each
def integer_text(value: Any) -> str | None:  # noqa: ANN401 (JSON)
    """Take an integer of any length as its decimal text: for ids that a provider writes as numbers."""
    text = str(value) if value.__class__ is int else value.text if value.__class__ is Verbatim else ""
    return text if _ANY_INTEGER.fullmatch(text) else None


@each
def number(value: Any) -> float | None:  # noqa: ANN401 (JSON)
    """Take numbers, and text that is a number, where a double holds every digit."""
    if value.__class__ is str and _SHORT.fullmatch(value):
        return float(value)
    exact = decimal(value)
    if exact is None or (value.__class__ is str and _PADDED.match(value)):
        return None
    nearest = float(exact)
    return nearest if Decimal(repr(nearest)) == exact else None


@each
def _any_epoch_ms(value: Any) -> int | None:  # noqa: ANN401 (JSON)
    if value.__class__ is int and _FIRST_MS <= value <= _LAST_MS:
        return int(value)
    if (epoch := epoch_in_ms(value)) is not None:
        return epoch
    instant = instant_ms(value.strip(), dt.UTC) if value.__class__ is str else None
    return None if instant is None else Inexact(instant)


def epoch_ms(values: list[Any]) -> list[Any]:
    """Read times: epoch ms; inexactly also s, µs, ns, numeric text, and ISO 8601 (UTC where it names no zone)."""
    if set(map(type, values)) == {int} and min(values) >= _FIRST_MS and max(values) <= _LAST_MS:
        return values
    return _any_epoch_ms(values)


def zoned_time(offset: str) -> Convert:
    """Read times of a zone such as `+08:00`: `YYYYMMDDHHMMSS`, `YYYY-MM-DD HH:MM:SS`; inexactly ISO 8601 and epochs."""
    there = zone(offset)
    known = _texts(lambda value: zoned_ms(value, there))

    def convert(values: list[Any]) -> list[Any]:
        if set(map(type, values)) <= _TEXTS:
            return known(values)
        return [known([value])[0] if value.__class__ is str else epoch_in_ms(value) for value in values]

    return convert


def _level(value: int) -> int | None:
    return next((number for least, number in _LEVELS if value >= least), None)


def _severity(value: str) -> int | None:
    name = value.strip().upper()
    return _level(int(name)) if _INTEGER.fullmatch(name) else _SEVERITIES.get(name)


_severity_names = _texts(_severity)


def severity(values: list[Any]) -> list[Any]:
    """Read a level's name, or Python's numeric level, as an OpenTelemetry severity number (1 to 24)."""
    if set(map(type, values)) <= _TEXTS:
        return _severity_names(values)
    return [_level(value) if value.__class__ is int else _severity_names([value])[0] for value in values]


#: Reads a level's name alone: where numbers are not known to be levels, they do not fit.
severity_name = _texts(lambda value: _SEVERITIES.get(value.strip().upper()))


@each
def status_severity(value: Any) -> int:  # noqa: ANN401 (JSON)
    """Read an HTTP status as a severity: 17 (error) from 500, 13 (warning) from 400, else 9 (information)."""
    status = _integer(value) or 0
    return 17 if status >= 500 else 13 if status >= 400 else 9  # noqa: PLR2004 (HTTP)


def lookup(table: Mapping[str, Any]) -> Convert:
    """Read text, or an integer, by a table; what is not in it does not fit."""
    return each(lambda value: table.get(str(value)) if value.__class__ in {str, int} else None)


def item(index: int) -> Convert:
    """Take the text at one place of a list."""

    def text_at(value: Any) -> Any:  # noqa: ANN401 (JSON)
        inner = value[index] if value.__class__ is list and -len(value) <= index < len(value) else None
        return inner if inner.__class__ is str and inner else None

    return each(text_at)


def before(values: list[Any]) -> list[Any]:
    """Take what comes before the first `?`: the path of a URL. Only `after` holds the rest, so map both."""
    return [value.partition("?")[0] if value.__class__ is str else None for value in values]


def after(values: list[Any]) -> list[Any]:
    """Take what comes after the first `?`: the query of a URL, None where there is none. Derived: `take=False`."""
    return [parts[2] if value.__class__ is str and (parts := value.partition("?"))[1] else None for value in values]
