"""The rows of a Parquet object, read by another library than the one that wrote them."""

import io
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from tests.truth.row import COLUMNS, Row

# It has no types.
_arrow: Any = import_module("pyarrow")
_parquet: Any = import_module("pyarrow.parquet")

SCHEMA = (
    *(("time", "timestamp[ms, tz=UTC]"), ("source", "string"), ("record_id", "string"), ("severity_number", "int32")),
    *(("severity_text", "string"), ("event_name", "string"), ("body", "string"), ("service_name", "string")),
    *(("service_version", "string"), ("host_name", "string"), ("user_id", "string"), ("user_name", "string")),
    *(("client_address", "string"), ("client_port", "int32"), ("http_request_method", "string")),
    *(("url_domain", "string"), ("url_path", "string"), ("url_query", "string")),
    *(("http_response_status_code", "int32"), ("http_response_size", "int64"), ("http_duration_ms", "double")),
    *(("http_request_referrer", "string"), ("user_agent_original", "string"), ("network_protocol_version", "string")),
    *(("cache_status", "string"), ("geo_region", "string"), ("network_carrier_name", "string")),
    *(("trace_id", "string"), ("attributes", "map<string, string>"), ("raw_part", "string"), ("raw_index", "int64")),
)


class Held(NamedTuple):
    """A row of the archive, with what does not follow from its record."""

    row: Row
    source: str
    record_id: str
    raw_part: str
    raw_index: int


def schema_of(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return the columns of a Parquet object with their types, as pyarrow names them."""
    schema = _parquet.read_schema(io.BytesIO(data))
    return tuple((field.name, str(field.type).replace(" ('attributes')", "")) for field in schema)


def rows(data: bytes) -> Iterator[Held]:
    """Yield the rows of a Parquet object."""
    table = _parquet.ParquetFile(io.BytesIO(data)).read().combine_chunks()
    columns = [_values(table.column(name)) for name in COLUMNS]
    others = [table.column(name).to_pylist() for name in ("source", "record_id", "raw_part", "raw_index")]
    values = zip(*columns, _maps(table.column("attributes")), strict=True)
    yield from (Held(row, *rest) for row, *rest in zip(values, *others, strict=True))


def _values(column: Any) -> Sequence[Any]:
    if column.null_count == len(column):
        return [None] * len(column)
    values: list[Any] = (column.cast(_arrow.int64()) if _arrow.types.is_timestamp(column.type) else column).to_pylist()
    return values


def _maps(column: Any) -> Iterator[Any]:
    """Yield a map column's values as sets of pairs; None for NULL, a list where a name stands twice."""
    for chunk in column.chunks:
        names, values, offsets = chunk.keys.to_pylist(), chunk.items.to_pylist(), chunk.offsets.to_pylist()
        nulls = chunk.is_null().to_pylist()
        for number, null in enumerate(nulls):
            span = slice(offsets[number] - offsets[0], offsets[number + 1] - offsets[0])
            pairs = frozenset(zip(names[span], values[span], strict=True))
            yield None if null else pairs if len(pairs) == span.stop - span.start else ("repeated", pairs)
