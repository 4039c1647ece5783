"""What holds data: keys, locks, how long it lives, who may write, and going on with what was kept."""

import datetime as dt
import json
from typing import Any

import pytest

from logarchive.store.bucket import Lock
from tests.template.transform import Deployed, transformed, written


def test_what_holds_data_outlives_the_stack() -> None:
    kept = {name for name, item in transformed()["Resources"].items() if item.get("DeletionPolicy") == "Retain"}
    assert kept == {"ArchiveBucket", "LedgerTable", "ProofSigningKey", "ResultsBucket"}
    assert all(transformed()["Resources"][name]["UpdateReplacePolicy"] == "Retain" for name in kept)


KEY = "arn:aws:kms:ap-northeast-2:111122223333:key/archive"


def test_one_key_covers_bucket_results_table_queue_and_logs() -> None:
    stack = Deployed({"KmsKeyArn": KEY})
    for name in ("ArchiveBucket", "ResultsBucket"):
        (rule,) = stack.properties(name)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule == {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
        }
    assert stack.properties("LedgerTable")["SSESpecification"]["KMSMasterKeyId"] == KEY
    assert stack.properties("DeadLetters")["KmsMasterKeyId"] == KEY
    assert {group["KmsKeyId"] for group in stack.of_type("AWS::Logs::LogGroup").values()} == {KEY}
    assert KEY not in json.dumps(Deployed().resources)


def lifecycle(**parameters: str) -> dict[str, dict[str, Any]]:
    rules = Deployed(parameters).properties("ArchiveBucket")["LifecycleConfiguration"]["Rules"]
    return {rule["Id"]: rule for rule in rules}


def test_by_default_nothing_seen_expires() -> None:
    rules = lifecycle()
    assert {rule.get("Prefix") for rule in rules.values() if "NoncurrentVersionExpiration" in rule} == {
        "logs/",
        "rejects/",
        "coverage/",  # made anew each day, from the ledger
        "history/",  # derived from logs/
    }
    assert all("ExpirationInDays" not in rule and "Transitions" not in rule for rule in rules.values())
    assert rules["abandoned-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_large_raw_objects_go_to_glacier_and_expired_ones_go_for_good() -> None:
    rules = lifecycle(RawGlacierDays="90", RawExpirationDays="365", LogsExpirationDays="730")
    cold, expired = rules["cold-raw"], rules["expired-raw"]
    assert (cold["Prefix"], cold["ObjectSizeGreaterThan"]) == ("raw/", str(128 * 1024 - 1))
    assert cold["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": "90"}]
    assert (expired["Prefix"], expired["ExpirationInDays"]) == ("raw/", "365")
    assert expired["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert {rules[name]["ExpirationInDays"] for name in ("replaced-logs", "replaced-rejects")} == {"730"}


@pytest.mark.parametrize(("chosen", "days"), [({}, "90"), ({"ReplacedLogsDays": "365"}, "365")])
def test_replaced_versions_of_rows_and_rejects_are_kept_for_the_chosen_days(chosen: dict[str, str], days: str) -> None:
    rules = lifecycle(**chosen)
    for name in ("replaced-logs", "replaced-rejects"):
        assert rules[name]["NoncurrentVersionExpiration"] == {"NoncurrentDays": days}


def refused(**parameters: str) -> list[str]:
    """Return what the template's rules say against these parameters."""
    stack = Deployed(parameters)
    return [
        assertion["AssertDescription"]
        for rule in written()["Rules"].values()
        if stack.resolve(rule.get("RuleCondition", True))
        for assertion in rule["Assertions"]
        if not stack.resolve(assertion["Assert"])
    ]


def choices(name: str) -> list[int]:
    found: list[int] = written()["Parameters"][name]["AllowedValues"]
    return found


@pytest.mark.parametrize("expiry", choices("RawExpirationDays"))
@pytest.mark.parametrize("lock", choices("RawRetentionDays"))
def test_an_expiry_shorter_than_the_lock_is_refused(lock: int, expiry: int) -> None:
    said = refused(RawRetentionDays=str(lock), RawExpirationDays=str(expiry))
    assert said == (["RawExpirationDays must not be shorter than RawRetentionDays"] if 0 < expiry < lock else [])


def test_subnets_without_security_groups_are_refused() -> None:
    assert refused(SubnetIds="subnet-1,subnet-2") == ["SubnetIds needs SecurityGroupIds"]
    assert refused(SubnetIds="subnet-1,subnet-2", SecurityGroupIds="sg-1") == []


def test_a_key_for_a_log_that_is_not_signed_is_refused() -> None:
    assert refused(ProofKey="none", ProofKeyArn=KEY) == ["ProofKeyArn needs ProofKey=kms"]
    assert refused(ProofKey="none") == refused(ProofKeyArn=KEY) == []


def test_every_lock_that_can_be_chosen_can_be_put_on_an_object() -> None:
    now = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    for days in choices("RawRetentionDays"):
        assert Lock(days, "COMPLIANCE", lambda: now).options()["ObjectLockRetainUntilDate"] == now + dt.timedelta(days)


def test_beside_kept_data_neither_bucket_nor_table_is_made_and_everything_refers_to_the_kept_ones() -> None:
    stack = Deployed({"ExistingBucketName": "kept-bucket", "ExistingTableName": "kept-table"})
    assert not {"ArchiveBucket", "LedgerTable"} & set(stack.resources)
    everything = json.dumps([stack.properties(name) for name in stack.resources])
    assert "logarchive-archivebucket" not in everything
    assert "logarchive-ledgertable" not in everything
    assert stack.properties("ArchiveBucketPolicy")["Bucket"] == "kept-bucket"
    for function in stack.functions().values():
        variables = function["Environment"]["Variables"]
        assert (variables["ARCHIVE_BUCKET"], variables["LEDGER_TABLE"]) == ("kept-bucket", "kept-table")
