"""Records of one shape, as in most blocks, or of a few: columns without looking at one record at a time.

Gives what `mapping.mixed` gives, which makes columns of the records that are left.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any

from arro3.core import Array, ChunkedArray, DataType

from logarchive.column.arrow import declared, filled
from logarchive.column.attribute import Floats, NameSize, json_text
from logarchive.column.convert import text
from logarchive.column.mapping import Column, ColumnMapping, full, mixed, typed
from logarchive.column.scalar import Inexact
from logarchive.column.schema import COLUMNS
from logarchive.record.block import Record

_TEXT = DataType.utf8()
_VALUES = dict[str, Any].values
_LEAVES = {Inexact, type(None)}
#: For fewer records of one shape, making their columns by themselves is not worth it.
_FEWEST = 64

type Made = tuple[Mapping[str, Column | Array], Array]


class _NotUniformError(Exception):
    """Some record differs from the others."""


def by_shape(records: Sequence[Record], mapping: ColumnMapping, times: Column, floats: Floats) -> Made:
    """Return columns and attributes of records, made for each shape by itself if they have several."""
    if made := uniform(records, mapping, times, floats):
        return made
    if not records or not mapping.nested:  # going from one flat record to the next costs no more
        return mixed(records, mapping, times, floats)
    parts: list[tuple[Sequence[int], Made]] = []
    rest: list[int] = []

    def attempt(places: list[int]) -> bool:
        made = None
        if _FEWEST <= len(places) < len(records):
            made = uniform(_chosen(records, places), mapping, _chosen(times, places), floats)
        if made:
            parts.append((places, made))
        return made is not None

    for places in _equal(map(tuple, records), range(len(records))):
        if not attempt(places):
            finer = [places] if len(places) < _FEWEST else _equal(_forms(_chosen(records, places), mapping), places)
            rest += chain.from_iterable(some for some in finer if some == places or not attempt(some))
    if rest:
        rest.sort()
        parts.append((rest, mixed(_chosen(records, rest), mapping, _chosen(times, rest), floats)))
    return _joined(parts)


def _equal(shapes: Iterable[Hashable], places: Iterable[int]) -> Iterable[list[int]]:
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for shape, at in zip(shapes, places, strict=True):
        groups[shape].append(at)
    return groups.values()


def _forms(records: Sequence[Record], mapping: ColumnMapping) -> Iterable[Hashable]:
    """Tell apart records of the same keys by the objects that they hold, and the types of what has a column."""
    telling: list[Iterable[Hashable]] = [repeat(None, len(records))]
    for key, values in zip(records[0], zip(*map(_VALUES, records), strict=True), strict=True):
        kinds = set(map(type, values))
        if dict in kinds:
            telling.append(map(_form, values))
        elif len(kinds) > 1 and key in mapping.groups:
            telling.append(map(type, values))
    return zip(*telling, strict=True)


def _form(value: Any) -> Hashable:  # noqa: ANN401 (JSON)
    return (*value, *map(_form, value.values())) if value.__class__ is dict else None


def _chosen[Item](items: Sequence[Item], places: Sequence[int]) -> list[Item]:
    return [items[at] for at in places]


def _joined(parts: Sequence[tuple[Sequence[int], Made]]) -> Made:
    """Put what was made of some records each in the order of all records."""
    if len(parts) == 1:
        return parts[0][1]
    places = list(chain.from_iterable(places for places, _ in parts))
    order = filled("raw_index", sorted(range(len(places)), key=places.__getitem__))

    def joined(arrays: list[Array]) -> Array:
        return ChunkedArray(arrays).combine_chunks().take(order)

    def array(name: str, values: Column | Array) -> Array:
        return values if isinstance(values, Array) else filled(name, values)

    names = parts[0][1][0]
    columns = {name: joined([array(name, made[name]) for _, (made, _) in parts]) for name in names}
    return columns, joined([attributes for _, (_, attributes) in parts])


def uniform(records: Sequence[Record], mapping: ColumnMapping, times: Column, floats: Floats) -> Made | None:
    """Return columns and attributes of records that have the same keys in the same order; None if they have not."""
    if not records:
        return None
    try:
        leaves = _leaves(records, "", NameSize())
        return _columns(leaves, mapping, times, floats)
    except (_NotUniformError, TypeError, OverflowError):
        # TypeError: a value that is no text, among values that are. OverflowError: names too long to be flattened.
        return None


def _leaves(records: Sequence[Record], prefix: str, size: NameSize) -> dict[str, Sequence[Any]]:
    """Return the values of each key, objects flattened with dots."""
    shape = list(records[0])
    if not shape or list(chain.from_iterable(records)) != shape * len(records):
        raise _NotUniformError
    made: dict[str, Sequence[Any]] = {}
    for key, values in zip(shape, zip(*map(_VALUES, records), strict=True), strict=True):
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
    leaves: dict[str, Sequence[Any]], mapping: ColumnMapping, times: Column, floats: Floats
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
                made[column] = typed(column, field.convert(_known(values, len(times), floats)))
        takers = [made[column] for column, field in fields if field.take]
        if takers and values is not None:
            if any(map(full, takers)):
                del leaves[key]
            elif not all(map(_empty, takers)):
                raise _NotUniformError
    return made, _attributes(leaves, len(times), floats)


def _text(values: Sequence[Any]) -> Column | Array:
    made = Array(values, _TEXT)
    return list(values) if made.null_count else made


def _known(values: Sequence[Any] | None, size: int, floats: Floats) -> list[Any]:
    return [None] * size if values is None else floats.texts(values)


def _empty(taker: Column | Array) -> bool:
    return not isinstance(taker, Array) and _LEAVES.issuperset(map(type, taker))


def _attributes(leaves: dict[str, Sequence[Any]], size: int, floats: Floats) -> Array:
    texts = [_texts(values, floats) for values in leaves.values()]
    pairs = list(chain.from_iterable(zip(*texts, strict=True)))
    width = len(leaves)
    # For a power of two of records, so that the next block finds them.
    keys = _keys(tuple(leaves), 1 << size.bit_length()).slice(0, width * size)
    return declared(keys, Array(pairs, _TEXT), range(0, width * size + 1, width) if width else [0] * (size + 1))


def _texts(values: Sequence[Any], floats: Floats) -> Sequence[str | None]:
    """Write values as text. Where the first is text they are returned as they are: the array refuses any other type."""
    if values[0].__class__ is str:
        return values
    kinds = set(map(type, values))
    if kinds == {int}:
        return list(map(str, values))
    if dict in kinds:
        raise _NotUniformError
    return [value if value.__class__ is str else json_text(value, floats) for value in values]


@lru_cache(maxsize=8)
def _keys(names: tuple[str, ...], size: int) -> Array:
    """Return the names over and over."""
    return Array(list(names) * size, _TEXT)
