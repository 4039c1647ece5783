"""The stack as `sam deploy` makes it: each property that matters read back through its own service.

ministack drops some of what a template says, and reports success. What it drops is listed, so that the list is checked.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.integration.expected_stack import DROPPED, PARAMETERS, PROVIDERS, READ
from tools import stack as local
from tools.stack import STACK, Stack, local_stack


def client(stack: Stack, service: str) -> Any:
    """Return a client; of some services our stubs know nothing."""
    return cast("Any", boto3).client(service, **stack.aws)


def part(name: str) -> str:
    """Return the logical name in a physical one, `logarchive-DeadLetters-1A2B`."""
    return name.rpartition(":")[2].removeprefix(f"{STACK}-").partition("-")[0]


def bucket(stack: Stack) -> dict[str, Any]:
    s3, name = client(stack, "s3"), stack.outputs["BucketName"]
    (owner,) = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    return {
        "bucket versions": s3.get_bucket_versioning(Bucket=name).get("Status"),
        "bucket public": s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        "bucket owner": owner["ObjectOwnership"],
        "bucket encryption": encryption(stack, name),
        "bucket policy": policy(stack, name),
        "bucket lock": or_none(lambda: s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]),
        "bucket lifecycle": or_none(lambda: s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]),
    }


def policy(stack: Stack, name: str) -> dict[str, Any]:
    """Return the conditions of a bucket's policy."""
    found = json.loads(client(stack, "s3").get_bucket_policy(Bucket=name)["Policy"])
    return {item["Sid"]: item["Condition"] for item in found["Statement"]}


def encryption(stack: Stack, name: str) -> str:
    answer: Any = client(stack, "s3").get_bucket_encryption(Bucket=name)
    (rule,) = answer["ServerSideEncryptionConfiguration"]["Rules"]
    algorithm: str = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    return algorithm


def or_none(ask: Any) -> Any:
    try:
        return ask()
    except ClientError:
        return None


def table(stack: Stack) -> dict[str, Any]:
    dynamodb, name = client(stack, "dynamodb"), stack.outputs["LedgerTableName"]
    found = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    (index,) = found.get("LocalSecondaryIndexes", [])
    return {
        "table protected": found.get("DeletionProtectionEnabled"),
        "table index": index.get("IndexName"),
        "table billing": found.get("BillingModeSummary", {}).get("BillingMode"),
        "table encryption": found.get("SSEDescription"),
        "table point in time recovery": backups.get("PointInTimeRecoveryDescription", {}).get(
            "PointInTimeRecoveryStatus"
        ),
    }


def queue_and_logs(stack: Stack) -> dict[str, Any]:
    sqs = client(stack, "sqs")
    logs = client(stack, "logs")
    found: dict[str, Any] = dict(
        sqs.get_queue_attributes(QueueUrl=stack.outputs["DeadLettersUrl"], AttributeNames=["All"])["Attributes"]
    )
    found["Policy"] = [item["Sid"] for item in json.loads(found["Policy"])["Statement"]]
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK}-")["logGroups"]
    return {
        "queue": {name: found[name] for name in READ["queue"]},
        "logs": {group.get("logGroupName"): group.get("retentionInDays") for group in groups},
    }


def functions(stack: Stack) -> dict[str, Any]:
    lambdas = client(stack, "lambda")
    names = {name: stack.outputs[f"{name.title()}FunctionName"] for name in PROVIDERS}
    found: dict[str, Any] = {
        name: lambdas.get_function_configuration(FunctionName=named) for name, named in names.items()
    }
    variables = {name: item["Environment"]["Variables"] for name, item in found.items()}
    chosen = ("RAW_RETENTION_DAYS", "RAW_RETENTION_MODE", "PER_SOURCE_METRICS", "TRACING", "LOG_LEVEL")
    failures: dict[str, Any] = {
        name: lambdas.get_function_event_invoke_config(FunctionName=named, Qualifier="$LATEST")
        for name, named in names.items()
    }
    return {
        "functions": {name: shape(item) for name, item in found.items()},
        "log groups": {name: item["LoggingConfig"]["LogGroup"] for name, item in found.items()},
        "choices": {name: tuple(item[choice] for choice in chosen) for name, item in variables.items()},
        "failures": {
            name: (
                item["MaximumRetryAttempts"],
                item["MaximumEventAgeInSeconds"],
                part(item["DestinationConfig"]["OnFailure"]["Destination"]),
            )
            for name, item in failures.items()
        },
        "roles": {name: role(stack, item["Role"].rpartition("/")[2]) for name, item in found.items()},
    }


def shape(item: Mapping[str, Any]) -> tuple[Any, ...]:
    size, tracing = item["EphemeralStorage"]["Size"], item["TracingConfig"]["Mode"]
    return item["Timeout"], item["MemorySize"], size, len(item["Layers"]), tracing


def role(stack: Stack, name: str) -> tuple[str, str, str]:
    iam = client(stack, "iam")
    tags = {tag["Key"]: tag["Value"] for tag in iam.get_role(RoleName=name)["Role"].get("Tags", [])}
    (attached,) = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    (own,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return part(attached.get("PolicyName", "")), tags["provider"], own


def schedules(stack: Stack) -> dict[str, Any]:
    scheduler = client(stack, "scheduler")
    found: dict[str, Any] = {name: scheduler.get_schedule(Name=f"{STACK}-{name}-tick") for name in PROVIDERS}
    return {"schedules": {name: fired(item) for name, item in found.items()}}


def fired(item: Mapping[str, Any]) -> tuple[Any, ...]:
    target = item["Target"]
    retry, letters = target["RetryPolicy"], part(target["DeadLetterConfig"]["Arn"])
    again, age = retry["MaximumRetryAttempts"], retry["MaximumEventAgeInSeconds"]
    return item["ScheduleExpression"], again, age, target["Input"], letters, item["State"]


def sight(stack: Stack) -> dict[str, Any]:
    cloudwatch = client(stack, "cloudwatch")
    board = cloudwatch.get_dashboard(DashboardName=stack.outputs["DashboardName"])
    logs: Any = client(stack, "glue").get_table(DatabaseName=stack.outputs["DatabaseName"], Name="logs")
    group: Any = client(stack, "athena").get_work_group(WorkGroup=stack.outputs["WorkgroupName"])
    configured = group["WorkGroup"]["Configuration"]
    results = configured["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").rstrip("/")
    public = client(stack, "s3").get_public_access_block(Bucket=results)["PublicAccessBlockConfiguration"]
    names = [
        client(stack, "ssm").get_parameter(Name=f"/{STACK}/{one}")["Parameter"]["Value"] for one in ("bucket", "table")
    ]
    return {
        "results": (policy(stack, results), encryption(stack, results), all(public.values())),
        "names": names == [stack.outputs["BucketName"], stack.outputs["LedgerTableName"]],
        "dashboard": len(json.loads(board["DashboardBody"])["widgets"]),
        "projection": logs["Table"]["Parameters"]["projection.date.range"],
        "workgroup": (
            configured["EnforceWorkGroupConfiguration"],
            configured["EngineVersion"]["SelectedEngineVersion"],
            int(configured["BytesScannedCutoffPerQuery"]),
        ),
    }


def read_back(stack: Stack) -> dict[str, Any]:
    ways = (bucket, table, queue_and_logs, functions, schedules, sight)
    return {name: value for way in ways for name, value in way(stack).items()}


def ticked(stack: Stack) -> Mapping[str, Any]:
    answer = client(stack, "lambda").invoke(
        FunctionName=stack.outputs["ElsaFunctionName"], Payload=b'{"action": "tick"}'
    )
    result: Mapping[str, Any] = json.loads(answer["Payload"].read())
    return result


def removed(stack: Stack) -> None:
    cloudformation = client(stack, "cloudformation")
    cloudformation.delete_stack(StackName=STACK)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    except WaiterError as error:
        raise AssertionError(cloudformation.describe_stack_events(StackName=STACK)["StackEvents"][:3]) from error


@pytest.mark.slow
def test_what_is_deployed_is_what_the_template_says_and_goes_on_beside_data_that_was_kept() -> None:
    parameters: Any = PARAMETERS  # not to be taken for the other arguments
    with local_stack(**parameters) as stack:
        assert read_back(stack) == {**READ, **DROPPED}
        assert ticked(stack)["ok"]

        kept = {"bucket": stack.outputs["BucketName"], "table": stack.outputs["LedgerTableName"]}
        s3, items = client(stack, "s3"), boto3.resource("dynamodb", **stack.aws).Table(kept["table"])
        s3.put_object(Bucket=kept["bucket"], Key="raw/kept", Body=b"kept")
        items.put_item(Item={"source": "elsa#", "window": "#sources", "names": {"kept"}})
        before = bucket(stack)
        removed(stack)

        existing = {"ExistingBucketName": kept["bucket"], "ExistingTableName": kept["table"]}
        outputs = local.deploy(stack.aws["endpoint_url"], PARAMETERS | existing)
        again = Stack(stack.aws, outputs, stack.process_id, stack.folder)
        assert (outputs["BucketName"], outputs["LedgerTableName"]) == (kept["bucket"], kept["table"])
        assert bucket(again) == before
        assert s3.get_object(Bucket=kept["bucket"], Key="raw/kept")["Body"].read() == b"kept"
        status = client(stack, "lambda").invoke(
            FunctionName=outputs["ElsaFunctionName"], Payload=b'{"action": "status"}'
        )
        (source,) = json.loads(status["Payload"].read())["sources"]
        assert (source["source"], source["state"]) == ("kept", "orphaned")
