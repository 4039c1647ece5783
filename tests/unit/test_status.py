import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from pydantic import HttpUrl

from logarchive.action.handler import act
from logarchive.action.result import Result
from logarchive.action.status import ENOUGH_SOURCES, incomplete, status_of
from logarchive.coverage.gap import Expected, leaves_of
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.lag import quiet_seconds
from logarchive.ledger.past import Sums
from logarchive.numbers import WindowNumbers
from logarchive.provider.source import Source
from logarchive.runtime.metric import Tally
from logarchive.window import Span, Window
from tests.fake_aws import FakeSsm, refused
from tests.scenario import MINUTE, Scenario

T0 = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
SETTINGS = Source.model_validate({"secret": "s", "base_url": HttpUrl("http://localhost"), "retention": "P2D"})


def entry(hour: int, state: str, **fields: object) -> Entry:
    window = Window(T0 + hour * HOUR, T0 + (hour + 1) * HOUR)
    due = {} if state in {"sealed", "closed"} else {"due_at": window.end}
    visits = ("v",) if state != "planned" else ()
    lost = window.start + dt.timedelta(days=2)
    return Entry.model_validate(
        {"window_key": window.key, "state": state, "visits": visits, "lost_at": lost, **due, **fields}
    )


def standing(head: Head | None, entries: list[Entry], source: Source, now: dt.datetime) -> Result:
    return status_of(head, Sums().plus(entries), entries, source, now)


def head(hours: int) -> Head:
    return Head(begin=T0, cursor=T0 + hours * HOUR, feed_id="f")


def test_sealed_until_stops_at_the_first_window_that_is_not_sealed_and_settled_until_passes_closed_ones() -> None:
    entries = [entry(0, "sealed"), entry(1, "closed", issue="expired"), entry(2, "archived"), entry(3, "sealed")]
    found = standing(head(4), entries, SETTINGS, T0 + 5 * HOUR)
    assert found["sealed_until"] == "2026-11-20T01:00:00Z"
    assert found["settled_until"] == "2026-11-20T02:00:00Z"
    assert (found["open"], found["issues"]) == (1, {"expired": 1})


def test_when_all_is_sealed_both_are_the_cursor_and_nothing_lags() -> None:
    found = standing(
        head(2),
        [entry(0, "sealed", numbers=WindowNumbers(rows=3)), entry(1, "sealed", numbers=WindowNumbers(rows=4))],
        SETTINGS,
        T0 + 2 * HOUR,
    )
    assert found["sealed_until"] == found["settled_until"] == "2026-11-20T02:00:00Z"
    assert (found["lag_seconds"], found["open"], found["due"], found["rows"]) == (0, 0, 0, 7)


def test_sealed_until_stops_at_a_hole_that_no_window_covers() -> None:
    entries = [entry(0, "sealed"), entry(1, "sealed"), entry(5, "sealed")]
    found = standing(head(6), entries, SETTINGS, T0 + 6 * HOUR)
    assert found["sealed_until"] == found["settled_until"] == "2026-11-20T02:00:00Z"


def test_lag_counts_from_the_end_of_the_oldest_window_never_archived_less_the_delay() -> None:
    entries = [entry(0, "archived"), entry(1, "planned"), entry(2, "planned")]
    found = standing(head(3), entries, SETTINGS, T0 + 4 * HOUR)
    assert found["lag_seconds"] == 2 * 3600 - 300


def test_what_no_tick_has_planned_yet_lags_too() -> None:
    assert standing(head(1), [entry(0, "sealed")], SETTINGS, T0 + 5 * HOUR)["lag_seconds"] == 3 * 3600 - 300


def test_a_closed_window_lags_no_more() -> None:
    entries = [entry(0, "closed", visits=(), issue="expired")]
    assert standing(head(1), entries, SETTINGS, T0 + HOUR)["lag_seconds"] == 0


def test_hours_to_loss_are_those_of_the_first_record_that_may_go() -> None:
    found = standing(head(3), [entry(0, "sealed"), entry(1, "archived"), entry(2, "planned")], SETTINGS, T0 + 3 * HOUR)
    assert found["hours_to_loss"] == 47.0  # the archived one is only to be looked at again
    failing = [entry(0, "sealed"), entry(1, "archived", issue="malformed"), entry(2, "planned")]
    assert standing(head(3), failing, SETTINGS, T0 + 3 * HOUR)["hours_to_loss"] == 46.0
    nothing = SETTINGS.model_copy(update={"retention": None})
    assert standing(head(1), [entry(0, "sealed")], nothing, T0 + HOUR)["hours_to_loss"] is None


def test_hours_to_loss_are_exact_to_a_hundredth() -> None:
    found = standing(head(1), [entry(0, "planned")], SETTINGS, T0 + dt.timedelta(minutes=7))
    assert found["hours_to_loss"] == 47.88


def test_a_source_that_was_never_planned_is_not_quiet() -> None:
    assert quiet_seconds(None, []) == 0


def test_due_windows_and_the_last_error_are_shown() -> None:
    entries = [entry(0, "planned", issue="forbidden", error="401"), entry(1, "planned", error="403")]
    found = standing(head(2), entries, SETTINGS, T0 + HOUR)
    assert (found["due"], found["last_error"]) == (1, "403")


@pytest.mark.parametrize("planned", [None, head(0), head(5)])
def test_a_source_without_windows_is_sealed_until_no_moment(planned: Head | None) -> None:
    found = standing(planned, [], SETTINGS, T0 + HOUR)
    assert (found["sealed_until"], found["settled_until"], found["open"]) == (None, None, 0)


def test_a_source_that_was_never_planned_has_no_lag() -> None:
    assert standing(None, [], SETTINGS, T0)["lag_seconds"] is None


def status(stage: Scenario, **event: str) -> tuple[dict[str, Any], list[Any]]:
    """Return what `status` says of each source, and its errors."""
    result = act(stage.archive(), {"action": "status", **event})
    return {source["source"]: source for source in result["sources"]}, result["errors"]


GONE = "secret 'la/ncloud/gone' cannot be read: ResourceNotFoundException"
INCOMPLETE = "secret 'la/ncloud/half': secret_key: missing"
NO_JSON = "secret 'la/ncloud/text': the document is no JSON"


@pytest.mark.parametrize(
    ("configured", "error"),
    [
        ({"secret": "la/ncloud/gone"}, GONE),
        ({"secret": "la/ncloud/half"}, INCOMPLETE),
        ({"secret": "la/ncloud/text"}, NO_JSON),
        ({"project_id": 2}, 'this name already archives "p/1"'),
        ({"project_key": "q"}, 'this name already archives "p/1"'),
        ({"project_idd": 1}, "project_idd: unknown field"),
        ({"window": "1h"}, "window: is no ISO 8601 duration"),
    ],
)
@pytest.mark.parametrize("planned", [True, False])
def test_a_source_that_cannot_be_used_is_invalid_before_anything_is_due(
    configured: dict[str, object], error: str, *, planned: bool
) -> None:
    stage = Scenario([], secrets={"la/ncloud/half": '{"access_key": "a"}', "la/ncloud/text": "hush"})
    if planned or "already archives" in error:
        stage.act("tick")
    stage.source |= configured
    sources, errors = status(stage)
    assert sources["shop"]["state"] == "invalid"
    assert sources["shop"]["last_error"].startswith(error)
    assert errors == [{"source": "shop", "error": sources["shop"]["last_error"]}]
    assert "hush" not in str(errors)


def test_a_paused_source_is_paused_and_its_secret_is_not_read() -> None:
    stage = Scenario([], source={"enabled": False, "secret": "la/ncloud/gone"})
    stage.act("tick")
    sources, errors = status(stage)
    assert (sources["shop"]["state"], errors) == ("paused", [])


def test_a_secret_that_several_sources_share_is_read_once() -> None:
    stage = Scenario([])
    stage.sources = {name: {"secret": "la/ncloud/one", "project_key": "p", "project_id": 1} for name in ("a", "b", "c")}
    archive = stage.archive()
    assert act(archive, {"action": "status"})["errors"] == []
    assert getattr(archive.source_loader.secrets, "calls", None) == ["la/ncloud/one"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("elsaa/checkout", '"elsaa" is no provider, so no function reads this parameter; did you mean elsa?'),
        ("Elsa/checkout", '"Elsa" is no provider, so no function reads this parameter; did you mean elsa?'),
        ("logs/a/b", '"logs" is no provider, so no function reads this parameter; the providers are dsa, elsa'),
        ("checkout", "the name has no provider, so no function reads this parameter; for instance elsa/checkout"),
    ],
)
@pytest.mark.parametrize("action", ["tick", "status"])
def test_a_parameter_under_no_provider_s_name_is_an_error_of_every_function(name: str, error: str, action: str) -> None:
    stage = Scenario([], parameters={f"/la/sources/{name}": "{}", "/la/sources/dsa/edge": "{}"})
    tally = Tally()
    result = act(stage.archive(count=tally), {"action": action})
    assert result["errors"] == [{"source": name, "error": error}]
    assert tally.total["SourceErrors"] == 1
    assert "source.invalid" in stage.events


class Refusing(FakeSsm):
    """Parameters whose names AWS does not list."""

    code = ""

    def paginate(self, **options: Any) -> Iterator[dict[str, Any]]:
        if "ParameterFilters" in options:
            raise refused(self.code, 400)
        yield from super().paginate(**options)


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "InternalServerError"])
@pytest.mark.parametrize("action", ["tick", "status"])
def test_that_names_of_parameters_cannot_be_listed_is_said_and_all_else_goes_on(action: str, code: str) -> None:
    stage, tally = Scenario([], now=T0 + 30 * HOUR), Tally()
    archive = stage.archive(count=tally)
    ssm = Refusing(cast("FakeSsm", archive.source_loader.ssm).parameters)
    ssm.code = code
    loader = replace(archive.source_loader, ssm=cast("Any", ssm))
    result = act(replace(archive, source_loader=loader), {"action": action})
    [error] = result["errors"]
    assert error["source"] == "*"
    assert error["error"].startswith(f"ssm:DescribeParameters was refused ({code}): ")
    assert (tally.total["SourceErrors"], "source.invalid" in stage.events) == (1, True)
    assert result.get("dispatched", 1) == len(result.get("sources", "1")) == 1


def test_a_status_that_runs_out_of_time_says_with_which_source_to_go_on() -> None:
    stage = Scenario([])
    stage.sources = {name: {"secret": "la/ncloud/one", "project_key": name, "project_id": 1} for name in "abcd"}

    def slow(call: str, moment: str) -> None:
        stage.now += dt.timedelta(minutes=4) * (moment == "after" and call.startswith("ddb.query"))

    stage.gate = slow
    first = act(stage.archive(), {"action": "status"})
    rest = act(stage.archive(), {"action": "status", "start": first["next"]})
    assert [source["source"] for source in first["sources"] + rest["sources"]] == list("abcd")
    assert (first["next"], rest["next"]) == ("c", None)


def test_a_status_of_one_source_says_nothing_of_others() -> None:
    stage = Scenario([], parameters={"/la/sources/elsaa/checkout": "{}", "/la/sources/elsa/other": "{}"})
    sources, errors = status(stage, source="shop")
    assert (list(sources), errors) == (["shop"], [])


def gaps_of(scenario: Scenario, **fields: object) -> dict[str, dict[str, Any]]:
    return {one["source"]: one for one in act(scenario.archive(), {"action": "gaps", **fields})["sources"]}


def test_gaps_are_listed_with_the_soonest_loss_first_and_what_is_shrunk_or_not_due_is_none() -> None:
    day = dt.timedelta(days=1)
    entries = [
        entry(0, "closed", issue="expired"),
        entry(1, "sealed", issue="shrunk"),
        entry(2, "archived", issue="malformed", error="no", lost_at=T0 + 4 * day),
        entry(3, "planned", due_at=T0 + day),
        entry(5, "planned", issue="forbidden", lost_at=T0 + day),
    ]
    span = Span(T0, T0 + day)
    found = incomplete(head(6), leaves_of(entries, T0 + 6 * HOUR), span, Expected(T0 + 6 * HOUR))
    assert [(gap["state"], gap["start"][11:13], gap["windows"]) for gap in found["gaps"]] == [
        ("missing", "04", 0), ("troubled", "05", 1), ("troubled", "02", 1), ("closed", "00", 1),
    ]  # fmt: skip
    assert found["gaps"][2] | {"start": "", "end": ""} == {
        "start": "", "end": "", "state": "troubled", "windows": 1, "issue": "malformed", "error": "no",
        "lost_at": "2026-11-24T00:00:00Z",
    }  # fmt: skip
    assert (found["planned"], found["gaps_left"]) == (["2026-11-20T00:00:00Z", "2026-11-20T06:00:00Z"], 0)


@pytest.mark.parametrize(
    ("changed", "state"),
    [({}, "active"), ({"enabled": False}, "paused"), ({"project_idd": 1}, "invalid"), (None, "orphaned")],
)
def test_time_since_which_nothing_is_planned_is_a_gap_and_the_state_of_the_source_says_why(
    changed: dict[str, Any] | None, state: str
) -> None:
    scenario = Scenario([], source={"window": "PT1H", "revisit": []}, now=T0 + 2 * HOUR)
    assert gaps_of(scenario)["shop"]["gaps"] == []  # it has never been planned
    scenario.tick()
    scenario.now = T0 + 3 * HOUR + 14 * MINUTE
    assert "stopped" not in [gap["state"] for gap in gaps_of(scenario)["shop"]["gaps"]]
    scenario.now += MINUTE
    if changed is None:
        scenario.sources = {}
    else:
        scenario.source |= changed
    found = gaps_of(scenario, source="shop")["shop"]
    [gap] = [gap for gap in found["gaps"] if gap["state"] == "stopped"]
    assert (found["state"], gap["start"], gap["end"]) == (state, "2026-11-20T02:00:00Z", "2026-11-20T03:00:00Z")


def test_a_planned_window_that_is_due_is_a_gap_at_once() -> None:
    source: dict[str, Any] = {"window": "PT1H", "revisit": [], "delay": "PT10M"}
    scenario = Scenario([], source=source | {"start": "2026-11-20T00:00:00Z"}, now=T0 + 2 * HOUR)
    scenario.tick()
    scenario.now += 10 * MINUTE - dt.timedelta(seconds=1)
    before = gaps_of(scenario, days=1)["shop"]
    assert (before["gaps"], before["hours"]["2026-11-20"][1]) == ([], "waiting")
    scenario.now += dt.timedelta(seconds=1)
    since = gaps_of(scenario, days=1)["shop"]
    [gap] = since["gaps"]
    assert (gap["state"], gap["start"], since["hours"]["2026-11-20"][1]) == (
        "troubled", "2026-11-20T01:00:00Z", "troubled",
    )  # fmt: skip


def test_with_days_each_hour_has_its_state_and_only_these_days_are_read() -> None:
    source: dict[str, Any] = {"window": "PT1H", "revisit": [], "start": "2026-11-19T00:00:00Z"}
    scenario = Scenario([], source=source, now=T0 + 2 * HOUR)
    scenario.tick()
    scenario.now += 24 * HOUR
    found = gaps_of(scenario, days=2)["shop"]
    assert [*found["hours"]] == ["2026-11-20", "2026-11-21"]
    assert found["hours"]["2026-11-20"] == ["sealed", "troubled", *["missing"] * 22]
    assert found["hours"]["2026-11-21"] == [*["missing"], *["none"] * 23]
    assert {gap["start"] for gap in found["gaps"]} == {"2026-11-20T01:00:00Z", "2026-11-20T02:00:00Z"}


def test_a_source_that_neither_is_configured_nor_was_has_no_gaps_but_an_error() -> None:
    refused_ = act(Scenario([]).archive(), {"action": "gaps", "source": "typo"})
    assert (refused_["ok"], refused_["errors"][0]["error"]) == (
        False, "no source 'typo', neither configured nor in the ledger",
    )  # fmt: skip


def test_a_result_that_is_long_enough_says_with_which_source_to_go_on() -> None:
    names = [f"shop-{number:03}" for number in range(ENOUGH_SOURCES + 1)]
    scenario = Scenario([], sources={name: {"secret": "la/ncloud/one"} for name in names})
    first = act(scenario.archive(), {"action": "gaps"})
    assert ([one["source"] for one in first["sources"]], first["next"]) == (names[:-1], names[-1])
    assert [*gaps_of(scenario, start=first["next"])] == names[-1:]
