"""The Parquet object of a window: how it is written, and what its footer says."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import orjson
from arro3.core import RecordBatch, RecordBatchReader
from arro3.io import read_parquet, write_parquet

from logarchive.column.arrow import SCHEMA, unzoned
from logarchive.column.schema import COLUMNS
from logarchive.errors import ArchiveError, without_panics

#: Bounds the writer's memory, and lets a query skip: about 10 MB compressed.
ROW_GROUP_ROWS = 65_536
_READ_ROWS = 4_096
_PAGE_BYTES = 64 * 1024
#: The only key in the footer: arro3 keeps the keys in a hash map, so with a second one the bytes would vary.
#: Objects of earlier versions also have `logarchive.window`.
_VISITS = "logarchive.visits"
#: A placeholder's second key: each claim's placeholder has an ETag of its own.
_CLAIM = "logarchive.claim"
#: Followed by ` version ` and that of the mapping, a form that readers parse. Objects of earlier versions have none.
_CREATED_BY = "logarchive"
#: A column gets a dictionary if so many first rows hold each value twice; rows, whatever batches they come in.
#: Where most values differ, a dictionary costs a fifth of all CPU and saves nothing.
_SAMPLED_ROWS = 2_048
_OFTEN = 2
#: In the values of attributes fields of few and of many values stand side by side, so that few repeats do not pay.
_OFTEN_AMONG_ATTRIBUTES = 20
_KEYS, _VALUES = ("attributes", "key_value", "key"), ("attributes", "key_value", "value")


class Source:
    """The batches to write. Counts rows, and keeps the exception, which arro3 re-raises as a plain Exception."""

    def __init__(self, batches: Iterable[RecordBatch]) -> None:
        """Take the batches; they are read once."""
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

    @contextmanager
    def raising(self) -> Generator[None]:
        """Raise what the batches have raised in place of what arro3 makes of it."""
        try:
            yield
        except Exception:
            if self.error is not None:
                raise self.error from None
            raise


def write_placeholder(path: Path, claim: str) -> None:
    """Write an object without rows and visits, which no other claim's placeholder equals."""
    _write(path, Source(()), {_VISITS: "[]", _CLAIM: claim}, _CREATED_BY)


def write(path: Path, batches: Iterable[RecordBatch], visits: Sequence[str], mapping_version: int) -> int:
    """Write an object and return its number of rows; equal batches give equal bytes. Raises what `batches` raises."""
    source = Source(batches)
    _write(path, source, {_VISITS: orjson.dumps(list(visits)).decode()}, f"{_CREATED_BY} version {mapping_version}")
    return source.rows


def _write(path: Path, source: Source, footer: dict[str, str], created_by: str) -> None:
    batches = iter(source)
    with source.raising():
        first = _first(batches)
        write_parquet(
            RecordBatchReader.from_batches(SCHEMA, chain(first, batches)),
            path,
            compression="zstd(1)",
            writer_version="parquet_1_0",
            skip_arrow_metadata=True,
            created_by=created_by,
            dictionary_enabled=False,
            column_dictionary_enabled=dict.fromkeys(_repeated(first), True),
            data_page_size_limit=_PAGE_BYTES,
            max_row_group_size=ROW_GROUP_ROWS,
            key_value_metadata=footer,
        )


def _first(batches: Iterator[RecordBatch]) -> list[RecordBatch]:
    """Return the batches with the rows that are sampled."""
    taken: list[RecordBatch] = []
    while sum(batch.num_rows for batch in taken) < _SAMPLED_ROWS and (batch := next(batches, None)):
        taken.append(batch)
    return taken


def _repeated(first: Sequence[RecordBatch]) -> Iterator[str | tuple[str, ...]]:
    """Yield the columns whose first values repeat."""
    for name in COLUMNS:
        arrays = [batch.column(name).slice(0, min(_SAMPLED_ROWS, batch.num_rows)) for batch in first]
        lists = cast("list[list[Any]]", [unzoned(array).to_pylist() for array in arrays])
        values = list(islice(chain.from_iterable(lists), _SAMPLED_ROWS))
        if name == "attributes":
            yield _KEYS
            of_attributes = [value for pairs in values for _, value in pairs]
            if _OFTEN_AMONG_ATTRIBUTES * len(set(of_attributes)) <= len(of_attributes):
                yield _VALUES
        elif _OFTEN * len(set(values)) <= len(values):
            yield name


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
