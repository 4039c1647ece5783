"""The table `windows`: one row per window of the ledger, in one Parquet object for each month of a source.

Its columns are said once, here; the Glue table is checked against them.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import groupby
from typing import Any

from arro3.core import Field, RecordBatch, Schema
from arro3.io import write_parquet

from logarchive.column.arrow import typed
from logarchive.column.schema import ColumnType
from logarchive.coverage.gap import Leaf
from logarchive.moment import to_epoch_ms


def _ms(moment: dt.datetime | None) -> int | None:
    return to_epoch_ms(moment) if moment else None


#: Column -> its type, and what it is of an entry. Three more stand before, and say where and when it was read.
_OF_ENTRY: Mapping[str, tuple[ColumnType, Callable[[Leaf], Any]]] = {
    "date": ("string", lambda leaf: leaf.window.date),
    "window_start": ("timestamp", lambda leaf: _ms(leaf.window.start)),
    "window_end": ("timestamp", lambda leaf: _ms(leaf.window.end)),
    "state": ("string", lambda leaf: leaf.entry.state),
    "issue": ("string", lambda leaf: leaf.entry.issue),
    "error": ("string", lambda leaf: leaf.entry.error),
    "verification": ("string", lambda leaf: leaf.entry.numbers.verification),
    "visits": ("int", lambda leaf: len(leaf.entry.visits)),
    "announced": ("bigint", lambda leaf: leaf.entry.numbers.announced),
    "fetched": ("bigint", lambda leaf: leaf.entry.numbers.fetched),
    "row_count": ("bigint", lambda leaf: leaf.entry.numbers.rows),
    "rejects": ("bigint", lambda leaf: leaf.entry.numbers.rejects),
    "outside": ("bigint", lambda leaf: leaf.entry.numbers.outside),
    "duplicates": ("bigint", lambda leaf: leaf.entry.numbers.duplicates),
    "strays": ("bigint", lambda leaf: leaf.entry.numbers.strays),
    "late": ("bigint", lambda leaf: leaf.entry.numbers.late),
    "kept": ("bigint", lambda leaf: leaf.entry.numbers.kept),
    "bytes": ("bigint", lambda leaf: leaf.entry.object.bytes if leaf.entry.object else 0),
    "object": ("string", lambda leaf: leaf.entry.object.key if leaf.entry.object else None),
    "manifest": ("string", lambda leaf: leaf.entry.manifest),
    "due_at": ("timestamp", lambda leaf: _ms(leaf.entry.visit_due_at)),
    "lost_at": ("timestamp", lambda leaf: _ms(leaf.entry.lost_at)),
    "mapping": ("int", lambda leaf: leaf.entry.mapping),
    "written_at": ("timestamp", lambda leaf: _ms(leaf.entry.written_at)),
}
WINDOW_COLUMNS: Mapping[str, ColumnType] = {
    "provider": "string",
    "source": "string",
    "read_at": "timestamp",
    **{name: kind for name, (kind, _) in _OF_ENTRY.items()},
}


def month_of(leaf: Leaf) -> str:
    """Return the month in which a window starts, `2026-11`."""
    return leaf.window.date[:7]


def month_key(provider: str, source_name: str, month: str) -> str:
    """Return the key of the object with a source's windows of a month."""
    return f"coverage/windows/{provider}/{source_name}/{month}.parquet"


def months(provider: str, source_name: str, leaves: Sequence[Leaf], now: dt.datetime) -> dict[str, bytes]:
    """Return the objects of a source's windows, by key; `leaves` in order, all of each month that they touch."""
    return {
        month_key(provider, source_name, month): _parquet(provider, source_name, list(windows), now)
        for month, windows in groupby(leaves, key=month_of)
    }


def _parquet(provider: str, source_name: str, leaves: Sequence[Leaf], now: dt.datetime) -> bytes:
    size = len(leaves)
    values: dict[str, list[Any]] = {
        "provider": [provider] * size,
        "source": [source_name] * size,
        "read_at": [_ms(now)] * size,
        **{name: [read(leaf) for leaf in leaves] for name, (_, read) in _OF_ENTRY.items()},
    }
    arrays = {name: typed(kind, values[name]) for name, kind in WINDOW_COLUMNS.items()}
    schema = Schema([Field(name, array.type) for name, array in arrays.items()])
    body = BytesIO()
    write_parquet(
        RecordBatch.from_arrays(list(arrays.values()), schema=schema),
        body,
        compression="zstd(1)",
        writer_version="parquet_1_0",
        skip_arrow_metadata=True,
        created_by="logarchive",
    )
    return body.getvalue()
