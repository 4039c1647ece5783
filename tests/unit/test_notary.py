"""The notary alone: what it says, what it refuses, what a run costs, and how an archive of before is taken in."""

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from logarchive.action.notary import Daily, act, parse
from logarchive.action.result import Result
from logarchive.coverage.writer import CoverageWriter
from logarchive.errors import ArchiveError, ConfigError
from logarchive.ledger.entry import Entry, Head, RejectsObject
from logarchive.numbers import WindowNumbers
from logarchive.proof.batch import Batch, Mark
from logarchive.proof.checkpoint import Checkpoint, VerifierKey
from logarchive.proof.log import ProofLog
from logarchive.proof.mark import Key, Statement
from logarchive.proof.state import PARTITION, SORT
from logarchive.proof.statement import MOST_BYTES, Hashed, source_statement, window_statement
from logarchive.proof.waiting import Waiting
from tests.fake_aws import FakeKms, open_gate
from tests.notarized import Archive, check_complete, check_history, lines, window
from tests.scenario import HOUR, MINUTE, START, Killed, some

# --- What entries say ---


def test_a_source_is_stated_in_one_line() -> None:
    head = Head(begin=START, cursor=START + HOUR, feed_id="p/1", known=frozenset({"7"}))
    assert source_statement("elsa", "shop", head) == (
        b'{"entry":"source","begin":"2026-11-20T00:00:00Z","feed":"p/1","provider":"elsa","source":"shop"}'
    )


def test_a_window_is_stated_in_one_line_without_its_error_and_its_worker() -> None:
    entry = Entry(
        window_key=window(0).key,
        state="archived",
        due_at=START,
        attempt=2,
        claimed_by="worker",
        visits=("v1", "v2"),
        issue="shrunk",
        error="a secret",
        manifest="raw/m2",
        numbers=WindowNumbers(announced=3, fetched=3, rows=4, late=1, verification="verified"),
    )
    hashed: Hashed = {"key": "raw/m2", "sha256": "ab"}
    stated = window_statement(
        "elsa",
        "shop",
        entry,
        "2026-11-20T01:05:00Z",
        manifests=[hashed],
        object={"key": "logs/o", "sha256": "cd", "bytes": 9},
        rejects=None,
    )
    assert stated.decode() == (
        '{"entry":"window","attempt":2,"committed_at":"2026-11-20T01:05:00Z","issue":"shrunk",'
        '"manifests":[{"key":"raw/m2","sha256":"ab"}],'
        '"numbers":{"announced":3,"duplicates":0,"fetched":3,"kept":1,"late":1,"outside":0,"rejects":0,"rows":4,'
        '"strays":0},"object":{"bytes":9,"key":"logs/o","sha256":"cd"},"provider":"elsa","rejects":null,'
        '"source":"shop","state":"archived","verification":"verified","visits":2,"window":"2026-11-20T00:00:00Z/PT1H"}'
    )
    replayed = entry.replace(replayed=True)
    again = window_statement("elsa", "shop", replayed, None, manifests=[], object=None, rejects=None)
    assert json.loads(again)["replayed"] is True


def newest(made: Archive, hour: int) -> dict[str, Any]:
    """Return the newest entry of a window."""
    found: list[dict[str, Any]] = [json.loads(line) for line in lines(made.s3)]
    return [entry for entry in found if entry.get("window") == window(hour).key][-1]


def test_a_window_of_very_many_visits_has_several_entries_that_fit_and_name_each_once() -> None:
    made = Archive()
    made.plan(1)
    made.commit(0, visits=450)
    assert made.run()["appended"] == 1 + 5
    entries = [json.loads(line) for line in lines(made.s3)]
    assert max(map(len, lines(made.s3))) <= MOST_BYTES
    named = [[manifest["key"] for manifest in entry["manifests"]] for entry in entries if entry["entry"] == "window"]
    last = newest(made, 0)["manifests"][-1]["key"]
    assert [keys[-1] for keys in named] == [last] * 5
    others = [key for keys in named for key in keys if key != last]
    assert len(others) == len(set(others)) == 449
    check_complete(made.table, made.s3)


def test_an_entry_that_does_not_fit_waits_and_the_others_go_on() -> None:
    made = Archive()
    made.plan(2)
    made.table.items["elsa#shop", "#head"]["feed"] = "x" * MOST_BYTES
    made.table.items["elsa#shop", window(0).key]["visits"] = 7
    assert made.run()["size"] == 1
    assert made.counted.total["ProofErrors"] == 2
    assert made.logged.count("proof.invalid") == 2
    made.table.items["elsa#shop", "#head"]["feed"] = "feed"
    made.table.items["elsa#shop", window(0).key]["visits"] = []
    assert made.run()["size"] == 3
    check_complete(made.table, made.s3)


def test_a_manifest_that_has_expired_is_named_without_its_hash() -> None:
    made = Archive()
    made.plan(1)
    made.commit(0)
    [key] = [key for key in made.s3.objects if key.endswith("manifest.json")]
    del made.s3.objects[key]
    made.run()
    assert newest(made, 0)["manifests"] == [{"key": key, "sha256": None}]


def test_rejects_are_stated_as_the_ledger_has_them_or_as_an_earlier_version_left_them() -> None:
    made = Archive()
    made.plan(2)
    old, new = (f"rejects/provider=elsa/date=2026-11-20/shop-{window(hour).slug}.jsonl.gz" for hour in (0, 1))
    made.store.keep(old, b"rejects")
    made.commit(0)
    made.commit(1)
    item = made.table.items["elsa#shop", window(1).key]
    item["rejects_object"] = RejectsObject(key=new, sha256="ef").model_dump()
    made.run()
    assert newest(made, 0)["rejects"] == {"key": old, "sha256": None}
    assert newest(made, 1)["rejects"] == {"key": new, "sha256": "ef"}
    made.commit(0)
    made.run()
    assert newest(made, 0)["rejects"] is None


def test_a_window_split_into_more_parts_than_an_item_holds_is_stated_in_several_batches() -> None:
    key = Key(is_head=False, partition="elsa#shop", sort=window(0).key, unproven="x")
    marks = [Mark(partition="elsa#shop", sort=f"{at:03d}", unproven="x", seen={}) for at in range(120)]
    parts = [Statement(mark, b"x" * 10_000) for mark in marks]

    def statements(_key: Key) -> list[Statement]:
        return parts

    found = SimpleNamespace(waiting=lambda: [key], statements=statements)
    waiting = Waiting(found, lambda *_: None)  # type: ignore[arg-type] # a drop-in
    assert waiting.batch(lambda: True) == parts[:30]


def test_a_split_and_its_parts_are_stated_in_one_batch_with_its_placeholder() -> None:
    made = Archive()
    made.plan(300)
    made.run()
    size = made.run()["size"]
    entry = some(made.ledger.read(window(299)))
    held = some(made.ledger.claim(entry, "worker", made.now + 400 * HOUR, made.now + 401 * HOUR))
    halves = [
        Entry(window_key=f"{start:%Y-%m-%dT%H:%M:%SZ}/PT30M", state="planned", due_at=start)
        for start in (window(299).start, window(299).start + HOUR / 2)
    ]
    placeholder = made.store.replace_bytes("logs/placeholder", b"empty", None)
    stored: Any = {"key": "logs/placeholder", "sha256": "00", "bytes": 5, "visits": (), "etag": placeholder.etag}
    held = held.replace(placeholder=stored)
    for hour in range(254):
        made.commit(hour)
    assert made.ledger.split(held, halves, made.now)
    made.now += MINUTE
    assert made.notary().run()["size"] == size + 254 + 3
    check_complete(made.table, made.s3)
    stated = [json.loads(line).get("state") for line in lines(made.s3)[size:]]
    assert stated == ["sealed"] * 254 + ["split", "planned", "planned"]
    batches = [int(message.split(b"\n")[1]) for message in made.kms.signed]
    assert batches[-2:] == [size + 254, size + 257]


# --- What it refuses ---


def edge(made: Archive) -> list[str]:
    """Return what a run reads: the checkpoint, the tiles from the last entry to the root, the last entries."""
    return ["proof/checkpoint", *sorted(key for key in made.s3.objects if key.endswith((".p/44", "1/000.p/1")))]


@pytest.mark.parametrize("tampering", ["changed", "removed", "cut"])
@pytest.mark.parametrize("commits", [True, False])
def test_nothing_is_signed_over_a_log_that_was_tampered_with(tampering: str, commits: bool) -> None:
    base = Archive()
    base.plan(299)
    base.run()
    keys = edge(base)
    assert keys == [
        "proof/checkpoint",
        "proof/tile/0/001.p/44",
        "proof/tile/1/000.p/1",
        "proof/tile/entries/001.p/44",
    ]
    for key in keys:
        made = base.copy()
        stored = made.s3.objects.pop(key)
        body = stored.body[:-40] if tampering == "cut" else stored.body.replace(stored.body[20:25], b"xxxxx")
        if tampering != "removed":
            made.s3.put_object(Key=key, Body=body, Bucket="bucket")
        if commits:
            made.commit(0)
        if key == "proof/checkpoint" and tampering == "cut":
            continue  # that cuts its signature, which is for a verifier to judge
        with pytest.raises(ArchiveError):
            made.run()
        assert made.counted.total["ProofErrors"] == 1, key
        assert "ProofSigned" not in made.counted.total, key
        assert made.kms.signed == base.kms.signed
        assert made.logged[-1] == "proof.failed"


@pytest.mark.parametrize(("more", "said"), [(0, "has another root than the 301 entries"), (1, "do not give the root")])
def test_a_whole_log_that_somebody_else_has_put_there_is_not_continued(more: int, said: str) -> None:
    made, other = Archive(), Archive()
    other.plan(300)
    other.commit(0)
    made.plan(300)
    assert made.run()["size"] == other.run()["size"]
    other.plan(more)
    other.run()
    made.s3.objects, before = other.s3.objects, len(made.kms.signed)
    with pytest.raises(ArchiveError, match=said):
        made.run()
    assert len(made.kms.signed) == before


def test_what_was_changed_between_writing_and_signing_is_not_signed() -> None:
    base = Archive()
    base.plan(254)
    base.run()
    base.commit(0)
    base.commit(1)
    whole = base.copy()
    whole.run()
    puts = [call.removeprefix("s3.put ") for call in whole.s3.calls if call.startswith("s3.put proof/tile/")]
    assert len(puts) == 5
    for key in puts:
        made = base.copy()

        def tamper(call: str, moment: str, made: Archive = made, key: str = key) -> None:
            if (call, moment) == (f"s3.put {key}", "after"):
                stored = made.s3.objects[key]
                made.s3.objects[key] = replace(stored, body=stored.body.replace(stored.body[20:25], b"xxxxx"))

        made.gated(tamper)
        with pytest.raises(ArchiveError):
            made.run()
        assert made.kms.signed == base.kms.signed, key


def test_a_checkpoint_of_another_log_is_not_continued() -> None:
    made = Archive()
    made.run()
    with pytest.raises(ArchiveError, match="is of the log 'bucket/proof', not of 'other/proof'"):
        ProofLog(made.store, "other/proof", None).newest()


@pytest.mark.parametrize(
    "note", [b"", b"bucket/proof\n", b"a\nx\nAA==\n", b"a\n01\nAA==\n", b"a\n-1\nAA==\n", b"\xff\n1\n"]
)
def test_what_is_no_checkpoint_is_not_taken_for_one(note: bytes) -> None:
    with pytest.raises(ArchiveError, match="not a checkpoint"):
        Checkpoint.parse(note)


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ArchiveError, match="no Ed25519 key; create it with KeySpec ECC_NIST_EDWARDS25519"):
        VerifierKey.of_der("bucket/proof", bytes(91))


# --- Keys ---


def test_without_a_key_the_log_grows_and_says_that_it_is_not_signed() -> None:
    made = Archive()
    made.plan(1)
    notary = made.notary()
    notary.log = replace(notary.log, signer=None)
    assert notary.run()["signed"] is False
    assert made.s3.objects["proof/checkpoint"].body.count(b"\n") == 4
    assert "proof/key" not in made.s3.objects
    assert made.run()["signed"] is True  # a key was chosen later
    check_history(made.s3, made.kms)


def test_a_new_key_signs_the_same_checkpoint_again() -> None:
    made = Archive()
    made.plan(1)
    root = made.run()["root"]
    old = made.s3.objects["proof/key"].body
    made.kms = FakeKms(public=b"1" * 32, signed=made.kms.signed)
    before = len(made.kms.signed)
    assert made.run() == {**made.run(), "root": root, "signed": True}
    assert made.s3.objects["proof/key"].body != old
    assert len(made.kms.signed) == before + 1
    check_history(made.s3, made.kms)


def test_a_checkpoint_whose_signature_is_cut_is_signed_again() -> None:
    made = Archive()
    made.plan(1)
    made.run()
    whole = made.s3.objects["proof/checkpoint"].body
    made.s3.put_object(Key="proof/checkpoint", Body=whole[:-6] + b"\n", Bucket="bucket")
    assert made.run()["signed"] is True
    assert made.s3.objects["proof/checkpoint"].body == whole


def test_a_checkpoint_that_is_signed_again_and_a_batch_of_the_same_second_have_names_of_their_own() -> None:
    made = Archive()
    made.plan(1)
    made.run()
    made.kms = FakeKms(public=b"1" * 32, signed=made.kms.signed)
    made.now += HOUR
    for count in (0, 1, 1):
        made.plan(count)
        assert made.notary().run()["signed"] is True
    check_history(made.s3, made.kms)


# --- What a run costs, and how long it takes ---


def grown(size: int) -> Archive:
    """Return an archive with a log of so many entries, whose ledger knows that many windows."""
    made = Archive()
    made.plan(2)
    log = made.notary().log
    batch = Batch(start=0, moment="20260101T000000Z", entries=(b"{}",) * size)
    log.publish(batch, log.newest())
    state = made.notary().state
    state.adopt(state.read(made.now), log.newest().checkpoint)
    template = made.table.items["elsa#shop", window(0).key]
    for hour in range(2, size):
        key = window(hour).key
        item = {**template, "window": key, "proven": {"state": "planned", "committed": 0, "visits": 0}}
        item.pop("unproven")
        made.table.items["elsa#shop", key] = item
    assert made.run(page=size * 2)["taken_in"]
    return made


def test_a_run_costs_what_has_changed_and_one_path_of_tiles_however_long_the_history() -> None:
    costs: list[tuple[int, int, int]] = []
    for size in (50, 24 * 365 * 5 * 2 - 1):
        made = grown(size)
        made.commit(0)
        made.commit(1)
        for calls in (made.table.calls, made.s3.calls, made.kms.calls):
            calls.clear()
        assert made.run()["appended"] == 2
        costs.append((len(made.table.calls), len(made.s3.calls), len(made.kms.calls)))
    (table, s3, signed), (later_table, later_s3, later_signed) = costs
    assert (later_table, later_signed) == (table, signed) == (12, 1)
    assert s3 <= later_s3 <= s3 + 12
    assert later_s3 < 40


def test_a_run_without_a_change_reads_one_path_and_signs_nothing() -> None:
    made = grown(300)
    for calls in (made.table.calls, made.s3.calls, made.kms.calls):
        calls.clear()
    made.counted.total.clear()
    made.run()
    assert (len(made.table.calls), len(made.s3.calls), len(made.kms.calls)) == (4, 7, 0)
    assert made.counted.total == {"ProofSigned": 1, "ProofEntries": 0, "ProofBacklogSeconds": 0}


def test_a_run_stops_in_time_and_the_next_one_goes_on() -> None:
    made = Archive()
    made.plan(600)
    notary = made.notary(seconds=300)

    def spend(call: str, moment: str) -> None:
        made.now += dt.timedelta(milliseconds=200 * (moment == "before"))

    made.gated(spend)
    first = notary.run()
    assert first["appended"] > 0
    assert first["oldest_mark"] == "2026-11-20T00:00:00Z"
    assert made.now < notary.invocation.deadline
    assert made.counted.total["ProofBacklogSeconds"] > 200
    made.gated(open_gate)
    last = made.run()
    assert (last["size"], last["oldest_mark"]) == (601, None)
    check_history(made.s3, made.kms)
    check_complete(made.table, made.s3)


def test_the_first_page_of_a_big_backlog_names_windows_in_order_of_time() -> None:
    made = Archive()
    made.plan(99)
    for hour in range(98, 0, -1):
        made.commit(hour)
    made.run()
    stated = [json.loads(line).get("window") for line in lines(made.s3)]
    assert stated == [*(window(hour).key for hour in range(99)), None]


# --- An archive of before ---


def unmarked(hours: int) -> Archive:
    """Return an archive that a version without marks has made."""
    made = Archive()
    made.plan(hours)
    for hour in range(0, hours, 3):
        made.commit(hour)
    for item in made.table.items.values():
        item.pop("unproven", None)
    return made


def test_an_archive_of_before_is_taken_in_page_by_page_and_its_sources_are_promised_last() -> None:
    made = unmarked(80)
    first = made.run(page=7)
    assert (first["taken_in"], first["size"]) == (False, 80)
    assert all(json.loads(line)["entry"] == "window" for line in lines(made.s3))
    assert newest(made, 0)["committed_at"] is None
    while not (last := made.run(page=7))["taken_in"]:
        made.now += 10 * MINUTE
    assert (last["size"], last["oldest_mark"]) == (81, None)
    check_history(made.s3, made.kms)
    check_complete(made.table, made.s3)


def test_what_an_earlier_version_committed_after_that_is_found_once_the_table_is_gone_through_again() -> None:
    made = Archive()
    made.plan(2)
    while not made.run()["taken_in"]:
        made.now += HOUR
    made.commit(0)
    del made.table.items["elsa#shop", window(0).key]["unproven"]
    assert made.run()["appended"] == 0
    made.table.items["#proof", "#log"]["scan"]["ended"] = False  # as docs/proof.md has it
    while not made.run()["taken_in"]:
        made.now += HOUR
    assert newest(made, 0)["state"] == "sealed"
    check_complete(made.table, made.s3)


def test_what_a_function_of_before_still_commits_while_its_archive_is_taken_in_is_found() -> None:
    made = unmarked(10)
    made.run()
    made.commit(1)
    made.table.items["elsa#shop", window(1).key].pop("unproven")
    while not made.run()["taken_in"]:
        made.now += 10 * MINUTE
    check_complete(made.table, made.s3)


def test_taking_in_goes_on_where_it_was_killed() -> None:
    made = unmarked(30)
    kills, taken_in = 0, False
    while not taken_in:
        updates = itertools.count(1)

        def gate(call: str, moment: str, updates: Iterator[int] = updates) -> None:
            if call.startswith("ddb.update 2026") and moment == "after" and next(updates) == 3:
                raise Killed

        made.gated(gate)
        try:
            taken_in = made.run(page=4)["taken_in"]
            made.now += 10 * MINUTE
        except Killed:
            kills += 1
    made.gated(open_gate)
    made.run()
    assert kills > 10
    check_history(made.s3, made.kms)
    check_complete(made.table, made.s3)


def test_the_notary_leaves_its_own_item_and_those_of_workers_alone() -> None:
    made = unmarked(1)
    made.ledger.take_slot(0, "worker", made.now, made.now + HOUR)
    made.run()
    others = [item for (_, sort), item in made.table.items.items() if sort.startswith("#") and sort != "#head"]
    assert len(others) == 3
    assert all("unproven" not in item and "proven" not in item for item in others)
    assert "batch" not in made.table.items[PARTITION, SORT]


# --- Its event ---


def acted(made: Archive, event: object) -> Result:
    run = made.notary()
    return act(run, event, Daily(CoverageWriter(run.log, run.marks.table, ["elsa"], run.invocation)))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ([], 'the event is no JSON object; for instance {"action": "notary"}'),
        ({}, "action: missing; the actions are notary, coverage, report"),
        ({"action": "tick"}, 'action: "tick" is no action; the actions are notary, coverage, report'),
        ({"action": "notary", "notice": "x"}, "notice: "),
        ({"action": "report"}, "month: missing; for instance 2026-11"),
        ({"action": "report", "month": "2026-13"}, 'month: "2026-13" is no month; for instance 2026-11'),
        ({"action": "report", "month": "2026-11", "language": "fr"}, "language: \"fr\" is not 'en' or 'ko'"),
        (
            {"action": "report", "month": "2026-11", "time_zone": "Asia/Seoul"},
            'time_zone: "Asia/Seoul" is no offset from UTC; for instance +09:00',
        ),
        ({"action": "coverage", "start": "2026-11-01"}, 'start: "2026-11-01" has no time zone; for instance'),
        ({"action": "notary", "inline": True}, "inline: unknown field; the fields are action, notice"),
    ],
)
def test_a_wrong_event_is_refused_and_counted(event: object, said: str) -> None:
    made = Archive()
    result = acted(made, event)
    assert result["ok"] is False
    assert result["errors"][0]["error"].startswith(said)
    assert made.counted.total == {"EventErrors": 1}
    with pytest.raises(ConfigError):
        parse(event)


def test_the_schedules_event_is_carried_out() -> None:
    made = Archive()
    made.plan(1)
    assert acted(made, {"action": "notary"})["size"] == 2
    assert made.counted.total["ProofEntries"] == 2
