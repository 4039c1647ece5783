"""The account as the demo uses it: what a user would do by hand, through the same public API."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from logarchive.proof.checkpoint import VerifierKey
from tests.truth import Bucket, Window, read
from tools.demo.function_log import described, written
from tools.demo.world import DemoSource
from tools.registry import logical, names
from tools.stack import LOGS, PATIENT, STACK, Aws, Stack, StackError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

FUNCTIONS = {provider: f"{logical(provider)}FunctionName" for provider in names()}
NOTARY = "notary"


@dataclass(frozen=True)
class Account:
    """The deployed stack and its clients."""

    aws: Aws
    outputs: Mapping[str, str]
    #: Where the logs of functions that have failed are written to.
    logs: Path = LOGS

    @classmethod
    def of(cls, stack: Stack) -> "Account":
        """Return the account that a stack is deployed in."""
        return cls(stack.aws, stack.outputs)

    @property
    def bucket(self) -> Bucket:
        """The archive."""
        return Bucket(boto3.client("s3", config=PATIENT, **self.aws), self.outputs["BucketName"])

    @property
    def ledger(self) -> "Table":
        """The ledger's table."""
        return boto3.resource("dynamodb", config=PATIENT, **self.aws).Table(self.outputs["LedgerTableName"])

    def put_secret(self, name: str, value: Mapping[str, str]) -> None:
        """Write a secret."""
        boto3.client("secretsmanager", config=PATIENT, **self.aws).create_secret(
            Name=name, SecretString=json.dumps(value)
        )

    def put_source(self, source: DemoSource) -> str:
        """Write a source's parameter; return its name."""
        name, value = f"{self.outputs['SourcesPath']}/{source.path}", json.dumps(source.document)
        boto3.client("ssm", config=PATIENT, **self.aws).put_parameter(Name=name, Value=value, Type="String")
        return name

    def windows(self, source: DemoSource) -> list[Window]:
        """Read a source's windows in the ledger."""
        return read(self.ledger, source.provider, source.name)

    def invoke(self, provider: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a provider's function with an event; return its result. Raises StackError if the invocation failed."""
        client = boto3.client("lambda", config=PATIENT, **self.aws)
        response = client.invoke(FunctionName=self.function(provider), Payload=json.dumps(event))
        result: dict[str, Any] = json.loads(response["Payload"].read())
        if "FunctionError" in response or not result.get("ok"):
            raise self.trouble(provider, f"{provider}, {json.dumps(event)}: {json.dumps(result)[:600]}")
        return result

    def function(self, provider: str) -> str:
        """Return the name of a provider's function, or of the notary's, in AWS."""
        return self.outputs[(FUNCTIONS | {NOTARY: "NotaryFunctionName"})[provider]]

    def log(self, provider: str) -> list[str]:
        """Return the lines of a function's log, from the oldest on."""
        pages = boto3.client("logs", config=PATIENT, **self.aws).get_paginator("filter_log_events")
        try:
            found = list(pages.paginate(logGroupName=f"/aws/lambda/{self.function(provider)}"))
        except ClientError:  # it has not run yet
            return []
        events = sorted((event for page in found for event in page["events"]), key=lambda one: one.get("timestamp", 0))
        return [event.get("message", "").rstrip() for event in events]

    def trouble(self, provider: str, problem: str, source: str = "") -> StackError:
        """Return an error that says what is wrong, in which function, its last log lines, and where its log is."""
        function, lines = self.function(provider), self.log(provider)
        return StackError(
            "\n".join([problem, *described(function, lines, written(function, lines, self.logs), source)])
        )

    def status(self, provider: str) -> dict[str, Any]:
        """Return the result of `status`: where a provider's sources stand."""
        return self.invoke(provider, {"action": "status"})

    def notarize(self) -> dict[str, Any]:
        """Have the notary state in the proof log what was archived since its last run."""
        return self.invoke(NOTARY, {"action": "notary"})

    def cover(self) -> None:
        """Have the notary write the coverage page, and the table `windows`."""
        self.invoke(NOTARY, {"action": "coverage"})

    def proof_key(self) -> str:
        """Return the public key of the proof log, as KMS knows it: in the form that the verifier takes."""
        kms: Any = boto3.client("kms", config=PATIENT, **self.aws)
        der: bytes = kms.get_public_key(KeyId=self.outputs["ProofSigningKeyArn"])["PublicKey"]
        return VerifierKey.of_der(f"{self.outputs['BucketName']}/proof", der).text

    def warm(self, sources: Sequence[DemoSource]) -> None:
        """Start every environment that the functions will need: one for the tick, one for each worker."""
        needed = [source.provider for source in sources for _ in range(source.workers)] + [*FUNCTIONS]
        with ThreadPoolExecutor(len(needed)) as pool:
            list(pool.map(self.status, needed))

    def next_tick(self) -> dt.datetime:
        """Return when the schedules fire first: a minute after they were made."""
        schedule = boto3.client("scheduler", config=PATIENT, **self.aws).get_schedule(Name=f"{STACK}-elsa-tick")
        return schedule["CreationDate"].astimezone(dt.UTC) + dt.timedelta(minutes=1)

    def switch_schedules(self, *, on: bool) -> None:
        """Pause the schedules, or let them go on."""
        client = boto3.client("scheduler", config=PATIENT, **self.aws)
        for provider in FUNCTIONS:
            schedule = client.get_schedule(Name=f"{STACK}-{provider}-tick")
            client.update_schedule(
                Name=schedule["Name"],
                ScheduleExpression=schedule["ScheduleExpression"],
                FlexibleTimeWindow=schedule["FlexibleTimeWindow"],
                Target=schedule["Target"],
                State="ENABLED" if on else "DISABLED",
            )
