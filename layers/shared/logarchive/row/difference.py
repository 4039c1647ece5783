"""What differs between two objects of a window: rows added, removed and changed, by column, with examples."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

from arro3.core import RecordBatch

from logarchive.column.arrow import unzoned
from logarchive.column.schema import COLUMNS
from logarchive.errors import TooLargeError
from logarchive.moment import EPOCH, MILLISECOND
from logarchive.row import parquet
from logarchive.row.identity import Seen, digest

type Row = tuple[Any, ...]

#: What an example shows besides columns.
ADDED, REMOVED = "added", "removed"

#: So many rows, and so many values of each column, are shown.
MOST_EXAMPLES = 3
#: Rows that stand elsewhere in the other object are held in memory until they are found there.
MOST_HELD = 200_000
_ID = list(COLUMNS).index("record_id")


@dataclass(frozen=True)
class Example:
    """A row that was added or removed, or a value that has changed."""

    record_id: str
    #: A column, `added` or `removed`.
    what: str
    old: Any = None
    new: Any = None


@dataclass
class Difference:
    """How one object differs from another."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter[str])
    examples: list[Example] = field(default_factory=list[Example])

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def add(self, row: Row) -> None:
        """Count a row that only the new object has."""
        self.added += 1
        self._show(Example(row[_ID], ADDED, new=_named(row)), self.added)

    def remove(self, row: Row) -> None:
        """Count a row that only the old object has."""
        self.removed += 1
        self._show(Example(row[_ID], REMOVED, old=_named(row)), self.removed)

    def compare(self, old: Row, new: Row) -> None:
        """Compare a row of both objects."""
        different = [at for at, value in enumerate(old) if value != new[at]]
        self.changed += bool(different)
        for column, at in ((list(COLUMNS)[at], at) for at in different):
            self.columns[column] += 1
            self._show(Example(old[_ID], column, old[at], new[at]), self.columns[column])

    def _show(self, example: Example, number: int) -> None:
        if number <= MOST_EXAMPLES:
            self.examples.append(example)


def difference(old: Path | None, new: Path | None, ensure_time: Callable[[], None]) -> Difference:
    """Compare two objects by `record_id`. Raises TooLargeError if too many rows stand in another order."""
    found = Difference()
    old_ids, new_ids = _ids(old, ensure_time), _ids(new, ensure_time)
    before = _common(old, new_ids, found.remove, ensure_time)
    after = _common(new, old_ids, found.add, ensure_time)
    held: tuple[dict[str, Row], dict[str, Row]] = ({}, {})
    for pair in zip_longest(before, after):
        for row, mine, others in zip(pair, held, reversed(held), strict=True):
            if row is None:
                continue
            other = others.pop(row[_ID], None)
            if other is None:
                mine[row[_ID]] = row
            elif mine is held[0]:
                found.compare(row, other)
            else:
                found.compare(other, row)
        if len(held[0]) > MOST_HELD:
            raise TooLargeError(f"more than {MOST_HELD} rows stand in another order: the objects cannot be compared")
    return found


def _common(
    path: Path | None, ids: Seen, alone: Callable[[Row], None], ensure_time: Callable[[], None]
) -> Iterator[Row]:
    """Yield the rows whose ids the other object has; the others are given to `alone`."""
    for batch in _batches(path, ensure_time):
        columns = [_values(batch, name) for name in COLUMNS]
        for row in zip(*columns, strict=True):
            if digest(row[_ID].encode()) in ids:
                yield row
            else:
                alone(row)


def _values(batch: RecordBatch, name: str) -> list[Any]:
    values = cast("list[Any]", unzoned(batch.column(name)).to_pylist())
    return [None if ms is None else EPOCH + ms * MILLISECOND for ms in values] if name == "time" else values


def _ids(path: Path | None, ensure_time: Callable[[], None]) -> Seen:
    ids = Seen()
    for batch in _batches(path, ensure_time):
        record_ids = cast("list[str]", batch.column("record_id").to_pylist())
        ids.add([digest(record_id.encode()) for record_id in record_ids])
    return ids


def _batches(path: Path | None, ensure_time: Callable[[], None]) -> Iterator[RecordBatch]:
    for batch in parquet.read(path) if path else ():
        ensure_time()
        yield batch


def _named(row: Row) -> dict[str, Any]:
    return {name: value for name, value in zip(COLUMNS, row, strict=True) if value is not None}
