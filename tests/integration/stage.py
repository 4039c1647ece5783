"""The whole way on one stage: the archive's own code in this process, AWS played by ministack, the providers by the
simulator, and one clock for all, which only the test moves."""

import datetime as dt
import itertools
import json
import os
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3

from logarchive.action.archive import connect
from logarchive.action.handler import act
from logarchive.action.result import Result
from logarchive.ledger.dynamodb import Table
from logarchive.provider.provider import Provider
from logarchive.runtime.aws import Aws
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.settings import Settings
from logarchive.store.bucket import Store
from tests import truth
from tests.simulator import Simulator, secrets
from tests.simulator import source as simulated
from tools import stack
from tools.registry import providers

#: Those that the simulator plays. That it plays all of them is for `tests/contract/test_places.py` to say.
PROVIDERS = {name: provider for name, provider in providers().items() if name in Simulator().providers}
if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

HOUR = dt.timedelta(hours=1)
TIMEOUT = dt.timedelta(minutes=15)
_NUMBERS = itertools.count()


@dataclass
class Clock:
    """A clock that stands still until it is moved; who sleeps moves it, unless it is held."""

    now: dt.datetime
    held: bool = False

    def __call__(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        if not self.held:
            self.now += dt.timedelta(seconds=seconds)


@dataclass
class Stage:
    """An archive, its providers and their clock."""

    access: stack.Aws
    simulator: Simulator
    clock: Clock
    name: str = field(default_factory=lambda: f"stage-{uuid.uuid4().hex[:8]}")
    #: As the function's environment says: for how long raw objects are locked.
    raw_retention_days: int = 0
    #: What was logged and counted.
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list[tuple[str, Mapping[str, Any]]])
    metrics: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    def __post_init__(self) -> None:
        self.aws = Aws(
            new_store(self.access),
            new_table(self.access),
            boto3.client("ssm", **self.access),
            boto3.client("secretsmanager", **self.access),
            boto3.client("lambda", **self.access),
        )
        self.bucket = truth.Bucket(s3_client(self.access), self.aws.store.bucket)
        self._table = boto3.resource("dynamodb", **self.access).Table(self.aws.table.table.name)

    def windows(self, provider: str, source: str) -> list[truth.Window]:
        return truth.read(self._table, provider, source)

    def put_secrets(self) -> None:
        for name, keys in secrets(self.name, "one").items():
            self.aws.secrets.create_secret(Name=name, SecretString=json.dumps(keys))

    def put_source(self, provider: str, source: str, **configured: object) -> None:
        secret = f"{self.name}/{PROVIDERS[provider].secret_group}/one"
        common = {"secret": secret, "start": f"{self.clock.now:%Y-%m-%dT%H:%M:%SZ}"}
        document = simulated(provider, self.simulator.url, **(common | configured))
        self.put_parameter(provider, source, json.dumps(document))

    def put_parameter(self, provider: str, source: str, text: str) -> None:
        name = f"/{self.name}/sources/{provider}/{source}"
        self.aws.ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)

    def act(self, provider: str, event: object, deployed: Provider[Any, Any] | None = None) -> Result:
        """Do what the function of a provider does in one invocation; `deployed` is another version of it."""
        invocation = self.invocation()
        environment = Settings(
            self.aws.store.bucket,
            self.aws.table.table.name,
            f"/{self.name}/sources/{provider}",
            self.name,
            raw_retention_days=self.raw_retention_days,
            providers=tuple(PROVIDERS),
        )
        return act(
            connect(deployed or PROVIDERS[provider], environment, self.aws, invocation, f"{self.name}-{provider}"),
            event,
        )

    def invocation(self) -> Invocation:
        """Return an invocation that starts now."""
        now = self.clock()
        return Invocation(
            name=f"invocation-{next(_NUMBERS)}",
            started=now,
            deadline=now + TIMEOUT,
            clock=self.clock,
            sleep=self.clock.sleep,
            log=lambda event, **keys: self.events.append((event, keys)),
            count=lambda name, value, source=None: self.metrics.append((name, value)),
        )

    def tick(self, provider: str) -> Result:
        return self.act(provider, {"action": "tick", "inline": True})

    def live(
        self,
        provider: str,
        source: str,
        until: dt.datetime,
        step: dt.timedelta = HOUR,
        before: Callable[[], object] = lambda: None,
    ) -> None:
        """Let time pass in steps, `before` called before each: the schedule plans and works until a moment.

        Then work goes on until nothing is open.
        """
        while self.clock.now < until + step:
            before()
            self.tick(provider)
            self._pass(step)
        for _ in range(200):
            if all(window.item.get("due_at") is None for window in self.windows(provider, source)):
                return
            before()
            self.act(provider, {"action": "work", "source": source})
            self._pass(step)
        stuck = [(w.item["window"], w.item.get("issue"), w.item.get("error")) for w in self.windows(provider, source)]
        raise AssertionError(f"some window was never finished: {[one for one in stuck if one[1]]}")

    def _pass(self, step: dt.timedelta) -> None:
        """Go to six minutes past the next step, counted from midnight."""
        midnight = self.clock.now.replace(hour=0, minute=0, second=0, microsecond=0)
        self.clock.now = midnight + ((self.clock.now - midnight) // step + 1) * step + dt.timedelta(minutes=6)


def s3_client(access: stack.Aws) -> "S3Client":
    """Return a client of the emulator's S3; `make foreign` names another implementation of S3 in its place."""
    other: stack.Aws = {**access, "endpoint_url": os.environ.get("AWS_ENDPOINT_URL_S3", access["endpoint_url"])}
    return boto3.client("s3", **other)


def new_table(access: stack.Aws) -> Table:
    """Make a table as the template describes it."""
    name = f"ledger-{uuid.uuid4().hex[:8]}"
    resource = boto3.resource("dynamodb", **access)
    names = ("source", "window", "due_at", "unproven")

    def key(sort: str) -> Any:
        return [{"AttributeName": "source", "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

    resource.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in names],
        KeySchema=key("window"),
        LocalSecondaryIndexes=[
            {"IndexName": "due", "KeySchema": key("due_at"), "Projection": {"ProjectionType": "ALL"}}
        ],
        GlobalSecondaryIndexes=[
            {"IndexName": "unproven", "KeySchema": key("unproven"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
    )
    return Table(resource.Table(name))


def new_store(access: stack.Aws) -> Store:
    """Make a versioned bucket."""
    name = f"archive-{uuid.uuid4().hex[:8]}"
    client = s3_client(access)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return Store(client, name)


@contextmanager
def stage(access: stack.Aws, now: dt.datetime, scale: float = 1.0) -> Generator[Stage]:
    """Set up a stage at a moment, with the secrets in place."""
    clock = Clock(now)
    with Simulator(clock=clock, scale=scale) as simulator:
        made = Stage(access, simulator, clock)
        made.put_secrets()
        yield made
