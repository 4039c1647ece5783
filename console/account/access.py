"""Access to AWS: which stack, in which account and region, or the demo that was kept; and the clients for it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypedDict

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_ssm.client import SSMClient

DEMO_REGION = "ap-northeast-2"
#: A function may run for 15 minutes before it returns its result.
_INVOCATION = Config(read_timeout=960, tcp_keepalive=True, retries={"total_max_attempts": 1})


class _Options(TypedDict, total=False):
    endpoint_url: str
    aws_access_key_id: str
    aws_secret_access_key: str


@dataclass(frozen=True)
class Access:
    """Which stack is meant, and how to reach it."""

    stack_name: str = "logarchive"
    region: str | None = None
    profile: str | None = None
    #: The port of the demo on this machine; None: AWS.
    demo_port: int | None = None

    @property
    def endpoint(self) -> str | None:
        """The address of the demo; None for AWS."""
        return None if self.demo_port is None else f"http://localhost:{self.demo_port}"


@dataclass(frozen=True)
class Clients:
    """The clients of one account and region. The demo gets made-up keys, and no proxy stands before it."""

    access: Access

    @cached_property
    def session(self) -> boto3.Session:
        """The session; a profile that does not exist raises ProfileNotFound here."""
        if self.access.endpoint:
            return boto3.Session(region_name=DEMO_REGION)
        return boto3.Session(region_name=self.access.region, profile_name=self.access.profile)

    @property
    def region(self) -> str:
        """The region, for messages."""
        return self.session.region_name or "no region"

    @property
    def _options(self) -> _Options:
        if not self.access.endpoint:
            return {}
        return {
            "endpoint_url": self.access.endpoint,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }

    @property
    def _config(self) -> Config:
        return Config(proxies={}) if self.access.endpoint else Config()

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """CloudFormation, which knows the stack."""
        return self.session.client("cloudformation", config=self._config, **self._options)

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda, for one invocation at a time that may take minutes and is never repeated by itself."""
        return self.session.client("lambda", config=self._config.merge(_INVOCATION), **self._options)

    @cached_property
    def parameters(self) -> "SSMClient":
        """SSM, which holds the sources."""
        return self.session.client("ssm", config=self._config, **self._options)

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return self.session.client("secretsmanager", config=self._config, **self._options)

    @cached_property
    def objects(self) -> "S3Client":
        """S3, for the archive's bucket."""
        return self.session.client("s3", config=self._config, **self._options)

    @cached_property
    def athena(self) -> "AthenaClient":
        """Athena."""
        return self.session.client("athena", config=self._config, **self._options)

    @cached_property
    def keys(self) -> "KMSClient":
        """KMS, for the public key of the proof log."""
        return self.session.client("kms", config=self._config, **self._options)

    def table(self, name: str) -> "Table":
        """Return a table of DynamoDB."""
        return self.session.resource("dynamodb", config=self._config, **self._options).Table(name)
