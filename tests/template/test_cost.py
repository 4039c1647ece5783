"""The figures in docs/deploy.md are of this stack."""

import pytest

from tests.template.transform import Deployed
from tools import cost


def test_the_bill_is_of_the_functions_schedules_and_alarms_of_the_template() -> None:
    stack = Deployed()
    sizes = {name: function["MemorySize"] / 1024 for name, function in stack.functions().items()}
    assert sizes.pop("NotaryFunction") == cost.NOTARY_GIB
    assert list(sizes.values()) == [cost.MEMORY_GIB] * cost.PROVIDERS
    schedules = stack.of_type("AWS::Scheduler::Schedule")
    assert schedules.pop("NotaryFunctionTick")["ScheduleExpression"] == "rate(15 minutes)"
    assert {item["ScheduleExpression"] for item in schedules.values()} == {"rate(5 minutes)"}
    assert (cost.TICKS, cost.NOTARY_RUNS) == (30 * 24 * 60 / 5, 30 * 24 * 60 / 15)
    alarms = stack.of_type("AWS::CloudWatch::Alarm").values()
    on_lambda = sum("AWS/Lambda" in str(alarm.get("Metrics")) for alarm in alarms)
    alone = sum("MetricName" in alarm for alarm in alarms)
    assert on_lambda * len(stack.functions()) + alone == cost.IDLE_ALARM_METRICS


def test_a_bill_adds_up() -> None:
    assert cost.total([("a", "", 0.25), ("b", "", 1.5)]) == pytest.approx(1.75)
    assert cost.total(cost.idle()) > cost.total(cost.million()) > 0
