"""Whatever goes wrong in a visit ends in the ledger, and a conditional write knows its own success."""

import gzip
import hashlib
import itertools
import json
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from logarchive.action.handler import act
from logarchive.errors import OutOfTimeError
from logarchive.ledger.dynamodb import Write
from logarchive.ledger.entry import Entry
from logarchive.moment import MILLISECOND, instant
from logarchive.store.bucket import ChangedError, Store, sha256_of
from logarchive.store.place import Place
from logarchive.visit.merger import Merger
from logarchive.window import Window
from tests.fake_aws import FakeTable, Gate, open_gate, refused
from tests.scenario import END, HOUR, MINUTE, START, Killed, Record, Scenario, zipped


def hourly(world: list[Record] | None = None, **source: object) -> Scenario:
    """Return a source with a window an hour, the first six hours of its day long ago."""
    return Scenario(world or [Record("a", 10), Record("b", 3700)], now=END, source={"window": "PT1H", **source})


def broken(hour: int, error: Exception) -> Callable[[httpx.Request], None]:
    """Return what raises an error for the requests of one hour."""

    def response(request: httpx.Request) -> None:
        start = int(json.loads(request.content)["from"] / 1000) + 1
        if start % 86400 // 3600 == hour:
            raise error

    return response


@pytest.mark.parametrize("error", [ValueError("odd body"), KeyError("x"), RecursionError("deep"), ZeroDivisionError()])
def test_an_error_that_nobody_foresaw_is_in_the_ledger_fails_the_invocation_once_and_stops_no_other_window(
    error: Exception,
) -> None:
    stage = hourly()
    stage.answer = broken(0, error)
    with pytest.raises(ExceptionGroup) as raised:
        stage.tick()
    assert [type(one) for one in leaves(raised.value)] == [type(error)]
    entries = {entry.window.start.hour: entry for entry in stage.ledger.every()}
    assert {entry.state for hour, entry in entries.items() if 0 < hour < 23} == {"sealed", "archived"}
    bad = entries[0]
    assert (bad.state, bad.issue, bad.failures, bad.claims_without_commit) == ("planned", "unavailable", 1, 0)
    assert bad.due_at == END + MINUTE
    assert type(error).__name__ in (bad.error or "")
    assert not json.loads(stage.s3.objects[bad.manifest or ""].body)["complete"]
    assert stage.events.count("visit.failed") == 1
    stage.now += MINUTE
    stage.recovers()
    stage.tick()
    assert stage.rows() == {"a": 1, "b": 1}


def test_an_error_of_s3_that_leaves_not_even_a_manifest_is_in_the_ledger() -> None:
    stage = Scenario([Record("a", 1)], now=END + 6 * MINUTE)
    stage.gate = raw_refused
    with pytest.raises(ExceptionGroup) as raised:
        stage.tick()
    assert "AccessDenied" in str(leaves(raised.value))
    entry = stage.entry
    assert (entry.state, entry.issue, entry.failures, entry.manifest) == ("planned", "unavailable", 1, None)
    assert entry.claims_without_commit == 0
    assert "AccessDenied" in (entry.error or "")


def raw_refused(call: str, _moment: str) -> None:
    """Refuse to write what was received."""
    if call.startswith("s3.put raw/"):
        raise refused("AccessDenied", 403)


@pytest.mark.parametrize("gate", [raw_refused, open_gate])
def test_an_error_of_a_worker_that_has_lost_its_claim_is_raised_as_it_is(gate: Gate) -> None:
    stage = Scenario([Record("a", 1)], now=END + 6 * MINUTE, gate=gate)

    def overtaken(_request: httpx.Request) -> None:
        stage.now += HOUR
        assert stage.ledger.claim(stage.entry, "another", stage.now, stage.now + HOUR)
        if gate is open_gate:
            raise ZeroDivisionError

    stage.answer = overtaken
    with pytest.raises(ExceptionGroup) as raised:
        stage.tick()
    expected = ZeroDivisionError if gate is open_gate else ClientError
    assert [type(one) for one in leaves(raised.value)] == [expected]
    assert stage.entry.failures == 0


def test_a_window_that_the_provider_has_dropped_is_closed_without_a_request() -> None:
    stage = Scenario([Record("a", 1)], now=END + 6 * MINUTE, source={"retention": "P3D"})
    stage.fails(httpx.ConnectError("no"))
    stage.tick()
    stage.now, asked = END + 72 * HOUR, list[int]()

    def noted(request: httpx.Request) -> None:
        asked.append(json.loads(request.content)["from"])

    stage.answer = noted
    stage.tick()
    assert min(asked) > END.timestamp() * 1000 - 60_000
    [window] = [entry for entry in stage.entries() if entry.window.end == END]
    assert (window.state, window.issue, window.attempt) == ("closed", "expired", 2)


def leaves(error: Exception) -> list[Exception]:
    """Return the errors of a group, whatever groups are in it."""
    inner: tuple[Exception, ...] = getattr(error, "exceptions", ())
    return [leaf for one in inner for leaf in leaves(one)] or [error]


def test_what_failed_waits_behind_what_was_never_visited_unless_it_is_lost_sooner() -> None:
    stage = hourly()
    stage.act("tick")
    first, second = sorted(stage.ledger.every(), key=lambda entry: entry.window)[:2]
    claimed = stage.ledger.claim(first, "worker", stage.now, stage.now + MINUTE)
    assert claimed
    stage.ledger.commit(claimed, claimed.replace(failures=1, due_at=stage.now), stage.now)
    assert visited_first(stage) == second.window_key


def visited_first(stage: Scenario) -> str:
    """Return the window that the next worker claims first."""
    archive = stage.archive()
    with archive.worker("shop", archive.source("shop")) as worker:
        entry = next(worker.run())
    return entry.window_key


class Twice(FakeTable):
    """A table that does each write twice, as the SDK does when a response was lost, and returns the second result."""

    def update(self, write: Any) -> Any:
        super().update(write)
        return super().update(write)

    def transact(self, writes: Sequence[Write]) -> bool:
        super().transact(writes)
        return super().transact(writes)


def test_an_update_that_the_sdk_repeats_costs_no_lease_and_no_slot() -> None:
    stage = Scenario([Record("a", 1)], table=Twice(), now=END + 6 * MINUTE)
    stage.tick()
    entry = stage.entry
    assert (entry.state, entry.numbers.rows, entry.attempt) == ("archived", 1, 1)
    stage.now += MINUTE
    [window] = stage.act("backfill", source="shop", start="2026-11-20T00:00:00Z", end="2026-11-21T00:00:00Z")["windows"]
    assert window["state"] == "archived"
    assert stage.entry.due_at == stage.now


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_split_that_dies_beside_its_placeholder_is_done_by_the_next_claim(moment: str) -> None:
    """And so is one whose PutObject the SDK has repeated: a placeholder stands, and no visit is in it."""
    stage = Scenario([Record("a", 1), Record("b", 80_000)], now=END + 6 * MINUTE)
    stage.fails(MemoryError())
    stage.kill("api")
    stage.now += HOUR  # an earlier worker may live on, so a placeholder is needed
    stage.kill("s3.put logs/" if moment == "after" else "ddb.transact", moment)
    stage.now += HOUR
    stage.recovers()
    stage.until_sealed()
    assert stage.rows() == {"a": 1, "b": 1}
    assert [entry.state for entry in stage.ledger.every()].count("split") == 1


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"half", b"a footer without visits"])
def test_a_damaged_object_holds_up_no_other_window_and_a_replay_builds_it_anew(damage: bytes) -> None:
    """A library in Rust panics on most of them, which is no Exception."""
    stage = hourly()
    stage.tick()
    key = Place("elsa", "shop", Window(END - 24 * HOUR, END - 23 * HOUR)).logs
    whole = stage.s3.objects[key]
    bodies = {
        b"half": whole.body[: len(whole.body) // 2],
        b"a footer without visits": whole.body.replace(b"visits", b"visitz"),
    }
    stage.s3.objects[key] = replace(whole, body=bodies.get(damage, damage), etag='"by hand"')
    stage.act("backfill", source="shop", start=instant(END - 24 * HOUR), end=instant(END), reopen=True)
    with pytest.raises(ExceptionGroup) as raised:
        stage.act("work", source="shop")
    assert ["replay the window" in str(one) for one in leaves(raised.value)] == [True]
    entries = {entry.window.start.hour: entry for entry in stage.ledger.every() if entry.window.end <= END}
    assert [hour for hour, entry in entries.items() if entry.issue] == [0]
    assert ["replay the window" in (entries[0].error or ""), entries[0].claimed] == [True, False]
    stage.act("replay", source="shop", start=instant(END - 24 * HOUR), end=instant(END - 23 * HOUR), inline=True)
    assert stage.s3.objects[key].body == whole.body


def test_a_first_claim_splits_without_a_placeholder() -> None:
    stage = daily()
    errors = iter([MemoryError(), Killed()])

    def answer(_request: object) -> None:
        raise next(errors)

    stage.answer = answer
    with pytest.raises(Killed):
        stage.tick()
    assert sorted(entry.state for entry in stage.entries()) == ["planned", "planned", "split"]
    assert not [key for key in stage.s3.objects if key.startswith("logs/")]


def test_a_placeholder_s_put_that_is_refused_because_it_succeeded_does_not_hinder_the_split() -> None:
    stage = Scenario([Record("a", 1)], now=END + 6 * MINUTE)
    stage.kill("api")
    stage.now += HOUR

    def out_of_memory(_request: object) -> None:
        stage.recovers()
        raise MemoryError

    def repeated(call: str, moment: str) -> None:
        if call.startswith("s3.put logs/") and moment == "after":
            stage.gate = open_gate
            raise refused("PreconditionFailed", 412)

    stage.answer, stage.gate = out_of_memory, repeated
    stage.tick()
    assert [entry.state for entry in stage.ledger.every()].count("split") == 1


def daily(**source: object) -> Scenario:
    """Return a source with a window a day, which is due."""
    return Scenario([Record("a", 1), Record("b", 80_000)], source=source, now=END + 6 * MINUTE)


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "message": "internal error", "errors": []},
        {"code": 500, "message": "boom", "data": []},
        {"status": "ERROR", "reasons": ["quota exceeded"]},
        {"success": False, "message": "x", "errors": [{"reason": "quota"}]},
    ],
)
def test_an_error_under_200_that_holds_a_list_is_never_an_empty_window(body: dict[str, Any]) -> None:
    stage = daily()
    stage.answer = lambda _request: httpx.Response(200, json=body)
    for _ in range(3):
        stage.tick()
        stage.now += 7 * HOUR
    assert (stage.entry.state, stage.entry.issue) == ("planned", "malformed")


def test_an_error_that_quotes_half_a_character_is_the_error_it_is_with_a_manifest() -> None:
    stage = daily()
    body = b'{"error":{"errorCode":"210","message":"what\\ud83d"}}'
    stage.answer = lambda _request: httpx.Response(200, content=body)
    stage.tick()
    assert (stage.entry.issue, stage.entry.failures) == ("forbidden", 1)
    assert "what\\ud83d" in (stage.entry.error or "")
    assert json.loads(stage.s3.objects[stage.entry.manifest or ""].body)["error"] == stage.entry.error


def test_the_same_bytes_are_stored_again_before_those_of_an_earlier_visit_can_expire() -> None:
    stage = daily()
    stage.answer = lambda _request: httpx.Response(200, json={"success": False, "message": "x"})
    stored = list[int]()
    for _ in range(5):
        stage.tick()
        stored.append(len([key for key in stage.s3.objects if "2026-11-20" in key and key.endswith(".json.gz")]))
        stage.now += 240 * HOUR
    assert stored == [1, 1, 1, 1, 2]


def test_a_first_put_that_is_refused_because_it_succeeded_is_found_by_the_next_look() -> None:
    stage = daily()

    def repeated(call: str, moment: str) -> None:
        if call.startswith("s3.put logs/") and moment == "after":
            stage.gate = open_gate
            raise refused("PreconditionFailed", 412)

    stage.gate = repeated
    stage.tick()
    assert (stage.entry.state, stage.entry.failures, stage.rows()) == ("archived", 0, {"a": 1, "b": 1})


def test_an_earlier_worker_cannot_write_over_a_window_that_was_split(tmp_path: Path) -> None:
    stage = daily()
    for _ in range(2):
        stage.kill("api")
        stage.now += HOUR
    stage.now += HOUR
    stage.tick()
    [parent] = [entry for entry in stage.entries() if entry.state == "split"]
    assert parent.placeholder
    assert stage.s3.objects[parent.placeholder.key].etag == parent.placeholder.etag
    late = tmp_path / "late.parquet"
    late.write_bytes(b"rows of the sleeper")
    store = Store(stage.s3, "bucket")  # type: ignore[arg-type] # a drop-in
    with pytest.raises(ChangedError):
        store.replace(Place("elsa", "shop", parent.window).logs, late, sha256_of(late), None)
    stage.until_sealed()
    assert stage.rows() == {"a": 1, "b": 1}


def test_a_visit_that_is_complete_by_the_time_the_placeholder_stands_is_merged_and_nothing_is_split() -> None:
    stage = daily()
    stage.kill("s3.put logs/")
    sleeper = dict(stage.s3.objects)
    stage.s3.objects.clear()
    stage.now += HOUR
    stage.fails(MemoryError())

    def completes(call: str, moment: str) -> None:
        if call.startswith("s3.put logs/") and moment == "after":
            stage.gate = open_gate
            stage.s3.objects |= sleeper

    stage.gate = completes
    stage.tick()
    stage.now += 7 * HOUR
    stage.recovers()
    stage.until_sealed()
    assert (stage.rows(), [entry for entry in stage.entries() if entry.state == "split"]) == ({"a": 1, "b": 1}, [])


def test_a_worker_that_has_lost_its_claim_to_one_that_splits_completes_no_visit() -> None:
    """Its visit would be complete when nobody looks for it any more. Its clock is late, as that of a sleeper."""
    stage = daily()
    stage.kill("api")
    stage.now += HOUR  # so that this claim is the second one, which looks at the object before it merges

    def overtaken(_request: object) -> None:
        stage.now += HOUR
        stage.fails(MemoryError())
        stage.kill("ddb.transact")
        stage.recovers()

    stage.answer, start = overtaken, stage.now
    assert not act(stage.archive(lambda: start), {"action": "tick", "inline": True})["windows"]
    assert stage.events.count("claim.lost") == 1
    assert stage.seen() == {}
    stage.now += HOUR
    stage.until_sealed()
    assert stage.rows() == {"a": 1, "b": 1}


def test_a_visit_that_is_reported_while_a_placeholder_is_replaced_is_looked_for() -> None:
    stage = daily()
    stage.fails(OSError())
    with pytest.raises(ExceptionGroup):
        stage.tick()
    stage.now += HOUR
    stage.fails(MemoryError())
    stage.kill("s3.put logs/", "after")  # beside its placeholder, before its split
    stage.now += HOUR
    stage.recovers()
    looked: list[str] = []

    def report(call: str, moment: str) -> None:
        looked.append(call)
        if call == f"ddb.get {stage.entry.window_key}" and moment == "before":
            stage.gate = lambda call, _moment: looked.append(call)
            looked.clear()
            stage.ledger.reopen_for_unmerged_visit(stage.entry, stage.now)

    stage.gate = report
    stage.tick()
    assert [call for call in looked if call.startswith("s3.list raw/")]
    assert (stage.entry.unmerged_claims, stage.rows()) == (0, {"a": 1, "b": 1})


def test_a_placeholder_does_not_replace_an_object_that_stands(tmp_path: Path) -> None:
    stage = daily()
    stage.tick()
    merger = Merger(Store(stage.s3, "bucket"), Place("elsa", "shop", stage.entry.window), None, tmp_path)  # type: ignore[arg-type]
    assert not merger.write_placeholder("claim")
    assert stage.rows() == {"a": 1, "b": 1}


def test_the_ledger_says_why_the_object_of_a_complete_visit_could_not_be_written() -> None:
    stage = daily()

    def refuse(call: str, _moment: str) -> None:
        if call.startswith("s3.put logs/"):
            raise OSError("connection reset")

    stage.gate = refuse
    with pytest.raises(ExceptionGroup):
        stage.tick()
    assert "OSError: connection reset" in (stage.entry.error or "")
    assert stage.seen() == {"a": 1, "b": 1}


def test_the_manifest_of_a_visit_of_which_no_record_could_be_read_says_so() -> None:
    stage = daily()
    stage.answer = lambda _request: httpx.Response(200, content=zipped([{"body": "no time"}]))
    stage.tick()
    manifest = json.loads(stage.s3.objects[stage.entry.manifest or ""].body)
    assert (manifest["complete"], manifest["issue"], stage.entry.issue) == (True, "malformed", "malformed")


def test_a_visit_whose_publishing_fails_after_its_claim_is_lost_is_still_reported() -> None:
    stage = daily()
    stage.world[0] = Record("early", 1, gone=END + 10 * MINUTE)

    def overtaken(call: str, moment: str) -> None:
        if call.startswith("s3.put logs/") and moment == "before":
            stage.gate = open_gate
            stage.now = END + 40 * MINUTE
            stage.tick()
            raise OSError("connection reset")

    stage.gate = overtaken
    with pytest.raises(ExceptionGroup):
        stage.tick()
    stage.now = END + 2 * HOUR
    stage.until_sealed()
    assert stage.rows() == {"early": 1, "b": 1}


def test_a_range_that_the_provider_cannot_answer_in_time_is_asked_for_in_halves() -> None:
    stage = daily()

    def too_much(request: httpx.Request) -> httpx.Response | None:
        asked = json.loads(request.content)
        long = asked["to"] - asked["from"] > 13 * HOUR / MILLISECOND
        error = {"errorCode": "510", "message": "Endpoint Timeout"}
        return httpx.Response(504, json={"error": error}) if long else None

    stage.answer = too_much
    [window] = stage.tick()["windows"]
    assert (window["state"], window["rows"], window["issue"]) == ("archived", 2, None)
    [manifest] = [one.body for key, one in stage.s3.objects.items() if key.endswith("manifest.json")]
    assert [part["role"] for part in json.loads(manifest)["parts"]] == ["error", "data", "data"]


def test_a_provider_that_answers_no_range_in_time_is_unavailable_and_not_asked_for_every_millisecond() -> None:
    stage = daily()
    asked: list[str] = []

    def never(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(504, content=b"{}")

    stage.answer = never
    [window] = stage.tick()["windows"]
    assert (window["issue"], "504" in window["error"]) == ("unavailable", True)
    assert 20 < len(asked) < 60


def test_a_worker_ends_after_three_visits_whose_outcome_could_not_be_written() -> None:
    stage = hourly()
    claimed: list[str] = []

    def gate(call: str, moment: str) -> None:
        if call.startswith("ddb.update 2") and moment == "before":
            if call in claimed:
                raise refused("InternalServerError", 500) from KeyError("why")
            claimed.append(call)

    stage.act("tick")
    stage.gate = gate
    with pytest.raises(ExceptionGroup) as raised:
        stage.act("work", source="shop")
    assert len(claimed) == 3
    assert [type(error) for error in leaves(raised.value)] == [ClientError] * 3


def test_a_visit_that_is_put_back_ends_the_worker() -> None:
    stage = daily(window="PT12H")
    asked: list[int] = []

    def slow_second(_request: httpx.Request) -> None:
        asked.append(1)
        stage.now += 10 * MINUTE if len(asked) == 1 else 4 * MINUTE + MINUTE

    stage.answer = slow_second
    stage.tick()
    assert len(asked) == 2
    [back] = [entry for entry in stage.ledger.every() if not entry.visits]
    assert (back.attempt, back.due_at, back.failures, back.issue) == (1, stage.now, 0, None)


def test_a_worker_does_not_claim_again_what_it_has_put_back_however_much_time_is_left() -> None:
    stage = hourly()
    fail, asked = broken(1, OutOfTimeError("no time left to keep the pace")), itertools.count()

    def answer(request: httpx.Request) -> None:
        assert next(asked) < 9  # it would go on for ever
        fail(request)

    stage.answer = answer
    stage.act("tick")
    stage.act("work", source="shop")
    assert [entry.attempt for entry in stage.ledger.every()][:3] == [1, 1, 0]


def test_a_visit_that_meets_its_own_object_is_named_once_and_its_late_rows_are_counted() -> None:
    stage = daily()
    stage.tick()
    stage.world.append(Record("late", 5))
    stage.now = END + 2 * HOUR

    def lost_answer(call: str, moment: str) -> None:
        if call.startswith("s3.put logs/") and moment == "after":
            stage.gate = open_gate
            raise refused("PreconditionFailed", 412)

    stage.gate = lost_answer
    stage.tick()
    visits = stage.entry.visits
    assert (len(visits), len(set(visits)), stage.entry.numbers.late) == (2, 2, 1)


BAD, GOOD = {"body": "no time"}, Record("good", 5).json()


@pytest.mark.parametrize(
    ("first", "killed", "late"),
    [
        ([], [False, False], 1),
        ([Record("a", 1)], [False, True, False], 1),
        ([], [False, True, False], 1),
        ([], [True, False], 0),
    ],
)
def test_late_are_the_rows_that_the_first_good_visit_has_not_seen(
    first: list[Record], killed: list[bool], late: int
) -> None:
    """Whether the visit that has seen them first made the object itself, or was killed and is recovered from `raw/`."""
    visible = END + 30 * MINUTE if late else END
    stage = Scenario([*first, Record("late", 5, visible)], now=END)
    for age, kills in zip([6 * MINUTE, 2 * HOUR, 5 * HOUR], killed, strict=False):
        stage.now = END + age
        if kills:
            stage.kill("s3.put logs/")
        else:
            stage.tick()
    numbers = stage.entry.numbers
    assert (numbers.late, numbers.rows, numbers.fetched) == (late, len(first) + 1, len(first) + 1)
    assert (len(stage.entry.late_by_visit), sum(stage.entry.late_by_visit)) == (len(stage.entry.visits), late)


def test_a_reject_that_a_later_visit_does_not_return_stays_with_the_visit_that_it_came_in() -> None:
    stage = Scenario([], now=END + 6 * MINUTE)
    visits = [([BAD, BAD, GOOD], 6 * MINUTE), ([BAD, GOOD], HOUR), ([{"body": "other"}, BAD, GOOD], 4 * HOUR)]
    for records, age in visits:
        stage.now = END + age
        stage.answer = served(records)
        stage.tick()
    lines = [json.loads(line) for line in rejected(stage)]
    assert [json.loads(line["record"])["body"] for line in lines] == ["no time", "no time", "other"]
    assert [line["visit"][-4:] for line in lines] == ["0001", "0001", "0003"]
    before = dict(stage.s3.objects)
    [window] = stage.act("replay", source="shop", start=instant(START), end=instant(END), inline=True)["windows"]
    assert (window["error"], window["rejects"], stage.s3.objects) == (None, 2, before)


def test_rejects_of_several_visits_that_are_recovered_together_are_merged() -> None:
    stage = Scenario([], now=END + 6 * MINUTE)

    def overtaken(call: str, moment: str) -> None:
        if call.endswith("manifest.json") and moment == "before":
            stage.now += HOUR
            stage.answer = served([{"body": "other"}, BAD, GOOD])
            stage.kill("s3.put logs/")

    stage.answer, stage.gate = served([BAD, BAD, GOOD]), overtaken
    stage.tick()
    stage.now += HOUR
    stage.answer = served([GOOD])
    stage.until_sealed()
    lines = [json.loads(line) for line in rejected(stage)]
    assert [(json.loads(line["record"])["body"], line["visit"][-4:]) for line in lines] == [
        ("other", "0002"), ("no time", "0002"), ("no time", "0001"),
    ]  # fmt: skip
    assert stage.entry.numbers.rejects == 0
    assert len(stage.entry.visits) > 2


def test_rejects_that_come_again_are_not_written_again() -> None:
    stage = daily()
    stage.answer = served([GOOD, BAD])
    stage.tick()
    stage.now += 2 * HOUR
    stage.tick()
    assert len(stage.entry.visits) == 2
    assert len([call for call in stage.s3.calls if call.startswith("s3.put rejects/")]) == 1


def test_an_event_that_is_delivered_twice_is_worked_once() -> None:
    stage = Scenario([Record("a", 1)], now=END + 6 * MINUTE)
    archive = stage.archive()
    act(archive, {"action": "tick"})
    planned, second = stage.entry, list[Entry | None]()

    def again(_request: httpx.Request) -> None:
        stage.recovers()
        with archive.worker("shop", archive.source("shop")) as worker:
            second.extend([*worker.run(), worker.visit(planned)])

    stage.answer = again
    act(archive, {"action": "work", "source": "shop"})
    assert second == [None]
    assert (stage.entry.attempt, stage.entry.state) == (1, "archived")


def served(records: list[dict[str, Any]]) -> Callable[[httpx.Request], httpx.Response]:
    """Return what answers every request with these records."""
    return lambda _request: httpx.Response(200, content=zipped(records))


def rejected(stage: Scenario) -> list[bytes]:
    """Return the lines of the only file of rejects."""
    [body] = [stored.body for key, stored in stage.s3.objects.items() if key.startswith("rejects/")]
    return gzip.decompress(body).splitlines()


@pytest.mark.parametrize(
    ("records", "issue"),
    [
        ([BAD, BAD], "malformed"),
        ([BAD], "malformed"),
        ([{"logTime": "soon"}, {"logTime": None}], "malformed"),
        ([{**GOOD, "logTime": GOOD["logTime"] - 9 * 86_400_000}] * 3, "mismatch"),
        ([{**GOOD, "logTime": GOOD["logTime"] + 9 * 86_400_000}] * 2 + [GOOD], "mismatch"),
    ],
)
def test_a_response_that_answers_something_else_seals_no_window(records: list[dict[str, Any]], issue: str) -> None:
    stage = Scenario([], now=END + 30 * HOUR)
    stage.answer = served(records)
    stage.tick()
    entry = stage.entries()[0]
    assert (entry.state, entry.issue) == ("planned" if issue == "mismatch" else "closed", issue)
    assert entry.manifest


def test_a_manifest_whose_response_was_lost_is_not_forgotten() -> None:
    stage = Scenario([Record("early", 1, gone=END + 10 * MINUTE), Record("stays", 2)], now=END + 6 * MINUTE)

    def lost(call: str, moment: str) -> None:
        if call.startswith("s3.put raw/") and call.endswith("manifest.json") and moment == "after":
            stage.gate = open_gate
            raise refused("RequestTimeout", 500)

    stage.gate = lost
    with pytest.raises(ExceptionGroup):
        stage.tick()
    stage.now = END + 30 * MINUTE
    stage.until_sealed()
    assert stage.rows() == {"early": 1, "stays": 1}


def test_a_claim_that_counts_itself_is_not_taken_for_the_report_of_a_lost_visit() -> None:
    """Both add one to the same attribute: the report was refused, and must be made again."""
    stage = Scenario([Record("a", 1)], now=END + MINUTE)
    stage.tick()
    lost = stage.ledger.claim(stage.entry, "sleeper", END + 6 * MINUTE, END + 7 * MINUTE)
    assert lost
    taken: list[Entry | None] = []

    def another_claim(call: str, moment: str) -> None:
        if call.startswith("ddb.get 2026") and moment == "after":
            stage.gate = open_gate
            taken.append(stage.ledger.claim(stage.entry, "other", END + HOUR, END + 2 * HOUR))

    stage.gate = another_claim
    stage.ledger.reopen_for_unmerged_visit(lost, END + HOUR)
    assert taken[0]
    assert stage.entry.unmerged_claims == taken[0].unmerged_claims + 1


def test_a_stored_visit_that_can_no_longer_be_read_fails_the_invocation_once_and_holds_nothing_up() -> None:
    stage = Scenario([Record("a", 1)], now=END + 6 * MINUTE)
    stage.kill("s3.put logs/")
    [part] = [stored for key, stored in stage.s3.objects.items() if key.endswith(".zip")]
    [manifest] = [stored for key, stored in stage.s3.objects.items() if key.endswith("manifest.json")]
    before, part.body = part.body, zipped([])[:-1]
    was, is_now = (hashlib.sha256(body).hexdigest().encode() for body in (before, part.body))
    manifest.body = manifest.body.replace(was, is_now)
    stage.now += HOUR
    with pytest.raises(ExceptionGroup) as raised:
        stage.tick()
    assert "20261121T000600Z-0001" in str(leaves(raised.value)[0])
    assert (stage.entry.state, stage.rows()) == ("archived", {"a": 1})
    stage.until_sealed()


LONG = "y" * 2_000_000


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("", LONG), ("x" * 930, LONG), ("x" * 992, ""), ("x" * 19_500, "")]
)
def test_an_unforeseen_error_is_masked_and_then_cut_wherever_it_is_written_down(before: str, after: str) -> None:
    stage = Scenario([Record("a", 1)], now=END + 6 * MINUTE, secrets={"la/ncloud/one": json.dumps(KEYS)})
    stage.fails(RuntimeError(f"{before} {KEYS['secret_key']} {after}"))
    archive, written = stage.archive(), list[object]()

    def log(event: str, **keys: object) -> None:
        written.append((event, keys))

    invocation = replace(archive.invocation, log=log)
    with pytest.raises(ExceptionGroup) as raised:
        act(replace(archive, invocation=invocation), {"action": "tick", "inline": True})
    assert "unexpected RuntimeError" in (stage.entry.error or "")
    written += ["".join(traceback.format_exception(raised.value)), stage.s3.objects[stage.entry.manifest or ""].body]
    for text in map(str, [*written, stage.entry]):
        assert not [at for at in range(10) if KEYS["secret_key"][at : at + 6] in text]
        assert len(text) < 30_000


KEYS = {"access_key": "AKIDxxxxxx", "secret_key": "s3cr3t-value-42"}
