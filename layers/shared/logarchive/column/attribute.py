"""The keys of a record that have no column: a map of text, in the order of the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import orjson

from logarchive.record.block import Block, Record, Verbatim, unique
from logarchive.record.exact_json import compact, float_texts, has_float

type Attributes = tuple[Sequence[str], Sequence[str | None], Sequence[int]]


#: Most characters in the names of a flattened record: this many, or this many times the keys of the unflattened one.
_FREE_CHARACTERS, _MAX_RATIO = 16 * 1024, 8
#: Quotes, colon, comma and a short value.
_AROUND_KEY = 8


class InexactError(Exception):
    """The fast path met a float, whose text orjson does not keep: the block must be read exactly."""


class Floats:
    """The floats that orjson read in a block: whether their texts are known."""

    def __init__(self, block: Block) -> None:
        self._block = block

    @cached_property
    def kept(self) -> bool:
        """Whether orjson writes the block as it came, byte for byte: it has lost nothing, and so it writes each float.

        The records must still be as they were read.
        """
        return self._block.source is not None and orjson.dumps(self._block.items) == self._block.source

    def ensure_kept(self) -> None:
        """Raise InexactError if texts of floats are unknown."""
        if not self.kept:
            raise InexactError

    def texts(self, values: Sequence[Any]) -> list[Any]:
        """Return a column's values with each float as its text; raise InexactError if that is unknown."""
        if float not in set(map(type, values)):
            return list(values)
        self.ensure_kept()
        return [float_texts(value) if value.__class__ is float else value for value in values]


def flat(record: Record) -> Record:
    """Flatten objects with dots; empty ones stay, and a taken name gets `#2`, `#3`.

    A record whose names would take too much memory is returned as it is: its objects become JSON text.
    """
    if dict not in set(map(type, record.values())):
        return record
    try:
        return _Flattened().add("", record)
    except OverflowError:
        return record


class _Flattened:
    def __init__(self) -> None:
        self._record: Record = {}
        self._numbers: dict[str, int] = {}
        self._size = NameSize()

    def add(self, prefix: str, record: Record) -> Record:
        for key, value in record.items():
            name = prefix + key
            if value.__class__ is dict and value:
                self.add(f"{name}.", value)
            else:
                self._size.add(key, name)
                self._record[unique(name, self._record, self._numbers)] = value
        return self._record


@dataclass
class NameSize:
    """Bounds the names of one flattened record: a long key over many leaves would fill the memory."""

    _names: int = 0
    _source: int = 0

    def add(self, key: str, name: str) -> None:
        """Count a leaf. Raises OverflowError beyond the bound."""
        self._names += len(name)
        self._source += len(key) + _AROUND_KEY
        if self._names > _FREE_CHARACTERS and self._names > _MAX_RATIO * self._source:
            raise OverflowError


def attributes(records: Sequence[Record], floats: Floats) -> Attributes:
    """Return keys, values and the number of pairs per record."""
    values: list[Any] = list(chain.from_iterable(record.values() for record in records))
    kinds = set(map(type, values))
    if dict in kinds:
        records = [flat(record) for record in records]
        values = list(chain.from_iterable(record.values() for record in records))
    if kinds - {str, type(None)}:
        values = [value if value.__class__ is str else json_text(value, floats) for value in values]
    return list(chain.from_iterable(records)), values, list(map(len, records))


def json_text(value: Any, floats: Floats) -> str | None:  # noqa: ANN401 (JSON)
    """Write a value that is no string as its JSON text."""
    if value is None:
        return None
    kind = value.__class__
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is Verbatim:
        return str(value.text)
    if has_float(value):
        floats.ensure_kept()
    return compact(value).decode()
