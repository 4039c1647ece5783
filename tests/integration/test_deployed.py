"""The stack as `sam deploy` makes it on ministack, and once more beside the data that it left.

What each property must be is compared with the template itself (`tests/template`): ministack drops some of them, and
reports success.
"""

import base64
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import WaiterError

from logarchive.store.bucket import Store
from tests.simulator import Simulator, secrets, source
from tests.template.test_property import CHOSEN
from tools import stack as local
from tools.bucket_copy import BucketCopy, copy
from tools.lock import ROOT
from tools.stack import STACK, Stack, local_stack


def client(stack: Stack, service: str) -> Any:
    """Return a client; of some services our stubs know nothing."""
    return cast("Any", boto3).client(service, **stack.aws)


def variables(stack: Stack) -> Mapping[str, str]:
    """Return the variables of a function."""
    found: Any = client(stack, "lambda").get_function_configuration(FunctionName=stack.outputs["ElsaFunctionName"])
    return cast("Mapping[str, str]", found["Environment"]["Variables"])


def result(stack: Stack, action: str, *, function: str = "Elsa", **fields: object) -> Mapping[str, Any]:
    name = stack.outputs[f"{function}FunctionName"]
    response = client(stack, "lambda").invoke(FunctionName=name, Payload=json.dumps({"action": action, **fields}))
    return cast("Mapping[str, Any]", json.loads(response["Payload"].read()))


def put_source(stack: Stack, url: str, start: dt.datetime) -> None:
    """Let the simulator at that address be a source of elsa."""
    keys = secrets(STACK, "one")[f"{STACK}/ncloud/one"]
    client(stack, "secretsmanager").create_secret(Name=f"{STACK}/ncloud/one", SecretString=json.dumps(keys))
    document = source("elsa", url, secret=f"{STACK}/ncloud/one", start=f"{start:%Y-%m-%dT%H:%M:%SZ}")
    name = f"/{STACK}/sources/elsa/one"
    client(stack, "ssm").put_parameter(Name=name, Value=json.dumps(document), Type="String")


def public_key(stack: Stack) -> str:
    """Return the public key as docs/operations.md gets it for a verifier."""
    code = (ROOT / "docs" / "operations.md").read_text().partition("| python3 -c '")[2].partition("'")[0]
    der = client(stack, "kms").get_public_key(KeyId=stack.outputs["ProofSigningKeyArn"])["PublicKey"]
    command = [sys.executable, "-c", code, f"{stack.outputs['BucketName']}/proof"]
    encoded = base64.b64encode(der)
    return subprocess.run(command, input=encoded, capture_output=True, check=True).stdout.decode().strip()


def checkpoint(stack: Stack, folder: Path) -> bytes:
    """Return the checkpoint of the bucket, a copy of which in a new folder must be without a fault."""
    copy(Store(client(stack, "s3"), stack.outputs["BucketName"]), folder)
    check = BucketCopy(folder, public_key(stack)).check()
    assert check.code == 0, check
    return (folder / "proof" / "checkpoint").read_bytes()


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
def test_what_a_tick_has_archived_is_signed_and_shown_by_the_notary_and_can_be_verified(tmp_path: Path) -> None:
    start = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=3)
    with Simulator(scale=0.02) as simulator, local_stack() as stack:
        put_source(stack, simulator.url, start)
        assert result(stack, "tick", inline=True)["totals"]["windows"] >= 2
        assert result(stack, "notary", function="Notary")["ok"]
        signed = checkpoint(stack, tmp_path / "first")
        assert int(signed.splitlines()[1]) > 2  # the source, and each window
        assert result(stack, "notary", function="Notary")["ok"]
        assert checkpoint(stack, tmp_path / "second") == signed
        assert result(stack, "coverage", function="Notary")["windows"] >= 2
        written = result(stack, "report", function="Notary", month=f"{start:%Y-%m}", language="ko")
        for key in ("coverage/index.html", written["key"]):
            page = client(stack, "s3").get_object(Bucket=stack.outputs["BucketName"], Key=key)
            assert page["ContentType"] == "text/html; charset=utf-8"
            assert b"elsa/one" in page["Body"].read()


@pytest.mark.slow
def test_what_is_chosen_reaches_the_functions_and_a_new_stack_goes_on_beside_data_that_was_kept() -> None:
    parameters: Any = CHOSEN  # not to be taken for the other arguments
    with local_stack(**parameters) as stack:
        assert variables(stack).items() >= {"RAW_RETENTION_MODE": "COMPLIANCE", "ARCHIVE_FROM": "2026-03-01"}.items()
        assert result(stack, "tick")["ok"]

        kept = {"bucket": stack.outputs["BucketName"], "table": stack.outputs["LedgerTableName"]}
        key = stack.outputs["ProofSigningKeyArn"]
        s3, items = client(stack, "s3"), boto3.resource("dynamodb", **stack.aws).Table(kept["table"])
        s3.put_object(Bucket=kept["bucket"], Key="raw/kept", Body=b"kept")
        items.put_item(Item={"source": "elsa#", "window": "#sources", "names": {"kept"}})
        policy = s3.get_bucket_policy(Bucket=kept["bucket"])["Policy"]
        remove(stack)

        existing = {"ExistingBucketName": kept["bucket"], "ExistingTableName": kept["table"], "ProofKeyArn": key}
        outputs = local.deploy(stack.aws["endpoint_url"], {**CHOSEN, **existing})
        assert (outputs["BucketName"], outputs["LedgerTableName"]) == (kept["bucket"], kept["table"])
        assert s3.get_object(Bucket=kept["bucket"], Key="raw/kept")["Body"].read() == b"kept"
        assert json.loads(s3.get_bucket_policy(Bucket=kept["bucket"])["Policy"]) == json.loads(policy)
        again = Stack(stack.aws, outputs, stack.process_id, stack.folder)
        (status,) = result(again, "status")["sources"]
        assert (status["source"], status["state"]) == ("kept", "orphaned")
        assert outputs["ProofSigningKeyArn"] == key
        assert result(again, "notary", function="Notary")["ok"]
