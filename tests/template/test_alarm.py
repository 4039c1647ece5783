"""The alarms and the dashboard watch what is published, and the notary is told of all that it looks at."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from logarchive.runtime.metric import UNITS, WARNINGS
from logarchive.warning.condition import LONGEST_RUN
from tests.template.transform import Deployed
from tools.lock import ROOT
from tools.registry import names


def alarms() -> dict[str, dict[str, Any]]:
    return Deployed().of_type("AWS::CloudWatch::Alarm")


def notary_variables(**parameters: str) -> dict[str, str]:
    variables: dict[str, str] = Deployed(parameters).properties("NotaryFunction")["Environment"]["Variables"]
    return variables


@pytest.mark.parametrize("name", alarms())
def test_an_alarm_tells_somebody_and_says_what_it_is_about(name: str) -> None:
    alarm = alarms()[name]
    assert alarm["AlarmActions"] == [Deployed().ref("AlarmTopic")]
    assert alarm["AlarmDescription"].endswith(".")


@pytest.mark.parametrize("name", ["WarningsAlarm", "NotaryAlarm"])
def test_two_alarms_look_at_what_the_notary_publishes(name: str) -> None:
    alarm, stack = alarms()[name], Deployed()
    namespaces = {
        item["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] for item in stack.functions().values()
    }
    assert ({alarm["Namespace"]}, alarm["MetricName"]) == (namespaces, WARNINGS)
    assert "Dimensions" not in alarm


def test_the_alarm_on_warnings_fires_at_the_first_one() -> None:
    alarm = alarms()["WarningsAlarm"]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Maximum", "GreaterThanThreshold", 0,
    )  # fmt: skip
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (30 * 60, 1, "notBreaching")


def test_a_notary_that_does_not_look_has_an_alarm_of_its_own_which_no_condition_hides() -> None:
    alarm = alarms()["NotaryAlarm"]
    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "SampleCount", "LessThanThreshold", 1,
    )  # fmt: skip
    assert (alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (2, "breaching")
    runs = Deployed().of_type("AWS::Scheduler::Schedule")["NotaryFunctionTick"]["ScheduleExpression"]
    assert (runs, alarm["Period"]) == ("rate(15 minutes)", 15 * 60)


def test_the_alarm_on_dead_letters_needs_nobody_who_looks() -> None:
    alarm = alarms()["DeadLettersAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": Deployed().attribute("DeadLetters", "QueueName")}]
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (0, "notBreaching")


def test_the_notary_reads_the_metrics_of_every_function_and_of_the_queue() -> None:
    variables, stack = notary_variables(), Deployed()
    named = dict(zip(variables["PROVIDERS"].split(","), variables["FUNCTION_NAMES"].split(","), strict=True))
    assert named == {name: stack.ref(f"{name.title()}Function") for name in names()}
    assert variables["DEAD_LETTERS"] == stack.attribute("DeadLetters", "QueueName")


def test_an_invocation_is_near_its_timeout_only_where_a_visit_did_not_stop_in_time() -> None:
    (timeout,) = {function["Timeout"] for function in Deployed().functions().values()}
    assert timeout - 20 < LONGEST_RUN.total_seconds() < timeout


def test_alarms_can_be_left_out_and_their_topic_with_them_and_what_reading_metrics_costs() -> None:
    stack = Deployed({"Alarms": "false"})
    assert stack.of_type("AWS::CloudWatch::Alarm") == stack.of_type("AWS::SNS::Topic") == {}
    variables = notary_variables(Alarms="false")
    assert variables["FUNCTION_NAMES"] == variables["ALARM_TOPIC"] == ""


def test_who_gives_an_address_is_told_by_mail() -> None:
    assert "Subscription" not in Deployed().properties("AlarmTopic")
    topic = Deployed({"AlarmEmail": "ops@example.com"}).properties("AlarmTopic")
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": "ops@example.com"}]


def test_every_alarm_has_a_line_in_operations_md_and_no_line_is_of_none() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+Alarm)` \|", section, re.MULTILINE)) == set(alarms())


def widgets() -> Iterator[dict[str, Any]]:
    body = Deployed({"ShowDashboard": "true"}).properties("Dashboard")["DashboardBody"]
    yield from json.loads(body)["widgets"]


def test_there_is_a_dashboard_only_for_who_wants_one() -> None:
    assert Deployed().of_type("AWS::CloudWatch::Dashboard") == {}
    assert len(Deployed({"ShowDashboard": "true"}).of_type("AWS::CloudWatch::Dashboard")) == 1


def test_the_dashboard_shows_what_is_counted_and_reads_the_log_of_every_function() -> None:
    stack = Deployed({"ShowDashboard": "true"})
    queries = [widget["properties"]["query"] for widget in widgets() if widget["type"] == "log"]
    groups = {f"'{stack.ref(name.replace('Function', 'LogGroup'))}'" for name in stack.functions()}
    assert all(set(re.findall(r"SOURCE ('[^']+')", query)) == groups for query in queries)
    counted = [query for query in queries if "'invocation.counted'" in query]
    shown = {name for query in counted for name in re.findall(r"(?:sum|max|min)\((\w+)\)", query)}
    assert shown <= set(UNITS)
    assert {"LagSeconds", "Rows", "WindowsWithIssue", "RawBytes", "Requests", "ProofBacklogSeconds"} <= shown
    assert any("@maxMemoryUsed" in query for query in queries)
    text = json.dumps(list(widgets()))
    assert set(re.findall(r'MetricName=\\+"(\w+)', text)) == {"Errors", "Throttles", "Duration", "Invocations"}
    assert all(text.count(str(stack.ref(name))) >= 5 for name in stack.functions())


def test_no_widget_covers_another() -> None:
    places = [
        (widget["x"] + x, widget["y"] + y)
        for widget in widgets()
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
