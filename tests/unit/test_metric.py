"""Metrics: how values become one, what is published, and what a tick says of its sources."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

import httpx
import pytest

from logarchive.action.handler import act
from logarchive.errors import Issue
from logarchive.runtime.metric import UNITS, Tally, issue_metric
from logarchive.runtime.telemetry import publish
from tests.scenario import END, HOUR, MINUTE, START, Record, Scenario
from tools import layer


def tally(*noted: tuple[str, float, str | None]) -> Tally:
    made = Tally()
    for name, value, source in noted:
        made(name, value, source)
    return made


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "logarchive")


def test_counts_add_up_and_the_worst_source_speaks_for_its_provider() -> None:
    made = tally(
        ("Rows", 3, "a"), ("Rows", 4, "b"), ("LagSeconds", 60, "a"), ("LagSeconds", 0, "b"), ("HoursToLoss", 9.5, "a"),
        ("HoursToLoss", 40, "b"), ("QuietSeconds", 0, "a"), ("QuietSeconds", 7200, "b"), ("QuietSources", 1, "b"),
    )  # fmt: skip
    expected = {"Rows": 7, "LagSeconds": 60, "HoursToLoss": 9.5, "QuietSeconds": 7200, "QuietSources": 1}
    assert made.total == expected
    assert made.of_source["b"]["HoursToLoss"] == 40


def test_a_metric_that_nobody_has_named_is_an_error() -> None:
    with pytest.raises(KeyError):
        tally(("Rowz", 1, None))


def test_every_known_metric_is_counted_somewhere() -> None:
    issues = {issue_metric(issue) for issue in get_args(Issue.__value__)}
    code = "".join(path.read_text() for path in layer.LAYER.rglob("*.py") if path.name != "metric.py")
    named = {name for name in UNITS if f'"{name}"' in code}
    assert named | issues == set(UNITS)


@dataclass
class Published:
    """What an invocation logs, and what it publishes as metrics."""

    logged: list[tuple[str, dict[str, Any]]]
    metrics: list[dict[str, Any]]


def published(capsys: pytest.CaptureFixture[str], made: Tally, **chosen: bool) -> Published:
    logged = list[tuple[str, dict[str, Any]]]()

    def log(event: str, **keys: Any) -> None:
        logged.append((event, keys))

    invocation = replace(Scenario([]).invocation(), log=log)
    publish(invocation, {"provider": "elsa"}, made, **{"detailed": False, **chosen})
    return Published(logged, [json.loads(line) for line in capsys.readouterr().out.splitlines()])


def dimensions(line: dict[str, Any]) -> list[str]:
    (described,) = line["_aws"]["CloudWatchMetrics"]
    (found,) = described["Dimensions"]
    return sorted(found)


def test_what_is_counted_is_logged_in_all_and_of_each_source_and_no_metric_is_paid_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = published(capsys, tally(("Rows", 3, "shop"), ("Rows", 4, "till"), ("EventErrors", 1, None)))
    assert found.metrics == []
    assert found.logged == [
        ("invocation.counted", {"Rows": 7, "EventErrors": 1}),
        ("source.counted", {"source": "shop", "Rows": 3}),
        ("source.counted", {"source": "till", "Rows": 4}),
    ]


def test_detailed_metrics_have_the_provider_as_their_only_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = published(capsys, tally(("Rows", 3, "shop"), ("RawBytes", 9, "shop")), detailed=True).metrics
    assert dimensions(line) == ["provider"]
    assert (line["provider"], line["Rows"], line["RawBytes"]) == ("elsa", [3], [9])
    units = {metric["Name"]: metric["Unit"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert units == {"Rows": "Count", "RawBytes": "Bytes"}


@pytest.mark.parametrize("detailed", [False, True])
def test_per_source_metrics_come_beside_those_of_the_provider(
    capsys: pytest.CaptureFixture[str], *, detailed: bool
) -> None:
    made = tally(("Rows", 3, "shop"), ("Rows", 4, "till"), ("EventErrors", 1, None))
    provider, shop, till = published(capsys, made, detailed=detailed, per_source=True).metrics
    assert (provider["Rows"], provider["EventErrors"]) == ([7], [1])
    assert dimensions(shop) == dimensions(till) == ["provider", "source"]
    assert [(line["source"], line["Rows"]) for line in (shop, till)] == [("shop", [3]), ("till", [4])]


@pytest.mark.parametrize("detailed", [False, True])
def test_how_many_conditions_hold_is_published_without_a_dimension_even_if_none_does(
    capsys: pytest.CaptureFixture[str], *, detailed: bool
) -> None:
    *others, line = published(capsys, tally(("Warnings", 0, None), ("ProofSigned", 1, None)), detailed=detailed).metrics
    assert (dimensions(line), line["Warnings"]) == ([], [0])
    assert ["ProofSigned" in one and "Warnings" not in one for one in others] == [True] * detailed


def test_nothing_to_tell_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert published(capsys, Tally(), detailed=True, per_source=True) == Published([], [])


def counted(scenario: Scenario, event: Mapping[str, object]) -> Mapping[str, float]:
    made = Tally()
    act(scenario.archive(count=made), event)
    return made.total


TICK = {"action": "tick"}


def test_each_tick_tells_how_late_the_source_is_and_when_its_first_record_is_lost() -> None:
    scenario = Scenario([], source={"retention": "P3D"}, now=END + HOUR)
    found = counted(scenario, TICK)
    assert found["LagSeconds"] == 55 * 60  # due five minutes after the window's end
    assert found["HoursToLoss"] == 72 - 25
    assert found["QuietSources"] == 0


def test_a_provider_without_sources_is_not_late() -> None:
    scenario = Scenario([], sources={})
    assert counted(scenario, TICK) == {"LagSeconds": 0}


def test_a_wrong_secret_or_source_hides_neither_lag_nor_loss() -> None:
    scenario = Scenario([], source={"retention": "P3D", "secret": "la/ncloud/none"}, now=END + HOUR)
    found = counted(scenario, TICK)
    assert (found["SourceErrors"], found["LagSeconds"], found["HoursToLoss"]) == (1, 55 * 60, 47)
    scenario.source["window"] = "P1Y"
    found = counted(scenario, TICK)
    assert (found["SourceErrors"], found["HoursToLoss"]) == (1, 47)
    scenario.source |= {"window": "PT1H", "project_key": "another"}
    found = counted(scenario, TICK)
    assert (found["SourceErrors"], found["LagSeconds"], found["HoursToLoss"]) == (1, 55 * 60, 47)


def test_a_source_whose_parameter_is_gone_tells_of_loss_while_there_is_something_to_lose() -> None:
    scenario = Scenario([], source={"retention": "P3D", "secret": "la/ncloud/none"}, now=END + HOUR)
    counted(scenario, TICK)
    scenario.sources = {}
    assert counted(scenario, TICK) == {"LagSeconds": 0, "HoursToLoss": 47}
    scenario.now += 48 * HOUR
    assert counted(scenario, TICK) == {"LagSeconds": 0}


def test_a_visit_counts_its_rows_requests_and_bytes() -> None:
    scenario = Scenario([Record("a", 1), Record("b", 2)], now=END + 6 * MINUTE)
    found = counted(scenario, {"action": "tick", "inline": True})
    stored = Counter[str]()
    for key, item in scenario.s3.objects.items():
        stored[key.partition("/")[0]] += len(item.body)
    assert (found["Rows"], found["Requests"]) == (2, 1)
    assert (found["RawBytes"], found["LogsBytes"]) == (stored["raw"], stored["logs"])


def test_throttles_and_issues_are_counted_by_kind() -> None:
    scenario = Scenario([], now=END + 6 * MINUTE, answer=lambda _request: httpx.Response(429, json={}))
    found = counted(scenario, {"action": "tick", "inline": True})
    assert (found["Throttles"], found["Requests"]) == (4, 4)
    assert (found["IssueThrottled"], found["WindowsWithIssue"]) == (1, 1)


def hourly(**configured: object) -> Scenario:
    return Scenario([Record("one", 60)], source={"window": "PT1H", "revisit": [], **configured}, now=START + HOUR)


def live(scenario: Scenario, hours: int) -> list[Mapping[str, float]]:
    found: list[Mapping[str, float]] = []
    for _ in range(hours):
        scenario.now += HOUR
        found.append(counted(scenario, {"action": "tick", "inline": True}))
    return found


def test_a_source_without_records_for_longer_than_quiet_after_is_quiet() -> None:
    found = live(hourly(quiet_after="PT3H"), 6)
    # Told before the tick's own visits: what was looked at by the tick before.
    assert [one["QuietSeconds"] // 3600 for one in found] == [0, 0, 1, 2, 3, 4]
    assert [one["QuietSources"] for one in found] == [0, 0, 0, 0, 0, 1]


def test_a_record_ends_the_quiet() -> None:
    scenario = hourly(quiet_after="PT1H")
    assert live(scenario, 5)[-1]["QuietSources"] == 1
    moment = scenario.now - START
    scenario.world.append(Record("again", round(moment.total_seconds()) + 60))
    assert live(scenario, 3)[-1]["QuietSources"] == 0


def test_a_window_that_is_missing_before_the_last_record_hides_no_quiet_after_it() -> None:
    scenario = hourly(quiet_after="PT1H")
    scenario.world = [Record("second hour", 3660)]
    first_hour = (START + 1.5 * HOUR).timestamp() * 1000

    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(401, json={}) if json.loads(request.content)["to"] < first_hour else None

    scenario.answer = refuse
    found = live(scenario, 6)[-1]
    assert (found["QuietSources"], found["QuietSeconds"]) == (1, 3 * 3600)
    assert found["LagSeconds"] > 5 * 3600


def test_a_source_that_is_refused_is_late_and_not_quiet() -> None:
    scenario = hourly(quiet_after="PT1H")
    scenario.answer = lambda _request: httpx.Response(401, json={})
    found = live(scenario, 6)[-1]
    assert found["QuietSources"] == 0
    assert found["LagSeconds"] > dt.timedelta(hours=5).total_seconds()
