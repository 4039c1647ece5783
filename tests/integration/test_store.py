"""The store's promises, on the in-memory bucket and on the emulator alike."""

import datetime as dt
import hashlib
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from logarchive.errors import ArchiveError
from logarchive.store.bucket import SINGLE_PUT_BYTES, ChangedError, Lock, LockMode, Store
from tests.fake_aws import FakeS3, refused
from tools.stack import Aws


def file(folder: Path, body: bytes) -> tuple[Path, str]:
    path = folder / hashlib.sha256(body).hexdigest()[:8]
    path.write_bytes(body)
    return path, hashlib.sha256(body).hexdigest()


def test_a_raw_part_is_written_once_and_the_same_bytes_again_are_a_success(store: Store) -> None:
    store.keep("raw/1", b"one")
    store.keep("raw/1", b"one")
    with pytest.raises(ArchiveError, match="raw/1 stands already with other bytes"):
        store.keep("raw/1", b"two")
    assert store.read("raw/1") == b"one"


def test_a_raw_part_is_written_from_a_file_too(store: Store, tmp_path: Path) -> None:
    path, sha256 = file(tmp_path, b"zip")
    store.keep("raw/2", path, sha256)
    store.keep("raw/2", path)
    assert store.read("raw/2") == b"zip"


@pytest.mark.parametrize("size", [10, SINGLE_PUT_BYTES + 1])
def test_an_object_is_replaced_only_over_what_was_seen(store: Store, tmp_path: Path, size: int) -> None:
    first, second = file(tmp_path, b"1" * size), file(tmp_path, b"2" * size)
    with pytest.raises(ChangedError):
        store.replace("logs/1", *first, '"0123"')
    seen = store.replace("logs/1", *first, None)
    with pytest.raises(ChangedError):
        store.replace("logs/1", *second, None)
    now = store.replace("logs/1", *second, seen.etag)
    with pytest.raises(ChangedError):
        store.replace("logs/1", *first, seen.etag)
    found = store.fetch("logs/1", tmp_path / "copy")
    assert found == now
    assert (tmp_path / "copy").read_bytes() == b"2" * size


def test_what_is_not_there_is_none(store: Store, tmp_path: Path) -> None:
    assert store.fetch("logs/none", tmp_path / "none") is None


def test_keys_come_in_order_and_only_below_the_prefix(store: Store) -> None:
    for key in ("raw/b/2", "raw/b/1", "raw/c/1"):
        store.keep(key, b"x")
    assert list(store.keys("raw/b/")) == ["raw/b/1", "raw/b/2"]


def test_what_was_written_is_told_with_its_size_and_what_was_refused_is_not(store: Store, tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []

    def wrote(key: str, size: int) -> None:
        told.append((key, size))

    store = replace(store, wrote=wrote)
    store.keep("raw/1", b"one")
    store.keep("raw/1", b"one")
    path, sha256 = file(tmp_path, b"2" * (SINGLE_PUT_BYTES + 1))
    store.replace("logs/1", path, sha256, None)
    with pytest.raises(ChangedError):
        store.replace("logs/1", path, sha256, None)
    assert told == [("raw/1", 3), ("logs/1", SINGLE_PUT_BYTES + 1)]


def test_an_object_that_is_forbidden_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    s3 = StrictS3()
    strict = Store(s3, "bucket")  # type: ignore[arg-type] # a drop-in
    strict.keep("logs/one", b"x")
    assert strict.find("logs/none") is None
    assert strict.fetch("logs/none", tmp_path / "none") is None
    assert strict.find("logs/one") == b"x"
    s3.refuses = True
    with pytest.raises(ClientError):
        strict.find("logs/one")


class StrictS3(FakeS3):
    """S3 as a role sees it that may list only below a prefix: 403 of what is not there."""

    refuses = False

    def _found(self, key: str, code: str) -> Any:
        if self.refuses or key not in self.objects:
            raise refused("AccessDenied", 403)
        return super()._found(key, code)


MOMENT = dt.datetime.now(dt.UTC).replace(microsecond=0)


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_raw_objects_are_locked_from_when_they_are_written_and_others_are_not(
    emulator: Aws, tmp_path: Path, mode: LockMode
) -> None:
    client = boto3.client("s3", **emulator)
    bucket = f"locked-{uuid.uuid4().hex[:8]}"
    where: Any = {"LocationConstraint": "ap-northeast-2"}
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    store = Store(client, bucket, Lock(30, mode, lambda: MOMENT))
    store.keep("raw/part", b"one")
    store.replace("logs/object", *file(tmp_path, b"rows"), None)

    head = client.head_object(Bucket=bucket, Key="raw/part")
    assert (head.get("ObjectLockMode"), head.get("ObjectLockRetainUntilDate")) == (mode, MOMENT + dt.timedelta(days=30))
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=bucket, Key="raw/part", VersionId=head["VersionId"])

    free = client.head_object(Bucket=bucket, Key="logs/object")
    assert "ObjectLockMode" not in free
    client.delete_object(Bucket=bucket, Key="logs/object", VersionId=free["VersionId"])
