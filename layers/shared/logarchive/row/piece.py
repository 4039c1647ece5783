"""Some rows of an object with their times, and how such pieces are put in the order of these times."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Self, cast

from arro3.core import RecordBatch

from logarchive.column.arrow import filled, joined, unzoned


@dataclass(frozen=True)
class Piece:
    """Some rows, their times in epoch milliseconds, and about how many bytes they take."""

    batch: RecordBatch
    times: list[int]
    size: int

    @classmethod
    def of(cls, batch: RecordBatch) -> Self:
        """Make one of a batch."""
        return cls(batch, cast("list[int]", unzoned(batch.column("time")).to_pylist()), batch.nbytes)

    @property
    def in_order(self) -> bool:
        """Whether no row comes after one of a later time."""
        return self.times == sorted(self.times)

    def sorted(self) -> Self:
        """Return the same rows in the order of their times."""
        if self.in_order:
            return self
        order = sorted(range(len(self.times)), key=self.times.__getitem__)
        times = [self.times[at] for at in order]
        return type(self)(self.batch.take(filled("raw_index", order)), times, self.size)

    def cut(self, at: int) -> tuple[Self, Self]:
        """Return the first `at` rows, and the others."""
        # Arrow says of a slice that it takes all bytes of `attributes`.
        size = self.size * at // len(self.times)
        first = type(self)(self.batch.slice(0, at), self.times[:at], size)
        return first, type(self)(self.batch.slice(at), self.times[at:], self.size - size)


def pieces_of(batches: Iterable[RecordBatch]) -> Iterator[Piece]:
    """Yield a piece for each batch that has rows."""
    return (Piece.of(batch) for batch in batches if batch.num_rows)


def in_order(pieces: list[Piece]) -> list[Piece]:
    """Return the same rows in the order of their times."""
    if all(piece.in_order for piece in pieces) and all(
        one.times[-1] <= other.times[0] for one, other in pairwise(pieces)
    ):
        return pieces
    # As where the newest record comes first: no piece has a row that belongs into another one.
    by_time = sorted(pieces, key=lambda piece: min(piece.times))
    if all(max(one.times) < min(other.times) for one, other in pairwise(by_time)):
        return [piece.sorted() for piece in by_time]
    times = list(chain.from_iterable(piece.times for piece in pieces))
    batch = joined([piece.batch for piece in pieces])
    return [Piece(batch, times, sum(piece.size for piece in pieces)).sorted()]


def cut(pieces: Iterable[Piece], rows: int) -> tuple[list[Piece], list[Piece]]:
    """Return the first rows, and the others."""
    first: list[Piece] = []
    others: list[Piece] = []
    for piece in pieces:
        size = len(piece.times)
        if 0 < rows < size:
            some, rest = piece.cut(rows)
            first.append(some)
            others.append(rest)
        else:
            (first if rows >= size else others).append(piece)
        rows -= size
    return first, others
