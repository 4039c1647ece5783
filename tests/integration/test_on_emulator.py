"""What ledger and store promise in memory (`tests/unit`) holds on the emulator too, and locks besides."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from logarchive.store.bucket import Lock, LockMode, Store
from tests.integration.mirrored_s3 import MirroredS3
from tests.integration.stage import new_store, s3_client
from tests.integration.test_two_workers import check, prepared, race_of
from tests.race import every_order
from tests.unit.test_ledger import *  # noqa: F403 (all tests, run with this folder's `table`)
from tests.unit.test_store import *  # noqa: F403 (likewise, with this folder's `store`)
from tests.unit.test_store import file
from tools.stack import Aws

MOMENT = datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_raw_objects_are_locked_from_when_they_are_written_and_others_are_not(
    emulator: Aws, tmp_path: Path, mode: LockMode
) -> None:
    client = s3_client(emulator)
    bucket = f"locked-{uuid.uuid4().hex[:8]}"
    where: Any = {"LocationConstraint": "ap-northeast-2"}
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    store = Store(client, bucket, Lock(30, mode, lambda: MOMENT))
    store.keep("raw/part", b"one")
    store.replace("logs/object", *file(tmp_path, b"rows"), None)

    head = client.head_object(Bucket=bucket, Key="raw/part")
    assert (head.get("ObjectLockMode"), head.get("ObjectLockRetainUntilDate")) == (mode, MOMENT + timedelta(days=30))
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=bucket, Key="raw/part", VersionId=head["VersionId"])

    free = client.head_object(Bucket=bucket, Key="logs/object")
    assert "ObjectLockMode" not in free
    client.delete_object(Bucket=bucket, Key="logs/object", VersionId=free["VersionId"])


@pytest.mark.soak
@pytest.mark.parametrize(("empty", "gives_way"), [(False, False), (True, False), (False, True)])
def test_two_workers_make_the_same_archive_in_every_order(emulator: Aws, empty: bool, gives_way: bool) -> None:
    orders, outcomes = every_order(
        lambda: prepared(empty=empty, gives_way=gives_way, s3=MirroredS3(new_store(emulator))), race_of, check
    )
    assert orders > 50
    assert outcomes > 3
