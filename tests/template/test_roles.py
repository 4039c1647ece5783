"""Least privilege: what the actions call is allowed, what is allowed is called, and only of their own provider."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest

from logarchive.action.notary import act, daily, notary, signer
from logarchive.ledger.dynamodb import Table
from logarchive.ledger.entry import Entry
from logarchive.ledger.ledger import Ledger
from logarchive.runtime.aws import Aws, Kms, Metrics, NotaryAws, Topic
from logarchive.runtime.metric import Tally
from logarchive.store.bucket import Store
from logarchive.warning.function_metric import FunctionMetrics
from logarchive.warning.signal import read_signals, write_active, write_proof_signals, write_signals
from logarchive.warning.watch import Watch
from logarchive.window import Window
from tests.integration.stage import HOUR, PROVIDERS, Stage, stage
from tests.simulator import source as simulated
from tests.template.called import Called, locked
from tests.template.policy import Request, Role
from tests.template.transform import ACCOUNT, REGION, Deployed, written
from tools.registry import functions, logical
from tools.stack import Aws as Access

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
#: What Lambda does in the function's name, so that no call of ours shows it.
BY_LAMBDA = {
    "logs:CreateLogStream", "logs:PutLogEvents",  # writes what the function prints
    "sqs:SendMessage",  # an event that failed, to the dead-letter queue
    "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
}  # fmt: skip
#: What every request of a function's own code carries, and none that Lambda makes in its name.
BY_CODE = {"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:logarchive-elsa"}
#: What S3, DynamoDB, SQS and Secrets Manager ask of the caller when a key is his; and what the tracer sends.
ON_BEHALF = {"kms:Decrypt", "kms:GenerateDataKey", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
type Made = tuple[Stage, dict[str, list[Request]]]

OWN_KEY = {"dynamodb:LeadingKeys": "elsa#a"}
EVERYTHING = {
    "KmsKeyArn": "arn:aws:kms:ap-northeast-2:111122223333:key/archive",
    "SecretsKmsKeyArn": "arn:aws:kms:ap-northeast-2:111122223333:key/secrets",
    "RawRetentionDays": "30",
    "SubnetIds": "subnet-1,subnet-2",
    "SecurityGroupIds": "sg-1",
    "Tracing": "true",
}


@pytest.fixture(scope="module")
def made(emulator: Access) -> Iterator[Made]:
    """Run every action of every provider, and note what each asks of AWS.

    Only a provider that the simulator plays can be run; `tests/contract/test_places.py` says which one is not played.
    """
    with stage(emulator, NOW, scale=0.02) as here:
        here.raw_retention_days = 30
        bucket = f"{here.name}-locked"
        where: Any = {"LocationConstraint": REGION}
        here.aws.store.client.create_bucket(
            Bucket=bucket, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True
        )
        for name in PROVIDERS:
            here.put_source(name, "one")
        called = {name: run(here, name, bucket) for name in PROVIDERS}
        yield here, called | {"notary": notarize(here, bucket)}


def run(here: Stage, provider: str, bucket: str) -> list[Request]:
    called = Called(here.clock)
    here.aws = watched(here, bucket, called)
    here.clock.now += HOUR + dt.timedelta(minutes=6)
    past = {"source": "one", "start": "2026-11-19T22:00:00Z", "end": "2026-11-20T00:00:00Z"}
    here.act(provider, {"action": "tick"})
    leave_signals(here, provider)
    here.act(provider, {"action": "backfill", **past})
    lose_a_claim(here, provider)
    here.tick(provider)
    here.clock.now += dt.timedelta(hours=3)
    here.act(provider, {"action": "work", "source": "one"})
    here.act(provider, {"action": "backfill", **past, "inline": True, "reopen": True})
    here.act(provider, {"action": "replay", **past})
    here.act(provider, {"action": "work", "source": "one"})
    here.act(provider, {"action": "replay", **past, "dry_run": True})
    here.act(provider, {"action": "status"})
    here.act(provider, {"action": "gaps", "days": 2})
    here.act(provider, {"action": "gaps"})
    here.act(provider, {"action": "doctor"})
    secret = f"{here.name}/{PROVIDERS[provider].secret_group}/one"
    document = simulated(provider, here.simulator.url, secret=secret)
    assert not here.act(provider, {"action": "describe", "source": "one", "document": document})["errors"]
    return called.requests


def watched(here: Stage, bucket: str, called: Called) -> Aws:
    """Return clients of their own for one provider, which `called` listens to."""
    table, access = here.aws.table.table.name, here.access
    aws = Aws(
        Store(boto3.client("s3", **access), bucket),
        Table(boto3.resource("dynamodb", **access).Table(table)),
        boto3.client("ssm", **access),
        boto3.client("secretsmanager", **access),
        boto3.client("lambda", **access),
    )
    called.watch(aws.store.client, aws.table.table.meta.client, aws.ssm, aws.secrets, aws.functions)
    return aws


def notarize(here: Stage, bucket: str) -> list[Request]:
    """Let the notary state what the providers' functions have archived, and a window that was split."""
    called, access = Called(here.clock), here.access
    here.aws = watched(here, bucket, Called(here.clock))  # what follows is no provider's
    ledger = Ledger(here.aws.table, "elsa", "one")
    here.act("elsa", {"action": "tick"})
    (due, *_) = ledger.due(here.clock.now, 1)
    held = ledger.claim(due, "worker-1", here.clock.now, here.clock.now + HOUR)
    assert held
    spans = held.window.halves(dt.timedelta(seconds=1)) or ()
    halves = [Entry(window_key=Window(one.start, one.end).key, state="planned", due_at=here.clock.now) for one in spans]
    assert ledger.split(held, halves, here.clock.now)

    client = boto3.client("kms", **access)
    key = client.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    table = boto3.resource("dynamodb", **access).Table(here.aws.table.table.name)
    sns = boto3.client("sns", **access)
    topic = Topic(sns, sns.create_topic(Name=f"{here.name}-alarmtopic")["TopicArn"])
    kms = Kms(client, key.get("Arn", ""))
    cloudwatch = cast("Any", boto3).client("cloudwatch", **access)
    metrics = Metrics(cloudwatch)
    aws = NotaryAws(Store(boto3.client("s3", **access), bucket), Table(table), kms, topic, metrics)
    called.watch(aws.store.client, table.meta.client, client, sns, cloudwatch)
    functions = FunctionMetrics(metrics, {"elsa": "elsa-function"}, "queue")
    tally = Tally()
    tally("ProofSigned", 1)
    write_proof_signals(aws.table, tally, here.clock.now)
    Watch(aws.table, tuple(PROVIDERS), here.invocation(), topic.publish, functions).look()
    run = notary(aws, here.invocation(), signer(bucket, kms))
    result = act(run, {"action": "notary", "notice": True}, daily(aws, run, tuple(PROVIDERS)))
    assert result["size"] > 10
    assert result["notice"]
    assert result["coverage"]
    return called.requests


def leave_signals(here: Stage, provider: str) -> None:
    """Leave what a tick has measured and a visit has counted, as the handler does, and read it."""
    tally = Tally()
    for metric, value in (("LagSeconds", 60), ("HoursToLoss", 9.5), ("Rejects", 2)):
        tally(metric, value, "one")
    write_signals(here.aws.table, provider, tally, here.clock.now)
    write_active(here.aws.table, provider, ["one", "two"], {"elsa/typo": "wrong"})
    assert read_signals(here.aws.table, provider).sources["one"].counts == {"Rejects": 2}


def lose_a_claim(here: Stage, provider: str) -> None:
    """Be a worker that is killed: the next one looks for what it may have left under raw/."""
    ledger = Ledger(here.aws.table, provider, "one")
    (due, *_) = ledger.due(here.clock.now, 1)
    assert ledger.claim(due, "worker-1", here.clock.now, here.clock.now + dt.timedelta(minutes=16))


def role(here: Stage, provider: str, **parameters: str) -> Role:
    names = {"ExistingBucketName": here.aws.store.bucket, "ExistingTableName": here.aws.table.table.name}
    return Role.of(Deployed({**names, **EVERYTHING, **parameters}, here.name), f"{logical(provider)}Role")


def role_of_notary(made: Made) -> Role:
    """Return the notary's role; the key is the one that it has signed with."""
    here, called = made
    (key,) = {request.resource for request in called["notary"] if request.action == "kms:Sign"}
    return role(here, "notary", ProofKeyArn=key)


@pytest.mark.parametrize("name", [*PROVIDERS, "notary"])
def test_a_role_allows_all_that_its_function_calls(made: Made, name: str) -> None:
    here, called = made
    own = role_of_notary(made) if name == "notary" else role(here, name)
    assert len(called[name]) > 50
    by_code = [replace(request, context={**(request.context or {}), **BY_CODE}) for request in called[name]]
    assert [request for request in by_code if not own.allows(request)] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_action_that_a_role_allows_is_called(made: Made, provider: str) -> None:
    here, called = made
    used = {request.action for request in called[provider]}
    assert role(here, provider).actions() == used | BY_LAMBDA | ON_BEHALF


def test_every_action_that_the_notary_s_role_allows_is_called(made: Made) -> None:
    used = {request.action for request in made[1]["notary"]}
    assert role_of_notary(made).actions() == used | BY_LAMBDA | ON_BEHALF


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_role_reaches_nothing_of_another_provider(made: Made, provider: str) -> None:
    here, called = made
    own = role(here, provider)
    others = [request for name in PROVIDERS if name != provider for request in called[name]]
    reached = {request.resource for request in others if own.allows(request)}
    # NAVER's services share its credentials.
    # The names of parameters can only be listed all or not at all.
    assert reached - {"*"} == ({secret(here)} if own.tags["secrets"] == "ncloud" else set())


def secret(here: Stage) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{here.name}/ncloud/one-Ab12Cd"


@pytest.mark.parametrize(
    ("parameter", "action"),
    [
        ("RawRetentionDays", "s3:PutObjectRetention"),
        ("KmsKeyArn", "kms:GenerateDataKey"),
        ("SubnetIds", "ec2:CreateNetworkInterface"),
        ("Tracing", "xray:PutTraceSegments"),
    ],
)
def test_what_is_not_switched_on_is_not_allowed(made: Made, parameter: str, action: str) -> None:
    here, _ = made
    off = {"RawRetentionDays": "0", "Tracing": "false"}.get(parameter, "")
    assert action in role(here, "elsa").actions()
    assert action not in role(here, "elsa", **{parameter: off}).actions()


@pytest.mark.parametrize("action", sorted(action for action in BY_LAMBDA if action.startswith("ec2:")))
def test_what_lambda_does_for_addresses_in_a_vpc_is_denied_to_the_function_s_own_code(made: Made, action: str) -> None:
    own = role(made[0], "elsa")
    assert own.allows(Request(action, "*"))
    assert not own.allows(Request(action, "*", BY_CODE))


@pytest.mark.parametrize(
    "days", [days for days in written()["Parameters"]["RawRetentionDays"]["AllowedValues"] if days]
)
@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_an_object_is_locked_in_the_chosen_mode_and_at_most_a_day_longer_than_chosen(
    made: Made, mode: str, days: int
) -> None:
    here, _ = made
    own = role(here, "elsa", RawRetentionDays=str(days), RawRetentionMode=mode)

    def allows(mode: str, days: int) -> bool:
        resource = f"arn:aws:s3:::{here.aws.store.bucket}/raw/provider=elsa/x"
        return own.allows(Request("s3:PutObjectRetention", resource, locked(mode, days)))

    other = "COMPLIANCE" if mode == "GOVERNANCE" else "GOVERNANCE"
    assert allows(mode, days)
    assert allows(mode, days + 1)
    assert not allows(mode, days + 2)
    assert not allows(mode, 36_500)
    assert not allows(other, days)


@pytest.mark.parametrize(
    "request_",
    [
        Request("s3:DeleteObject", "arn:aws:s3:::{bucket}/raw/provider=elsa/x"),
        Request("s3:PutObject", "arn:aws:s3:::{bucket}/other/provider=elsa/x"),
        Request("s3:BypassGovernanceRetention", "arn:aws:s3:::{bucket}/raw/provider=elsa/x"),
        Request("s3:PutObjectRetention", "arn:aws:s3:::{bucket}/logs/provider=elsa/x"),
        Request("s3:ListBucket", "arn:aws:s3:::{bucket}"),
        Request("ssm:GetParametersByPath", "arn:aws:ssm:{region}:{account}:parameter/logarchive/sources"),
        Request("dynamodb:Scan", "arn:aws:dynamodb:{region}:{account}:table/{table}"),
        Request(
            "dynamodb:DeleteItem",
            "arn:aws:dynamodb:{region}:{account}:table/{table}",
            {"dynamodb:LeadingKeys": "elsa#a"},
        ),
        Request(
            "dynamodb:GetItem", "arn:aws:dynamodb:{region}:{account}:table/other", {"dynamodb:LeadingKeys": "elsa#a"}
        ),
        Request("lambda:InvokeFunction", "arn:aws:lambda:{region}:{account}:function:other"),
    ],
    ids=lambda request: f"{request.action} {request.resource}",
)
def test_what_no_function_needs_is_not_allowed(made: Made, request_: Request) -> None:
    here, _ = made
    names = {"bucket": here.aws.store.bucket, "table": here.aws.table.table.name, "region": REGION, "account": ACCOUNT}
    asked = replace(request_, resource=request_.resource.format(**names))
    assert not role(here, "elsa").allows(asked)


def test_the_schedules_start_every_function_and_nothing_else() -> None:
    scheduler = Role.of(Deployed(), "SchedulerRole")
    started = {f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:logarchive-{name}" for name in functions()}
    (start,) = (one for one in scheduler.statements if "lambda:InvokeFunction" in one["Action"])
    assert set(start["Resource"]) == started
    assert scheduler.actions() == {"lambda:InvokeFunction", "sqs:SendMessage"}


def test_nobody_but_lambda_takes_a_function_s_role_nor_anybody_else_s_schedule_the_scheduler_s() -> None:
    roles = Deployed().of_type("AWS::IAM::Role")
    trusted = {name: item["AssumeRolePolicyDocument"]["Statement"][0] for name, item in roles.items()}
    assert {name: one["Principal"]["Service"] for name, one in trusted.items() if name != "SchedulerRole"} == {
        f"{logical(name)}Role": "lambda.amazonaws.com" for name in functions()
    }
    assert trusted["SchedulerRole"]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
