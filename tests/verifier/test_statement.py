"""What the log itself says wrong of its windows is found: time left out or covered twice, numbers, states."""

import datetime as dt
import hashlib
import json
from typing import Any

import pytest

from tests.verifier.archive import BEGIN, HOUR, VISITS, Archive, Outcome, Writer, kept
from verifier import verify


def outcome_of(archive: Archive, *more: bytes) -> Outcome:
    """Publish two whole windows and what else is stated, and verify."""
    writer = Writer(archive, "elsa", "shop")
    whole = [writer.visit(BEGIN + hour * HOUR, number) for hour in range(2) for number in range(VISITS)]
    archive.publish([writer.source(), *whole, *more], "20261121T000000Z")
    return archive.verify()


def window(hour: int, length: str = "PT1H") -> str:
    return f"elsa/shop {BEGIN + hour * HOUR:%Y-%m-%dT%H:%M:%SZ}/{length}"


def test_time_that_no_window_covers_is_found(empty: Archive) -> None:
    outcome = outcome_of(empty, Writer(empty, "elsa", "shop").planned(BEGIN + 5 * HOUR))
    assert outcome.findings == [("elsa/shop 2026-11-20T02:00:00Z/2026-11-20T05:00:00Z", "is covered by no window")]
    assert [(source["missing_hours"], source["open"]) for source in outcome.report["sources"]] == [(3, 1)]


def test_time_before_the_first_window_is_found_once_the_source_begins_earlier(empty: Archive) -> None:
    outcome = outcome_of(empty, Writer(empty, "elsa", "shop").source(BEGIN - HOUR))
    assert outcome.findings == [("elsa/shop 2026-11-19T23:00:00Z/2026-11-20T00:00:00Z", "is covered by no window")]


def test_windows_that_overlap_are_found(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    outcome = outcome_of(empty, writer.visit(BEGIN + HOUR, 2, length=2 * HOUR))
    assert outcome.findings == [
        (window(1, "PT2H"), "covers time that another window covers as well, before 2026-11-20T02:00:00Z")
    ]


def test_a_split_window_is_covered_by_its_halves_alone(empty: Archive) -> None:
    writer, half = Writer(empty, "elsa", "shop"), dt.timedelta(minutes=30)
    split = writer.planned(BEGIN + 2 * HOUR, state="split")
    first, second = (writer.visit(BEGIN + 2 * HOUR + at * half, 2, length=half) for at in range(2))
    gap = ("elsa/shop 2026-11-20T02:00:00Z/2026-11-20T02:30:00Z", "is covered by no window")
    assert gap in outcome_of(empty, split, second).findings
    empty.publish([first], "20261121T010000Z")
    assert empty.verify().code == 0


def test_windows_of_a_source_that_no_entry_promises_are_found(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    empty.publish([writer.visit(BEGIN, number) for number in range(VISITS)], "20261121T000000Z")
    assert empty.verify().finds("elsa/shop", "has windows, but no entry says from when on it is archived")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"manifest": {"complete": False}}, "says that its visit is not complete, but its window is sealed"),
        ({"manifest": {"source": "other"}}, "is the manifest of another window than its entry says"),
        ({"manifest": {"numbers": None}}, "is no manifest: TypeError"),
        ({"manifest": {"parts": [{"key": "logs/x", "object_sha256": "00" * 32}]}}, "is no manifest: ValueError"),
        ({"manifest": {"parts": [{"key": "raw/../x", "object_sha256": "0g"}]}}, "is no manifest: ValueError"),
        ({"manifest": {"parts": 1}}, "is no manifest: TypeError"),
    ],
)
def test_a_manifest_that_its_window_contradicts_is_found(empty: Archive, changes: dict[str, Any], said: str) -> None:
    statement = Writer(empty, "elsa", "shop").visit(BEGIN + 2 * HOUR, VISITS - 1, **changes)
    outcome = outcome_of(empty, statement)
    assert outcome.finds(json.loads(statement)["manifests"][0]["key"], said)
    assert len(outcome.findings) == 1


def numbers(**changes: int) -> dict[str, Any]:
    counts = {"announced": 9, "fetched": 9, "rows": 8, "rejects": 1, "outside": 0, "duplicates": 0, "strays": 0}
    return counts | {"late": 0, "kept": 0} | changes


@pytest.mark.parametrize("name", ["fetched", "rows", "rejects", "outside", "duplicates", "kept"])
def test_numbers_of_an_entry_that_do_not_add_up_are_found(empty: Archive, name: str) -> None:
    wrong = numbers(**{name: 5})
    statement = Writer(empty, "elsa", "shop").visit(BEGIN + 2 * HOUR, 0, numbers=wrong)
    assert outcome_of(empty, statement).finds(window(2), "has numbers that do not add up in its entry")


def test_numbers_of_a_manifest_that_do_not_add_up_are_found(empty: Archive) -> None:
    statement = Writer(empty, "elsa", "shop").visit(BEGIN + 2 * HOUR, 0, manifest={"numbers": numbers(rejects=3)})
    assert outcome_of(empty, statement).finds(
        json.loads(statement)["manifests"][0]["key"], "has numbers that do not add up"
    )


def test_another_number_of_records_in_manifest_and_entry_is_found(empty: Archive) -> None:
    other = numbers(fetched=10, rows=9)
    statement = Writer(empty, "elsa", "shop").visit(BEGIN + 2 * HOUR, VISITS - 1, manifest={"numbers": other})
    assert outcome_of(empty, statement).finds(
        json.loads(statement)["manifests"][0]["key"], "has another number of fetched records than the entry"
    )


def test_a_replay_may_have_read_another_number_of_records_than_the_visit(empty: Archive) -> None:
    writer, at = Writer(empty, "elsa", "shop"), BEGIN + 2 * HOUR
    visited = json.loads(writer.visit(at, VISITS - 1, manifest={"numbers": numbers(fetched=10, rows=9)}))
    replay = {**visited, "replayed": True}
    visit = outcome_of(empty, json.dumps(replay).encode())
    assert (visit.code, visit.findings) == (0, [])
    empty.publish([json.dumps({**visited, "replayed": 1}).encode()], "20261121T010000Z")
    assert empty.verify().finds(
        visited["manifests"][0]["key"], "has another number of fetched records than the entry of its window"
    )


def test_rows_that_the_newest_visit_did_not_return_are_no_finding(empty: Archive) -> None:
    kept_rows = numbers(rows=11, kept=3)
    assert outcome_of(empty, Writer(empty, "elsa", "shop").visit(BEGIN + 2 * HOUR, 2, numbers=kept_rows)).code == 0


def test_an_object_that_two_windows_name_is_found(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    one = json.loads(writer.visit(BEGIN + HOUR, 2))
    outcome = outcome_of(empty, writer.visit(BEGIN + 2 * HOUR, 0, object=one["object"]))
    assert outcome.finds(one["object"]["key"], "is named by two windows")


def test_a_part_that_two_manifests_name_with_other_bytes_is_found(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    part = {"key": writer.place(BEGIN + 2 * HOUR).part("v", 0, ".json"), "object_sha256": "00" * 32}
    other = {**part, "object_sha256": "11" * 32}
    statements = [writer.visit(BEGIN + 2 * HOUR, at, manifest={"parts": [one]}) for at, one in enumerate((part, other))]
    assert outcome_of(empty, *statements).finds(part["key"], "is named twice, with other bytes")


def test_a_manifest_that_a_later_entry_names_with_other_bytes_must_be_as_it_was_named_first(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    first, later = (json.loads(writer.visit(BEGIN + 2 * HOUR, number)) for number in (0, 1))
    [manifest] = first["manifests"]
    path = empty.root / manifest["key"]
    path.write_bytes(path.read_bytes() + b" ")
    changed = manifest | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    outcome = outcome_of(empty, *(json.dumps(one).encode() for one in (first, later | {"manifests": [changed]})))
    assert outcome.finds(manifest["key"], "is named twice, with other bytes")
    assert outcome.finds(manifest["key"], "was changed")


def test_a_manifest_that_had_expired_before_it_was_taken_in_is_a_note(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    statement = json.loads(writer.visit(BEGIN + 2 * HOUR, 2))
    statement["manifests"][0]["sha256"] = None
    (empty.root / statement["manifests"][0]["key"]).unlink()
    outcome = outcome_of(empty, json.dumps(statement).encode())
    assert outcome.code == 0
    assert outcome.report["notes"][0].startswith("1 object not checked, since the log has no hash")


def test_what_is_not_complete_is_told_with_its_reason(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    closed = [writer.visit(BEGIN + hour * HOUR, 2, state="closed", issue="expired") for hour in (2, 3)]
    outcome = outcome_of(empty, *closed, writer.planned(BEGIN + 4 * HOUR))
    [source] = outcome.report["sources"]
    assert (outcome.code, source["sealed"], source["closed"], source["open"]) == (0, 2, 2, 1)
    assert source["incomplete"] == [
        {"from": "2026-11-20T02:00:00Z", "to": "2026-11-20T04:00:00Z", "state": "closed", "issue": "expired"},
        {"from": "2026-11-20T04:00:00Z", "to": "2026-11-20T05:00:00Z", "state": "planned", "issue": None},
    ]


def test_a_source_that_goes_on_no_longer_is_a_note(empty: Archive) -> None:
    other = Writer(empty, "elsa", "other")
    outcome = outcome_of(empty, other.source(BEGIN + 100 * HOUR), other.visit(BEGIN + 100 * HOUR, 0))
    assert outcome.code == 0
    assert outcome.report["notes"][0].startswith("elsa/shop: no window after 2026-11-20T02:00:00Z, but the log goes on")


@pytest.mark.parametrize("prefix", ["logs/", "rejects/"])
def test_an_object_that_was_put_in_is_found(short: Archive, prefix: str) -> None:
    for key in (
        f"{prefix}provider=elsa/date=2026-11-20/foreign.parquet",
        f"{prefix}provider=elsa/date=2026-11-20/shop-elsa-20261120T050000Z-PT1H.parquet",
        f"{prefix}x\x1b[31m\udcff",
    ):
        with kept(short, key):
            short.put(key, b"x")
            [(where, what)] = short.verify().findings
            assert (where, what) == (verify.printable(key), "is named by no entry: it was put in")


def test_what_is_made_of_the_archive_is_nothing_foreign_in_a_copy(short: Archive) -> None:
    before = short.verify().report
    for key in (
        "coverage/index.html",
        "coverage/windows/elsa/shop-elsa/2026-11.parquet",
        "history/metadata/00000-1.metadata.json",
        "history/data/provider=elsa/date_trunc=2026-11/1.parquet",
    ):
        with kept(short, key):
            short.put(key, b"x")
            after = short.verify()
            assert (after.findings, after.report["counts"]) == ([], before["counts"])


def test_a_visit_that_no_entry_leads_to_is_counted(short: Archive) -> None:
    key = "raw/provider=elsa/source=shop-elsa/date=2026-11-20/20261120T000000Z-PT1H/20261121T000000Z-0009/manifest.json"
    (short.root / key).parent.mkdir()
    with kept(short, key):
        short.put(key, b"{}")
        outcome = short.verify()
        assert outcome.code == 0
        assert outcome.report["checked"]["files in raw/ that no entry leads to (of visits that never counted)"] == 1


def test_an_older_version_and_exchanged_objects_are_told_from_changed_ones(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    first = writer.visit(BEGIN + 2 * HOUR, 0)
    key = json.loads(first)["object"]["key"]
    old = (empty.root / key).read_bytes()
    outcome = outcome_of(empty, first, *(writer.visit(BEGIN + 2 * HOUR, number) for number in (1, 2)))
    assert outcome.code == 0
    with kept(empty, key):
        empty.put(key, old)
        assert empty.verify().finds(key, f"is an older version of this object, put back ({window(2)})")
    one, other = empty.keys("logs/")[:2]
    with kept(empty, one, other):
        bodies = [(empty.root / name).read_bytes() for name in (one, other)]
        empty.put(one, bodies[1])
        empty.put(other, bodies[0])
        outcome = empty.verify()
        assert outcome.finds(one, f"holds the bytes of another object: {other}")
        assert outcome.finds(other, f"holds the bytes of another object: {one}")


def test_a_mismatch_in_an_open_window_says_that_it_may_be_newer_than_the_log(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    statement = writer.visit(BEGIN + 2 * HOUR, 0)
    assert outcome_of(empty, statement).code == 0
    stored = json.loads(statement)
    empty.put(stored["object"]["key"], b"a later visit's")
    assert empty.verify().finds(
        stored["object"]["key"],
        f"was changed ({window(2)}; its window is still open: if the copy was made after a later visit, let the notary "
        "run and copy again)",
    )


def test_an_object_of_a_planned_window_says_so_too(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    key = empty.put(writer.place(BEGIN + 2 * HOUR).logs, b"the first visit's")["key"]
    assert outcome_of(empty, writer.planned(BEGIN + 2 * HOUR)).finds(key, "; its window is still open: if the copy")


def test_an_object_without_a_hash_is_a_note_until_an_entry_has_it(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    hashed = empty.put(writer.place(BEGIN + 2 * HOUR).logs, b"a placeholder")
    unhashed = writer.planned(BEGIN + 2 * HOUR, state="split", object={**hashed, "sha256": None})
    half = dt.timedelta(minutes=30)
    halves = [writer.visit(BEGIN + 2 * HOUR + at * half, 2, length=half) for at in range(2)]
    outcome = outcome_of(empty, unhashed, *halves)
    assert outcome.code == 0
    assert "1 object not checked, since the log has no hash" in outcome.report["notes"][0]
    empty.put(hashed["key"], b"rows")
    assert empty.verify().code == 0
    empty.publish([writer.planned(BEGIN + 2 * HOUR, state="split", object=hashed)], "20261121T010000Z")
    assert empty.verify().finds(hashed["key"], "was changed")
