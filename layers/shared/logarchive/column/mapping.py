"""Records to columns: which key becomes which column, and which keys are left for `attributes`."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any

from arro3.core import Array

from logarchive.column.arrow import mapped
from logarchive.column.attribute import Floats, attributes, flat
from logarchive.column.convert import FieldMapping, text
from logarchive.column.scalar import Inexact
from logarchive.column.schema import COLUMNS, ColumnType
from logarchive.record.block import Record

type Column = list[Any]

_NONE = type(None)
_GET: Callable[[Record, str], Any] = dict[str, Any].get
_COPY: Callable[[Record], Record] = dict[str, Any].copy
_POP: Callable[[Record, str], Any] = dict[str, Any].pop
#: What leaves the source's text in `attributes`.
_LEFT = {Inexact, _NONE}
_KINDS: dict[ColumnType, set[type]] = {
    "timestamp": {int, Inexact, _NONE},
    "string": {str, _NONE},
    "int": {int, Inexact, _NONE},
    "bigint": {int, Inexact, _NONE},
    "double": {float, _NONE},
}
_BITS: dict[ColumnType, int] = {"timestamp": 63, "int": 31, "bigint": 63}


class ColumnMapping:
    """A provider's mapping by key: each key with its columns."""

    def __init__(
        self,
        columns: Mapping[str, FieldMapping],
        unique_id: FieldMapping | None = None,
        embedded: Sequence[str] = (),
        time_and_id: str | None = None,
    ) -> None:
        """Group the fields by key."""
        self.time = columns["time"]
        self.unique_id, self.embedded, self.time_and_id = unique_id, embedded, time_and_id
        keys = dict.fromkeys(field.key for field in columns.values())
        self.groups = {key: [(column, field) for column, field in columns.items() if field.key == key] for key in keys}
        self.nested = any("." in key for key in keys)

    def times(self, records: Sequence[Record], floats: Floats) -> Column:
        """Return the records' times in ms, None where a time cannot be read."""
        key = self.time.key
        if "." in key:
            records = [flat(record) for record in records]
        values = floats.texts(list(map(_GET, records, repeat(key))))
        return typed("time", self.time.convert(values))

    def ids(self, records: Sequence[Record]) -> Column | None:
        """Return the provider's own ids, None where it gives none."""
        if self.unique_id is None:
            return None
        return typed("record_id", self.unique_id.convert(list(map(_GET, records, repeat(self.unique_id.key)))))

    def without_repetition(self, records: Sequence[Record], times: Column, ids: Column | None) -> Sequence[Record]:
        """Leave out the key that says nothing but a record's time and id, in new records."""
        key = self.time_and_id
        if key is None or ids is None:
            return records
        return [
            {name: value for name, value in record.items() if name != key}
            if _is_time_and_id(record.get(key), time, record_id)
            else record
            for record, time, record_id in zip(records, times, ids, strict=True)
        ]


def _is_time_and_id(value: Any, time: int, record_id: str | None) -> bool:  # noqa: ANN401 (JSON)
    # Neither `true` nor `1.0` is the integer 1, though Python calls them equal.
    return value == [time, record_id] and value[0].__class__ is time.__class__ is int and record_id is not None


def typed(column: str, values: Column) -> Column:
    """Replace by None what a column cannot hold."""
    kind = COLUMNS[column]
    bits = _BITS.get(kind)
    if not set(map(type, values)) <= _KINDS[kind]:
        values = [value if type(value) in _KINDS[kind] else None for value in values]
    if bits is not None and not _within(values, 1 << bits):
        values = [value if value is None or -1 << bits <= value < 1 << bits else None for value in values]
    return values


def _within(values: Column, limit: int) -> bool:
    known = [value for value in values if value is not None]
    return not known or (-limit <= min(known) and max(known) < limit)


def columns(records: Sequence[Record], mapping: ColumnMapping, times: Column, floats: Floats) -> dict[str, Column]:
    """Return the columns of the records, and remove from the records the values that a column holds."""
    made: dict[str, Column] = {}
    for key, fields in mapping.groups.items():
        values = floats.texts(list(map(_GET, records, repeat(key))))
        kinds = set(map(type, values))
        plain = kinds == {str}  # the most common case: nothing to convert, nothing left over
        for column, field in fields:
            if column == "time":
                made[column] = times
            else:
                text_as_is = plain and field.convert is text and COLUMNS[column] == "string"
                made[column] = values if text_as_is else typed(column, field.convert(values))
        takers = [made[column] for column, field in fields if field.take]
        if _NONE not in kinds and any(map(full, takers)):
            deque(map(_POP, records, repeat(key)), maxlen=0)
        elif takers:
            _remove(records, key, takers)
    return made


def full(taker: Column | Array) -> bool:
    """Return whether a column holds all that each of its values says."""
    return isinstance(taker, Array) or _LEFT.isdisjoint(map(type, taker))


def _remove(records: Sequence[Record], key: str, takers: Sequence[Column]) -> None:
    for record, *values in zip(records, *takers, strict=True):
        if any(value is not None and value.__class__ is not Inexact for value in values):
            del record[key]


def mixed(
    records: Sequence[Record], mapping: ColumnMapping, times: Column, floats: Floats
) -> tuple[dict[str, Column], Array]:
    """Return columns and attributes of records of any shape."""
    # `columns` removes keys, but `floats` needs the records as they were read.
    copies = [flat(record).copy() for record in records] if mapping.nested else list(map(_COPY, records))
    made = columns(copies, mapping, times, floats)
    return made, mapped(*attributes(copies, floats))
