"""The same record is the same row, byte for byte, whatever stands beside it and however it is laid out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logarchive.errors import MalformedError
from tests.unit import visit
from tests.unit.visit import START

GOOD = b'{"time":%d,"level":"INFO","message":"good","x":1}' % START
#: Makes the block it stands in be read exactly.
FLOAT = b'{"time":%d,"level":"INFO","message":"good","x":1.50}' % START
#: An element that is no record, in a document that is JSON.
BROKEN = b'{"level":"INFO"}'


def odd(rest: bytes) -> bytes:
    return b'{"time":%d,%b}' % (START + 1, rest)


type Odd = tuple[bytes, dict[str, Any], list[tuple[str, str | None]]]

ODD: dict[str, Odd] = {
    "plain": (odd(b'"message":"m","a":"b"'), {"body": "m"}, [("a", "b")]),
    "number texts": (
        odd(b'"a":1.10,"b":1e3,"c":-0,"d":100000000000000000000000,"e":18446744073709551615,"f":-9223372036854775809'),
        {},
        [("a", "1.10"), ("b", "1e3"), ("c", "-0"), ("d", "100000000000000000000000"), ("e", "18446744073709551615"),
         ("f", "-9223372036854775809")],
    ),
    "nested numbers": (odd(b'"a":[1.10, {"b":-0}],"c":{"d":{"e":2.50}}'), {}, [("a", '[1.10,{"b":-0}]'), ("c.d.e", "2.50")]),  # noqa: E501
    "a float as long as it is written": (odd(b'"a":1E22'), {}, [("a", "1E22")]),
    "such a float in a list": (odd(b'"a":[{"b":1E22}]'), {}, [("a", '[{"b":1E22}]')]),
    "such a float in an object": (odd(b'"a":{"b":1E22}'), {}, [("a.b", "1E22")]),
    "such a float for text": (odd(b'"message":1E22'), {}, [("message", "1E22")]),
    "null for text": (odd(b'"message":null'), {}, [("message", None)]),
    "null for a number": (odd(b'"port":null,"a":"b"'), {}, [("port", None), ("a", "b")]),
    "minus zero alone": (odd(b'"a":-0'), {}, [("a", "-0")]),
    "minus zero in a column": (odd(b'"port":-0'), {}, [("port", "-0")]),
    "one key twice": (odd(b'"a":1,"a":2,"a#2":3'), {}, [("a", "1"), ("a#2", "2"), ("a#2#2", "3")]),
    "one column's key twice": (odd(b'"message":"x","message":"y"'), {"body": "x"}, [("message#2", "y")]),
    "one key twice, nested": (odd(b'"a":{"b":"1","b":"2"}'), {}, [("a.b", "1"), ("a.b#2", "2")]),
    "a flattened name taken": (odd(b'"a":{"b":"1"},"a.b":"2"'), {}, [("a.b", "1"), ("a.b#2", "2")]),
    "null and empty": (odd(b'"message":null,"a":null,"b":{},"c":[],"d":""'), {}, [("message", None), ("a", None), ("b", "{}"), ("c", "[]"), ("d", "")]),  # noqa: E501
    "wrong types": (odd(b'"message":5,"port":"x","level":true'), {}, [("message", "5"), ("port", "x"), ("level", "true")]),  # noqa: E501
    "an object for text": (odd(b'"message":{"a":[true,false]}'), {}, [("message.a", "[true,false]")]),
    "true for a number": (odd(b'"port":true'), {}, [("port", "true")]),
    "a number too large for int": (odd(b'"port":2147483648'), {}, [("port", "2147483648")]),
    "a level as a number": (odd(b'"level":40'), {"severity_number": 17}, [("level", "40")]),
    "a dotted key, nested": (odd(b'"user":{"name":"n","id":7}'), {"user_name": "n"}, [("user.id", "7")]),
    "a dotted key, flat": (odd(b'"user.name":"n","user":{"id":7}'), {"user_name": "n"}, [("user.id", "7")]),
    "nothing left of an object": (odd(b'"user":{"name":"n"}'), {"user_name": "n"}, []),
    "a lone surrogate": (odd(rb'"message":"\ud800x","a":["\udfff"]'), {}, [("message", r'"\ud800x"'), ("a", r'["\udfff"]')]),  # noqa: E501
    "a lone surrogate in a key": (odd(rb'"\ud800":1'), {}, [(r'"\ud800"', "1")]),
    "a surrogate pair": (odd(rb'"message":"\ud83d\ude00"'), {"body": "\U0001f600"}, []),
    "escapes": (odd(rb'"message":"\u00e9\/\"\\\n","a":"\":"'), {"body": 'é/"\\\n'}, [("a", '":')]),
    "what looks like structure": (odd(rb'"message":"},{ ],[ \"a\": -0 1.5"'), {"body": '},{ ],[ "a": -0 1.5'}, []),
    "NaN": (odd(b'"a":NaN,"port":NaN,"b":[NaN]'), {}, [("a", "NaN"), ("port", "NaN"), ("b", "[NaN]")]),
    "infinities": (odd(b'"a":-Infinity,"b":{"c":Infinity}'), {}, [("a", "-Infinity"), ("b.c", "Infinity")]),
    "raw control characters": (odd(b'"message":"a\tb\rc","d\x01":"\x00"'), {"body": "a\tb\rc"}, [("d\x01", "\x00")]),
    "white space": (b' { "time" :\t%d , "message" : "m" } ' % (START + 1), {"body": "m"}, []),
    "time in microseconds": (b'{"time":%d,"a":"b"}' % ((START + 1) * 1000 + 7), {}, [("time", str((START + 1) * 1000 + 7)), ("a", "b")]),  # noqa: E501
    "time as text": (b'{"a":"b","time":"%d"}' % (START + 1), {}, [("a", "b"), ("time", str(START + 1))]),
    "time as a fraction": (b'{"time":%d.50}' % (START + 1), {}, [("time", f"{START + 1}.50")]),
    "time as ISO 8601": (b'{"time":"2026-11-22T22:00:00.001+09:00"}', {}, [("time", "2026-11-22T22:00:00.001+09:00")]),
}  # fmt: skip
NEIGHBOURS: dict[str, list[bytes]] = {
    "alone": [],
    "good": [GOOD],
    "exactly": [FLOAT],
    "broken": [BROKEN],
    "all": [GOOD, BROKEN, FLOAT],
}
LAYOUTS = [visit.array, visit.lines, visit.wrapped]


def row(
    record: bytes, before: Sequence[bytes], after: Sequence[bytes], layout: Callable[[Sequence[bytes]], bytes]
) -> dict[str, Any]:
    built = visit.visit(layout([*before, record, *after]))
    (found,) = [one for one in visit.rows(built) if one["raw_index"] == len(before)]
    return {name: value for name, value in found.items() if name != "raw_index"}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_record_becomes_this_row_and_nothing_of_it_is_lost(name: str) -> None:
    record, columns, attributes = ODD[name]
    found = row(record, [], [], visit.array)
    assert found["attributes"] == attributes
    assert {key: found.get(key) for key in columns} == columns
    assert "body" in columns or "body" not in found
    assert found["time"].microsecond == 1000


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ODD)
def test_an_odd_record_is_the_same_row_in_any_company(name: str, layout: Callable[[Sequence[bytes]], bytes]) -> None:
    record, _, _ = ODD[name]
    alone = row(record, [], [], visit.array)
    for beside in NEIGHBOURS.values():
        assert row(record, beside, [], layout) == alone
        assert row(record, [], [*beside, GOOD], layout) == alone
        assert row(record, beside, [*beside, GOOD], layout) == alone


BAD = {
    "not UTF-8": b'{"time":%d,"a":"\xff"}' % START,
    "half a character": b'{"time":%d,"a":"\xed\xa0\x80"}' % START,
    "no object": b'"text"',
    "a number": b"17",
    "no number": b"NaN",
    "an infinity": b"-Infinity",
    "null": b"null",
    "an array": b'[{"time":%d}]' % START,
    "no time": b'{"a":1.10,"b":2}',
    "an unreadable time": b'{"time":"yesterday"}',
    "time of no length": b'{"time":12345}',
    "too deep": b'{"time":%d,"a":%b1%b}' % (START, b"[" * 5000, b"]" * 5000),
    "deep": b'{"time":%d,"a":%b1%b}' % (START, b"[" * 400, b"]" * 400),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", BAD)
def test_only_the_bad_record_is_rejected_and_shown_in_its_place(
    name: str, layout: Callable[[Sequence[bytes]], bytes]
) -> None:
    alone = None
    for before, after in (([GOOD], [GOOD]), ([FLOAT], [GOOD]), ([GOOD, BROKEN], [FLOAT, GOOD])):
        built = visit.visit(layout([*before, BAD[name], *after]))
        broken = before.count(BROKEN)
        assert built.numbers.rows == len(before) + len(after) - broken
        (found,) = [one for one in visit.rejects(built) if one["index"] == len(before)]
        del found["index"]
        alone = alone or found
        assert found == alone
        assert built.numbers.rejects == 1 + broken


NOT_JSON = {
    "a bare word": b'{"time":1,"a":nope}',
    "undefined": b'{"time":1,"a":undefined}',
    "half a word": b'{"time":1,"a":tru}',
    "a leading zero": b'{"time":1,"a":01}',
    "a plus": b'{"time":1,"a":+1}',
    "no value": b'{"time":1,"a":}',
    "no colon": b'{"time" 1}',
    "no comma": b'{"time":1 "a":2}',
    "a comma too many": b'{"time":1,}',
    "another quote": b"{'time':1}",
    "a quote within": b'{"time":1,"body":"19" x"}',
    "an open quote": b'{"time":1,"a":"open}',
    "an open brace": b'{"time":1,"c":{"k":1}',
    "a brace too many": b'{"time":1}}',
    "an open bracket": b'{"time":1,"c":[1}',
    "a bare word alone": b"undefined",
    "half a word alone": b"tru",
    "a leading zero alone": b"01",
    "nothing": b"",
    "an unknown escape": rb'{"time":1,"a":"\x41"}',
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_a_document_is_read_whole_or_not_at_all_wherever_it_is_broken(name: str) -> None:
    for beside in ([GOOD], [FLOAT], [GOOD] * 30):
        for records in ([NOT_JSON[name], *beside], [*beside, NOT_JSON[name], *beside], [*beside, NOT_JSON[name]]):
            for layout in (visit.array, visit.wrapped):
                with pytest.raises(MalformedError, match="at byte"):
                    visit.visit(layout(records))


@pytest.mark.parametrize("name", sorted(NOT_JSON.keys() - {"nothing"}))
def test_a_broken_line_is_rejected_alone(name: str) -> None:
    built = visit.visit(visit.lines([GOOD, NOT_JSON[name], GOOD, FLOAT]))
    assert built.numbers.rows == 3
    assert [one["record"].encode() for one in visit.rejects(built)] == [NOT_JSON[name]]


def test_the_place_of_the_first_error_is_said_in_bytes() -> None:
    body = visit.array(["\uac00".encode().join([b'{"time":1,"a":"', b'"}']), b'{"time":nope}'])
    with pytest.raises(MalformedError, match=f"at byte {body.index(b'nope')}: Expecting value"):
        visit.visit(body)


def test_a_lost_key_is_not_hidden_by_a_float_in_a_record_that_is_left_out() -> None:
    # 1e2 is written 100.0, two bytes longer; both -0 lose one.
    outside = b'{"time":%d,"x":1e2}' % visit.END
    record = odd(b'"a":-0,"b":-0')
    own = visit.WINDOW
    built = visit.visit(visit.part(visit.array([outside, record]), own=own, asked=own))
    assert [one["attributes"] for one in visit.rows(built)] == [[("a", "-0"), ("b", "-0")]]


_NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["-0", "0", "0.0", "-0.0", "1E5", "1.10", "10", "1e400"]),
)
_KEYS = st.sampled_from(["a", "b", "a.b", "message", "level", "port", "user", "name", "", "a#2", "\\u0061", "é"])
_TEXTS = st.one_of(
    st.text(max_size=6).map(json.dumps),
    st.text(max_size=6).map(lambda one: json.dumps(one, ensure_ascii=False).encode("utf-8", "replace").decode()),
    st.sampled_from(['"\\ud800"', '"\\/"', '"INFO"', '"},{"', '"\\":"']),
)
_SPACE = st.sampled_from(["", "", " ", "\t"])


def _object(pairs: list[tuple[str, str]], space: str) -> str:
    return "{" + f",{space}".join(f'"{key}"{space}:{space}{value}' for key, value in pairs) + "}"


_VALUES = st.recursive(
    st.one_of(_NUMBERS, _TEXTS, st.sampled_from(["null", "true", "false", "{}", "[]"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: "[" + ",".join(values) + "]"),
        st.builds(_object, st.lists(st.tuples(_KEYS, inner), max_size=3), _SPACE),
    ),
    max_leaves=6,
)


def _record(pairs: list[tuple[str, str]], space: str, at: int) -> bytes:
    return _object([*pairs[:at], ("time", str(START + at)), *pairs[at:]], space).encode()


_RECORDS = st.builds(
    _record,
    st.lists(st.tuples(_KEYS, _VALUES), max_size=5),
    _SPACE,
    st.integers(0, 5),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_RECORDS, min_size=1, max_size=4), st.sampled_from(LAYOUTS))
def test_any_records_are_the_same_rows_read_fast_or_exactly(
    records: list[bytes], layout: Callable[[Sequence[bytes]], bytes]
) -> None:
    fast, exact = visit.visit(layout(records)), visit.visit(layout([*records, FLOAT]))
    assert visit.rows(fast) == [one for one in visit.rows(exact) if one["raw_index"] < len(records)]
    for at, record in enumerate(records):
        if records.index(record) == at:
            (found,) = visit.rows(visit.visit(layout([record])))
            (same,) = [one for one in visit.rows(fast) if one["raw_index"] == at]
            assert {**found, "raw_index": at, "record_id": found["record_id"][:32]} == {
                **same,
                "record_id": same["record_id"][:32],
            }
