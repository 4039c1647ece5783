"""The notary's part of the template: it alone writes and signs the proof log, and reads and changes little else."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.template.policy import Request, Role
from tests.template.transform import ACCOUNT, REGION, Deployed
from tools.lock import ROOT
from tools.registry import logical, names

BUCKET = "arn:aws:s3:::logarchive-archivebucket"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/logarchive-ledgertable"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/logarchive-proofsigningkey"
OWN_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/own"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:logarchive-alarmtopic"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/logarchive-"
NOTARY = f"{ROLE}notaryrole"
RAW = "raw/provider=elsa/source=a/date=2026-11-20/x/20261120T000000Z-0001"
OF_WINDOW = {"dynamodb:LeadingKeys": "elsa#a"}
FIRST, OVER = {"s3:if-none-match": "*"}, {"s3:if-match": '"etag"'}


def role(resource: str = "NotaryRole", **parameters: str) -> Role:
    return Role.of(Deployed(parameters), resource)


def prefix(text: str) -> Request:
    return Request("s3:ListBucket", BUCKET, {"s3:prefix": text})


def update(partition: str, *attributes: str) -> Request:
    named = ["source", "window", *attributes]
    context = {"dynamodb:LeadingKeys": partition, "dynamodb:Attributes": named}
    return Request("dynamodb:UpdateItem", TABLE, context)


@pytest.mark.parametrize(
    "request_",
    [
        Request("s3:PutObject", f"{BUCKET}/proof/tile/0/000.p/1"),
        Request("s3:GetObject", f"{BUCKET}/proof/checkpoint"),
        Request("s3:GetObject", f"{BUCKET}/{RAW}/manifest.json"),
        Request("s3:PutObject", f"{BUCKET}/coverage/index.html"),
        prefix("proof/checkpoint"),
        prefix(f"{RAW}/manifest.json"),
        prefix("logs/provider=elsa/date=2026-11-20/a-x.parquet"),
        prefix("rejects/provider=elsa/date=2026-11-20/a-x.jsonl.gz"),
        Request("dynamodb:GetItem", TABLE, OF_WINDOW),
        Request("dynamodb:Query", TABLE, OF_WINDOW),
        Request("dynamodb:Query", f"{TABLE}/index/due", OF_WINDOW),
        Request("dynamodb:Scan", TABLE),
        Request("dynamodb:Scan", f"{TABLE}/index/unproven"),
        update("#proof", "size", "batch", "scanned"),
        update("elsa#a", "unproven", "proven", "state", "committed"),
        update("elsa#a", "unproven", "proven", "begin", "feed"),
        Request("kms:Sign", KEY),
        Request("kms:GetPublicKey", KEY),
        Request("sns:Publish", TOPIC),
    ],
    ids=lambda request: f"{request.action} {request.resource.rpartition(':')[2]} {request.context or ''}",
)
def test_the_notary_may_do_its_work(request_: Request) -> None:
    assert role().allows(request_)


@pytest.mark.parametrize(
    "request_",
    [
        Request("s3:GetObject", f"{BUCKET}/{RAW}/00001.json.gz"),
        Request("s3:PutObject", f"{BUCKET}/{RAW}/manifest.json"),
        Request("s3:GetObject", f"{BUCKET}/logs/provider=elsa/date=2026-11-20/x.parquet"),
        Request("s3:GetObject", f"{BUCKET}/rejects/provider=elsa/date=2026-11-20/x.jsonl.gz"),
        Request("s3:GetObject", f"{BUCKET}/coverage/index.html"),
        Request("s3:DeleteObject", f"{BUCKET}/coverage/index.html"),
        Request("s3:DeleteObject", f"{BUCKET}/proof/checkpoint"),
        Request("s3:DeleteObjectVersion", f"{BUCKET}/proof/checkpoint"),
        Request("s3:ListBucket", BUCKET),
        prefix("raw/"),
        prefix("raw/provider=elsa/*"),
        prefix("logs/provider=elsa/"),
        Request("dynamodb:PutItem", TABLE, {"dynamodb:LeadingKeys": "#proof"}),
        Request("dynamodb:DeleteItem", TABLE, {"dynamodb:LeadingKeys": "#proof"}),
        Request("dynamodb:Scan", f"{TABLE}/index/due"),
        update("elsa#a", "unproven", "due_at"),
        update("elsa#a", "object"),
        update("#proofs", "size"),
        Request("kms:Sign", OWN_KEY),
        Request("kms:ScheduleKeyDeletion", KEY),
        Request("sns:Publish", f"{TOPIC}2"),
        Request("sns:Subscribe", TOPIC),
        Request("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/logarchive/sources/elsa/a"),
        Request("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:logarchive/elsa/a"),
        Request("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:logarchive-notary"),
        Request("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/logarchive-elsa:*"),
    ],
    ids=lambda request: f"{request.action} {request.resource.rpartition(':')[2]} {request.context or ''}",
)
def test_the_notary_may_do_nothing_else(request_: Request) -> None:
    assert not role().allows(request_)


@pytest.mark.parametrize("provider", names())
@pytest.mark.parametrize(
    "request_",
    [
        Request("s3:PutObject", f"{BUCKET}/proof/tile/0/000.p/1"),
        Request("s3:PutObject", f"{BUCKET}/coverage/index.html"),
        Request("s3:GetObject", f"{BUCKET}/proof/checkpoint"),
        prefix("proof/"),
        update("#proof", "size"),
        Request("dynamodb:Scan", f"{TABLE}/index/unproven"),
        Request("kms:Sign", KEY),
        Request("kms:GetPublicKey", KEY),
        Request("sns:Publish", TOPIC),
    ],
    ids=lambda request: f"{request.action} {request.resource.rpartition(':')[2]}",
)
def test_a_provider_s_function_reaches_neither_the_proof_log_nor_its_key(provider: str, request_: Request) -> None:
    assert not role(f"{logical(provider)}Role").allows(request_)


def refuses(key: str, by: str, conditions: Mapping[str, str]) -> bool:
    """Return whether the bucket's policy refuses a PutObject, whatever the caller's own rights are."""
    statements = Deployed().properties("ArchiveBucketPolicy")["PolicyDocument"]["Statement"]
    context = {"aws:SecureTransport": "true", "s3:ObjectCreationOperation": "true", "aws:PrincipalArn": by}
    return bool(Role({}, statements).effects(Request("s3:PutObject", f"{BUCKET}/{key}", {**context, **conditions})))


@pytest.mark.parametrize(
    ("key", "conditions", "refused"),
    [
        ("proof/tile/0/000", FIRST, False),
        ("proof/tile/entries/000", FIRST, False),
        ("proof/checkpoints/20261126T120000Z", FIRST, False),
        ("proof/checkpoint", FIRST, False),
        ("proof/checkpoint", OVER, False),
        ("proof/key", OVER, False),
        ("proof/tile/0/000", {}, True),
        ("proof/tile/0/000", OVER, True),
        ("proof/tile/entries/000", OVER, True),
        ("proof/checkpoints/20261126T120000Z", OVER, True),
        ("proof/checkpoint", {}, True),
        ("proof/key", {}, True),
    ],
)
def test_the_bucket_lets_nobody_overwrite_the_proof_log(
    key: str, conditions: Mapping[str, str], *, refused: bool
) -> None:
    assert refuses(key, NOTARY, conditions) is refused


@pytest.mark.parametrize("by", [f"{ROLE}elsarole", f"arn:aws:iam::{ACCOUNT}:root", f"{NOTARY}2", ""])
@pytest.mark.parametrize("key", ["proof/checkpoint", "proof/tile/0/000", "proof/anything", "coverage/index.html"])
def test_the_bucket_lets_nobody_but_the_notary_write_the_proof_log_and_the_coverage_page(key: str, by: str) -> None:
    assert refuses(key, by, FIRST)
    assert not refuses(f"logs/{key}", by, FIRST)


def signers(document: Mapping[str, Any]) -> list[str]:
    """Return whom the policy of a key allows to sign."""
    found: list[str] = []
    for statement in document["Statement"]:
        assert set(statement) == {"Sid", "Effect", "Principal", "Action", "Resource"}
        if Role({}, [statement]).allows(Request("kms:Sign", KEY)):
            found.append(statement["Principal"]["AWS"])
    return found


def test_nobody_but_the_notary_signs_not_even_by_a_policy_of_the_account() -> None:
    key = Deployed().properties("ProofSigningKey")
    assert signers(key["KeyPolicy"]) == [NOTARY]
    account = Role({}, key["KeyPolicy"]["Statement"][:1])
    assert account.allows(Request("kms:PutKeyPolicy", KEY))
    assert not account.allows(Request("kms:CreateGrant", KEY))
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")


def key_of_function(stack: Deployed) -> str:
    variables = stack.properties("NotaryFunction")["Environment"]["Variables"]
    return str(variables["PROOF_KEY"])


def keys(stack: Deployed) -> set[str]:
    return {*stack.of_type("AWS::KMS::Key"), *stack.of_type("AWS::KMS::Alias")}


def test_without_a_key_none_is_made_and_nobody_may_sign() -> None:
    stack = Deployed({"ProofKey": "none"})
    assert keys(stack) == set()
    assert key_of_function(stack) == ""
    assert {action for action in role(ProofKey="none").actions() if action.startswith("kms:")} == set()


def test_a_key_of_one_s_own_is_used_and_none_is_made() -> None:
    stack = Deployed({"ProofKeyArn": OWN_KEY})
    assert keys(stack) == set()
    assert key_of_function(stack) == OWN_KEY
    assert role(ProofKeyArn=OWN_KEY).allows(Request("kms:Sign", OWN_KEY))
    assert not role(ProofKeyArn=OWN_KEY).allows(Request("kms:Sign", KEY))


def test_by_default_a_key_is_made_and_its_alias_leads_to_it() -> None:
    assert key_of_function(Deployed()) == KEY
    alias = Deployed().properties("ProofKeyAlias")
    assert alias == {"AliasName": "alias/logarchive-proof", "TargetKeyId": "logarchive-proofsigningkey"}


def test_without_alarms_there_is_no_topic_for_notices() -> None:
    variables = Deployed({"Alarms": "false"}).properties("NotaryFunction")["Environment"]["Variables"]
    assert variables["ALARM_TOPIC"] == ""
    assert not {"sns:Publish", "cloudwatch:GetMetricData"} & role(Alarms="false").actions()
    assert {"sns:Publish", "cloudwatch:GetMetricData"} <= role().actions()
    assert Deployed().properties("NotaryFunction")["Environment"]["Variables"]["ALARM_TOPIC"] == TOPIC


def test_the_index_that_operations_md_adds_to_an_existing_table_is_that_of_a_new_one() -> None:
    command = (ROOT / "docs" / "operations.md").read_text().partition("--global-secondary-index-updates '")[2]
    ((added,),) = (update.values() for update in json.loads(command.partition("'")[0]))
    assert [added] == Deployed().properties("LedgerTable")["GlobalSecondaryIndexes"]
