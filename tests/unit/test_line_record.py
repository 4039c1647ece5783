"""Lines: the fast way and the line-by-line way give the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from arro3.core import Array
from hypothesis import given, settings
from hypothesis import strategies as st

from logarchive.column.arrow import filled
from logarchive.column.bounds import Bounds
from logarchive.column.convert import after, before, epoch_ms, integer, lookup, number, text
from logarchive.column.field_mapping import FieldMapping
from logarchive.column.frame import Frame
from logarchive.column.line_frame import LineColumns
from logarchive.column.mapping import ColumnMapping
from logarchive.column.record_frame import frame
from logarchive.errors import MalformedError
from logarchive.record.line_record import block, split
from tests.unit import visit

OF = visit.provider(visit.LINES)
GOOD = b"20261122130000 /good 5 NULL"
#: A line that no fast reader takes, so that its block is read line by line.
ODD = b"20261122130000 /odd 007 \xff"


def row(line: bytes, before_it: Sequence[bytes], after_it: Sequence[bytes]) -> dict[str, Any]:
    built = visit.visit(visit.lines([*before_it, line, *after_it]), of=OF)
    (found,) = [one for one in visit.rows(built) if one["raw_index"] == len(before_it)]
    del found["raw_index"]
    return found


LINES: Mapping[bytes, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    b"20261122130000 /p 5 ref": ({"url_path": "/p", "http_response_size": 5, "http_request_referrer": "ref"}, []),
    b"20261122130000 /p - (null)": ({"url_path": "/p"}, []),
    b'20261122130000 /p 5 "(null)" NULL': ({"http_response_size": 5}, []),
    b'20261122130000 "/p ""q"" r" 5 - 0-1': ({"url_path": '/p "q" r'}, [("range", "0-1")]),
    b'20261122130000 /p 5 "a"b': ({"http_request_referrer": "ab"}, []),
    b'20261122130000 /p"q" 5 -': ({"url_path": '/p"q"'}, []),
    b"20261122130000 /p 007 -": ({}, [("bytes", "007")]),
    b"20261122130000 /p +5 -": ({}, [("bytes", "+5")]),
    b"20261122130000 /p 1.5 -": ({}, [("bytes", "1.5")]),
    b"20261122130000 /p -0 -": ({}, [("bytes", "-0")]),
    b"20261122130000 /p 9223372036854775808 -": ({}, [("bytes", "9223372036854775808")]),
    "20261122130000 /p ² -".encode(): ({}, [("bytes", "²")]),
    b"20261122130000 /p  -": ({}, [("bytes", "")]),
    b'20261122130000 "" 5 -': ({"url_path": ""}, []),
    b'"2026-11-22 13:00:00" /p 5 -': ({"url_path": "/p"}, []),
    b"1795352400 /p 5 -": ({"url_path": "/p"}, [("time", "1795352400")]),
    b"20261122130000 /\xff\xe4 5 -": ({"url_path": "/\\xff\\xe4"}, []),
    b"20261122130000 /p\r/q 5 -": ({"url_path": "/p\r/q"}, []),
    b"20261122130000 /\x00 5 -": ({"url_path": "/\x00"}, []),
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_becomes_this_row_in_any_company(line: bytes) -> None:
    columns, attributes = LINES[line]
    alone = row(line, [], [])
    assert {name: alone[name] for name in columns} == columns
    assert alone["attributes"] == attributes
    assert alone["time"].hour == 13
    for beside in ([GOOD], [ODD], [GOOD, b"bad", ODD], [GOOD] * 30):
        assert row(line, beside, [GOOD]) == alone
        assert row(line, [], beside) == alone


def test_a_line_that_is_none_is_rejected_alone() -> None:
    bad = [b"20261122130000 /p 5", b'20261122130000 /p 5 "open', b"yesterday /p 5 -", b"- /p 5 -"]
    built = visit.visit(visit.lines([GOOD, bad[0], b"", GOOD, *bad[1:], b"  ", GOOD]), of=OF)
    assert built.numbers.rows == 3
    assert [(one["index"], one["record"].encode(), one["reason"]) for one in visit.rejects(built)] == [
        (1, bad[0], "3 fields where 4 or 5 are expected"),
        (3, bad[1], "a quote is not closed"),
        (4, bad[2], "no readable time"),
        (5, bad[3], "no readable time"),
    ]


def test_a_quote_that_swallows_a_line_end_joins_no_lines() -> None:
    built = visit.visit(visit.lines([GOOD, b'20261122130000 /p 5 "x', b'y"', GOOD]), of=OF)
    assert (built.numbers.rows, built.numbers.rejects) == (2, 2)


def test_line_ends_do_not_matter_to_a_lines_identity() -> None:
    ids = [
        [one["record_id"] for one in visit.rows(visit.visit(body, of=OF))]
        for body in (GOOD + b"\n" + GOOD + b"\n", GOOD + b"\r\n" + GOOD, b"\n" + GOOD + b"\n\n" + GOOD)
    ]
    assert ids[0] == ids[1] == ids[2] == [ids[0][0], f"{ids[0][0]}-1"]


def test_a_page_is_no_log() -> None:
    with pytest.raises(MalformedError):
        visit.visit(b"<html>", of=OF)
    assert visit.visit(b"", of=OF).numbers.fetched == 0


def test_quotes_hold_spaces_and_doubled_quotes() -> None:
    assert split(b'a "b c" "d ""e"""  "(null)"') == ["a", "b c", 'd "e"', "", "(null)"]
    assert split(b'a "b') is None


WIDE = visit.provider(
    visit.LINES,
    columns={
        "time": FieldMapping("time", epoch_ms),
        "url_path": FieldMapping("path", before),
        "url_query": FieldMapping("path", after, take=False),
        "http_duration_ms": FieldMapping("bytes", number),
        "client_port": FieldMapping("bytes", integer),
        "geo_region": FieldMapping("referer", lookup({"1": "one"}), take=False),
        "body": FieldMapping("range", text),
    },
)
_FIELDS = st.one_of(
    st.sampled_from(
        ["-", "NULL", "(null)", "0", "-0", "7", "007", "2147483648", "1e3", "1.50", "/a?b", "?", '"', "a b", "1", ""]
    ),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=4),
    st.integers(-(2**64), 2**64).map(str),
)


def quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & set(' "') or not field else field


_LINES = st.lists(_FIELDS, min_size=2, max_size=5).map(
    lambda one: " ".join([str(visit.START), *map(quoted, one)]).encode()
)


def made(frame: Frame) -> list[Any]:
    """Return a frame's columns and attributes as lists."""
    columns = {name: one if isinstance(one, Array) else filled(name, one) for name, one in frame.columns.items()}
    return [*((name, columns[name].to_pylist()) for name in sorted(columns)), frame.attributes.to_pylist()]


#: Every field differs in every line, so that from here on all are read as fields of many values.
MANY = [b"%d /%d %d r%d x%d" % (visit.START + at, at, at, at, at) for at in range(30)]


@settings(max_examples=150, deadline=None)
@given(st.lists(_LINES, min_size=1, max_size=5), st.booleans())
def test_fields_of_few_and_of_many_values_give_the_same(lines: list[bytes], many: bool) -> None:
    plan, layout = ColumnMapping(WIDE.columns(None)), visit.LINES
    reader = LineColumns(plan, layout)
    if many:
        assert reader.frame(MANY) is not None
    fast = reader.frame(lines)
    if fast is not None:
        assert made(fast) == made(frame(block(lines, layout), plan, Bounds(None)))


@pytest.mark.parametrize("field", ["007", "+7", "-0", "2147483648", "-", "9223372036854775808", "1e3", "7.0", "7"])
@pytest.mark.parametrize("column", ["client_port", "http_response_size"])
def test_a_number_among_many_is_read_as_it_is_alone(field: str, column: str) -> None:
    plan, layout = (
        ColumnMapping({"time": FieldMapping("time", epoch_ms), column: FieldMapping("bytes", integer)}),
        visit.LINES,
    )
    reader = LineColumns(plan, layout)
    reader.frame(MANY)
    lines = [f"{visit.START} /p {field} r x".encode(), f"{visit.START} /p 5 r x".encode()]
    fast = reader.frame(lines)
    assert fast is not None
    assert made(fast) == made(frame(block(lines, layout), plan, Bounds(None)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(_LINES, st.binary(max_size=12).map(lambda one: one.replace(b"\n", b""))), max_size=6))
def test_any_lines_are_the_same_rows_read_fast_or_one_by_one(lines: list[bytes]) -> None:
    lines = [line for line in lines if not line.startswith(b"<") and line.removesuffix(b"\r").strip()]
    lines = [line for line in lines if not line.startswith((b"\x1f\x8b", b"PK"))]
    fast = visit.visit(visit.lines(lines), of=WIDE)
    slow = visit.visit(visit.lines([*lines, ODD]), of=WIDE)
    assert visit.rows(fast) == [one for one in visit.rows(slow) if one["raw_index"] < len(lines)]
    assert visit.rejects(fast) == [one for one in visit.rejects(slow) if one["index"] < len(lines)]
    assert fast.numbers.fetched == len(lines)
