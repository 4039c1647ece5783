"""The Parquet object of a window: how it is written, and what its footer says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import SEEK_END
from itertools import permutations
from pathlib import Path

import orjson
from arro3.core import RecordBatch, RecordBatchReader
from arro3.io import read_parquet, write_parquet

from logarchive.column.arrow import SCHEMA
from logarchive.column.schema import COLUMNS
from logarchive.window import Window

#: Bounds the writer's memory, and lets a query skip: about 10 MB compressed.
ROW_GROUP_ROWS = 65_536
_READ_ROWS = 8_192
_PAGE_BYTES = 64 * 1024
_VISITS, _WINDOW = "logarchive.visits", "logarchive.window"
#: Columns of few values. For the others a dictionary costs a fifth of all CPU and saves nothing.
_FEW_VALUES = (
    "source",
    "severity_number",
    "severity_text",
    "event_name",
    "service_name",
    "service_version",
    "http_request_method",
    "url_domain",
    "http_response_status_code",
    "network_protocol_version",
    "cache_status",
    "geo_region",
    "network_carrier_name",
    "raw_part",
    ("attributes", "key_value", "key"),
)


class _Failure:
    """Carries an exception through the writer, which would re-raise it as a plain Exception."""

    def __init__(self, batches: Iterable[RecordBatch]) -> None:
        self._batches = batches
        self.error: BaseException | None = None
        self.rows = 0

    def __iter__(self) -> Iterator[RecordBatch]:
        try:
            for batch in self._batches:
                self.rows += batch.num_rows
                yield batch
        except BaseException as error:
            self.error = error
            raise


def write(path: Path, batches: Iterable[RecordBatch], window: Window, visits: Sequence[str]) -> int:
    """Write an object and return its number of rows; equal rows give equal bytes. Raises what `batches` raises."""
    carried = _Failure(batches)
    said = {_VISITS: orjson.dumps(list(visits)).decode(), _WINDOW: window.key}
    try:
        write_parquet(
            RecordBatchReader.from_batches(SCHEMA, carried),
            path,
            compression="zstd(1)",
            writer_version="parquet_1_0",
            skip_arrow_metadata=True,
            created_by="logarchive",
            dictionary_enabled=False,
            column_dictionary_enabled=dict.fromkeys(_FEW_VALUES, True),
            data_page_size_limit=_PAGE_BYTES,
            max_row_group_size=ROW_GROUP_ROWS,
            key_value_metadata=said,
        )
    except Exception:
        if carried.error is not None:
            raise carried.error from None
        raise
    _settle(path, said)
    return carried.rows


def _settle(path: Path, said: Mapping[str, str]) -> None:
    """Put the footer's key-value pairs in order: arro3 keeps them in a hash map, whose order is random."""
    pairs = [_thrift(key) + _thrift(value) + b"\0" for key, value in sorted(said.items())]
    with path.open("r+b") as file:
        file.seek(-8, SEEK_END)
        length = int.from_bytes(file.read(4), "little")
        file.seek(-8 - length, SEEK_END)
        footer = file.read(length)
        for shuffled in permutations(pairs):
            footer = footer.replace(b"".join(shuffled), b"".join(pairs))
        file.seek(-8 - length, SEEK_END)
        file.write(footer)


def _thrift(text: str) -> bytes:
    """Write the next binary field of a struct in Thrift's compact protocol."""
    data = text.encode()
    length, size = b"", len(data)
    while size >= 1 << 7:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return b"\x18%b%b%b" % (length, bytes([size]), data)


def read(path: Path) -> Iterator[RecordBatch]:
    """Yield an object's rows."""
    for batch in read_parquet(path, batch_size=_READ_ROWS):
        yield RecordBatch.from_arrays([batch.column(name) for name in COLUMNS], schema=SCHEMA)


def object_visits(path: Path) -> tuple[str, ...]:
    """Return the visits whose parts make up an object."""
    footer = {_text(key): _text(value) for key, value in read_parquet(path).schema.metadata.items()}
    return tuple(orjson.loads(footer[_VISITS]))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
