"""Lines: the fast way and the line-by-line way give the same rows."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logarchive.column.bounds import Bounds
from logarchive.column.convert import FieldMapping, after, before, epoch_ms, integer, lookup, number, text
from logarchive.column.line_frame import LineColumns
from logarchive.column.line_group import LineGroups
from logarchive.column.mapping import ColumnMapping
from logarchive.column.record_frame import frame
from logarchive.errors import MalformedError
from logarchive.record.block import Block
from logarchive.record.layout import LineLayout
from logarchive.record.line_record import LineReader
from logarchive.vendor.tencent_log_line import LAYOUT
from logarchive.vendor.tencent_log_line import columns as tencent_columns
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
    b'20261122130000 /p 5 "(null)"': ({"http_response_size": 5}, []),
    b'20261122130000 "/p ""q"" r" 5 - 0-1': ({"url_path": '/p "q" r'}, [("range", "0-1")]),
    b'20261122130000 /p 5 "a"b': ({"http_request_referrer": '"a"b'}, []),
    b'20261122130000 /p 5 "open': ({"http_request_referrer": '"open'}, []),
    b"20261122130000 /p 5 a b c 0-1": ({"http_request_referrer": "a b c"}, [("range", "0-1")]),
    b'20261122130000 "/a ""b"" c" 5 -': ({"url_path": '/a "b" c'}, []),
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
    b"20261122130000 /p 5 -\r\r": ({"url_path": "/p"}, []),
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
    bad = [b"20261122130000 /p 5", b'20261122130000 "/p 5 -', b"yesterday /p 5 -", b"- /p 5 -", GOOD + b"\r" + GOOD]
    built = visit.visit(visit.lines([GOOD, bad[0], b"", GOOD, *bad[1:], b"  ", GOOD]), of=OF)
    assert built.numbers.rows == 3
    reasons = [*["fewer than 4 fields, or a quote is not closed"] * 2, *["no readable time"] * 2]
    reasons.append("a carriage return within the line")
    rejects = [(one["index"], one["record"].encode(), one["reason"]) for one in visit.rejects(built)]
    assert rejects == [*zip((1, 3, 4, 5, 6), bad, reasons, strict=True)]


def test_a_quote_that_swallows_a_line_end_joins_no_lines() -> None:
    built = visit.visit(visit.lines([GOOD, b'20261122130000 "/p 5 x', b'y" 5 -', GOOD]), of=OF)
    assert (built.numbers.rows, built.numbers.rejects) == (2, 2)


def test_line_ends_do_not_matter_to_a_lines_identity() -> None:
    ids = [
        [one["record_id"] for one in visit.rows(visit.visit(body, of=OF))]
        for body in (GOOD + b"\n" + GOOD + b"\n", GOOD + b"\r\n" + GOOD, b"\n" + GOOD + b"\n\n" + GOOD)
    ]
    assert ids[0] == ids[1] == ids[2] == [ids[0][0], f"{ids[0][0]}-1"]


def test_quotes_hold_spaces_and_doubled_quotes() -> None:
    found = LineReader(visit.LINES).fields(b'a "b c" "d ""e""\\"" "f" ""g"')
    assert found == {"time": "a", "path": "b c", "bytes": 'd "e""', "referer": 'f" "g'}


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


def read_singly(lines: list[bytes], plan: ColumnMapping) -> list[Any]:
    return visit.columns_of(frame(LineReader(visit.LINES).block(lines), plan, Bounds(None)))


ANY_LINE = b"%d /p 5 -" % visit.START
#: Every field differs in every line, so that from here on all are read as fields of many values.
MANY = [b"%d /%d %d r%d x%d" % (visit.START + at, at, at, at, at) for at in range(30)]


@settings(max_examples=150)
@given(st.lists(_LINES, min_size=1, max_size=5), st.booleans())
def test_fields_of_few_and_of_many_values_give_the_same(lines: list[bytes], many: bool) -> None:
    plan, layout = ColumnMapping(WIDE.columns(None)), visit.LINES
    reader = LineColumns(plan, layout)
    if many:
        assert reader.read(MANY) is not None
    fast = reader.read(lines)
    if fast and not fast[1]:
        assert visit.columns_of(fast[0]) == read_singly(lines, plan)


@pytest.mark.parametrize("field", ["007", "+7", "-0", "2147483648", "-", "9223372036854775808", "1e3", "7.0", "7"])
@pytest.mark.parametrize("column", ["client_port", "http_response_size"])
def test_a_number_among_many_is_read_as_it_is_alone(field: str, column: str) -> None:
    plan = ColumnMapping({"time": FieldMapping("time", epoch_ms), column: FieldMapping("bytes", integer)})
    reader = LineColumns(plan, visit.LINES)
    reader.read(MANY)
    lines = [f"{visit.START} /p {field} r x".encode(), f"{visit.START} /p 5 r x".encode()]
    fast = reader.read(lines)
    assert fast
    assert visit.columns_of(fast[0]) == read_singly(lines, plan)


_ANY_LINES = st.one_of(_LINES, st.binary(max_size=12).map(lambda one: one.replace(b"\n", b"")), st.just(b" "))


def ensure_same(lines: list[bytes], of: Any, layout: LineLayout, *, after: list[bytes]) -> None:
    """Compare all of a frame, read by columns that have read other lines before, with the lines read one by one."""
    plan = ColumnMapping(of.columns(None))
    reader = LineGroups(plan, layout)
    reader.read(after)
    fast, slow = reader.read(lines), frame(LineReader(layout).block(lines), plan, Bounds(None))
    assert visit.columns_of(fast) == visit.columns_of(slow)
    assert [(one.size, one.bad, one.outside, list(one.strays)) for one in (fast, slow)] == [
        (slow.size, slow.bad, 0, [])
    ] * 2
    assert (list(fast.positions), list(fast.canonical)) == (list(slow.positions), list(slow.canonical))


@settings(max_examples=150)
@given(st.lists(_ANY_LINES, max_size=6), st.booleans())
def test_any_lines_are_the_same_rows_read_fast_or_one_by_one(lines: list[bytes], many: bool) -> None:
    ensure_same(lines, WIDE, visit.LINES, after=MANY if many else [ANY_LINE])


DSA = visit.provider(LAYOUT, columns=tencent_columns("+00:00"))
HEAD = b"20261122130000 192.0.2.1 h.test /p 5 22 2 200 NULL 7"
#: The end of a line -> agent, range, method, protocol, cache and port.
ENDS: dict[bytes, tuple[str | int | None, ...]] = {
    rb'"Tab 10\" Build/X1)" - GET HTTP/1.1 hit': ('Tab 10" Build/X1)', None, "GET", "HTTP/1.1", "hit", None),
    b'"Tab 10"" NULL GET HTTP/1.1 hit 80': ('Tab 10"', None, "GET", "HTTP/1.1", "hit", 80),
    rb'"agent with \"quoted\" words" bytes=0-99': ('agent with "quoted" words', "bytes=0-99", *[None] * 4),
    b"Mozilla (X11; Linux) NULL GET HTTP/1.1 hit 80": ("Mozilla (X11; Linux)", None, "GET", "HTTP/1.1", "hit", 80),
    b'"a ""b"" c" "(null)" GET HTTP/2.0 MISS -': ('a "b" c', None, "GET", "HTTP/2.0", "MISS", None),
    b'a "b" c "bytes=0-1, 5-9" HEAD HTTP/3 -': ('a "b" c', "bytes=0-1, 5-9", "HEAD", "HTTP/3", None, None),
    b'"" bytes=0-1, 5-9': ("", "bytes=0-1, 5-9", *[None] * 4),
    b"two words bytes=0-1, 5-9 GET HTTP/1.1 hit": ("two words", "bytes=0-1, 5-9", "GET", "HTTP/1.1", "hit", None),
    b'"GET HTTP/1.1 hit 80" NULL': ("GET HTTP/1.1 hit 80", *[None] * 5),
    b'"evil" - POST HTTP/1.0 miss 1" NULL GET HTTP/1.1 hit 80': (
        'evil" - POST HTTP/1.0 miss 1', None, "GET", "HTTP/1.1", "hit", 80,
    ),
    b'" NULL GET HTTP/1.1 hit 80': ('"', None, "GET", "HTTP/1.1", "hit", 80),
    rb'"back\slash\" NULL GET HTTP/1.1 hit 80': ("back\\slash\\", None, "GET", "HTTP/1.1", "hit", 80),
    b'"curl/8" "-" - - -': ("curl/8", *[None] * 5),
    b'"curl/8" "-" "-" (null) - 80': ("curl/8", *[None] * 4, 80),
    b"NULL NULL NULL NULL miss": (None, None, None, None, "miss", None),
    b'"x" "-" "" "" hit': ("x", None, "", "", "hit", None),
    b'"x" "-" get HTTPS 0': ("x", None, "get", "HTTPS", "0", None),
    b'"x" "bytes=abc" GET HTTP/1.1 hit 80': ("x", "bytes=abc", "GET", "HTTP/1.1", "hit", 80),
    b'"x" "bytes ""0-1" - - -': ("x", 'bytes "0-1', *[None] * 4),
    b'"x" y" "any text" GET HTTP/1.1 hit': ('x" y', "any text", "GET", "HTTP/1.1", "hit", None),
    b"a junk GET HTTP/1.1 hit 80": ("a", "junk", "GET", "HTTP/1.1", "hit", 80),
    b"a b": ("a", "b", *[None] * 4),
}  # fmt: skip
NAMES = (
    *("user_agent_original", "range", "http_request_method"),
    *("network_protocol_version", "cache_status", "client_port"),
)
PLAIN = HEAD + b' "Mozilla (X11)" NULL GET HTTP/1.1 hit 80'


@pytest.mark.parametrize("end", ENDS)
def test_a_lines_columns_are_told_by_their_form_from_both_ends(end: bytes) -> None:
    line = HEAD + b" " + end
    for lines in ([line], [line] * 30, [PLAIN, line], [line, PLAIN], [PLAIN, line, b"bad", PLAIN]):
        built = visit.visit(visit.lines(lines), of=DSA)
        (row, *_) = [row for row in visit.rows(built) if row["raw_index"] == lines.index(line)]
        found = {**row, **dict(row["attributes"])}
        assert tuple(found.get(name) for name in NAMES) == ENDS[end]
        assert (row["http_response_status_code"], row["http_duration_ms"]) == (200, 7)
        assert built.numbers.rejects == lines.count(b"bad")


SHIFTED = [
    HEAD.replace(b" 200 ", b" GET ") + b" a NULL",
    HEAD.replace(b" 5 ", b" 5x ") + b" a NULL",
    HEAD.replace(b" NULL ", b' "a" b" ') + b" a NULL",
    HEAD.replace(b"/p", b'/p"').replace(b" NULL ", b' " b"c ') + b' x" NULL',
    HEAD.replace(b" NULL ", b" two words ") + b" a NULL",
    HEAD.replace(b"/p", b"/a b") + b" a NULL",
    HEAD.replace(b"192.0.2.1", b"client") + b" a NULL",
    *(HEAD + end for end in (b" NULL", b" a NULL GET ", b' "a" "-" G%T HTTP/1.1 -', b' "a" "-" - - - port')),
    *(HEAD + b" a NULL GET HTTP/1.1" + end for end in (b"", b" hit port", b" hit 80 more")),
    HEAD + b" a NULL GET hit HTTP/1.1 80",
    b"\xef\xbb\xbfx " + HEAD + b" a NULL",
    HEAD + b' NULL " a"b',
]


@pytest.mark.parametrize("line", SHIFTED)
def test_a_line_of_which_a_field_has_not_its_form_is_a_reject_in_any_company(line: bytes) -> None:
    short = HEAD + b" a NULL"
    for lines in ([PLAIN, line], [short, line], [line, PLAIN], [line] * 30 + [PLAIN], [PLAIN] * 30 + [line]):
        built = visit.visit(visit.lines(lines), of=DSA)
        assert (built.numbers.rows, built.numbers.rejects) == (len(lines) - lines.count(line), lines.count(line))


_WORDS = st.sampled_from(
    [
        "NULL",
        "-",
        "(null)",
        "7",
        "1.5",
        "x",
        '"a b"',
        '"(null)"',
        "a b",
        'a"b',
        '"',
        "GET",
        "HTTP/1.1",
        "hit",
        "?",
        "\r",
    ]
)
_DSA_LINES = st.one_of(
    st.sampled_from([PLAIN, *(HEAD + b" " + end for end in ENDS), *SHIFTED, b"bad", b"", b" ", b"\xff" + PLAIN]),
    st.sampled_from(list(ENDS)).map(lambda end: b"yesterday" + HEAD[14:] + b" " + end),
    st.lists(_WORDS, min_size=2, max_size=6).map(lambda words: HEAD + " ".join(["", *words]).encode()),
    st.tuples(st.integers(0, 9), _WORDS, st.sampled_from(list(ENDS))).map(
        lambda made: b" ".join([*HEAD.split()[: made[0]], made[1].encode(), *HEAD.split()[made[0] + 1 :], made[2]])
    ),
)


@settings(max_examples=300)
@given(st.lists(_DSA_LINES, max_size=9), st.booleans())
def test_lines_of_several_layouts_and_unreadable_ones_are_what_each_is_alone(lines: list[bytes], many: bool) -> None:
    after = [HEAD + b' "agent %d" bytes=%d GET HTTP/1.1 hit %d' % (at, at, at) for at in range(30)] if many else [PLAIN]
    ensure_same(lines, DSA, LAYOUT, after=after)


@pytest.mark.parametrize(
    "bad",
    [
        b"bad",
        b"yesterday" + PLAIN[14:],
        HEAD + b' "" NULL GET HTTP/1.1 hit 80',
        PLAIN + b"x",
        b'" ' + PLAIN,
        PLAIN + b"\r-",
        *SHIFTED,
    ],
)
def test_beside_a_bad_line_no_other_is_read_alone(bad: bytes) -> None:
    read: list[bytes] = []

    class Reader(LineReader):
        def block(self, lines: Sequence[bytes]) -> Block:
            read.extend(lines)
            return super().block(lines)

    shorter = PLAIN.rpartition(b" ")[0]
    LineGroups(ColumnMapping(DSA.columns(None)), LAYOUT, Reader(LAYOUT)).read([PLAIN, shorter, bad, PLAIN, shorter])
    assert read == [bad]


@pytest.mark.parametrize("digits", [15, 16, 17, 18, 19])
def test_a_long_duration_is_the_same_row_among_many(digits: int) -> None:
    lines = [HEAD[:-1] + b"%d a NULL" % at for at in range(30)]
    for value in (b"1" * digits, b"%d" % 2**60, b"9" * digits, b"1" + b"0" * (digits - 1)):
        line = HEAD[:-1] + value + b" a NULL"
        alone, among = (visit.rows(visit.visit(visit.lines(one), of=DSA)) for one in ([line], [*lines, *lines, line]))
        exact = visit.rows(visit.visit(visit.lines([line, b"bad"]), of=DSA))
        assert [{**row[-1], "raw_index": 0} for row in (alone, among)] == [exact[0]] * 2


def test_a_bom_is_no_part_of_a_file_and_breaks_a_line_elsewhere() -> None:
    bom = b"\xef\xbb\xbf"
    assert visit.visit(bom + PLAIN + b"\n" + PLAIN, of=DSA).numbers.rows == 2
    blocks = [[PLAIN] * 3, [bom + PLAIN, PLAIN], [bom + PLAIN], [PLAIN, bom + PLAIN]]
    for lines in blocks:
        fast = LineColumns(ColumnMapping(DSA.columns(None)), LAYOUT).read(lines)
        assert (not fast or bool(fast[1])) == any(line.startswith(bom) for line in lines)


NO_FILES = {
    "an error": b'{"code":4100,"message":"no"}',
    "a text": b"Internal Server Error",
    "nothing": b"",
    "blank lines": b"\n \n",
    "lines without a time": b"- " + PLAIN[15:] + b"\n" + b"- " + PLAIN[15:],
    "lines that end in CR": b"\r".join([PLAIN] * 9) + b"\r",
    "a CR within the agent": PLAIN.replace(b"(X11)", b"(\r)"),
    "bzip2": bz2.compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "UTF-16": PLAIN.decode().encode("utf-16"),
    "UTF-16 without a BOM": PLAIN.decode().encode("utf-16-le"),
    "a page": b"<html>",
    "a page behind a BOM": b"\xef\xbb\xbf\r\n<html>",
    "zeros": bytes(100),
}
#: Beside a log they are its rejects.
LINES_WITHOUT_A_RECORD = {
    "a text": 1,
    "nothing": 0,
    "blank lines": 0,
    "lines without a time": 2,
    "lines that end in CR": 1,
    "a CR within the agent": 1,
}


@pytest.mark.parametrize("name", NO_FILES)
def test_files_without_a_record_are_malformed_and_beside_a_log_if_they_are_none_themselves(name: str) -> None:
    for body in (NO_FILES[name], gzip.compress(NO_FILES[name])):
        with pytest.raises(MalformedError):
            visit.visit(body, body, of=DSA)
        for bodies in ([PLAIN, body], [body, PLAIN]):
            if name in LINES_WITHOUT_A_RECORD:
                numbers = visit.visit(*bodies, of=DSA).numbers
                assert (numbers.rows, numbers.rejects) == (1, LINES_WITHOUT_A_RECORD[name])
            else:
                with pytest.raises(MalformedError):
                    visit.visit(*bodies, of=DSA)


def test_an_empty_quoted_status_is_none() -> None:
    (row,) = visit.rows(visit.visit(HEAD.replace(b" 200 ", b' "" ') + b" a NULL", of=DSA))
    assert "http_response_status_code" not in row
