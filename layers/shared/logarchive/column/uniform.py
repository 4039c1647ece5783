"""Records that all have the same keys, as most blocks do: columns without looking at one record at a time.

Gives what `mapping.mixed` gives, or None where the records differ.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from arro3.core import Array, DataType

from logarchive.column.arrow import declared
from logarchive.column.attribute import InexactError, NameSize, json_text
from logarchive.column.convert import text
from logarchive.column.mapping import Column, ColumnMapping, typed
from logarchive.column.scalar import Inexact
from logarchive.column.schema import COLUMNS
from logarchive.record.block import Record

_TEXT = DataType.utf8()
_LEAVES = {Inexact, type(None)}


class _NotUniformError(Exception):
    """Some record differs from the others."""


def uniform(
    records: Sequence[Record], mapping: ColumnMapping, times: Column
) -> tuple[dict[str, Column | Array], Array] | None:
    """Return columns and attributes of records that have the same keys in the same order; None if they have not."""
    if not records:
        return None
    try:
        leaves = _leaves(records, "", NameSize())
        return _columns(leaves, mapping, times)
    except (_NotUniformError, TypeError, OverflowError):
        # TypeError: a value that is no text, among values that are. OverflowError: names too long to be flattened.
        return None


def _leaves(records: Sequence[Record], prefix: str, size: NameSize) -> dict[str, Sequence[Any]]:
    """Return the values of each key, objects flattened with dots."""
    shape = list(records[0])
    if not shape or list(chain.from_iterable(records)) != shape * len(records):
        raise _NotUniformError
    made: dict[str, Sequence[Any]] = {}
    for key, values in zip(shape, zip(*(record.values() for record in records), strict=True), strict=True):
        name = prefix + key
        inner: dict[str, Sequence[Any]] = {name: values}
        if values[0].__class__ is dict:
            if set(map(type, values)) != {dict}:
                raise _NotUniformError
            inner = _leaves(values, f"{name}.", size)
        else:
            size.add(key, name)
        if not made.keys().isdisjoint(inner):
            raise _NotUniformError
        made |= inner
    return made


def _columns(
    leaves: dict[str, Sequence[Any]], mapping: ColumnMapping, times: Column
) -> tuple[dict[str, Column | Array], Array]:
    made: dict[str, Column | Array] = {}
    for key, fields in mapping.groups.items():
        values = leaves.get(key)
        for column, field in fields:
            if column == "time":
                made[column] = times
            elif values is not None and field.convert is text and COLUMNS[column] == "string":
                made[column] = _text(values)
            else:
                made[column] = typed(column, field.convert(_known(values, len(times))))
        takers = [made[column] for column, field in fields if field.take]
        if takers and values is not None:
            if not any(map(_full, takers)):
                raise _NotUniformError
            del leaves[key]
    return made, _attributes(leaves, len(times))


def _text(values: Sequence[Any]) -> Array:
    made = Array(values, _TEXT)
    if made.null_count:
        raise _NotUniformError
    return made


def _known(values: Sequence[Any] | None, size: int) -> list[Any]:
    if values is None:
        return [None] * size
    if float in set(map(type, values)):
        raise InexactError
    return list(values)


def _full(taker: Column | Array) -> bool:
    return isinstance(taker, Array) or not _LEAVES & set(map(type, taker))


def _attributes(leaves: dict[str, Sequence[Any]], size: int) -> Array:
    texts = [_texts(values) for values in leaves.values()]
    pairs = list(chain.from_iterable(zip(*texts, strict=True)))
    width = len(leaves)
    keys = _keys(tuple(leaves), size)
    return declared(keys, Array(pairs, _TEXT), range(0, width * size + 1, width) if width else [0] * (size + 1))


def _texts(values: Sequence[Any]) -> Sequence[str | None]:
    """Write values as text. Where the first is text they are returned as they are: the array refuses any other type."""
    if values[0].__class__ is str:
        return values
    kinds = set(map(type, values))
    if kinds == {int}:
        return list(map(str, values))
    if dict in kinds:
        raise _NotUniformError
    return [value if value.__class__ is str else json_text(value) for value in values]


@lru_cache(maxsize=8)
def _keys(names: tuple[str, ...], size: int) -> Array:
    """Return the names over and over."""
    return Array(list(names) * size, _TEXT)
