"""Blocks of lines that all have the same number of fields: columns without looking at one line at a time.

Gives what `line_record.block` and `record_frame.frame` give, or None where a block is not that simple.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain, compress, cycle
from operator import itemgetter
from typing import NamedTuple, cast

from arro3.core import Array, DataType, Field, Schema, dictionary_dictionary, dictionary_indices
from arro3.io import read_csv

from logarchive.column.arrow import TYPES, declared, filled, mapped
from logarchive.column.convert import FieldMapping, integer, number, text
from logarchive.column.mapping import Column, ColumnMapping, typed
from logarchive.column.record_frame import Frame
from logarchive.column.scalar import Inexact
from logarchive.column.schema import COLUMNS
from logarchive.errors import without_panics
from logarchive.record.block import BOM
from logarchive.record.layout import ANY, LineLayout

_TEXT, _LONG = DataType.utf8(), DataType.int64()
_CODED = DataType.dictionary(DataType.int32(), _TEXT)
#: A field with more different values than this share of its lines costs more to encode than to read.
_MANY = 0.1
#: A double holds any number of this many digits exactly, and is written with the same digits.
_EXACT_DIGITS = 15
#: Conversions that keep whole numbers as they are.
_WHOLE = {(integer, "int"), (integer, "bigint"), (number, "double")}


#: A quoted field, which may have spaces that separate no fields.
_QUOTED = re.compile(rb'"[^"\n]*+"')
_FIRST: Callable[[bytes], int] = itemgetter(0)
_LAST: Callable[[bytes], int] = itemgetter(-1)


class _Field(NamedTuple):
    """A field of all lines: `values[indices]`, or just `values`; None where it is absent."""

    plain: Array | None
    values: list[str | None]
    indices: Array | None

    def spread(self, column: str, values: Column) -> Array:
        """Make a column of converted values."""
        made = filled(column, values)
        return made if self.indices is None else made.take(self.indices)

    def rows(self, values: list[str | None]) -> list[str | None]:
        """Return a value for each line."""
        return values if self.indices is None else [values[at] for at in cast("list[int]", self.indices.to_pylist())]


class LineColumns:
    """Reads blocks of lines; remembers which fields have many values, which changes the cost and nothing else."""

    def __init__(self, mapping: ColumnMapping, layout: LineLayout) -> None:
        self._mapping, self._layout = mapping, layout
        #: The number of fields -> their names. Plain fields of one number are those of one shape.
        self.names = {len(shape): list(shape) for shape in layout.shapes}
        self._forms = {name: _every(form) for shape in layout.shapes for name, form in shape.items() if form != ANY}
        self._many: set[str] = set()

    def read(self, lines: Sequence[bytes]) -> tuple[Frame, set[int]] | None:
        """Make a frame of lines with the same fields; None: they are not that simple.

        Rows at the positions of the set mean nothing: such a line has not the form of its fields, or no time.
        """
        arrays = self._arrays(lines)
        if arrays is None:
            return None
        columns: dict[str, Array] = {}
        left: dict[str, list[str | None]] = {}
        unfit: set[int] = set()
        for name, array in arrays.items():
            values = cast("list[str]", _values(array if name in self._many else dictionary_dictionary(array)))
            unfit |= self._without_form(name, array, values)
            field = self._field(name, array, values)
            rest = self._columns_of(name, field, columns)
            if rest is not None:
                left[name] = rest
        for key in self._mapping.groups.keys() - arrays.keys():
            self._columns_of(key, _Field(None, [None] * len(lines), None), columns)
        if columns["time"].null_count:
            unfit |= {at for at, time in enumerate(_values(columns["time"].cast(_LONG))) if time is None}
        whole = Frame(
            size=len(lines),
            bad=[],
            outside=0,
            positions=range(len(lines)),
            strays=(),
            canonical=lines,
            given=None,
            columns=columns,
            attributes=_attributes(left, len(lines)),
        )
        return whole, unfit

    def _arrays(self, lines: Sequence[bytes]) -> dict[str, Array] | None:
        """Split all lines at once; None unless each has its fields, all of them UTF-8 and not empty.

        If each quote begins or ends a field, and each row is one line, then CSV and `line_record` read the same.
        """
        names = self.names.get(fields(lines[:1])[0])
        joined = b"\n" + b"\n".join(lines) + b"\n"
        if not names or b"\r" in joined or not _plainly_quoted(joined) or lines[0].startswith(BOM):
            return None
        schema = Schema([Field(name, _TEXT if name in self._many else _CODED) for name in names])
        try:
            with without_panics():
                batches = list(
                    read_csv(joined[1:], schema, has_header=False, delimiter=" ", quote='"', batch_size=len(lines) + 1)
                )
        except Exception:  # noqa: BLE001 (arro3 knows no other)
            return None
        if len(batches) != 1 or batches[0].num_rows != len(lines):
            return None
        arrays = {name: batches[0].column(name) for name in names}
        return None if any(array.null_count for array in arrays.values()) else arrays

    def _without_form(self, name: str, array: Array, values: Sequence[str]) -> set[int]:
        """Return where a field has not its form."""
        form = self._forms.get(name)
        if form is None or form.fullmatch("\n".join(values) + "\n"):
            return set()
        unfit = {value for value in values if not form.fullmatch(f"{value}\n")}
        return {at for at, value in enumerate(_values(array)) if value in unfit}

    def _field(self, name: str, array: Array, values: Sequence[str]) -> _Field:
        absent = self._layout.absent
        if name in self._many and absent.isdisjoint(values):
            return _Field(array, [*values], None)
        known = [None if value in absent else value for value in values]
        if name in self._many:
            return _Field(None, known, None)
        if len(values) > _MANY * len(array):
            self._many.add(name)
        return _Field(None, known, dictionary_indices(array))

    def _columns_of(self, name: str, field: _Field, columns: dict[str, Array]) -> list[str | None] | None:
        """Fill the columns of a field; return a value per line for `attributes`; None: nothing is left."""
        takers: list[Column] = []
        used = False
        for column, mapped_field in self._mapping.groups.get(name, ()):
            made = _cast(column, mapped_field, field)
            if made is not None:
                columns[column] = made
                used = used or mapped_field.take
                continue
            converted = typed(column, mapped_field.convert(field.values))
            columns[column] = field.spread(column, converted)
            if mapped_field.take:
                takers.append(converted)
        if used:
            return None
        rest = _rest(field.values, takers)
        return None if rest is None or rest.count(None) == len(rest) else field.rows(rest)


def is_plain(line: bytes) -> bool:
    """Return whether a line alone has what makes columns of it."""
    if b"\r" in line or line.startswith(BOM) or b"  " in b" %b " % line or not _plainly_quoted(b"\n%b\n" % line):
        return False
    return line.isascii() or line.decode("utf-8", "ignore").encode() == line


def fields(lines: Sequence[bytes]) -> list[int]:
    """Count the fields of each line, if its quotes are around whole fields."""
    return [1 + line.count(b" ") for line in _QUOTED.sub(b"", b"\n".join(lines)).split(b"\n")]


def _every(form: str) -> re.Pattern[str]:
    """Return what matches values that all have a form, each with a line feed behind it."""
    return re.compile(f"(?:(?:{form})\n)*+")


def _plainly_quoted(joined: bytes) -> bool:
    """Return whether each quote begins or ends a field that is not empty, and none is within one."""
    pieces = joined.split(b'"')
    quoted, between = pieces[1::2], pieces[::2]
    if b"" in quoted or b"" in between or len(quoted) == len(between) or (b"\\" in joined and b'\\"' in joined):
        return False
    edges = bytes(map(_LAST, between[:-1])) + bytes(map(_FIRST, between[1:]))
    return not edges.strip(b" \n")


def _values(array: Array) -> list[str | None]:
    return cast("list[str | None]", array.to_pylist())


def _cast(column: str, mapped_field: FieldMapping, field: _Field) -> Array | None:
    """Convert a field without a Python value, if that is exact for all lines."""
    array, values = field.plain, cast("list[str]", field.values)
    if array is None:
        return None
    if mapped_field.convert is text and COLUMNS[column] == "string":
        return array
    if (mapped_field.convert, COLUMNS[column]) not in _WHOLE:
        return None
    if COLUMNS[column] == "double" and max(map(len, values)) > _EXACT_DIGITS:
        return None
    made = array.cast(_LONG)
    # Back to text, it must be the same text: no sign, no leading zero, nothing cut off.
    if made.null_count or made.cast(array.field) != array:
        return None
    converted = made.cast(TYPES[COLUMNS[column]])
    return converted if converted.cast(made.field) == made else None


def _rest(values: list[str | None], takers: Sequence[Column]) -> list[str | None] | None:
    """Return the values that no column holds; None: each is held."""
    if not takers:
        return values
    if any(taker.count(None) == values.count(None) and Inexact not in set(map(type, taker)) for taker in takers):
        return None
    used = [any(one is not None and one.__class__ is not Inexact for one in row) for row in zip(*takers, strict=True)]
    return [None if taken else value for value, taken in zip(values, used, strict=True)]


def _attributes(left: dict[str, list[str | None]], size: int) -> Array:
    """Make the map of the values left; a value that is absent in a line has no key there."""
    width = len(left)
    values = list(chain.from_iterable(zip(*left.values(), strict=True)))
    if None not in set(values):
        keys = Array(list(left) * size, _TEXT)
        return declared(keys, Array(values, _TEXT), range(0, width * size + 1, width) if width else [0] * (size + 1))
    present = [value is not None for value in values]
    counts = [width - row.count(None) for row in zip(*left.values(), strict=True)]
    return mapped(list(compress(cycle(left), present)), list(compress(values, present)), counts)
