"""An emulator of AWS for each test process, and for the slow tests a stack that is deployed in it, with its sources."""

import datetime as dt
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from tests.console.run import Run, runner
from tests.simulator import Simulator, secrets, source
from tools.stack import STACK, Aws, Stack, aws, free_port, local_stack, ministack

#: The sources of the deployed stack, and what a document of theirs says besides.
SOURCES: dict[str, dict[str, object]] = {
    # Without a delay nothing becomes due while the tests run, shortly after an hour began.
    "elsa": {"workers": 2, "delay": "PT0S"},
    "security365": {"delay": "PT0S"},
    "dsa": {"api": "cdn", "delay": "PT0S", "hosts": ["www.example.com"]},
}


@dataclass(frozen=True)
class Deployed:
    """A deployed stack, the simulator that plays the providers, and the time from which on sources begin."""

    stack: Stack
    simulator: Simulator
    start: dt.datetime

    @property
    def port(self) -> int:
        return urlsplit(self.stack.aws["endpoint_url"]).port or 0

    def invoke(self, function: str, **event: object) -> Any:
        name = self.stack.outputs[f"{function.capitalize()}FunctionName"]
        response = boto3.client("lambda", **self.stack.aws).invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(response["Payload"].read())


@pytest.fixture(scope="session")
def emulator() -> Iterator[Aws]:
    with ministack(free_port()) as (endpoint, _process, _folder):
        yield aws(endpoint)


@pytest.fixture
def run(emulator: Aws, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command against an emulator in which nothing is deployed."""
    return runner(urlsplit(emulator["endpoint_url"]).port or 0, capsys)


@contextmanager
def deployment(start: dt.datetime) -> Generator[Deployed]:
    """Deploy a stack without a source."""
    # The schedules of ministack would fire meanwhile: the tests alone decide when something is archived.
    with Simulator(scale=0.02) as simulator, local_stack(ScheduleExpression="rate(1 day)") as stack:
        yield Deployed(stack, simulator, start)


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployed]:
    """Return a stack with three sources whose last three hours were archived, and signed by the notary."""
    start = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=3)
    with deployment(start) as made:
        for name, keys in secrets(STACK, "one").items():
            boto3.client("secretsmanager", **made.stack.aws).create_secret(Name=name, SecretString=json.dumps(keys))
        for provider, more in SOURCES.items():
            put(made, provider, "one", **more)
            result = made.invoke(provider, action="tick", inline=True)
            assert result["totals"]["windows"] >= 2, result
        assert made.invoke("notary", action="notary")["ok"]
        yield made


def put(deployed: Deployed, provider: str, name: str, **more: object) -> None:
    """Write a source whose provider the simulator plays."""
    group = {"elsa": "ncloud"}.get(provider, provider)
    common = {"secret": f"{STACK}/{group}/one", "start": f"{deployed.start:%Y-%m-%dT%H:%M:%SZ}"}
    document = source(provider, deployed.simulator.url, **(common | more))
    parameter = f"/{STACK}/sources/{provider}/{name}"
    boto3.client("ssm", **deployed.stack.aws).put_parameter(Name=parameter, Value=json.dumps(document), Type="String")


@pytest.fixture
def on_stack(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command against the deployed stack."""
    return runner(deployed.port, capsys)
