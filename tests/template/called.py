"""What the archive's calls to AWS ask of IAM."""

import datetime as dt
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.model import OperationModel

from tests.template.policy import Request
from tests.template.transform import ACCOUNT, REGION

#: Who may read may also look.
_S3 = {"GetObject": "GetObject", "HeadObject": "GetObject", "PutObject": "PutObject", "ListObjectsV2": "ListBucket"}


@dataclass
class Called:
    """Every request that clients made since they are watched."""

    now: Callable[[], dt.datetime]
    requests: list[Request] = field(default_factory=list[Request])

    def watch(self, *clients: BaseClient) -> None:
        """Listen to all clients; invocations of functions are noted, and not made."""
        for client in clients:
            self._listen(client)

    def _listen(self, client: BaseClient) -> None:
        client.meta.events.register("provide-client-params.*.*", self._s3)
        client.meta.events.register("before-call.*.*", self._others)

    def _s3(self, params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
        if model.service_model.service_name == "s3":
            self.requests += _of_s3(model.name, params, self.now())

    def _others(self, model: OperationModel, params: Mapping[str, Any], **_: object) -> Any:
        service = model.service_model.service_name
        if service == "lambda":
            name = params["url_path"].split("/")[-2]
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
            self.requests.append(Request("lambda:InvokeFunction", arn))
            return AWSResponse("", 202, HTTPHeaders(), None), {}
        if service == "cloudwatch":  # the emulator counts nothing
            self.requests.append(Request(f"cloudwatch:{model.name}", "*"))
            return AWSResponse("", 200, HTTPHeaders(), None), {"MetricDataResults": []}
        if service != "s3":
            body = params["body"]
            self.requests += _OTHERS[service](model.name, body if isinstance(body, dict) else json.loads(body))
        return None


def locked(mode: str, days: int) -> dict[str, str]:
    """Return what the conditions look at when an object is locked."""
    return {"s3:object-lock-mode": mode, "s3:object-lock-remaining-retention-days": str(days)}


def _of_s3(operation: str, params: Mapping[str, Any], now: dt.datetime) -> Iterator[Request]:
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if operation == "ListObjectsV2":
        yield Request("s3:ListBucket", bucket, {"s3:prefix": params["Prefix"]})
        return
    yield Request(f"s3:{_S3[operation]}", f"{bucket}/{params['Key']}")
    if "ObjectLockMode" in params:
        days = math.ceil((params["ObjectLockRetainUntilDate"] - now) / dt.timedelta(days=1))
        yield Request("s3:PutObjectRetention", f"{bucket}/{params['Key']}", locked(params["ObjectLockMode"], days))


def _of_dynamodb(operation: str, body: Mapping[str, Any]) -> Iterator[Request]:
    if operation == "TransactWriteItems":
        for item in body["TransactItems"]:
            (kind, write), = item.items()  # fmt: skip
            yield from _of_dynamodb(f"{kind}Item", write)
        return
    if operation == "BatchGetItem":
        for name, asked in body["RequestItems"].items():
            context = {"dynamodb:LeadingKeys": sorted({key["source"]["S"] for key in asked["Keys"]})}
            yield Request("dynamodb:BatchGetItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}", context)
        return
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{body['TableName']}"
    resource = f"{table}/index/{body['IndexName']}" if "IndexName" in body else table
    if operation == "Scan":
        yield Request("dynamodb:Scan", resource)
        return
    keys: Mapping[str, Any] = body.get("Key", {})
    partition = keys["source"] if keys else body["ExpressionAttributeValues"][":v0"]
    context = {"dynamodb:LeadingKeys": partition["S"]}
    if operation == "UpdateItem":
        context["dynamodb:Attributes"] = [*keys, *body["ExpressionAttributeNames"].values()]
    yield Request(f"dynamodb:{operation}", resource, context)


def _of_ssm(operation: str, body: Mapping[str, Any]) -> Iterator[Request]:
    name = body.get("Path") or body.get("Name")
    yield Request(f"ssm:{operation}", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}" if name else "*")


def _of_secretsmanager(operation: str, body: Mapping[str, Any]) -> Iterator[Request]:
    # Secrets Manager ends a secret's ARN with six characters of its own.
    yield Request(
        f"secretsmanager:{operation}", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{body['SecretId']}-Ab12Cd"
    )


def _of_kms(operation: str, body: Mapping[str, Any]) -> Iterator[Request]:
    yield Request(f"kms:{operation}", body["KeyId"])


def _of_sns(operation: str, body: Mapping[str, Any]) -> Iterator[Request]:
    topic = body["TopicArn"].rpartition(":")[2]
    yield Request(f"sns:{operation}", f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}")


_OTHERS: Mapping[str, Any] = {
    "dynamodb": _of_dynamodb,
    "ssm": _of_ssm,
    "secretsmanager": _of_secretsmanager,
    "kms": _of_kms,
    "sns": _of_sns,
}
