"""The AWS clients of a function, made once per container from one session."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from logarchive.ledger.dynamodb import Table
from logarchive.runtime.settings import NotarySettings, Settings
from logarchive.store.bucket import Store

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_ssm.client import SSMClient

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)


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
        """Create the clients; the SDK itself finds region, credentials and `AWS_ENDPOINT_URL`."""
        session = boto3.Session()
        return cls(
            *_archive(session, settings.bucket, settings.table),
            session.client("ssm", config=_CONFIG),
            session.client("secretsmanager", config=_CONFIG),
            session.client("lambda", config=_CONFIG),
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
class NotaryAws:
    """The AWS services that the notary calls."""

    store: Store
    table: Table
    #: None: nothing is signed.
    kms: Kms | None
    #: None: no notice is sent.
    topic: Topic | None = None

    @classmethod
    def connect(cls, settings: NotarySettings) -> "NotaryAws":
        """Create the clients."""
        session: Any = boto3.Session()
        kms = Kms(session.client("kms", config=_CONFIG), settings.key) if settings.key else None
        topic = Topic(session.client("sns", config=_CONFIG), settings.topic) if settings.topic else None
        return cls(*_archive(session, settings.bucket, settings.table), kms, topic)


def _archive(session: boto3.Session, bucket: str, table: str) -> tuple[Store, Table]:
    return (
        Store(session.client("s3", config=_CONFIG), bucket),
        Table(session.resource("dynamodb", config=_CONFIG).Table(table)),
    )
