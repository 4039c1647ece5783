"""The figures in the README are of this stack."""

import pytest

from tests.template.transform import Deployed
from tools import cost


def test_the_bill_is_of_the_functions_schedules_and_alarms_of_the_template() -> None:
    stack = Deployed()
    functions = stack.functions().values()
    assert len(functions) == cost.FUNCTIONS
    assert {function["MemorySize"] / 1024 for function in functions} == {cost.MEMORY_GIB}
    assert {item["ScheduleExpression"] for item in stack.of_type("AWS::Scheduler::Schedule").values()} == {
        "rate(5 minutes)"
    }
    assert cost.TICKS == 30 * 24 * 60 / 5
    alarms = stack.of_type("AWS::CloudWatch::Alarm").values()
    on_lambda = sum("AWS/Lambda" in str(alarm.get("Metrics")) for alarm in alarms)
    alone = sum("MetricName" in alarm for alarm in alarms)
    assert on_lambda * cost.FUNCTIONS + alone == cost.IDLE_ALARM_METRICS


def test_a_bill_adds_up() -> None:
    assert cost.total([("a", "", 0.25), ("b", "", 1.5)]) == pytest.approx(1.75)
    assert cost.total(cost.idle()) > cost.total(cost.million()) > 0
