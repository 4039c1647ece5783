"""Rows in the order of their times, however many there are: sorted runs, which are merged.

```
batches ── Runs ──> first run ──────> the object, which it stays if it is the only run
                └─> each other run ─> a file ── merged ──> the object
```

Rows that come in order pass through. Those that are nearly in order, as in most logs, are put in order in memory; where
one belongs before what has been written already, another run begins. Rows of equal times stay in the order in which
they come, so that equal batches become equal rows.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heapreplace
from itertools import batched, count
from pathlib import Path
from tempfile import TemporaryDirectory

from arro3.core import RecordBatch, RecordBatchReader
from arro3.io import read_ipc_stream, write_ipc_stream

from logarchive.column.arrow import SCHEMA
from logarchive.row import parquet
from logarchive.row.piece import Piece, cut, in_order, pieces_of

#: So much is held in memory, to put it in order; sorting it takes three times as much.
HELD_BYTES = 8 * 1024 * 1024
#: Of so many rows that are held, one waits for what may come before it.
_WAITING = 4
#: What is read of a run at once, and runs that are merged at once: together they bound the memory.
PIECE_BYTES = 256 * 1024
#: So much is read of all runs together before it is merged: joining few rows of each would cost more than all else.
MERGED_BYTES = 4 * 1024 * 1024
MOST_RUNS = 64


class Runs:
    """Divides rows into runs, each in the order of its times."""

    def __init__(self, batches: Iterable[RecordBatch]) -> None:
        """Take the batches, whatever their order."""
        self._pieces = pieces_of(batches)
        #: What is held until the next run, or the next rows of this one.
        self._held: list[Piece] = []
        self._ended = False

    @property
    def left(self) -> bool:
        """Whether there may be another run."""
        return bool(self._held) or not self._ended

    def next(self) -> Iterator[RecordBatch]:
        """Yield the rows of the next run; it must be read to its end before another one begins."""
        last: int | None = None
        while self.left:
            self._fill()
            pieces = in_order(self._held)
            early = 0 if last is None else sum(bisect_left(piece.times, last) for piece in pieces)
            self._held, now = cut(pieces, early)
            if not early and not self._ended:
                now, self._held = cut(now, -(-sum(len(piece.times) for piece in now) * (_WAITING - 1) // _WAITING))
            yield from (piece.batch for piece in now)
            if early or self._ended:
                return
            last = now[-1].times[-1]

    def _fill(self) -> None:
        held = sum(piece.size for piece in self._held)
        while held < HELD_BYTES and not self._ended:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
            else:
                self._held.append(piece)
                held += piece.size


def merged(runs: Sequence[Iterable[RecordBatch]], ensure_time: Callable[[], None]) -> Iterator[RecordBatch]:
    """Merge runs, each in the order of its times. Of equal times, those of an earlier run come first."""
    pieces = [pieces_of(run) for run in runs]
    # Of each run that has not ended: what is still to be read of it is not before this time.
    unread = [(-math.inf, number) for number in range(len(runs))]
    held: dict[int, list[Piece]] = {}
    while unread:
        ensure_time()
        size = 0
        while unread and size < MERGED_BYTES:
            number = unread[0][1]
            piece = next(pieces[number], None)
            if piece is None:
                heappop(unread)
            else:
                held.setdefault(number, []).append(piece)
                size += piece.size
                heapreplace(unread, (piece.times[-1], number))
        yield from (piece.batch for piece in in_order(_before(held, *(unread[0] if unread else (math.inf, 0)))))


def _before(held: dict[int, list[Piece]], time: float, of: int) -> list[Piece]:
    """Take what no row can come before, if the next one is of that time and of that run, at the earliest."""
    taken: list[Piece] = []
    for number in sorted(held):
        # Rows of that very time come after those of an earlier run, and before those of a later one.
        find = bisect_right if number <= of else bisect_left
        some = held.pop(number)
        first, others = cut(some, sum(find(piece.times, time) for piece in some))
        taken += first
        if others:
            held[number] = others
    return taken


def write(
    path: Path,
    batches: Iterable[RecordBatch],
    visits: Sequence[str],
    mapping_version: int,
    ensure_time: Callable[[], None],
) -> int:
    """Write an object of rows in the order of their times, and return their number. Raises what `batches` raises."""
    runs = Runs(batches)
    rows = parquet.write(path, runs.next(), visits, mapping_version)
    if not runs.left:
        return rows
    with TemporaryDirectory(dir=path.parent) as name:
        folder, first = Path(name), path.rename(Path(name) / "first.parquet")
        others = _files(runs, folder, ensure_time)
        return parquet.write(
            path, merged([parquet.read(first), *map(_read, others)], ensure_time), visits, mapping_version
        )


def _files(runs: Runs, folder: Path, ensure_time: Callable[[], None]) -> list[Path]:
    """Write the runs that are left to files, and merge some until a merge can read all that remain."""
    names = (folder / f"{number}.arrow" for number in count())
    files: list[Path] = []
    while runs.left:
        files.append(_written(next(names), runs.next()))
    while len(files) > MOST_RUNS:
        files = [
            some[0] if len(some) == 1 else _written(next(names), merged([*map(_read, some)], ensure_time))
            for some in batched(files, MOST_RUNS, strict=False)
        ]
    return files


def _written(path: Path, run: Iterable[RecordBatch]) -> Path:
    source = parquet.Source(piece for batch in run for piece in _small(batch))
    with source.raising():
        write_ipc_stream(RecordBatchReader.from_batches(SCHEMA, iter(source)), path, compression="lz4")
    return path


def _small(batch: RecordBatch) -> Iterator[RecordBatch]:
    rows = max(1, PIECE_BYTES * batch.num_rows // batch.nbytes)
    for at in range(0, batch.num_rows, rows):
        yield batch.slice(at, min(rows, batch.num_rows - at))


def _read(path: Path) -> Iterator[RecordBatch]:
    """Yield what a file of a run holds, which is gone afterwards."""
    yield from read_ipc_stream(path)
    path.unlink()


class Watch:
    """Sees the batches of an object one after the other, and knows whether its rows are in the order of their times."""

    def __init__(self) -> None:
        """Begin before the first batch."""
        self.in_order = True
        self._last: int | None = None

    def see(self, batch: RecordBatch) -> None:
        """Look at the next batch."""
        times = Piece.of(batch).times
        if times and self.in_order:
            self.in_order = times == sorted(times) and (self._last is None or self._last <= times[0])
            self._last = times[-1]


def ordered(path: Path, ensure_time: Callable[[], None]) -> Path:
    """Return an object with its rows in the order of their times: this one, or a copy beside it.

    Objects of earlier versions have the order in which the provider returned the records.
    """
    watch = Watch()
    for batch in parquet.read(path):
        ensure_time()
        watch.see(batch)
    if watch.in_order:
        return path
    copy = path.with_name(f"ordered-{path.name}")
    write(copy, parquet.read(path), (), 0, ensure_time)
    return copy
