"""Parts to rows: numbers, bounds, identity, merging, and bytes that depend on nothing else."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from arro3.core import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from logarchive.column.convert import FieldMapping, integer_text, item, text
from logarchive.column.schema import COLUMNS
from logarchive.errors import MalformedError, OutOfTimeError, TooLargeError
from logarchive.numbers import WindowNumbers
from logarchive.record.layout import JsonLayout
from logarchive.record.reader import most_records, reaches
from logarchive.row import parquet
from logarchive.row.build import Built
from logarchive.row.reject import merge_rejects
from logarchive.visit.merger import same_rows
from logarchive.window import Span
from tests.scenario import some
from tests.unit import visit
from tests.unit.visit import END, START, WINDOW

_parquet: Any = import_module("pyarrow.parquet")
MIDDLE = WINDOW.start + dt.timedelta(minutes=30)
HALVES = Span(WINDOW.start, MIDDLE), Span(MIDDLE, WINDOW.end)
SECOND = dt.timedelta(seconds=1)


def record(at: int, message: str = "m") -> bytes:
    return b'{"time":%d,"message":%b}' % (at, json.dumps(message).encode())


def body(*records: bytes) -> bytes:
    return visit.array(records)


def _json(pairs: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in pairs.items()) + "}"


def ids(built: Built) -> list[str]:
    return [row["record_id"] for row in visit.rows(built)]


def test_what_is_empty_has_no_object_and_no_rejects() -> None:
    for nothing in (b"", visit.zipped(), visit.zipped(b"", b""), b"[]", b" \n", visit.zipped(b"[]"), b'{"logs":[]}'):
        built = visit.visit(nothing)
        assert (built.path, built.object_rows, built.rejects_path) == (None, 0, None)
        assert built.numbers.fetched == 0


def test_fetched_is_the_sum_of_what_became_of_it() -> None:
    times = (START, START, START - 1, END, END + 5000)
    received = body(*map(record, times), b"{}", b"7")
    built = visit.visit(visit.part(received, own=WINDOW, asked=WINDOW.widened(SECOND)))
    numbers = built.numbers
    assert (numbers.rows, numbers.rejects, numbers.outside, numbers.duplicates, numbers.strays) == (3, 2, 2, 0, 1)
    assert numbers.fetched == 7
    assert [row["raw_index"] for row in visit.rows(built)] == [0, 1, 4]


def test_bounds_are_half_open_and_what_was_asked_for_is_inclusive() -> None:
    asked = WINDOW.widened(SECOND)
    #: Rows, records outside, and strays -> times.
    cases = {
        (1, 0, 0): [START, END - 1],
        (0, 1, 0): [START - 1, START - 1000, END, END + 1000],
        (1, 0, 1): [START - 1001, END + 1001],
    }
    for expected, times in cases.items():
        for at in times:
            numbers = visit.visit(visit.part(body(record(at)), own=WINDOW, asked=asked)).numbers
            assert (numbers.rows, numbers.outside, numbers.strays) == expected, at


def test_a_record_of_the_other_half_is_outside_and_the_other_part_answers_for_it() -> None:
    both = body(record(START), record(END - 1))
    built = visit.visit(*(visit.part(both, key=f"raw/{at}", own=own) for at, own in enumerate(HALVES)))
    assert (built.numbers.rows, built.numbers.outside, built.numbers.strays) == (2, 2, 0)
    assert [row["raw_part"] for row in visit.rows(built)] == ["raw/0", "raw/1"]


def test_two_equal_records_stay_two_in_any_order_and_layout() -> None:
    twice = b'{ "message":"m",  "time":%d}' % START
    for records in ([record(START), twice, record(START, "n")], [record(START, "n"), twice, record(START)]):
        for layout in (visit.array, visit.lines):
            found = ids(visit.visit(layout(records)))
            assert len(set(found)) == 3
            equal = [one for one in found if one[:32] == min(found, key=len)[:32] or one.endswith("-1")]
            assert sorted(found) == sorted(ids(visit.visit(body(*records))))
            assert any(one.endswith("-1") and one[:-2] in found for one in equal)


def test_many_equal_records_are_numbered_without_a_gap_over_all_parts_of_one_range() -> None:
    found = ids(visit.visit(body(*[record(START)] * 25), body(record(START))))
    assert found == [found[0], *(f"{found[0]}-{number}" for number in range(1, 26))]


def test_a_stray_that_answers_two_ranges_is_one_record_and_two_equal_strays_are_two() -> None:
    stray = record(END + 10**6)
    answers = body(stray, stray, record(START)), body(stray, stray, stray, record(END - 1))
    parts = [visit.part(one, own=own, asked=own) for one, own in zip(answers, HALVES, strict=True)]
    built = visit.visit(*parts)
    assert (built.numbers.rows, built.numbers.strays, built.numbers.duplicates) == (5, 3, 2)
    assert len(set(ids(built))) == 5
    assert visit.visit(existing=built, *parts).kept == 0  # noqa: B026


UNIQUE = visit.provider(JsonLayout(path="items"), unique_id=FieldMapping("sort", item(1), take=False))


def hit(identity: object, at: int = START) -> bytes:
    return b'{"time":%d,"sort":%b}' % (at, json.dumps([at, identity]).encode())


def test_the_providers_own_id_removes_duplicates_and_the_first_wins() -> None:
    pages = [b'{"items":[%b,%b]}' % (hit("a"), hit("b")), b'{"items":[%b,%b]}' % (hit("b", START + 5), hit("c"))]
    built = visit.visit(*pages, of=UNIQUE)
    assert ids(built) == ["a", "b", "c"]
    assert (built.numbers.duplicates, built.numbers.fetched) == (1, 4)
    assert visit.rows(built)[1]["raw_part"] == "raw/0"
    assert visit.rows(built)[0]["attributes"] == [("sort", f'[{START},"a"]')]


def test_ids_that_are_integers_are_told_apart_by_every_digit() -> None:
    numbered = visit.provider(JsonLayout(path="items"), unique_id=FieldMapping("id", integer_text, take=False))
    record = b'{"time":%d,"id":%d}'
    answer = b'{"items":[' + b",".join(record % (START, 2**64 + n % 2) for n in range(3)) + b"]}"
    built = visit.visit(answer, of=numbered)
    assert ids(built) == [f"{2**64}", f"{2**64 + 1}"]
    assert built.numbers.duplicates == 1


def test_without_the_providers_id_a_record_is_known_by_its_hash() -> None:
    built = visit.visit(b'{"items":[%b,%b,%b]}' % (hit(7), hit(7), hit("a")), of=UNIQUE)
    first, second, third = ids(built)
    assert (second, third, len(first)) == (f"{first}-1", "a", 32)
    assert visit.visit(b'{"items":[%b,%b,%b]}' % (hit(7), hit(7), hit("a")), of=UNIQUE, existing=built).kept == 0


def test_an_answer_without_its_array_is_no_answer() -> None:
    for answer in (b'"other":[]}', b'"items":{}}', b'"items":[{}', b'"items":[]', b'"items":[]}}'):
        with pytest.raises(MalformedError):
            visit.visit(b"{" + answer, of=UNIQUE)
    for answer in (b"[]", b"<html>"):
        with pytest.raises(MalformedError):
            visit.visit(answer, of=UNIQUE)
    assert visit.visit(b'{"items":null}', of=UNIQUE).numbers.fetched == 0


def test_records_lie_at_a_dotted_path_with_anything_around_them() -> None:
    of = visit.provider(JsonLayout(path="events.content"))
    before = b'"content":[{"time":1}],"x":{"events":[1.5]}'
    answer = b"{" + before + b',"events":{"n":"\\u007b","content": [%b],"total":1},"z":[{"time":2}]}'
    assert visit.visit(answer % record(START), of=of).numbers.rows == 1


def test_a_visit_merged_with_itself_changes_nothing() -> None:
    three = body(record(START), record(START), record(START + 1))
    first = visit.visit(three)
    again = visit.visit(three, existing=first)
    assert (visit.sha256(again), again.kept, again.added, visit.visits(again)) == (visit.sha256(first), 0, 0, ("v1",))


def test_a_visit_with_every_id_replaces_the_object_as_if_alone() -> None:
    first = visit.visit(body(record(START)))
    more = body(record(START + 1), record(START))
    second = visit.visit(more, existing=first, name="v2")
    assert (second.kept, second.added, visit.visits(second)) == (0, 1, ("v2",))
    assert visit.sha256(second) == visit.sha256(visit.visit(more, name="v2"))


def test_a_visit_that_lacks_rows_keeps_them_behind_its_own_of_the_same_time() -> None:
    first = visit.visit(body(record(START, "old"), record(START, "both"), record(START, "old")))
    second = visit.visit(body(record(START, "new"), record(START, "both")), existing=first, name="v2")
    assert [row["body"] for row in visit.rows(second)] == ["new", "both", "old", "old"]
    assert (second.kept, second.added, second.object_rows, visit.visits(second)) == (2, 1, 4, ("v1", "v2"))
    assert second.numbers.rows == 2


def test_a_visit_that_finds_nothing_keeps_everything() -> None:
    first = visit.visit(body(record(START)))
    second = visit.visit(b"[]", existing=first, name="v2")
    assert (second.kept, second.object_rows, visit.visits(second)) == (1, 1, ("v1", "v2"))


def test_the_newest_row_wins_for_an_equal_id() -> None:
    first = visit.visit(b'{"items":[%b,%b]}' % (hit("a"), hit("b")), of=UNIQUE)
    second = visit.visit(b'{"items":[%b]}' % hit("a", START + 9), of=UNIQUE, existing=first, name="v2")
    assert [(row["record_id"], row["time"].microsecond) for row in visit.rows(second)] == [("b", 0), ("a", 9000)]


_SEEN = st.lists(st.integers(0, 5), max_size=8)


@settings(max_examples=40)
@given(st.lists(_SEEN, min_size=1, max_size=4))
def test_after_any_visits_the_object_is_their_union_and_the_same_bytes_again(visits: list[list[int]]) -> None:
    def folded() -> Built:
        existing = None
        for at, seen in enumerate(visits):
            existing = visit.visit(body(*[record(START + one) for one in seen]), existing=existing, name=f"v{at}")
        assert existing is not None
        return existing

    built = folded()
    most = {one: max(seen.count(one) for seen in visits) for seen in visits for one in seen}
    found = [row["time"].microsecond // 1000 for row in visit.rows(built)]
    assert {one: found.count(one) for one in set(found)} == most
    assert len(set(ids(built))) == built.object_rows == sum(most.values())
    numbers = WindowNumbers().after(built.numbers, rows=built.object_rows, late=0)
    assert (numbers.fetched, numbers.kept) == (len(visits[-1]), built.kept)
    assert visit.sha256(folded()) == visit.sha256(built)


def test_the_bytes_depend_on_no_process() -> None:
    script = "from tests.unit import visit; print(visit.sha256(visit.visit(b'[{\"time\":%d}]' % visit.START)))"
    path = os.pathsep.join([os.fspath(one) for one in sys.path])
    command, variables = [sys.executable, "-c", script], {"PYTHONPATH": path}
    one, other = (
        subprocess.run(command, env=variables | {"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    )
    assert one == other != b""


def test_the_footer_has_the_tables_columns_in_order_with_their_types() -> None:
    built = visit.visit(body(record(START)))
    file = _parquet.ParquetFile(built.path)
    types = {
        "timestamp": ("INT64", "Timestamp(isAdjustedToUTC=true, timeUnit=milliseconds"),
        "string": ("BYTE_ARRAY", "String"),
        "int": ("INT32", "None"),
        "bigint": ("INT64", "None"),
        "double": ("DOUBLE", "None"),
    }
    leaves = [file.schema.column(at) for at in range(len(file.schema))]
    plain = [one for one in leaves if one.path == one.name]
    assert [one.name for one in plain] == [name for name in COLUMNS if name != "attributes"]
    for one in plain:
        physical, logical = types[COLUMNS[one.name]]
        assert (one.physical_type, str(one.logical_type)[: len(logical)]) == (physical, logical)
    others = [one.path for one in leaves if one not in plain]
    assert others == ["attributes.key_value.key", "attributes.key_value.value"]
    metadata = file.metadata.row_group(0)
    assert {metadata.column(at).compression for at in range(metadata.num_columns)} == {"ZSTD"}
    assert dict(file.metadata.metadata) == {b"logarchive.visits": b'["v1"]'}


def coded_columns(path: Path) -> set[str]:
    row_group = _parquet.ParquetFile(path).metadata.row_group(0)
    columns = [row_group.column(at) for at in range(row_group.num_columns)]
    return {column.path_in_schema for column in columns if column.has_dictionary_page}


def test_a_column_has_a_dictionary_if_its_values_repeat_however_the_rows_come_in_batches(tmp_path: Path) -> None:
    records = [
        b'{"time":%d,"message":"m%d","level":"INFO","port":%d,"x":"%d"}' % (START + at, at, at % 500, at % 9)
        for at in range(3000)
    ]
    built = visit.visit(body(*records))
    coded = coded_columns(some(built.path))
    assert {"source", "severity_text", "client_port", "attributes.key_value.key", "attributes.key_value.value"} <= coded
    assert not coded & {"record_id", "raw_index", "time", "body"}
    with duckdb.connect() as connection:
        shown = connection.sql(f"SELECT body, client_port, attributes['x'] FROM '{built.path}' ORDER BY raw_index")
        assert shown.fetchall() == [(f"m{at}", at % 500, str(at % 9)) for at in range(3000)]
    (batch,) = Table.from_batches(list(parquet.read(some(built.path)))).combine_chunks().to_batches()
    pieces = [batch.slice(at, min(700, batch.num_rows - at)) for at in range(0, batch.num_rows, 700)]
    parquet.write(tmp_path / "pieces", pieces, ("v1",), 1)
    assert coded_columns(tmp_path / "pieces") == coded


def test_an_object_of_an_earlier_version_which_names_its_window_in_the_footer_is_merged_with() -> None:
    first = visit.visit(body(record(START, "old")))
    assert first.path
    table = _parquet.read_table(first.path)
    metadata = {**table.schema.metadata, b"logarchive.window": WINDOW.key.encode()}
    _parquet.write_table(table.replace_schema_metadata(metadata), first.path)
    second = visit.visit(body(record(START, "new")), existing=first, name="v2")
    assert [row["body"] for row in visit.rows(second)] == ["new", "old"]
    assert visit.visits(second) == ("v1", "v2")


def test_the_raw_index_leads_back_to_the_record_over_members_rejects_and_blank_lines() -> None:
    first = visit.lines([record(START, "0"), b"nope", b"", record(END, "2"), record(START, "3")])
    content = visit.zipped(first, b"", body(record(START, "4"), b"[]", record(START, "6")))
    built = visit.visit(content)
    assert {row["raw_index"]: row["body"] for row in visit.rows(built)} == {0: "0", 2: "2", 3: "3", 4: "4", 6: "6"}
    assert [one["index"] for one in visit.rejects(built)] == [1, 5]


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [
        b'{"time":%d,"message":"},{","a":[{"b":%d},{"c":"x"}],"d":"%b"}' % (START + at, at, b"y" * (at % 50))
        for at in range(300)
    ]
    records[50] = b'{"time":%d,"a":1.50,"a":2}' % START
    records[120] = b"7"
    records[200] = b'{"time":%d,"a":[{"time":1},{"time":2}]}' % START
    for layout in (visit.array, visit.lines, visit.wrapped):
        whole = visit.visit(layout(records))
        assert (whole.numbers.rows, whole.numbers.rejects) == (299, 1)
        for size in (300, 1000, 5000):
            for module in ("json_array", "json_value", "json_document"):
                monkeypatch.setattr(f"logarchive.record.{module}.BLOCK_BYTES", size)
            for module in ("unpack", "zip_archive"):
                monkeypatch.setattr(f"logarchive.record.{module}.CHUNK", size // 3)
            built = visit.visit(layout(records))
            assert visit.rows(built) == visit.rows(whole)
            assert visit.rejects(built) == visit.rejects(whole)
        monkeypatch.undo()


@pytest.mark.parametrize("layout", [visit.array, visit.lines, visit.wrapped])
def test_a_body_cut_anywhere_is_malformed_or_says_what_is_missing(layout: Any) -> None:
    content = layout([record(START, "a"), b'{"time":%d,"x":[{"y":1},{"z":2}]}' % START])
    for end in range(1, len(content) - 1):
        cut = content[:end]
        if layout is visit.lines and cut.endswith((b"}", b"\n")) and json_lines(cut):
            continue
        with pytest.raises(MalformedError):
            visit.visit(cut)


def json_lines(cut: bytes) -> bool:
    try:
        [json.loads(line) for line in cut.splitlines()]
    except ValueError:
        return cut.endswith(b"}")
    return True


def test_garbage_behind_the_records_is_malformed() -> None:
    for content in (b"[]x", b"[]]", b"[][]", b'{"logs":[]}x'):
        with pytest.raises(MalformedError):
            visit.visit(content)


def test_documents_are_told_from_records() -> None:
    one = b'{\n "time": %d,\n "message": "m"\n}' % START
    wide = b'{"time":%d,"inner":[{"time":1}]}' % START
    inner = b'{"inner":[{"time":1}],"time":%d}' % START
    assert visit.visit(one).numbers.rows == 1
    assert visit.visit(one + b"\n" + one).numbers.rows == 2
    assert visit.visit(wide).numbers.rows == 1
    assert visit.visit(inner).numbers.rows == 1
    assert visit.visit(b"\xef\xbb\xbf" + body(record(START))).numbers.rows == 1
    assert visit.visit(b'{\n"code":0,\n"logs":[\n%b\n]\n}' % record(START)).numbers.rows == 1
    for nothing in (b"<html></html>", b"Internal error", b"null", b'"text"', b"\0\0"):
        with pytest.raises(MalformedError):
            visit.visit(nothing)


def test_csv_rows_are_records_of_text() -> None:
    content = b'\xef\xbb\xbftime,message,a\r\nT,"two\nlines, ""quoted""",\r\nT,short\r\n\r\nT,\xff,b\r\n'
    built = visit.visit(content.replace(b"T", b"%d" % START))
    assert [(row["raw_index"], row["body"], row["attributes"][1]) for row in visit.rows(built)] == [
        (0, 'two\nlines, "quoted"', ("a", "")),
        (2, "\\xff", ("a", "b")),
    ]
    where = {"visit": "v1", "part": "raw/0", "index": 1}
    said = {"reason": "2 fields where the header has 3", "record": f"{START},short\r\n"}
    assert visit.rejects(built) == [where | said]
    assert visit.visit(b"time,message\n").numbers.fetched == 0
    with pytest.raises(MalformedError):
        visit.visit(b'time,message\n1,"open')


def test_rejects_show_text_or_base64_and_are_cut_at_their_limit() -> None:
    halved = b'{"a":"%b' % (b"x" * 65_529) + "\u00e9".encode() * 10 + b'"}'
    built = visit.visit(visit.lines([record(START), b"\xff\xfe", b'{"a":"%b"}' % (b"x" * 70_000), halved]))
    binary, long, cut = visit.rejects(built)
    assert (len(cut["record"]), "encoding" in cut) == (65_535, False)
    assert (binary["record"], binary["encoding"], binary["reason"]) == ("//4=", "base64", "not UTF-8")
    assert (len(long["record"]), long["truncated_from_bytes"]) == (65_536, 70_008)


REJECT: dict[str, object] = {"reason": "r", "visit": "v1", "part": "p", "index": 1, "record": "x"}
#: Rejects that stand -> whether the reject `REJECT` of another visit is lacking.
EXISTING: list[tuple[list[dict[str, object]], bool]] = [
    ([REJECT], False),
    ([REJECT | {"reason": 'said otherwise by another version: "record":', "part": "q", "index": 9}], False),
    ([{name: value for name, value in REJECT.items() if name != "visit"}], False),  # as the version before wrote it
    ([REJECT | {"record": "y"}], True),
    ([REJECT | {"encoding": "base64"}], True),
    ([REJECT | {"truncated_from_bytes": 70_000}], True),
]


def merged_rejects(
    directory: Path, existing: bytes, own: bytes, ensure_time: Callable[[], None] = lambda: None
) -> tuple[bool, list[dict[str, object]]]:
    """Merge two files of rejects; return whether that one lacked some which stands, and the lines of both."""
    paths = [directory / name for name in ("existing", "own", "merged")]
    for path, lines in zip(paths, (existing, own), strict=False):
        path.write_bytes(gzip.compress(lines))
    lacking = merge_rejects(paths[0], paths[1], paths[2], ensure_time)
    return lacking, [json.loads(line) for line in gzip.decompress(paths[2].read_bytes()).splitlines()]


@pytest.mark.parametrize("own", [[REJECT], [REJECT, REJECT]])
@pytest.mark.parametrize(("existing", "lacking"), EXISTING)
def test_a_reject_stands_once_for_each_time_that_one_visit_returned_it(
    tmp_path: Path, existing: list[dict[str, object]], own: list[dict[str, object]], *, lacking: bool
) -> None:
    texts = [b"".join(orjson.dumps(line) + b"\n" for line in lines) for lines in (existing, own)]
    count = len(own) - (not lacking)
    expected = [*existing, *[REJECT] * count]
    assert merged_rejects(tmp_path, texts[0], texts[1]) == (count > 0, expected)


@pytest.mark.parametrize("long", [0, 1])
def test_rejects_are_merged_only_while_there_is_time(tmp_path: Path, long: int) -> None:
    asked: list[int] = []

    def late() -> None:
        asked.append(1)
        if len(asked) == 4:
            raise OutOfTimeError

    texts = [b'{"record":"x"}\n' * (10_000 if number == long else 1) for number in (0, 1)]
    with pytest.raises(OutOfTimeError):
        merged_rejects(tmp_path, texts[0], texts[1], late)


def test_only_data_parts_become_rows_and_their_totals_are_summed() -> None:
    parts = [
        visit.part(body(record(START)), announced=1),
        visit.part(body(record(START, "b")), announced=4),
        visit.part(b"junk", role="superseded", announced=9),
    ]
    numbers = visit.visit(*parts).numbers
    assert (numbers.rows, numbers.announced) == (2, 5)
    assert visit.visit(body(record(START))).numbers.announced is None


def test_what_stops_a_visit_passes_through_the_writer() -> None:
    def late() -> None:
        raise OutOfTimeError("late")

    with pytest.raises(OutOfTimeError):
        visit.visit(body(record(START)), alive=late)
    with pytest.raises(TooLargeError):
        visit.visit(body(record(START), record(START)), limit=1)
    assert visit.visit(body(record(START), record(START)), limit=2).numbers.rows == 2


def test_a_cap_is_counted_only_where_the_bytes_could_reach_it() -> None:
    parts = [visit.part(body(record(START), b"7")), visit.part(visit.zipped(body(record(START))))]
    layout = JsonLayout()
    assert reaches(parts, layout, "time", 3, 2)
    assert not reaches(parts, layout, "time", 4, 2)
    assert not reaches(parts, layout, "time", 3, 1000)
    broken = [record(START), b'{"time":1,"message":"19" x"}', record(START)]
    assert reaches([visit.part(visit.lines(broken))], layout, "time", 3, 2)
    with pytest.raises(MalformedError):
        reaches([visit.part(body(*broken))], layout, "time", 3, 2)


_SCALARS = st.sampled_from(["7", "null", '"x"', '"},"', r'"\"},"', "[]", "[7]", '["a"]'])
_OBJECTS = st.dictionaries(st.sampled_from(["a", "}", '"b', "},7"]), st.one_of(_SCALARS, st.just("{}")), max_size=3)
_ITEMS = st.lists(st.one_of(_OBJECTS.map(_json), _SCALARS), max_size=6)


@given(_ITEMS, st.sampled_from([",", " ,\n", ",\r\n\t"]), st.integers(1, 9))
def test_no_array_holds_more_items_than_its_signs_say_wherever_it_is_cut(
    items: list[str], comma: str, cut: int
) -> None:
    text = f"[{comma.join(['{}', *items])}]".encode()
    chunks = [text[:2], *(text[at : at + cut] for at in range(2, len(text), cut))]
    size, most = most_records(iter(chunks), JsonLayout())
    assert size == len(text)
    assert most is None or most > len(items)


def test_an_array_of_flat_objects_lines_and_csv_are_counted_without_parsing() -> None:
    texts = [body(*[record(START, "a} {b}, c, [7]")] * 9), b'[{"a":{"b":[7]},"c":1},\n{"a":2}]', b"time,a\n1,2\n"]
    assert [most_records(iter([text]), JsonLayout())[1] for text in texts] == [18, 3, 3]
    assert most_records(iter([b"a\nb\n"]), visit.LINES) == (4, 3)
    for unknown in (b"[{},7]", b'[{},"x"]', b"[7]", b'{"logs":[]}', b'{"a":1}\n{"a":2}'):
        assert most_records(iter([unknown]), JsonLayout())[1] is None


def test_a_column_that_a_provider_feeds_wrongly_stays_empty_and_the_record_keeps_its_key() -> None:
    wrong = visit.provider(columns={**visit.COLUMNS, "client_port": FieldMapping("message", text)})
    (row,) = visit.rows(visit.visit(body(record(START)), of=wrong))
    assert "client_port" not in row
    assert row["body"] == "m"


def test_objects_are_compared_by_all_that_comes_before_their_footers(tmp_path: Path) -> None:
    first, again, longer = (
        some(visit.visit(body(*[record(START, "a")] * rows), name=name).path)
        for rows, name in ((1, "v1"), (1, "a visit with a longer name"), (500, "v1"))
    )
    assert first.read_bytes() != again.read_bytes()
    assert same_rows(first, again)
    assert not same_rows(first, longer)
    data = first.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for at, same in ((4, False), (footer - 1, False), (footer, True)):
        changed = bytearray(data)
        changed[at] ^= 1
        (tmp_path / "changed").write_bytes(changed)
        assert same_rows(first, tmp_path / "changed") is same


def test_a_merge_keeps_every_row_of_batches_of_which_the_visit_has_none_some_or_all() -> None:
    def body(numbers: range) -> bytes:
        return json.dumps([{"time": START + number, "port": number} for number in numbers]).encode()

    first = visit.visit(body(range(30_000)), name="v1")
    second = visit.visit(body(range(8_000, 20_000)), body(range(30_000, 30_010)), existing=first, name="v2")
    ports = [row["client_port"] for row in visit.rows(second)]
    assert ports == [*range(30_010)]
    assert (second.kept, second.added) == (18_000, 10)
