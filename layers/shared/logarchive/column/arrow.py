"""Columns to Arrow record batches of the `logs` table."""

import base64
from array import array
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from itertools import accumulate
from typing import Any

from arro3.core import Array, DataType, Field, RecordBatch, Schema, Table, list_array, struct_array
from arro3.io import read_ipc_stream

from logarchive.column.schema import COLUMNS, ColumnType

#: The schema of one column, `attributes: map<string, string>` with pairs named `key_value`, as an Arrow IPC stream.
#: arro3 names them `entries` and has no other way to say it; Athena and Spark want `key_value`.
_MAP_SCHEMA = base64.b64decode(
    "/////zgBAAAQAAAAAAAKAAwACgAJAAQACgAAABAAAAAAAQQACAAIAAAABAAIAAAABAAAAAEAAAAEAAAAvP///xgAAAAMAAAAAAABEbQAAAABAAAA"
    "CAAAAHj///+k////HAAAAAwAAAAAAAANhAAAAAIAAABUAAAAGAAAAJz///8QABQAEAAOAA8ABAAAAAgAEAAAABQAAAAMAAAAAAABBQwAAAAAAAAA"
    "yP///wUAAAB2YWx1ZQAAABAAFAAQAAAADwAEAAAACAAQAAAAGAAAAAwAAAAAAAAFEAAAAAAAAAAEAAQABAAAAAMAAABrZXkACQAAAGtleV92YWx1"
    "ZQAAAAoAAABhdHRyaWJ1dGVzAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD/////AAAAAA=="
)
_MAP: Field = read_ipc_stream(BytesIO(_MAP_SCHEMA)).schema.field("attributes")

TYPES: dict[str, DataType] = {
    "timestamp": DataType.timestamp("ms", tz="UTC"),
    "string": DataType.utf8(),
    "int": DataType.int32(),
    "bigint": DataType.int64(),
    "double": DataType.float64(),
    "map<string,string>": _MAP.type,
}
_KEY = Field("key", DataType.utf8(), nullable=False)
_VALUE = Field("value", DataType.utf8(), nullable=True)

SCHEMA = Schema([_MAP if name == "attributes" else Field(name, TYPES[kind]) for name, kind in COLUMNS.items()])


class Batches:
    """Makes record batches; a column of one value is made once and kept."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._constants: dict[str, tuple[str | None, Array]] = {}

    def constant(self, column: str, value: str | None, size: int) -> Array:
        """Return a column of one value; the last one made is kept."""
        known, array = self._constants.get(column, (None, None))
        if array is None or known != value or len(array) < size:
            array = filled(column, [value] * size)
            self._constants[column] = value, array
        return array.slice(0, size)

    def batch(
        self,
        columns: Mapping[str, Sequence[Any] | Array],
        attributes: Array,
        ids: Sequence[str | None],
        part: str,
        first: int,
        positions: Sequence[int],
    ) -> RecordBatch:
        """Make a batch; rows whose id is None are left out. `positions` count from the part's record `first`."""
        size = len(ids)
        arrays: dict[str, Array] = {
            name: values if isinstance(values, Array) else filled(name, values) for name, values in columns.items()
        }
        arrays["source"] = self.constant("source", self._source, size)
        arrays["record_id"] = filled("record_id", ids)
        arrays["attributes"] = attributes
        arrays["raw_part"] = self.constant("raw_part", part, size)
        arrays["raw_index"] = _indices(first, positions)
        ordered = [arrays[name] if name in arrays else self.constant(name, None, size) for name in COLUMNS]
        if None in ids:
            chosen = filled("raw_index", [at for at, record_id in enumerate(ids) if record_id is not None])
            ordered = [array.take(chosen) for array in ordered]
        return RecordBatch.from_arrays(ordered, schema=SCHEMA)


def _indices(first: int, positions: Sequence[int]) -> Array:
    if isinstance(positions, range) and positions:
        return Array.from_buffer(array("q", range(first + positions.start, first + positions.stop)))
    return filled("raw_index", [first + at for at in positions])


def unzoned(array: Array) -> Array:
    """Return times as epoch milliseconds, and other arrays as they are.

    Of a time with a zone, Python would make a datetime by its time zone database, which Lambda does not have.
    """
    return array.cast(DataType.int64()) if array.type == TYPES["timestamp"] else array


def joined(batches: Sequence[RecordBatch]) -> RecordBatch:
    """Return the rows of batches, of at least one, as one batch."""
    if len(batches) == 1:
        return batches[0]
    [batch] = Table.from_batches(batches, schema=SCHEMA).combine_chunks().to_batches()
    return batch


def filled(column: str, values: Sequence[Any]) -> Array:
    """Make a column's array."""
    return typed(COLUMNS[column], values)


def typed(kind: ColumnType, values: Sequence[Any]) -> Array:
    """Make an array of a type of Glue's; a moment is epoch milliseconds."""
    if kind == "timestamp":
        return Array(values, DataType.int64()).cast(TYPES[kind])
    return Array(values, TYPES[kind])


def mapped(keys: Sequence[str], values: Sequence[str | None], counts: Sequence[int]) -> Array:
    """Make the map column of pairs, `counts` of them per row."""
    return declared(Array(keys, DataType.utf8()), Array(values, DataType.utf8()), accumulate(counts, initial=0))


def declared(keys: Array, values: Array, offsets: Iterable[int]) -> Array:
    """Make the map column: a list of pairs that is then declared a map, which has the same layout."""
    pairs = struct_array([keys, values], fields=[_KEY, _VALUE])
    lists = list_array(Array.from_buffer(array("i", offsets)), pairs)
    return Array.from_arrow_pycapsule(_MAP.__arrow_c_schema__(), lists.__arrow_c_array__()[1])
