"""The stack as `sam deploy` makes it on ministack, and once more beside the data that it left.

What each property must be is compared with the template itself (`tests/template`): ministack drops some of them, and
reports success.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import WaiterError

from tests.template.test_property import CHOSEN
from tools import stack as local
from tools.stack import STACK, Stack, local_stack


def client(stack: Stack, service: str) -> Any:
    """Return a client; of some services our stubs know nothing."""
    return cast("Any", boto3).client(service, **stack.aws)


def variables(stack: Stack) -> Mapping[str, str]:
    """Return the variables of a function."""
    found: Any = client(stack, "lambda").get_function_configuration(FunctionName=stack.outputs["ElsaFunctionName"])
    return cast("Mapping[str, str]", found["Environment"]["Variables"])


def result(stack: Stack, action: str) -> Mapping[str, Any]:
    answer = client(stack, "lambda").invoke(
        FunctionName=stack.outputs["ElsaFunctionName"], Payload=json.dumps({"action": action}).encode()
    )
    return cast("Mapping[str, Any]", json.loads(answer["Payload"].read()))


def remove(stack: Stack) -> None:
    cloudformation = client(stack, "cloudformation")
    cloudformation.delete_stack(StackName=STACK)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    except WaiterError as error:
        raise AssertionError(cloudformation.describe_stack_events(StackName=STACK)["StackEvents"][:3]) from error


@pytest.mark.slow
def test_what_is_chosen_reaches_the_functions_and_a_new_stack_goes_on_beside_data_that_was_kept() -> None:
    parameters: Any = CHOSEN  # not to be taken for the other arguments
    with local_stack(**parameters) as stack:
        assert variables(stack).items() >= {"RAW_RETENTION_MODE": "COMPLIANCE", "ARCHIVE_FROM": "2026-03-01"}.items()
        assert result(stack, "tick")["ok"]

        kept = {"bucket": stack.outputs["BucketName"], "table": stack.outputs["LedgerTableName"]}
        s3, items = client(stack, "s3"), boto3.resource("dynamodb", **stack.aws).Table(kept["table"])
        s3.put_object(Bucket=kept["bucket"], Key="raw/kept", Body=b"kept")
        items.put_item(Item={"source": "elsa#", "window": "#sources", "names": {"kept"}})
        policy = s3.get_bucket_policy(Bucket=kept["bucket"])["Policy"]
        remove(stack)

        existing = {"ExistingBucketName": kept["bucket"], "ExistingTableName": kept["table"]}
        outputs = local.deploy(stack.aws["endpoint_url"], {**CHOSEN, **existing})
        assert (outputs["BucketName"], outputs["LedgerTableName"]) == (kept["bucket"], kept["table"])
        assert s3.get_object(Bucket=kept["bucket"], Key="raw/kept")["Body"].read() == b"kept"
        assert json.loads(s3.get_bucket_policy(Bucket=kept["bucket"])["Policy"]) == json.loads(policy)
        (source,) = result(Stack(stack.aws, outputs, stack.process_id, stack.folder), "status")["sources"]
        assert (source["source"], source["state"]) == ("kept", "orphaned")
