"""Lines: the fast way and the line-by-line way give the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logarchive.convert import after, before, epoch_ms, integer, lookup, number, text
from logarchive.errors import MalformedError
from logarchive.line_record import split
from logarchive.provider import Feed
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
        "time": Feed("time", epoch_ms),
        "url_path": Feed("path", before),
        "url_query": Feed("path", after, take=False),
        "http_duration_ms": Feed("bytes", number),
        "client_port": Feed("bytes", integer),
        "geo_region": Feed("referer", lookup({"1": "one"}), take=False),
        "body": Feed("range", text),
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
