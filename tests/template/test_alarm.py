"""Alarms and the dashboard watch what is published, and miss nobody."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from logarchive.errors import Issue
from logarchive.runtime.metric import UNITS, issue_metric
from tests.template.transform import Deployed
from tools.lock import ROOT
from tools.registry import logical, names


def alarms() -> dict[str, dict[str, Any]]:
    return Deployed().of_type("AWS::CloudWatch::Alarm")


QUERY = re.compile(
    r'SELECT (?P<how>SUM|MAX|MIN)\((?P<metric>\w+)\) FROM SCHEMA\("(?P<namespace>[\w/]+)", (?P<dimension>\w+)\)'
)
OF_AWS = {
    "AWS/Lambda": ("FunctionName", {"Errors", "Throttles", "Duration", "Invocations"}),
    "AWS/SQS": ("QueueName", {"ApproximateNumberOfMessagesVisible"}),
}


def watched(alarm: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return namespace, dimension, metric and the condition of an alarm."""
    if "Metrics" not in alarm:
        (dimension,) = alarm["Dimensions"]
        return alarm["Namespace"], dimension["Name"], alarm["MetricName"], dimension["Value"]
    *stats, asked = alarm["Metrics"]
    if stats:
        (metric,) = {
            (one["MetricStat"]["Metric"]["Namespace"], one["MetricStat"]["Metric"]["MetricName"]) for one in stats
        }
        (dimension,) = {item["Name"] for one in stats for item in one["MetricStat"]["Metric"]["Dimensions"]}
        return metric[0], dimension, metric[1], ""
    found = QUERY.fullmatch(asked["Expression"])
    assert found, asked["Expression"]
    return found["namespace"], found["dimension"], found["metric"], ""


@pytest.mark.parametrize("name", alarms())
def test_the_metric_that_an_alarm_watches_is_published(name: str) -> None:
    namespace, dimension, metric, _ = watched(alarms()[name])
    if namespace in OF_AWS:
        assert dimension == OF_AWS[namespace][0]
        assert metric in OF_AWS[namespace][1]
    else:
        assert {namespace} == {
            item["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] for item in Deployed().functions().values()
        }
        assert (dimension == "function") is metric.startswith("Proof")
        assert dimension in {"provider", "function"}
        assert metric in UNITS


@pytest.mark.parametrize("name", alarms())
def test_an_alarm_tells_somebody_and_says_what_it_is_about(name: str) -> None:
    alarm = alarms()[name]
    assert alarm["AlarmActions"] == [Deployed().ref("AlarmTopic")]
    assert alarm["AlarmDescription"].endswith(".")


def test_alarms_on_functions_watch_all_of_them() -> None:
    stack = Deployed()
    for name, how in (("Errors", "SUM"), ("Throttles", "SUM"), ("NearTimeout", "MAX")):
        *stats, asked = alarms()[f"Function{name}Alarm"]["Metrics"]
        assert [one["MetricStat"]["Metric"]["Dimensions"][0]["Value"] for one in stats] == [
            stack.ref(function) for function in stack.functions()
        ]
        assert not any(one["ReturnData"] for one in stats)
        assert asked["Expression"] == f"{how}([{', '.join(f'FILL({one["Id"]}, 0)' for one in stats)}])"


def test_the_alarm_on_nearly_timing_out_rings_only_where_a_visit_did_not_give_way_in_time() -> None:
    (timeout,) = {function["Timeout"] for function in Deployed().functions().values()}
    assert (timeout - 20) * 1000 < alarms()["FunctionNearTimeoutAlarm"]["Threshold"] < timeout * 1000


def test_every_provider_has_an_alarm_on_lag_to_which_silence_is_lag() -> None:
    found = {watched(alarm)[3]: alarm for alarm in alarms().values() if watched(alarm)[2] == "LagSeconds"}
    assert set(found) == set(names())
    assert {alarm["TreatMissingData"] for alarm in found.values()} == {"breaching"}
    others = {name: alarm["TreatMissingData"] for name, alarm in alarms().items() if "Lag" not in name}
    assert others.pop("ProofSignedAlarm") == "breaching"
    assert set(others.values()) == {"notBreaching"}


def test_an_hour_in_which_nothing_was_signed_is_noticed_though_the_notary_is_silent() -> None:
    signed, backlog = alarms()["ProofSignedAlarm"], alarms()["ProofBacklogAlarm"]
    assert signed["Period"] * signed["EvaluationPeriods"] == backlog["Threshold"] == 3600
    assert "DatapointsToAlarm" not in signed
    assert (signed["ComparisonOperator"], signed["Threshold"]) == ("LessThanThreshold", 1)


def test_every_kind_of_issue_has_an_alarm() -> None:
    metrics = {watched(alarm)[2] for alarm in alarms().values()}
    assert {issue_metric(issue) for issue in get_args(Issue.__value__)} < metrics
    assert {"Rejects", "HoursToLoss", "QuietSources", "SourceErrors"} < metrics


def test_alarms_can_be_left_out_and_their_topic_with_them() -> None:
    stack = Deployed({"Alarms": "false"})
    assert stack.of_type("AWS::CloudWatch::Alarm") == stack.of_type("AWS::SNS::Topic") == {}


def test_who_gives_an_address_is_told_by_mail() -> None:
    assert "Subscription" not in Deployed().properties("AlarmTopic")
    topic = Deployed({"AlarmEmail": "ops@example.com"}).properties("AlarmTopic")
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": "ops@example.com"}]


def test_every_alarm_has_a_line_in_operations_md_and_no_line_is_of_none() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    found = set(re.findall(r"^\| `([\w<>]+)` \|", section, re.MULTILINE))
    each = {name.replace("<Provider>", logical(provider)) for name in found for provider in names()}
    assert each == set(alarms())


def widgets() -> Iterator[dict[str, Any]]:
    body = Deployed().properties("Dashboard")["DashboardBody"]
    yield from json.loads(body)["widgets"]


def test_the_dashboard_shows_metrics_that_are_published() -> None:
    expressions = [
        metric[0]["expression"]
        for widget in widgets()
        for metric in widget["properties"].get("metrics", [])
        if isinstance(metric[0], dict)
    ]
    found = [item for text in expressions for item in re.findall(r'\{"logarchive",(\w+)\} MetricName="(\w+)"', text)]
    assert {dimension for dimension, name in found if not name.startswith("Proof")} == {"provider"}
    assert {dimension for dimension, name in found if name.startswith("Proof")} == {"function"}
    own = {name for _, name in found}
    lambdas = {
        name for text in expressions for name in re.findall(r'\{AWS/Lambda,FunctionName\} MetricName="(\w+)"', text)
    }
    assert own <= set(UNITS)
    assert {"LagSeconds", "Rows", "WindowsWithIssue", "RawBytes", "Requests", "ProofBacklogSeconds"} <= own
    assert lambdas == OF_AWS["AWS/Lambda"][1]
    assert any("@maxMemoryUsed" in widget["properties"].get("query", "") for widget in widgets())


def test_no_widget_covers_another() -> None:
    places = [
        (widget["x"] + x, widget["y"] + y)
        for widget in widgets()
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
