"""`logarchive row`."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping

import pytest

from console.command.row import Found, about_part, place, report
from console.core.record import records
from console.failure import ConsoleError
from tests.console.run import Run

PART = "raw/provider=elsa/source=shop/date=2026-11-20/20261120T000000Z-PT1H/20261120T010600Z-0001/00000.zip"
MANIFEST = {"request": {"method": "POST", "url": "https://api.example/logs"}, "status": 200, "time": "2026-11-20"}


def zipped(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("provider", "body", "found"),
    [
        ("elsa", zipped({"a": b'[{"n": 1.0}, {"n":2}]', "b": b"[3]"}), ['{"n": 1.0}', '{"n":2}', "3"]),
        ("elsa", b'{"logTime": 1}\n\n{"logTime": 2}\n', ['{"logTime": 1}', '{"logTime": 2}']),
        ("elsa", b'{"total": 2, "logs": [{"n": 1}, {"n": 2}]}', ['{"n": 1}', '{"n": 2}']),
        ("elsa", b'\xef\xbb\xbflogTime,body\r\n1,"two\r\nlines"\r\n3,x\r\n', ['1,"two\r\nlines"', "3,x"]),
        ("apigateway", gzip.compress(b'{"events": {"content": [{"a": 1}]}}', mtime=0), ['{"a": 1}']),
        ("dsa", gzip.compress(b"one\r\n \ntwo", mtime=0), ["one", "two"]),
        ("security365", b"<html>", None),
        ("elsa", b"PK\x03\x04 cut", None),
    ],
)
def test_the_records_of_a_part_are_cut_as_they_stand_there(provider: str, body: bytes, found: list[str] | None) -> None:
    assert records(provider, body) == found


def test_a_part_that_unpacks_to_too_much_is_not_read() -> None:
    for body in (gzip.compress(b"0" * 1001, mtime=0), zipped({"a": b"0" * 500, "b": b"0" * 501})):
        with pytest.raises(ConsoleError, match="unpacks to more than 1,000 bytes"):
            records("elsa", body, 1000)


def test_an_encrypted_zip_is_said_to_be_one() -> None:
    body = bytearray(zipped({"a": b"[1]"}))
    body[6] |= 1  # the flags of the entry,
    body[body.index(b"PK\x01\x02") + 8] |= 1  # and those in the directory
    with pytest.raises(ConsoleError, match="a zip that is encrypted: copy it"):
        records("elsa", bytes(body))


def test_a_manifest_says_what_a_part_is_or_is_said_to_be_none() -> None:
    about = {"key": PART, "status": 200}
    assert about_part({"parts": [{"key": "other"}, about]}, PART, "m.json") == about
    assert about_part({"parts": []}, PART, "m.json") == {}
    for manifest in ({}, {"parts": None}, {"parts": ["x"]}):
        with pytest.raises(ConsoleError, match=r"m\.json: is no manifest"):
            about_part(manifest, PART, "m.json")


def test_a_record_is_shown_with_its_neighbours_and_its_request() -> None:
    found = Found(PART, 1, ["zero", "one", "two", "three"], MANIFEST, intact=True)
    made = report(found, around=1)
    assert made.lines == ["       0  zero", ">      1  one", "       2  two"]
    assert ("record", "1 of 4, counted from 0") in made.tables[0].rows
    assert ("request", "POST https://api.example/logs") in made.tables[0].rows
    assert (made.code, made.data["record"], made.data["before"], made.data["after"]) == (0, "one", ["zero"], ["two"])


def test_a_part_that_was_changed_is_something_to_look_at() -> None:
    made = report(Found(PART, 0, ["zero"], MANIFEST, intact=False), around=0)
    assert made.code == 1
    assert ("bytes", "NOT as its manifest says: the object was changed") in made.tables[0].rows


def test_a_part_without_that_record_says_how_many_it_has() -> None:
    with pytest.raises(ConsoleError, match="has 1 records, counted from 0: none of the number 1"):
        report(Found(PART, 1, ["zero"], MANIFEST, intact=True), around=2)


def test_part_and_index_are_given_together_or_one_after_the_other() -> None:
    assert place(f"{PART}#12", None) == place(PART, 12) == (PART, 12)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        *((part, "is not RAW_PART#RAW_INDEX") for part in (PART, f"{PART}#x", f"{PART}#-1")),
        ("logs/a.parquet#1", "is not a part as `raw_part` names it"),
    ],
)
def test_what_names_no_record_says_how_one_is_named(part: str, said: str) -> None:
    with pytest.raises(ConsoleError, match=rf"{said}; for instance raw/provider=elsa/"):
        place(part, None)


#: A column of each provider's rows, and where its value stands in a record.
SHOWN: dict[str, tuple[str, Callable[[str], object]]] = {
    "elsa": ("body", lambda record: json.loads(record)["body"]),
    "security365": ("record_id", lambda record: json.loads(record)["sort"][1]),
    "dsa": ("client_address", lambda record: record.split()[1]),
}


@pytest.mark.slow
@pytest.mark.parametrize("provider", SHOWN)
def test_each_row_leads_to_the_record_that_it_was_made_of(on_stack: Run, provider: str) -> None:
    column, value = SHOWN[provider]
    sql = f"SELECT raw_part, raw_index, {column} AS value FROM logs WHERE provider = '{provider}'"
    rows = on_stack("query", "--sql", f"{sql} ORDER BY record_id LIMIT 5", "--json").json
    assert len(rows) == 5
    for row in rows:
        outcome = on_stack("row", f"{row['raw_part']}#{row['raw_index']}", "--json")
        assert (outcome.code, outcome.json["intact"], outcome.json["status"]) == (0, True, 200)
        assert row["value"] == value(outcome.json["record"])


@pytest.mark.slow
def test_a_row_is_found_by_a_condition(on_stack: Run) -> None:
    outcome = on_stack("row", "--where", "provider = 'elsa' AND raw_index < 9", "--context", "0")
    assert (outcome.code, outcome.err) == (0, "More than one row meets the condition; this is one of them.\n")
    assert on_stack("row", "--where", "provider = 'elza'").err == "logarchive: no row meets provider = 'elza'\n"
    assert on_stack("row").code == 2
