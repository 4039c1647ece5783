"""Blocks of lines of any layout: columns for each number of fields, and one by one only the lines that fit into none.

Gives what `line_record.block` and `record_frame.frame` give.
"""

from collections.abc import Container, Sequence
from itertools import chain
from typing import NamedTuple

from arro3.core import Array, ChunkedArray

from logarchive.column.arrow import filled
from logarchive.column.bounds import Bounds
from logarchive.column.line_frame import LineColumns, fields, is_plain
from logarchive.column.mapping import Column, ColumnMapping
from logarchive.column.record_frame import Frame, frame
from logarchive.record.block import Bad
from logarchive.record.layout import LineLayout
from logarchive.record.line_record import LineReader


class _Piece(NamedTuple):
    """A frame of some lines: of each its place among all lines, None where the line is read in another piece."""

    places: list[int | None]
    frame: Frame


class LineGroups:
    """Reads blocks of lines; remembers whether they have the same number of fields, which changes only the cost."""

    def __init__(self, mapping: ColumnMapping, layout: LineLayout, reader: LineReader | None = None) -> None:
        self._mapping, self._columns = mapping, LineColumns(mapping, layout)
        self._reader = reader or LineReader(layout)
        self._mixed = False

    def read(self, lines: Sequence[bytes]) -> Frame:
        """Make a frame of lines that all belong to the window, whatever their time."""
        made = self._columns.read(lines) if lines and not self._mixed else None
        if made is None:
            self._mixed = True
            return self._by_fields([line for line in lines if not line.isspace()])
        whole, unfit = made
        return self._completed([_piece(range(len(lines)), whole, unfit)], lines) if unfit else whole

    def _by_fields(self, lines: Sequence[bytes]) -> Frame:
        """Make a frame of each number of fields."""
        counts = fields(lines)
        groups = ([at for at, count in enumerate(counts) if count == known] for known in self._columns.names)
        pieces = [self._fitting(lines, places) for places in groups if places]
        return self._completed([piece for piece in pieces if piece], lines)

    def _fitting(self, lines: Sequence[bytes], places: Sequence[int]) -> _Piece | None:
        """Make a frame of the lines at these places; where that fails, of the plain ones among them."""
        made = self._columns.read([lines[place] for place in places])
        if made is None:
            places = [place for place in places if is_plain(lines[place])]
            made = self._columns.read([lines[place] for place in places]) if places else None
        return made and _piece(places, *made)

    def _completed(self, pieces: Sequence[_Piece], lines: Sequence[bytes]) -> Frame:
        """Read one by one the lines of no piece, and put all together in their order."""
        done = set(chain.from_iterable(places for places, _ in pieces))
        others = [place for place in range(len(lines)) if place not in done]
        slow = frame(self._reader.block([lines[place] for place in others]), self._mapping, Bounds(None))
        bad = [(others[position], bad) for position, bad in slow.bad]
        return _joined([*pieces, _Piece([others[position] for position in slow.positions], slow)], bad, lines)


def _piece(places: Sequence[int], made: Frame, unfit: Container[int]) -> _Piece:
    return _Piece([None if at in unfit else place for at, place in enumerate(places)], made)


def _joined(pieces: Sequence[_Piece], bad: list[tuple[int, Bad]], lines: Sequence[bytes]) -> Frame:
    """Put frames of lines at some places together, in the order of all lines."""
    rows = [
        (place, row)
        for row, place in enumerate(chain.from_iterable(piece.places for piece in pieces))
        if place is not None
    ]
    rows.sort()
    positions = [place for place, _ in rows]
    taken = filled("raw_index", [row for _, row in rows])
    frames = [piece.frame for piece in pieces]

    def column(arrays: Sequence[Array]) -> Array:
        return ChunkedArray(arrays).combine_chunks().take(taken)

    return Frame(
        size=len(lines),
        bad=bad,
        outside=0,
        positions=positions,
        strays=(),
        canonical=[lines[place] for place in positions],
        given=None,
        columns={name: column([_array(name, made.columns[name]) for made in frames]) for name in frames[0].columns},
        attributes=column([made.attributes for made in frames]),
    )


def _array(name: str, column: Column | Array) -> Array:
    return column if isinstance(column, Array) else filled(name, column)
