"""The Parquet object of a window: how it is written, and what its footer says."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from arro3.core import RecordBatch, RecordBatchReader
from arro3.io import read_parquet, write_parquet

from logarchive.column.arrow import SCHEMA
from logarchive.column.schema import COLUMNS
from logarchive.errors import ArchiveError, without_panics

#: Bounds the writer's memory, and lets a query skip: about 10 MB compressed.
ROW_GROUP_ROWS = 65_536
_READ_ROWS = 8_192
_PAGE_BYTES = 64 * 1024
#: The only key in the footer: arro3 keeps the keys in a hash map, so with a second one the bytes would vary.
#: Objects of earlier versions also have `logarchive.window`.
_VISITS = "logarchive.visits"
#: A placeholder's second key: each claim's placeholder has an ETag of its own.
_CLAIM = "logarchive.claim"
#: Followed by ` version ` and that of the mapping, a form that readers parse. Objects of earlier versions have none.
_CREATED_BY = "logarchive"
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


class _Source:
    """The batches to write. Counts rows, and keeps the exception, which arro3 re-raises as a plain Exception."""

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


def write_placeholder(path: Path, claim: str) -> None:
    """Write an object without rows and visits, which no other claim's placeholder equals."""
    _write(path, _Source(()), {_VISITS: "[]", _CLAIM: claim}, _CREATED_BY)


def write(path: Path, batches: Iterable[RecordBatch], visits: Sequence[str], mapping_version: int) -> int:
    """Write an object and return its number of rows; equal rows give equal bytes. Raises what `batches` raises."""
    source = _Source(batches)
    _write(path, source, {_VISITS: orjson.dumps(list(visits)).decode()}, f"{_CREATED_BY} version {mapping_version}")
    return source.rows


def _write(path: Path, source: _Source, footer: dict[str, str], created_by: str) -> None:
    try:
        write_parquet(
            RecordBatchReader.from_batches(SCHEMA, source),
            path,
            compression="zstd(1)",
            writer_version="parquet_1_0",
            skip_arrow_metadata=True,
            created_by=created_by,
            dictionary_enabled=False,
            column_dictionary_enabled=dict.fromkeys(_FEW_VALUES, True),
            data_page_size_limit=_PAGE_BYTES,
            max_row_group_size=ROW_GROUP_ROWS,
            key_value_metadata=footer,
        )
    except Exception:
        if source.error is not None:
            raise source.error from None
        raise


def read(path: Path) -> Iterator[RecordBatch]:
    """Yield an object's rows. Raises ArchiveError if it is damaged."""
    with _damage_named():
        for batch in read_parquet(path, batch_size=_READ_ROWS):
            yield RecordBatch.from_arrays([batch.column(name) for name in COLUMNS], schema=SCHEMA)


def object_visits(path: Path) -> tuple[str, ...]:
    """Return the visits whose parts make up an object. Raises ArchiveError if it is damaged."""
    with _damage_named():
        footer = read_parquet(path).schema.metadata_str
        return tuple(orjson.loads(footer[_VISITS]))


@contextmanager
def _damage_named() -> Generator[None]:
    try:
        with without_panics():
            yield
    except MemoryError:
        raise
    except Exception as error:
        raise ArchiveError(
            f"the window's object under logs/ is damaged, or is none of ours ({type(error).__name__}: {error}): "
            "replay the window, which builds it anew from raw/"
        ) from error
