"""The keys of a record that feed no column: a map of text, in the order of the record."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from logarchive.record.block import Record, Verbatim, unique
from logarchive.record.exact_json import compact, has_float

type Attributes = tuple[Sequence[str], Sequence[str | None], Sequence[int]]


class InexactError(Exception):
    """The fast path met a float, whose text orjson does not keep: the block must be read exactly."""


def flat(record: Record) -> Record:
    """Flatten objects with dots; empty ones stay, and a taken name gets `#2`, `#3`."""
    if dict not in set(map(type, record.values())):
        return record
    flattened: Record = {}
    _flatten(flattened, "", record)
    return flattened


def _flatten(flattened: Record, prefix: str, record: Record) -> None:
    for key, value in record.items():
        name = prefix + key
        if value.__class__ is dict and value:
            _flatten(flattened, f"{name}.", value)
        else:
            flattened[unique(name, flattened) if name in flattened else name] = value


def attributes(records: Sequence[Record]) -> Attributes:
    """Return keys, values and the number of pairs per record."""
    values: list[Any] = list(chain.from_iterable(record.values() for record in records))
    kinds = set(map(type, values))
    if dict in kinds:
        records = [flat(record) for record in records]
        values = list(chain.from_iterable(record.values() for record in records))
    if kinds - {str, type(None)}:
        values = [value if value.__class__ is str else json_text(value) for value in values]
    return list(chain.from_iterable(records)), values, list(map(len, records))


def json_text(value: Any) -> str | None:  # noqa: ANN401 (JSON)
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
        raise InexactError
    return compact(value).decode()
