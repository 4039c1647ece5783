"""JSON within a text: unfolded it is what the exact reader makes of it, in a fast block as in an exact one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logarchive.record.exact_json import read, unfold, unfolded
from logarchive.record.layout import JsonLayout
from tests.unit import visit
from tests.unit.visit import START

OF = visit.provider(JsonLayout(embedded=("detail",)))
#: So deep a value may lie within the object that a text holds: then it can still be written as JSON.
DEEPEST = 253
#: Makes the block it stands in be read exactly.
FLOAT = b'{"time":%d,"x":1.50}' % START

NUMBERS = ["0", "-0", "12", "1.10", "1.0", "1E22", "1e400", "-1e-400", "18446744073709551615", "18446744073709551616"]
SPACES = st.sampled_from(["", " ", "\n", "\t "])
KEYS = st.sampled_from(["a", "b", "a.b", "", "\\ud800", "\\u0061", "\uac00"])
TEXTS = st.sampled_from(["", "x", "\\ud83d\\ude00", "\\udfff", "{", '\\"}', "\\u00e9", "\u00e9", "\\/"])
SCALARS = st.sampled_from([*NUMBERS, "true", "false", "null"]) | TEXTS.map(lambda text: f'"{text}"')


def spaced(around: str, pieces: list[str], space: str) -> str:
    return around[0] + space + f"{space},{space}".join(pieces) + around[1]


def pair(key: str, space: str, value: str) -> str:
    return f'"{key}":{space}{value}'


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Give JSON objects as texts, keys repeated and white space in odd places."""
    pairs = st.builds(pair, KEYS, SPACES, inner)
    return st.builds(spaced, st.just("{}"), st.lists(pairs, max_size=4), SPACES)


def values(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return objects(inner) | st.builds(spaced, st.just("[]"), st.lists(inner, max_size=3), SPACES)


DOCUMENTS = objects(st.recursive(SCALARS, values, max_leaves=12))


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
    "",
    "plain",
    "{",
    "{}}",
    "{} {}",
    "[{}]",
    '"{}"',
    "7",
    "null {",
    "{'a':1}",
    '{"a":01}',
    '{"a":1,}',
    "// {}",
]


@pytest.mark.parametrize("text", [*NO_OBJECTS, "\ufeff{}"])
def test_what_is_no_json_object_stays_the_text_it_is(text: str) -> None:
    assert unfolded(text) == text


@pytest.mark.parametrize("value", [None, 7, True, [], {}, {"a": "{}"}, "no brace", "7"])
def test_what_is_no_text_that_could_hold_an_object_is_left_alone(value: object) -> None:
    records: list[dict[str, Any]] = [{"detail": value}, {"other": "{}"}]
    unfold(records, "detail")
    assert records == [{"detail": value}, {"other": "{}"}]
    assert records[0]["detail"] is value


def test_only_the_key_that_is_named_is_unfolded_and_only_once() -> None:
    records: list[dict[str, Any]] = [{"detail": '{"a":"{}"}', "other": '{"a":1}'}]
    unfold(records, "detail")
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


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(DETAILS, RESTS), min_size=1, max_size=4))
def test_rows_built_in_the_fast_way_are_the_rows_built_exactly(found: list[tuple[str | None, dict[str, Any]]]) -> None:
    records = [record(number, detail, rest) for number, (detail, rest) in enumerate(found)]
    fast = visit.rows(visit.visit(visit.array(records), of=OF))
    exact = visit.rows(visit.visit(visit.array([*records, FLOAT]), of=OF))[:-1]
    alone = [visit.rows(visit.visit(visit.lines([one, FLOAT]), of=OF))[0] for one in records]
    assert fast == exact
    assert [one["attributes"] for one in fast] == [one["attributes"] for one in alone]


@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, st.integers(1, 4))
def test_equal_shapes_built_in_columns_are_the_rows_built_exactly(document: str, count: int) -> None:
    records = [record(number, document, {}) for number in range(count)]
    fast = visit.rows(visit.visit(visit.array(records), of=OF))
    exact = visit.rows(visit.visit(visit.array([*records, FLOAT]), of=OF))[:-1]
    assert fast == exact
    assert len(fast) == count


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
