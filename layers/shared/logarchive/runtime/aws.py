"""The AWS clients of a function, of one session; each is created once per container, when it is first used."""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

import boto3
from botocore.config import Config

from logarchive.errors import ArchiveError
from logarchive.ledger.dynamodb import Table
from logarchive.runtime.settings import NotarySettings, Settings
from logarchive.store.bucket import Store

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_ssm.client import SSMClient

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)


class OnFirstUse:
    """Stands for a client until it is used: a tick that finds nothing to do needs two of five."""

    def __init__(self, create: Callable[[], object]) -> None:
        self._client = cache(create)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the client has)
        """Return what the client has under that name."""
        return getattr(self._client(), name)


def on_first_use[C](create: Callable[[], C]) -> C:
    """Return what stands for a client that is created when it is first used."""
    return cast("C", OnFirstUse(create))


@dataclass(frozen=True)
class Aws:
    """The AWS services that a function calls."""

    store: Store
    table: Table
    ssm: "SSMClient"
    secrets: "SecretsManagerClient"
    functions: "LambdaClient"

    @classmethod
    def connect(cls, settings: Settings) -> "Aws":
        """Return clients that find region, credentials and `AWS_ENDPOINT_URL` by themselves."""
        session = boto3.Session()
        return cls(
            *_archive(session, settings.bucket, settings.table),
            on_first_use(lambda: session.client("ssm", config=_CONFIG)),
            on_first_use(lambda: session.client("secretsmanager", config=_CONFIG)),
            on_first_use(lambda: session.client("lambda", config=_CONFIG)),
        )

    def dispatcher(self, function: str) -> Callable[[Mapping[str, Any]], None]:
        """Return a function that invokes the Lambda function asynchronously with an event."""

        def dispatch(event: Mapping[str, Any]) -> None:
            self.functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(dict(event)))

        return dispatch


@dataclass(frozen=True)
class Kms:
    """An asymmetric key of AWS KMS, which nobody can read."""

    client: Any
    arn: str

    def public_key(self) -> bytes:
        """Return the public key, in DER."""
        public: bytes = self.client.get_public_key(KeyId=self.arn)["PublicKey"]
        return public

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of a message."""
        signed = self.client.sign(
            KeyId=self.arn, Message=message, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
        )
        signature: bytes = signed["Signature"]
        return signature


@dataclass(frozen=True)
class Topic:
    """A topic of AWS SNS, whose subscribers get mails."""

    client: "SNSClient"
    arn: str

    def publish(self, subject: str, text: str) -> None:
        """Send a message to all subscribers."""
        self.client.publish(TopicArn=self.arn, Subject=subject, Message=text)


@dataclass(frozen=True)
class AwsMetric:
    """A metric that AWS publishes, and which of its statistics is meant."""

    namespace: str
    name: str
    dimension: str
    value: str
    statistic: Literal["Sum", "Maximum"] = "Sum"

    def query(self, number: int) -> dict[str, Any]:
        """Return the metric as `GetMetricData` asks for it."""
        dimensions = [{"Name": self.dimension, "Value": self.value}]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}
        return {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 300, "Stat": self.statistic}}

    def of(self, values: Iterable[float]) -> float:
        """Return one value for those of all periods; 0 without any."""
        return sum(values) if self.statistic == "Sum" else max(values, default=0)


@dataclass(frozen=True)
class Metrics:
    """CloudWatch's metrics. Each that is read costs a thousandth of a cent."""

    client: Any

    def read(self, metrics: Sequence[AwsMetric], start: dt.datetime, end: dt.datetime) -> list[float]:
        """Return one value for each metric. Raises ArchiveError if CloudWatch could not read one."""
        queries = [metric.query(number) for number, metric in enumerate(metrics)]
        values: dict[str, list[float]] = {query["Id"]: [] for query in queries}
        pages = self.client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=start, EndTime=end
        )
        for result in (result for page in pages for result in page["MetricDataResults"]):
            if result["StatusCode"] not in {"Complete", "PartialData"}:
                raise ArchiveError(f"CloudWatch could not read {metrics[int(result['Id'][1:])]}")
            values[result["Id"]] += result["Values"]
        return [metric.of(found) for metric, found in zip(metrics, values.values(), strict=True)]


@dataclass(frozen=True)
class NotaryAws:
    """The AWS services that the notary calls."""

    store: Store
    table: Table
    #: None: nothing is signed.
    kms: Kms | None
    #: None: no message is sent.
    topic: Topic | None = None
    #: None: they are not read.
    metrics: Metrics | None = None

    @classmethod
    def connect(cls, settings: NotarySettings) -> "NotaryAws":
        """Return clients of what the settings name."""
        session: Any = boto3.Session()

        def client(service: str) -> Any:  # noqa: ANN401 (each is another one)
            return on_first_use(lambda: session.client(service, config=_CONFIG))

        kms = Kms(client("kms"), settings.key) if settings.key else None
        topic = Topic(client("sns"), settings.topic) if settings.topic else None
        metrics = Metrics(client("cloudwatch")) if settings.functions else None
        return cls(*_archive(session, settings.bucket, settings.table), kms, topic, metrics)


def _archive(session: boto3.Session, bucket: str, table: str) -> tuple[Store, Table]:
    return (
        Store(on_first_use(lambda: session.client("s3", config=_CONFIG)), bucket),
        Table(session.resource("dynamodb", config=_CONFIG).Table(table)),  # every action reads the ledger
    )
