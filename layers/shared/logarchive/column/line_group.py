"""Blocks of lines of any layout: columns for each number of fields, and one by one only the lines that fit into none.

Gives what `line_record.block` and `record_frame.frame` give.
"""

from collections.abc import Sequence
from itertools import chain

from arro3.core import Array, ChunkedArray

from logarchive.column.arrow import filled
from logarchive.column.bounds import Bounds
from logarchive.column.line_frame import LineColumns, is_plain
from logarchive.column.mapping import Column, ColumnMapping
from logarchive.column.record_frame import Frame, frame
from logarchive.record.layout import LineLayout
from logarchive.record.line_record import LineReader

#: Lines that are not plain are left out of a group, then those with a field that has not its form, then those without a
#: readable time.
_TRIES = 4


class LineGroups:
    """Reads blocks of lines."""

    def __init__(self, mapping: ColumnMapping, layout: LineLayout, reader: LineReader | None = None) -> None:
        self._mapping, self._columns = mapping, LineColumns(mapping, layout)
        self._reader = reader or LineReader(layout)
        #: The number of fields -> their names. Plain fields of one number are those of one shape.
        self._names = {len(shape): list(shape) for shape in layout.shapes}

    def read(self, lines: Sequence[bytes]) -> Frame:
        """Make a frame of lines that all belong to the window, whatever their time."""
        return self._columns.frame(lines) or self._by_fields([line for line in lines if not line.isspace()])

    def _by_fields(self, lines: Sequence[bytes]) -> Frame:
        """Make a frame of each number of fields; read one by one only the lines that do not fit into one."""
        groups: dict[int, list[int]] = {}
        for place, line in enumerate(lines):
            groups.setdefault(_fields_in(line), []).append(place)
        fitting = (self._fitting(lines, places) for count, places in groups.items() if count in self._names)
        pieces = [piece for piece in fitting if piece]
        done = set(chain.from_iterable(places for places, _ in pieces))
        others = [place for place in range(len(lines)) if place not in done]
        slow = frame(self._reader.block([lines[place] for place in others]), self._mapping, Bounds(None))
        return _joined([*pieces, (others, slow)], lines)

    def _fitting(self, lines: Sequence[bytes], places: Sequence[int]) -> tuple[Sequence[int], Frame] | None:
        """Make a frame of the lines at these places, but those that keep it from being made."""
        for _ in range(_TRIES):
            group = [lines[place] for place in places]
            unfit: set[int] = set()
            made = self._columns.frame_of(group, self._names[_fields_in(group[0])], unfit)
            if made:
                return places, made
            unfit = unfit or {at for at, line in enumerate(group) if not is_plain(line)}
            places = [place for at, place in enumerate(places) if at not in unfit]
            if not unfit or not places:
                break
        return None


def _fields_in(line: bytes) -> int:
    """Count the fields of a line, if its quotes are around whole fields."""
    return 1 + (sum(part.count(b" ") for part in line.split(b'"')[::2]) if b'"' in line else line.count(b" "))


def _joined(pieces: Sequence[tuple[Sequence[int], Frame]], lines: Sequence[bytes]) -> Frame:
    """Put frames of lines at some places together, in the order of all lines."""
    places = [at[position] for at, made in pieces for position in made.positions]
    order = sorted(range(len(places)), key=places.__getitem__)
    positions = [places[at] for at in order]
    taken = filled("raw_index", order)

    def column(arrays: Sequence[Array]) -> Array:
        return ChunkedArray(arrays).combine_chunks().take(taken)

    return Frame(
        size=len(lines),
        bad=sorted(((at[position], bad) for at, made in pieces for position, bad in made.bad), key=lambda bad: bad[0]),
        outside=0,
        positions=positions,
        strays=(),
        canonical=[lines[place] for place in positions],
        given=None,
        columns={
            name: column([_array(name, made.columns[name]) for _, made in pieces]) for name in pieces[0][1].columns
        },
        attributes=column([made.attributes for _, made in pieces]),
    )


def _array(name: str, column: Column | Array) -> Array:
    return column if isinstance(column, Array) else filled(name, column)
