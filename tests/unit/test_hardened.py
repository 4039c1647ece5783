"""What a hostile reading of the code found, kept from coming back."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from functions.dsa.app import provider as dsa
from logarchive.moment import instant
from logarchive.runtime.source_loader import SourceLoader
from logarchive.store.bucket import ChangedError, Store, sha256_of
from logarchive.store.manifest import RawVisit
from logarchive.store.place import Place
from logarchive.visit.merger import Merger
from logarchive.window import Window
from tests.fake_aws import FakeS3, FakeSecrets, FakeSsm, open_gate, refused
from tests.scenario import END, HOUR, MINUTE, START, Record, Scenario
from tests.unit.visit import part

WORLD = [Record("a", 1), Record("b", 80_000)]


def scenario(**configured: object) -> Scenario:
    return Scenario(list(WORLD), source=dict(configured), now=END + 6 * MINUTE)


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
    stage = scenario()
    stage.answer = lambda _request: httpx.Response(200, json=body)
    for _ in range(6):
        stage.tick()
        stage.now += 7 * HOUR
    entry = next(stage.ledger.every())
    assert (entry.state, entry.issue) == ("planned", "malformed")


def test_an_earlier_worker_cannot_write_over_a_window_that_was_split(tmp_path: Path) -> None:
    stage = scenario()
    for _ in range(2):
        stage.kill("api")
        stage.now += HOUR
    stage.now += HOUR
    stage.tick()
    [parent] = [entry for entry in stage.entries() if entry.state == "split"]
    key = f"logs/provider=elsa/date=2026-11-20/shop-{parent.window.slug}.parquet"
    body = tmp_path / "late.parquet"
    body.write_bytes(b"rows of the sleeper")
    with pytest.raises(ChangedError):
        Store(stage.s3, "bucket").replace(key, body, sha256_of(body), None)  # type: ignore[arg-type] # a drop-in
    stage.until_sealed()
    assert stage.rows() == {"a": 1, "b": 1}


def test_a_placeholder_does_not_replace_an_object_that_stands(tmp_path: Path) -> None:
    stage = scenario()
    stage.tick()
    merger = Merger(Store(stage.s3, "bucket"), Place("elsa", "shop", stage.entry.window), None, tmp_path)  # type: ignore[arg-type]
    assert not merger.write_placeholder("claim")
    assert stage.rows() == {"a": 1, "b": 1}


def test_a_visit_whose_publishing_fails_after_its_claim_is_lost_is_still_reported() -> None:
    stage = scenario()
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


def test_a_start_within_the_hour_of_a_file_is_refused_where_the_file_is_the_unit() -> None:
    source = {"secret": "la/dsa/one", "api": "cdn", "hosts": ["a.test"], "start": "2026-11-20T00:30:00Z"}
    ssm = FakeSsm({"/la/sources/dsa/edge": json.dumps(source)})
    _, [error] = SourceLoader(dsa, ssm, FakeSecrets(), "/la/sources/dsa", "la").load()  # type: ignore[arg-type] # drop-ins
    assert error.error == "start: 2026-11-20T00:30:00Z is no multiple of PT1H in UTC; for instance 2026-11-20T00:00:00Z"


def test_a_range_that_the_provider_cannot_answer_in_time_is_asked_for_in_halves() -> None:
    stage = scenario()

    def too_much(request: httpx.Request) -> httpx.Response | None:
        asked = json.loads(request.content)
        long = asked["to"] - asked["from"] > 13 * HOUR / dt.timedelta(milliseconds=1)
        return (
            httpx.Response(504, json={"error": {"errorCode": "510", "message": "Endpoint Timeout"}}) if long else None
        )

    stage.answer = too_much
    [window] = stage.tick()["windows"]
    assert (window["state"], window["rows"], window["issue"]) == ("archived", 2, None)
    roles = [
        part["role"]
        for key, one in stage.s3.objects.items()
        if key.endswith("manifest.json")
        for part in json.loads(one.body)["parts"]
    ]
    assert roles == ["error", "data", "data"]


def test_a_provider_that_answers_no_range_in_time_is_unavailable_and_not_asked_for_every_millisecond() -> None:
    stage = scenario()
    asked: list[str] = []

    def never(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(504)

    stage.answer = never
    [window] = stage.tick()["windows"]
    assert window["issue"] == "unavailable"
    assert len(asked) < 60


def test_a_visit_that_is_put_back_ends_the_worker() -> None:
    stage = scenario(window="PT12H")
    asked: list[int] = []

    def slow_second(_request: httpx.Request) -> None:
        asked.append(1)
        stage.now += 10 * MINUTE if len(asked) == 1 else 4 * MINUTE + MINUTE

    stage.answer = slow_second
    stage.tick()
    assert len(asked) == 2
    [back] = [entry for entry in stage.ledger.every() if not entry.visits]
    assert (back.attempt, back.due_at, back.failures, back.issue) == (1, stage.now, 0, None)


def test_a_visit_that_meets_its_own_object_is_named_once_and_its_late_rows_are_counted() -> None:
    stage = scenario()
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


def test_a_backfill_with_a_bad_secret_changes_nothing() -> None:
    stage = scenario(secret="la/ncloud/gone")
    assert not stage.act("backfill", source="shop", start=instant(START), end=instant(END))["ok"]
    assert stage.table.items == {}


def test_what_a_provider_adds_to_a_part_overwrites_nothing_in_the_manifest(tmp_path: Path) -> None:
    store = Store(FakeS3(), "bucket")  # type: ignore[arg-type] # a drop-in
    raw = RawVisit(store, Place("elsa", "shop", Window(START, END)), "visit", tmp_path, {})
    kept = raw.keep(part(b"body").replace(extra={"key": "elsewhere", "host": "a.test"}))
    [described] = json.loads(store.read(raw.close([kept])))["parts"]
    assert (described["key"], described["host"]) == (kept.key, "a.test")
