"""The Lambda handler itself: what it logs with every line, and what it loads only when it is switched on."""

import io
import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from logarchive.runtime.metric import Tally
from logarchive.runtime.telemetry import invocation_of
from logarchive.runtime.telemetry import traced as traced_handler
from tools.lock import ROOT


@dataclass
class Context:
    aws_request_id: str = "worker-1"
    invoked_function_arn: str = "arn:aws:lambda:ap-northeast-2:111122223333:function:elsa"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


def logged(event: object, message: str = "worker.no_slot") -> dict[str, Any]:
    written = io.StringIO()
    logger = Logger(service=uuid.uuid4().hex, stream=written)  # one of that name is made only once
    invocation = invocation_of(cast("LambdaContext", Context()), logger, event, Tally())
    invocation.log(message, source="shop")
    line: dict[str, Any] = json.loads(written.getvalue().splitlines()[-1])
    return line


def test_a_worker_s_lines_carry_the_invocation_that_asked_for_it() -> None:
    line = logged({"action": "work", "source": "shop", "by": "tick-7"})
    assert (line["request_id"], line["correlation_id"], line["source"]) == ("worker-1", "tick-7", "shop")


@pytest.mark.parametrize("event", [{"action": "tick"}, "no event at all", None])
def test_who_was_asked_by_nobody_is_its_own_correlation(event: object) -> None:
    assert logged(event)["correlation_id"] == "worker-1"


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ("source.begun", "INFO"),
        ("warning.begun", "WARNING"),
        ("warning.again", "WARNING"),
        ("warning.ended", "INFO"),
        ("window.issue", "WARNING"),
        ("proof.failed", "ERROR"),
    ],
)
def test_what_needs_a_person_is_no_mere_information(message: str, level: str) -> None:
    line = logged(None, message)
    assert (line["message"], line["level"]) == (message, level)


def test_the_tracer_s_sdk_is_not_loaded_with_a_function() -> None:
    code = "import sys, functions.elsa.app; sys.exit('aws_xray_sdk' in sys.modules)"
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'shared'}"}
    assert subprocess.run([sys.executable, "-c", code], env=path, check=False).returncode == 0


def test_a_traced_handler_answers_as_the_untraced_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")  # outside Lambda there is no daemon to send to
    traced = traced_handler("elsa", lambda event, _context: {"ok": event})
    assert traced("said", cast("Any", Context())) == {"ok": "said"}
