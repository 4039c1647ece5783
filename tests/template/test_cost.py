"""The figures in docs/deploy.md are of this stack."""

import datetime as dt
import re
from typing import Any

import pytest

from logarchive.runtime.aws import Metrics
from logarchive.warning.function_metric import FunctionMetrics
from tests.template.transform import Deployed
from tools import cost
from tools.bench_queries.measured import measured
from tools.bench_queries.month import SOURCES
from tools.registry import names

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


def test_the_bill_is_of_the_functions_schedules_and_alarms_of_the_template() -> None:
    stack = Deployed()
    sizes = {name: function["MemorySize"] / 1024 for name, function in stack.functions().items()}
    assert sizes.pop("NotaryFunction") == cost.NOTARY_GIB
    assert list(sizes.values()) == [cost.MEMORY_GIB] * cost.PROVIDERS
    schedules = stack.of_type("AWS::Scheduler::Schedule")
    assert schedules.pop("NotaryFunctionTick")["ScheduleExpression"] == "rate(15 minutes)"
    assert {item["ScheduleExpression"] for item in schedules.values()} == {"rate(5 minutes)"}
    assert (cost.TICKS, cost.NOTARY_RUNS) == (30 * 24 * 60 / 5, 30 * 24 * 60 / 15)
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    assert all("MetricName" in alarm for alarm in alarms.values())
    assert len(alarms) == cost.ALARM_METRICS
    assert stack.of_type("AWS::CloudWatch::Dashboard") == {}
    assert {function["Environment"]["Variables"]["DETAILED_METRICS"] for function in stack.functions().values()} == {
        "false"
    }


def test_the_notary_reads_as_many_metrics_as_are_paid_for() -> None:
    asked = list[str]()

    class CloudWatch:
        @staticmethod
        def get_paginator(_operation: str) -> "CloudWatch":
            return CloudWatch()

        @staticmethod
        def paginate(**query: Any) -> list[Any]:
            asked.extend(query["MetricDataQueries"])
            return []

    functions = {**dict.fromkeys(names(), "f"), "notary": "f"}
    FunctionMetrics(Metrics(CloudWatch()), functions, "q").read(NOW, NOW)
    assert len(asked) == cost.READ_METRICS


def test_idle_costs_at_most_three_dollars_a_month_and_a_provider_one() -> None:
    assert cost.total(cost.idle()) <= 3
    assert cost.total(cost.provider()) <= 1


def test_history_costs_at_most_a_dollar_a_month_for_the_ten_sources_of_the_bench() -> None:
    logs = measured()["logs"]
    assert cost.HISTORY_SOURCES == len(SOURCES) == 10
    assert pytest.approx(logs["bytes"] / logs["files"], rel=0.02) == cost.HISTORY_OBJECT_BYTES
    assert 0.1 < cost.total(cost.history()) <= 1
    *_, (_, _, kept) = cost.history()
    assert (round(100 * cost.total(cost.history())), round(100 * kept)) == (75, 6)  # as the README says


def test_the_nights_that_are_paid_for_are_those_of_the_schedule_and_its_statement() -> None:
    stack = Deployed({"History": "true"})
    assert stack.properties("HistoryNight")["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert stack.properties("HistoryOptimize")["ScheduleExpression"] == "cron(0 5 10 * ? *)"
    assert stack.properties("HistoryVacuum")["ScheduleExpression"] == "cron(0 6 ? * SUN *)"
    text = stack.properties("HistoryNight")["Target"]["Input"]
    age, more = (int(days) for days in re.findall(r"INTERVAL '(\d+)' DAY - INTERVAL '(\d+)' DAY", text)[0])
    nights = [night for night in range(20) if age <= night <= age + more]
    assert len(nights) + 3 == cost.HISTORY_NIGHTS  # of what comes late
    assert len(re.findall(r"FROM logs|FROM history|MERGE INTO history", text)) == cost.HISTORY_READS


def test_a_bill_adds_up() -> None:
    assert cost.total([("a", "", 0.25), ("b", "", 1.5)]) == pytest.approx(1.75)
    assert cost.total(cost.idle()) > cost.total(cost.million()) > 0
