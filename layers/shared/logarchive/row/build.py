"""From parts to the window's Parquet object: rows, identities, rejects, and the merge with the existing object."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import cast

from arro3.core import RecordBatch

from logarchive.column.arrow import Batches, filled
from logarchive.column.bounds import Bounds
from logarchive.column.line_group import LineGroups
from logarchive.column.record_frame import Frame, frame
from logarchive.errors import MalformedError, TooLargeError
from logarchive.numbers import VisitNumbers
from logarchive.part import Part
from logarchive.record.layout import LineLayout
from logarchive.record.line_record import is_log
from logarchive.record.reader import blocks, lines_of
from logarchive.row import order, parquet
from logarchive.row.identity import Hashed, Unique
from logarchive.row.parquet import object_visits
from logarchive.row.record_format import RecordFormat
from logarchive.row.reject import Rejects
from logarchive.window import Window

MAX_RECORDS = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Built:
    """A window's object as built from a visit and the existing object; `path` is None when it has no row.

    `kept` rows of the existing object were not in this visit (then the window has shrunk), `added` rows of this visit
    were not in the existing object.
    """

    numbers: VisitNumbers
    path: Path | None
    object_rows: int
    kept: int
    added: int
    rejects_path: Path | None
    mapping_version: int


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Builds the objects of one window."""

    records: RecordFormat
    source_name: str
    window: Window
    #: Called per block; raises when there is no time to go on.
    ensure_time: Callable[[], None]
    limit: int = MAX_RECORDS

    def build(self, visit: str, parts: Sequence[Part], existing: Path | None, directory: Path) -> Built:
        """Build the object in `directory` from the `data` parts of a visit, merged with the existing one.

        Raises MalformedError for a body that cannot be read to its end, and TooLargeError for more than `limit`
        records.
        """
        data = [part for part in parts if part.role == "data"]
        with Rejects(directory / "rejects.jsonl.gz", visit) as rejects:
            rows = _Rows(self, rejects)
            path = directory / "visit.parquet"
            version = self.records.mapping_version
            count = order.write(path, rows.batches(data), (visit,), version, self.ensure_time)
        watch = order.Watch()
        known = _known(existing, rows.ids, watch, self.ensure_time)
        shared = sum(map(sum, known))
        kept = sum(map(len, known)) - shared
        if kept and existing is not None:
            own, path, visits = path, directory / "merged.parquet", (*object_visits(existing), visit)
            lacking = _lacking(existing, known, self.ensure_time)
            if watch.in_order:
                parquet.write(path, order.merged([parquet.read(own), lacking], self.ensure_time), visits, version)
            else:  # an object of an earlier version
                order.write(path, chain(parquet.read(own), lacking), visits, version, self.ensure_time)
            own.unlink()
        return Built(
            numbers=rows.numbers(data),
            path=path if count + kept else None,
            object_rows=count + kept,
            kept=kept,
            added=count - shared,
            rejects_path=rejects.path if rejects.count else None,
            mapping_version=self.records.mapping_version,
        )


class _Rows:
    """Turns parts into record batches, and counts."""

    def __init__(self, builder: Builder, rejects: Rejects) -> None:
        self._builder, records = builder, builder.records
        self._mapping = records.mapping()
        self._batches = Batches(builder.source_name)
        self._lines: LineGroups | None = None
        if isinstance(records.layout, LineLayout) and not records.bounded and records.unique_id is None:
            self._lines = LineGroups(self._mapping, records.layout)
        self._rejects = rejects
        self.ids: Hashed | Unique = Unique() if records.unique_id else Hashed()
        self._numbers = VisitNumbers()

    def numbers(self, parts: Sequence[Part]) -> VisitNumbers:
        announced = [part.announced for part in parts if part.announced is not None]
        return self._numbers + VisitNumbers(announced=sum(announced) if announced else None)

    def batches(self, parts: Sequence[Part]) -> Iterator[RecordBatch]:
        several = len({part.own for part in parts}) > 1
        of_lines = isinstance(self._builder.records.layout, LineLayout)
        for part in parts:
            bounds = Bounds.of(part, self._builder.window, bounded=self._builder.records.bounded)
            index = 0
            for block in self._frames(part, bounds):
                self._builder.ensure_time()
                if of_lines and not index and block.size == len(block.bad) > 0 and not is_log(block.bad[0][1].text):
                    raise MalformedError("the file is no log: it begins like HTML, JSON or a binary file")
                yield self._batch(block, part, index, several)
                index += block.size
        if of_lines and parts and self._numbers.fetched == self._numbers.rejects:
            raise MalformedError(f"no line is a record with a readable time ({self._numbers.fetched} lines)")

    def _frames(self, part: Part, bounds: Bounds) -> Iterator[Frame]:
        layout, ensure_time = self._builder.records.layout, self._builder.ensure_time
        if self._lines is not None:
            for lines in lines_of(part, ensure_time):
                yield self._lines.read(lines)
        else:
            for block in blocks(part, layout, self._mapping.time.key, ensure_time):
                yield frame(block, self._mapping, bounds)

    def _batch(self, block: Frame, part: Part, index: int, several: bool) -> RecordBatch:
        limit = self._builder.limit
        if self._numbers.fetched + block.size > limit:
            raise TooLargeError(f"the window holds more than {limit} records: set a smaller `window`")
        for at, bad in block.bad:
            self._rejects.add(part.key, index + at, bad)
        ids = self._identify(block, part, several)
        duplicates = ids.count(None)
        self._numbers += VisitNumbers(
            fetched=block.size,
            rows=len(ids) - duplicates,
            rejects=len(block.bad),
            outside=block.outside,
            duplicates=duplicates,
            strays=sum(ids[at] is not None for at in block.strays),
        )
        return self._batches.batch(block.columns, block.attributes, ids, part.key, index, block.positions)

    def _identify(self, block: Frame, part: Part, several: bool) -> list[str | None]:
        if isinstance(self.ids, Unique):
            return self.ids.assign(block.given or [], block.canonical)
        # Where the file is the unit, any record may come again under another range.
        astray = range(len(block.positions)) if several and not self._builder.records.bounded else block.strays
        return self.ids.assign(block.canonical, part.own, astray)


def _known(
    existing: Path | None, ids: Hashed | Unique, watch: order.Watch, ensure_time: Callable[[], None]
) -> list[bytes]:
    """Return for each batch of the existing object which of its rows this visit has: a byte per row, 1 or 0."""
    known: list[bytes] = []
    for batch in parquet.read(existing) if existing else ():
        ensure_time()
        watch.see(batch)
        known.append(bytes(id_ in ids for id_ in _ids(batch)))
    return known


def _lacking(existing: Path, known: list[bytes], ensure_time: Callable[[], None]) -> Iterator[RecordBatch]:
    """Yield the rows of the existing object that this visit lacks."""
    for batch, shared in zip(parquet.read(existing), known, strict=True):
        ensure_time()
        if any(shared):
            yield batch.take(filled("raw_index", [at for at, is_shared in enumerate(shared) if not is_shared]))
        else:
            yield batch


def _ids(batch: RecordBatch) -> list[str]:
    return cast("list[str]", batch.column("record_id").to_pylist())
