"""The same record is the same row, byte for byte, whatever stands beside it, however it is laid out or embedded."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logarchive.column.attribute import Floats
from logarchive.column.bounds import Bounds
from logarchive.column.embedded import unfold, unfolded
from logarchive.column.mapping import mixed
from logarchive.column.record_frame import frame
from logarchive.column.uniform import by_shape
from logarchive.errors import MalformedError
from logarchive.record.block import Block, Item
from logarchive.record.exact_json import read
from logarchive.record.layout import JsonLayout
from tests.unit import visit
from tests.unit.visit import START

GOOD = b'{"time":%d,"level":"INFO","message":"good","x":1}' % START
#: Makes the block it stands in be read exactly.
FLOAT = b'{"time":%d,"level":"INFO","message":"good","x":1.50}' % START
#: Its float is written as orjson writes it: the block needs not be read exactly.
KEPT = b'{"time":%d,"level":"INFO","message":"good","x":1.5}' % START
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
NEIGHBOURS = [[], [GOOD], [FLOAT], [KEPT], [BROKEN], [GOOD, BROKEN, FLOAT], [GOOD, BROKEN, KEPT]]
LAYOUTS = [visit.array, visit.lines, visit.wrapped]
type Layout = Callable[[Sequence[bytes]], bytes]


def row(record: bytes, before: Sequence[bytes], after: Sequence[bytes], layout: Layout) -> dict[str, Any]:
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
def test_an_odd_record_is_the_same_row_in_any_company(name: str, layout: Layout) -> None:
    record, _, _ = ODD[name]
    alone = row(record, [], [], visit.array)
    for beside in NEIGHBOURS:
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
def test_only_the_bad_record_is_rejected_and_shown_in_its_place(name: str, layout: Layout) -> None:
    alone = None
    for before, after in (([GOOD], [GOOD]), ([FLOAT], [GOOD]), ([KEPT], [KEPT]), ([GOOD, BROKEN], [FLOAT, GOOD])):
        built = visit.visit(layout([*before, BAD[name], *after]))
        broken = before.count(BROKEN)
        assert built.numbers.rows == len(before) + len(after) - broken
        (found,) = [one for one in visit.rejects(built) if one["index"] == len(before)]
        del found["index"]
        alone = alone or found
        assert found == alone
        assert built.numbers.rejects == 1 + broken


NOT_JSON = [
    *(
        b'{"time":1,"a":%b}' % value
        for value in (b"nope", b"undefined", b"tru", b"01", b"+1", b"", b'"open', rb'"\x41"')
    ),
    *(b'{"time" 1}', b'{"time":1 "a":2}', b'{"time":1,}', b"{'time':1}", b'{"time":1,"body":"19" x"}'),
    *(b'{"time":1,"c":{"k":1}', b'{"time":1}}', b'{"time":1,"c":[1}', b"undefined"),
]


@pytest.mark.parametrize("broken", [*NOT_JSON, b""])
def test_a_document_is_read_whole_or_not_at_all_wherever_it_is_broken(broken: bytes) -> None:
    for beside in ([GOOD], [FLOAT], [GOOD] * 30):
        for records in ([broken, *beside], [*beside, broken, *beside], [*beside, broken]):
            for layout in (visit.array, visit.wrapped):
                with pytest.raises(MalformedError, match="at byte"):
                    visit.visit(layout(records))


@pytest.mark.parametrize("broken", NOT_JSON)
def test_a_broken_line_is_rejected_alone(broken: bytes) -> None:
    built = visit.visit(visit.lines([GOOD, broken, GOOD, FLOAT]))
    assert built.numbers.rows == 3
    assert [one["record"].encode() for one in visit.rejects(built)] == [broken]


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


def test_a_block_with_floats_is_read_again_only_if_orjson_writes_it_otherwise_than_it_came() -> None:
    def reread() -> list[Item]:
        raise AssertionError

    items: list[Item] = [{"time": START, "a": 1.5, "b": {"c": [{"d": 1e-7}, -0.0]}}]
    source = b'[{"time":%d,"a":1.5,"b":{"c":[{"d":1e-7},-0.0]}}]' % START
    mapping = visit.provider().record_format(None).mapping()
    found = visit.columns_of(frame(Block(items, reread, source=source), mapping, Bounds(None)))
    assert found == visit.columns_of(frame(Block([read(source[1:-1])]), mapping, Bounds(None)))
    for other in (source.replace(b"1.5", b"1.50"), source.replace(b":", b": "), None):
        with pytest.raises(AssertionError):
            frame(Block(items, reread, source=other), mapping, Bounds(None))


NUMBERS = [
    *("0", "-0", "0.0", "-0.0", "10", "12", "1.10", "1.0", "1E5", "1E22", "1e400", "-1e-400"),
    *("18446744073709551615", "18446744073709551616"),
]
SPACES = st.sampled_from(["", "", " ", "\n", "\t "])
KEYS = st.sampled_from(
    ["a", "b", "a.b", "message", "level", "port", "user", "name", "", "a#2", "\\u0061", "\\ud800", "\u00e9", "\uac00"]
)
TEXTS = st.sampled_from(
    ["", "x", "INFO", "\\ud83d\\ude00", "\\udfff", "{", '\\"}', "},{", '\\":', "\\u00e9", "\u00e9", "\\/"]
)
QUOTED = TEXTS.map(lambda text: f'"{text}"') | st.builds(json.dumps, st.text(max_size=6), ensure_ascii=st.booleans())
SCALARS = st.one_of(
    st.sampled_from([*NUMBERS, "true", "false", "null", "{}", "[]"]),
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    QUOTED,
)


def spaced(around: str, pieces: list[str], space: str) -> str:
    return around[0] + space + f"{space},{space}".join(pieces) + around[1]


def pair(key: str, space: str, value: str) -> str:
    return f'"{key}"{space}:{space}{value}'


def pairs(inner: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.builds(pair, KEYS, SPACES, inner), max_size=5)


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Give JSON objects as texts, keys repeated and white space in odd places."""
    return st.builds(spaced, st.just("{}"), pairs(inner), SPACES)


def values(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return objects(inner) | st.builds(spaced, st.just("[]"), st.lists(inner, max_size=3), SPACES)


VALUES = st.recursive(SCALARS, values, max_leaves=12)
DOCUMENTS = objects(VALUES)


def timed(pieces: list[str], space: str, at: int) -> bytes:
    """Return a record in one line, as one of the layouts wants it."""
    text = spaced("{}", [*pieces[:at], f'"time":{START + at}', *pieces[at:]], space)
    return text.replace("\n", " ").encode()


RECORDS = st.builds(timed, pairs(VALUES), SPACES, st.integers(0, 5))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RECORDS, min_size=1, max_size=4), st.sampled_from(LAYOUTS))
def test_any_records_are_the_same_rows_read_fast_or_exactly(records: list[bytes], layout: Layout) -> None:
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


PLAIN_KEYS = st.sampled_from(["a", "b.c", "message", "level", "port", "user", "name", "detail", "time", "\u00e9"])
#: What orjson writes as it came, but for floats such as 1e16.
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 1.5, float(START), 1e16]) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN_KEYS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
DETAILED = st.dictionaries(PLAIN_KEYS, PLAIN, max_size=4).map(orjson.dumps)


def plain_record(number: int, rest: dict[str, Any], detail: bytes | None) -> bytes:
    return orjson.dumps({"time": START + number, **({"detail": detail.decode()} if detail else {}), **rest})


PLAIN_RECORDS = st.lists(
    st.builds(
        plain_record, st.integers(0, 2), st.dictionaries(PLAIN_KEYS, PLAIN, max_size=4), st.none() | DETAILED
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(PLAIN_RECORDS, st.sampled_from(LAYOUTS))
def test_records_with_floats_are_the_same_rows_and_rejects_read_again_or_not(
    records: list[bytes], layout: Layout
) -> None:
    kept, exact = (visit.visit(layout([*records, last]), of=OF) for last in (KEPT, FLOAT))
    assert visit.as_they_came(kept)[:-1] == visit.as_they_came(exact)[:-1]
    assert visit.rejects(kept) == visit.rejects(exact)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RECORDS, min_size=1, max_size=4), st.integers(0, 70))
def test_records_of_several_shapes_become_the_columns_that_each_becomes_by_itself(texts: list[bytes], few: int) -> None:
    kinds: list[Any] = [read(text) for text in texts]
    records = [*kinds * 64, *kinds[:1] * few]
    mapping, floats = visit.provider().record_format(None).mapping(), Floats(Block(list(records)))
    times = mapping.times(records, floats)
    found = visit.lists_of(*by_shape(records, mapping, times, floats))
    assert found == visit.lists_of(*mixed(records, mapping, times, floats))


OF = visit.provider(JsonLayout(embedded=("detail",)))
#: So deep a value may lie within the object that a text holds: then it can still be written as JSON.
DEEPEST = 253


@settings(max_examples=200)
@given(DOCUMENTS, SPACES)
def test_a_document_is_what_the_exact_reader_makes_of_it(document: str, space: str) -> None:
    text = f"{space}{document}{space}"
    found = unfolded(text)
    assert found == read(text.encode())
    assert found.__class__ is dict


@given(DOCUMENTS, st.data())
def test_a_document_that_is_cut_or_garbled_is_what_the_exact_reader_makes_of_it_or_stays(
    document: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(document)))
    text = document[:at] + data.draw(st.sampled_from(["", "}", "{", '"', ",", "nope", "\x00"]))
    exact = read(text.encode())
    assert unfolded(text) == (exact if exact.__class__ is dict else text)


NO_OBJECTS = [
    *("", "plain", "{", "{}}", "{} {}", "[{}]", '"{}"', "7", "null {", "{'a':1}", '{"a":01}', '{"a":1,}', "// {}"),
    "\ufeff{}",
]


@pytest.mark.parametrize("text", NO_OBJECTS)
def test_what_is_no_json_object_stays_the_text_it_is(text: str) -> None:
    assert unfolded(text) == text


@pytest.mark.parametrize("value", [None, 7, True, [], {}, {"a": "{}"}, "no brace", "7"])
def test_what_is_no_text_that_could_hold_an_object_is_left_alone(value: object) -> None:
    records = unfold([{"detail": value}, {"other": "{}"}], "detail")
    assert records == [{"detail": value}, {"other": "{}"}]
    assert records[0]["detail"] is value


@pytest.mark.parametrize(
    "texts",
    [
        ['{"a":1},{"b":2}'],
        ['{"a":1},\n,{"b":2}'],
        ['{"a":1},\n,{"b":2}', '{"c":[1', "{}]}"],
        ['{"a":1},{"b":2}', '{"c":[1', "{}]}"],
        ['{"a":"\n"}', "{ }", "{}"],
        ["{}", '{"a":1,"a":1}', '{"a":-0}', '{"a":1.5,"b":[1.50]}'],
        ['{"a":1.5}', '{"b":[1e-7]}'],
    ],
)
def test_texts_read_together_are_each_what_it_is_alone(texts: list[str]) -> None:
    assert [record["a"] for record in unfold([{"a": text} for text in texts], "a")] == [*map(unfolded, texts)]


def test_only_the_key_that_is_named_is_unfolded_and_only_once() -> None:
    records = unfold([{"detail": '{"a":"{}"}', "other": '{"a":1}'}], "detail")
    assert records == [{"detail": {"a": "{}"}, "other": '{"a":1}'}]


def nested(depth: int, opening: str, core: str, closing: str) -> str:
    return '{"a":' + opening * depth + core + closing * depth + "}"


@pytest.mark.parametrize("core", ["1", "1.10", r'"\ud800"', "-0"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [1, 100, 245, 252, 253, 254, 255, 300, 1000, 1023, 1025, 3000, 20_000])
def test_no_depth_breaks_a_visit(depth: int, opening: str, closing: str, core: str) -> None:
    text = nested(depth, opening, core, closing)
    found = unfolded(text)
    assert found.__class__ is (dict if depth <= DEEPEST else str)
    record = b'{"time":%d,"detail":%b}' % (START, json.dumps(text).encode())
    [row] = visit.rows(visit.visit(visit.array([record]), of=OF))
    assert {name.partition(".")[0] for name, _ in row["attributes"]} == {"detail"}


@pytest.mark.parametrize("depth", [300, 2000, 5000, 20_000])
def test_a_record_itself_nested_too_deeply_is_a_reject_even_with_a_lone_surrogate(depth: int) -> None:
    deep = b'{"time":%d,"a":%b"\\ud800"%b}' % (START, b"[" * depth, b"]" * depth)
    built = visit.visit(visit.array([FLOAT, deep, FLOAT]), of=OF)
    assert len(visit.rows(built)) == 2
    [reject] = visit.rejects(built)
    assert reject["index"] == 1
    assert "nested too deeply" in reject["reason"]


def record(number: int, detail: str | None, rest: dict[str, Any]) -> bytes:
    told = {"time": START + number, "message": f"{number}", "detail": detail, **rest}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


#: What unfolds, what does not, and keys that the unfolded ones may meet.
DETAILS = st.one_of(st.none(), TEXTS.filter(lambda text: "\\u" not in text), DOCUMENTS)
RESTS = st.dictionaries(
    st.sampled_from(["detail.a", "detail.a.b", "z"]), st.integers(-(2**63), 2**63) | st.text(max_size=2), max_size=2
)


type Found = list[tuple[str | None, dict[str, Any]]]


def repeated(document: str, count: int) -> Found:
    """Return records of one shape, whose columns are built at once."""
    return [(document, {})] * count


SHAPES = st.lists(st.tuples(DETAILS, RESTS), min_size=1, max_size=4)


@settings(max_examples=80)
@given(SHAPES | st.builds(repeated, DOCUMENTS, st.integers(1, 4)))
def test_rows_built_in_the_fast_way_are_the_rows_built_exactly(found: Found) -> None:
    records = [record(number, detail, rest) for number, (detail, rest) in enumerate(found)]
    fast = visit.as_they_came(visit.visit(visit.array(records), of=OF))
    exact = visit.as_they_came(visit.visit(visit.array([*records, FLOAT]), of=OF))[:-1]
    alone = [visit.as_they_came(visit.visit(visit.lines([one, FLOAT]), of=OF))[0] for one in records]
    assert fast == exact
    assert [one["attributes"] for one in fast] == [one["attributes"] for one in alone]


@pytest.mark.parametrize("rest", [b"", b',"x":1.50'])
def test_an_object_in_a_text_is_flattened_like_any_other(rest: bytes) -> None:
    inner = '{"a":{"b":1.10},"c":[1,{}],"d":null}'
    texts = json.dumps(inner).encode(), inner.encode()
    one, other = (visit.rows(visit.visit(b'{"time":%d,"detail":%b%b}' % (START, text, rest), of=OF)) for text in texts)
    expected = [("detail.a.b", "1.10"), ("detail.c", "[1,{}]"), ("detail.d", None)]
    assert one[0]["attributes"] == other[0]["attributes"] == [*expected, *([("x", "1.50")] if rest else [])]


def test_the_id_of_a_record_is_that_of_its_text_unfolded_or_not() -> None:
    bodies = visit.array([record(0, '{"a":1}', {}), record(0, '{"a": 1}', {}), record(0, '{"a":1}', {})])
    unfolding, plain = (visit.rows(visit.visit(bodies, of=of)) for of in (OF, visit.provider()))
    assert [one["record_id"] for one in unfolding] == [one["record_id"] for one in plain]
    assert len({one["record_id"] for one in unfolding}) == 3
