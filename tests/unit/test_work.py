"""Ticks, workers and backfills, on the fakes."""

import datetime as dt
import json
from typing import Any

import httpx
import pytest

from logarchive.action.handler import act
from logarchive.ledger.dynamodb import EXISTS, Write
from logarchive.moment import instant
from tests.scenario import END, HOUR, MINUTE, START, TIMEOUT, Record, Scenario

WORLD = [Record("a", 1), Record("b", 2)]


def scenario(**configured: object) -> Scenario:
    return Scenario(list(WORLD), source=dict(configured), now=END + 6 * MINUTE)


def backfill(stage: Scenario, **more: object) -> Any:
    return stage.act("backfill", **{"source": "shop", "start": instant(START), "end": instant(END), **more})


def test_a_tick_plans_and_dispatches_a_worker_for_what_is_due() -> None:
    stage = scenario()
    answer = stage.act("tick")
    assert (answer["planned"], answer["dispatched"]) == (1, 1)
    (asked,) = stage.dispatched
    assert asked.pop("by").startswith("invocation-")
    assert asked == {"action": "work", "source": "shop"}


def test_a_tick_dispatches_nothing_while_every_slot_is_taken_and_nothing_when_nothing_is_due() -> None:
    stage = scenario()
    stage.ledger.take_slot(0, "busy", stage.now, stage.now + HOUR)
    assert stage.act("tick")["dispatched"] == 0
    early = scenario()
    early.now = END + MINUTE
    answer = early.act("tick")
    assert (answer["planned"], answer["dispatched"], early.dispatched) == (1, 0, [])


def test_no_secret_is_read_while_nothing_is_due() -> None:
    stage = scenario(secret="la/ncloud/gone")
    stage.now = END + MINUTE
    answer = stage.act("tick")
    assert (answer["planned"], answer["errors"], "source.dispatched" in stage.events) == (1, [], False)


def test_no_more_workers_are_dispatched_than_windows_are_due() -> None:
    stage = scenario(workers=5)
    assert stage.act("tick")["dispatched"] == 1


def test_a_worker_works_off_what_is_due_and_gives_its_slot_back() -> None:
    stage = scenario()
    stage.act("tick")
    answer = stage.act("work", source="shop")
    [window] = answer["windows"]
    assert (window["state"], window["rows"], window["visits"]) == ("archived", 2, 1)
    assert answer["totals"] == {"windows": 1, "rows": 2}
    head = stage.ledger.head()
    assert head
    assert all(slot.until <= stage.now for slot in head.slots)


def test_the_newest_window_with_rows_stays_known_when_an_older_one_is_visited_again() -> None:
    stage = Scenario([Record("a", 1), Record("b", 20 * 3600)], source={"window": "PT1H"}, now=END + 6 * MINUTE)
    stage.tick()
    newest = END - 3 * HOUR
    head = stage.ledger.head()
    assert head
    assert head.last_rows_until == newest
    stage.act("backfill", source="shop", start=instant(START), end=instant(START + HOUR), reopen=True)
    stage.act("work", source="shop")
    head = stage.ledger.head()
    assert head
    assert head.last_rows_until == newest


def test_a_second_worker_ends_at_once_while_the_only_slot_is_taken() -> None:
    stage = scenario()
    stage.act("tick")
    stage.ledger.take_slot(0, "other", stage.now, stage.now + HOUR)
    assert stage.act("work", source="shop")["windows"] == []
    assert "worker.no_slot" in stage.events


def test_a_lease_outlives_the_invocation_that_took_it() -> None:
    stage = scenario()
    leases: list[dt.datetime | None] = []

    def look(_request: httpx.Request) -> None:
        head = stage.ledger.head()
        assert head
        leases.extend([*(entry.due_at for entry in stage.ledger.every()), *(slot.until for slot in head.slots)])

    stage.answer = look
    # Thirty seconds: clocks may differ, and Lambda ends a function a little after its time.
    outlived = stage.now + TIMEOUT + dt.timedelta(seconds=30)
    stage.tick()
    assert len(leases) == 2
    assert all(lease and lease > outlived for lease in leases)


def test_of_many_due_windows_the_one_that_is_lost_soonest_is_taken_first() -> None:
    stage = scenario(window="PT6H", retention="P3D")
    asked: list[int] = []
    stage.act("tick")
    [first, *others] = stage.ledger.every()
    assert others
    stage.table.update(Write(stage.ledger.partition, first.window_key, {"lost_at": None}, EXISTS))
    stage.answer = lambda request: asked.append(json.loads(request.content)["from"])
    stage.tick()
    assert asked[-1] < min(asked[:-1])


def test_work_for_a_source_that_is_not_there_is_refused_by_name() -> None:
    answer = scenario().act("work", source="nobody")
    assert answer == {
        "ok": False,
        "provider": "elsa",
        "errors": [{"source": "nobody", "error": "no source 'nobody' under /la/sources/elsa"}],
    }


def test_a_worker_reads_its_own_source_and_not_all_of_them() -> None:
    archive = scenario().archive()
    assert act(archive, {"action": "work", "source": "shop"})["ok"]
    assert getattr(archive.source_loader.ssm, "calls", None) == ["get_parameter"]


def test_a_wrong_event_changes_nothing() -> None:
    stage = scenario()
    answer = stage.act("tock")
    assert not answer["ok"]
    assert stage.table.items == {}
    assert stage.s3.objects == {}


def test_a_disabled_source_is_neither_planned_nor_visited_and_shown_as_paused() -> None:
    stage = scenario()
    stage.tick()
    stage.source["enabled"] = False
    stage.now += HOUR
    assert stage.tick()["windows"] == []
    assert not stage.act("work", source="shop")["ok"]
    [source] = stage.act("status")["sources"]
    assert (source["state"], source["rows"]) == ("paused", 2)


def test_a_backfill_plans_and_visits_a_range_and_leaves_the_cursor() -> None:
    stage = scenario(start="2026-11-21T00:00:00Z")
    head_before = stage.act("tick")
    assert head_before["planned"] == 0
    answer = backfill(stage, inline=True)
    [window] = answer["windows"]
    assert (window["state"], window["rows"], answer["next"]) == ("archived", 2, None)
    head = stage.ledger.head()
    assert head
    assert head.cursor == END


def test_a_backfill_in_the_background_dispatches_and_lists_what_is_due() -> None:
    stage = scenario()
    answer = backfill(stage, workers=3)
    assert answer["dispatched"] == 1
    assert [{**asked, "by": ""} for asked in stage.dispatched] == [
        {"action": "work", "source": "shop", "workers": 3, "by": ""}
    ]
    assert [window["state"] for window in answer["windows"]] == ["planned"]


def test_a_backfill_visits_sealed_windows_only_when_they_are_to_be_reopened() -> None:
    stage = scenario()
    stage.now = END + 5 * HOUR
    stage.tick()
    stage.world.append(Record("new host", 3))
    unchanged = backfill(stage, inline=True)["windows"]
    assert [(window["state"], window["rows"]) for window in unchanged] == [("sealed", 2)]
    reopened = backfill(stage, inline=True, reopen=True)["windows"]
    assert [(window["state"], window["rows"], window["late"]) for window in reopened] == [("sealed", 3, 1)]
    assert stage.rows() == {"a": 1, "b": 1, "new host": 1}


def test_a_dry_run_says_what_it_would_take_and_changes_no_window() -> None:
    stage = scenario()
    answer = backfill(stage, dry_run=True)
    assert (answer["new"], answer["again"], answer["estimate"]["windows"]) == (1, 0, 1)
    assert list(stage.ledger.every()) == []


@pytest.mark.parametrize(
    ("window", "counted", "until"),
    [
        ("PT1S", 10_000, "2026-10-20T02:46:40Z"),
        ("PT1M", 10_000, "2026-10-26T22:40:00Z"),
        ("PT7S", 10_000, "2026-10-20T19:26:38Z"),
        ("PT1H", 32 * 24, None),
    ],
)
def test_a_dry_run_of_a_long_range_counts_its_first_windows_and_says_where_to_go_on(
    window: str, counted: int, until: str | None
) -> None:
    answer = backfill(scenario(window=window), start="2026-10-20T00:00:00Z", dry_run=True)
    assert (answer["new"], answer["estimate"]["windows"], answer["next"]) == (counted, counted, until)


def test_a_dry_run_goes_on_where_it_has_ended_and_counts_each_window_once() -> None:
    stage = scenario(window="PT10S")
    backfill(stage, start="2026-11-20T12:00:00Z")
    first = backfill(stage, start="2026-11-19T12:00:00Z", dry_run=True)
    rest = backfill(stage, start=first["next"], dry_run=True)
    assert (first["new"] + first["again"], rest["next"]) == (10_000, None)
    assert (first["new"] + rest["new"], first["again"] + rest["again"]) == (36 * 360 - 1000, 1000)


def test_a_window_that_another_worker_holds_is_busy() -> None:
    stage = scenario()
    stage.act("tick")
    [entry] = stage.ledger.every()
    assert stage.ledger.claim(entry, "worker-1", stage.now, stage.now + HOUR)
    [window] = backfill(stage, inline=True)["windows"]
    assert window["state"] == "busy"


@pytest.mark.parametrize("action", ["work", "backfill", "replay"])
def test_more_workers_than_the_pace_has_requests_a_minute_are_refused(action: str) -> None:
    stage = scenario(pace=3)
    start_and_end = {} if action == "work" else {"start": instant(START), "end": instant(END)}
    assert stage.act(action, source="shop", workers=3, **start_and_end)["ok"]
    refused = stage.act(action, source="shop", workers=4, **start_and_end)
    [error] = refused["errors"]
    assert error["error"] == "workers: 4 are too many for the source's pace; at most 3"


def test_a_backfill_into_the_future_is_refused() -> None:
    answer = backfill(scenario(), end="2027-01-01T00:00:00Z")
    assert "is in the future; the latest possible end is" in answer["errors"][0]["error"]


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_backfill_of_days_that_the_table_does_not_show_is_refused_and_the_parameter_named(*, dry_run: bool) -> None:
    stage = scenario(start="2026-11-21T00:00:00Z")
    stage.archive_from = END
    answer = backfill(stage, dry_run=dry_run)
    assert not answer["ok"]
    assert "start: 2026-11-20T00:00:00Z is before ArchiveFrom (2026-11-21)" in answer["errors"][0]["error"]
    assert list(stage.ledger.every()) == []


def test_a_backfill_from_the_first_day_that_the_table_shows_is_done() -> None:
    stage = scenario(start="2026-11-21T00:00:00Z")
    stage.archive_from = START
    answer = backfill(stage, inline=True)
    assert (answer["errors"], answer["totals"]["rows"]) == ([], 2)


def test_a_source_that_starts_before_the_table_is_reported_by_a_tick_and_not_planned() -> None:
    stage = scenario(start="2026-11-20T00:00:00Z")
    stage.archive_from = END
    answer = stage.tick()
    assert "before ArchiveFrom (2026-11-21)" in answer["errors"][0]["error"]
    assert (answer["planned"], list(stage.ledger.every())) == (0, [])


def test_a_long_backfill_lists_a_thousand_windows_and_says_where_to_go_on() -> None:
    stage = scenario(window="PT1M")
    answer = backfill(stage)
    assert len(answer["windows"]) == 1000
    assert answer["next"] == instant(START + 1000 * MINUTE)
    rest = backfill(stage, start=answer["next"])
    assert (len(rest["windows"]), rest["next"]) == (440, None)


def test_an_inline_backfill_ends_before_the_deadline_and_says_where_to_go_on() -> None:
    stage = scenario(window="PT6H")
    stage.lasts(14 * MINUTE)
    answer = backfill(stage, inline=True)
    assert len(answer["windows"]) == 1
    assert answer["next"] == instant(START + 6 * HOUR)


def test_a_missing_secret_is_named_before_a_worker_is_started() -> None:
    stage = scenario(secret="la/ncloud/gone")
    answer = stage.act("tick")
    assert answer["errors"] == [
        {"source": "shop", "error": "secret 'la/ncloud/gone' cannot be read: ResourceNotFoundException"}
    ]
    assert stage.dispatched == []
    assert answer["planned"] == 1


def test_a_backfill_with_a_missing_secret_changes_nothing() -> None:
    stage = scenario(secret="la/ncloud/gone")
    assert not backfill(stage)["ok"]
    assert stage.table.items == {}


def test_another_project_under_an_old_name_is_refused() -> None:
    stage = scenario()
    stage.tick()
    stage.source["project_id"] = 2
    answer = stage.tick()
    assert "already archives" in answer["errors"][0]["error"]


def test_an_empty_window_has_raw_and_a_manifest_and_no_object() -> None:
    stage = Scenario([], now=END + 6 * MINUTE)
    [window] = stage.tick()["windows"]
    assert (window["state"], window["rows"], window["issue"]) == ("archived", 0, None)
    kinds = {key.split("/")[0] for key in stage.s3.objects}
    assert kinds == {"raw"}
    assert len(stage.s3.objects) == 2


def test_the_same_bytes_are_stored_once_and_named_by_every_visit() -> None:
    stage = scenario()
    stage.tick()
    stage.now = END + 2 * HOUR
    stage.tick()
    parts = [key for key in stage.s3.objects if key.endswith(".zip")]
    manifests = [json.loads(o.body) for key, o in stage.s3.objects.items() if key.endswith("manifest.json")]
    assert len(parts) == 1
    assert [manifest["parts"][0]["key"] for manifest in manifests] == parts * 2


def test_a_visit_that_finds_the_same_records_leaves_the_object_alone() -> None:
    stage = scenario()
    stage.tick()
    [before] = [o.version for key, o in stage.s3.objects.items() if key.startswith("logs/")]
    stage.now = END + 2 * HOUR
    stage.tick()
    [after] = [o.version for key, o in stage.s3.objects.items() if key.startswith("logs/")]
    assert before == after


@pytest.mark.parametrize("left", [-MINUTE, dt.timedelta(seconds=15)])
def test_a_visit_without_time_to_build_and_write_splits_its_window(left: dt.timedelta) -> None:
    stage = scenario()
    stage.lasts(TIMEOUT - left)
    stage.tick()
    states = sorted(entry.state for entry in stage.ledger.every())
    assert states == ["planned", "planned", "split"]
    stage.recovers()
    stage.until_sealed()
    assert stage.rows() == {"a": 1, "b": 1}


def test_a_revisit_that_runs_out_of_time_keeps_what_stands() -> None:
    stage = scenario()
    stage.tick()
    stage.lasts(16 * MINUTE)
    stage.now = END + 2 * HOUR
    stage.tick()
    entry = stage.entry
    assert (entry.state, entry.issue, entry.numbers.rows) == ("archived", "too_large", 2)
    assert stage.rows() == {"a": 1, "b": 1}


def test_a_normal_visit_costs_at_most_eight_requests_beyond_its_parts() -> None:
    stage = scenario()
    stage.act("tick")
    costs: list[int] = []
    for moment in (END + 6 * MINUTE, END + 2 * HOUR, END + 5 * HOUR):
        stage.now = moment
        stage.world.append(Record(f"new {moment}", 5))
        stage.table.calls.clear()
        stage.s3.calls.clear()
        stage.act("work", source="shop")
        costs.append(len(stage.table.calls) + len([call for call in stage.s3.calls if ".zip" not in call]))
    slot_and_last_look = 3
    assert max(costs) - slot_and_last_look <= 8


def test_a_window_whose_raw_objects_have_expired_is_visited_anew() -> None:
    stage = scenario()
    stage.tick()
    before = {key for key in stage.s3.objects if key.startswith("raw/")}
    for key in before:
        del stage.s3.objects[key]
    stage.now = END + 2 * HOUR
    stage.tick()
    raw = {key for key in stage.s3.objects if key.startswith("raw/")}
    assert len(raw) == len(before) == 2
    assert not raw & before
    assert stage.rows() == {"a": 1, "b": 1}
