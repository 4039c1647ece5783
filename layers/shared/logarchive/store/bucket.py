"""The bucket: raw parts written once, `logs` objects written only over what was read. The only module that calls S3."""

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from logarchive.errors import ArchiveError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

type LockMode = Literal["GOVERNANCE", "COMPLIANCE"]

FORBIDDEN, NOT_FOUND, CONFLICT, PRECONDITION_FAILED = 403, 404, 409, 412


@dataclass(frozen=True)
class Stored:
    """An object as S3 shows it."""

    etag: str
    version: str | None


class ChangedError(Exception):
    """The object changed since it was read: the write was refused."""


@dataclass(frozen=True)
class Lock:
    """How long nobody can delete a raw object, from when it is written."""

    days: int
    mode: LockMode
    clock: Callable[[], dt.datetime]

    def options(self) -> dict[str, Any]:
        """Return the options of a PutObject that lock what it writes."""
        until = self.clock() + dt.timedelta(days=self.days)
        return {"ObjectLockMode": self.mode, "ObjectLockRetainUntilDate": until}


@dataclass(frozen=True)
class Store:
    """The archive's bucket."""

    client: "S3Client"
    bucket: str
    #: Put on raw objects, if any.
    lock: Lock | None = None
    #: Called with the key and the size of every object that was written.
    wrote: Callable[[str, int], None] = lambda _key, _size: None

    def keep(self, key: str, body: bytes | Path, sha256: str | None = None) -> None:
        """Write a raw object that is never overwritten. If the same bytes are there already, that is success.

        Raises ArchiveError if there are other bytes.
        """
        digest = _base64(sha256 or (hashlib.sha256(body).hexdigest() if isinstance(body, bytes) else sha256_of(body)))
        options = self.lock.options() if self.lock else {}
        try:
            self._put(key, body, IfNoneMatch="*", ChecksumSHA256=digest, **options)
        except ChangedError:
            existing = self.client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
            if existing.get("ChecksumSHA256") != digest:
                raise ArchiveError(f"{key} exists already with other bytes") from None

    def replace(self, key: str, body: Path, sha256: str, etag: str | None) -> Stored:
        """Write an object over the one with `etag`, or where there is none (None). Raises ChangedError otherwise."""
        return self._replace(key, body, sha256, etag)

    def replace_bytes(self, key: str, body: bytes, etag: str | None) -> Stored:
        """Write a small object like `replace`."""
        return self._replace(key, body, hashlib.sha256(body).hexdigest(), etag)

    def publish(self, key: str, body: bytes, content_type: str) -> Stored:
        """Write an object that is made anew each time, over whatever is there; browsers are told what it is."""
        return self._put(key, body, ContentType=content_type)

    def fetch(self, key: str, target: Path) -> Stored | None:
        """Copy an object to a local file; None if there is none."""
        try:
            response = self.client.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if _code(error) == "InvalidObjectState":
                raise ArchiveError(f"{key} lies in an archive of S3 Glacier: restore it first") from error
            if self._missing(key, error):
                return None
            raise
        with target.open("wb") as file:
            for piece in response["Body"].iter_chunks(1024 * 1024):
                file.write(piece)
        return Stored(response["ETag"], response.get("VersionId"))

    def head(self, key: str) -> Stored | None:
        """Return how S3 shows an object, without reading it; None if there is none."""
        try:
            response = self.client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if self._missing(key, error):
                return None
            raise
        return Stored(response["ETag"], response.get("VersionId"))

    def read(self, key: str) -> bytes:
        """Return a small object's bytes."""
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def find(self, key: str) -> bytes | None:
        """Return a small object's bytes; None if there is none."""
        found = self.find_tagged(key)
        return found[0] if found else None

    def find_tagged(self, key: str) -> tuple[bytes, str] | None:
        """Return a small object's bytes and its ETag, for `replace_bytes`; None if there is none."""
        try:
            response = self.client.get_object(Bucket=self.bucket, Key=key)
            return response["Body"].read(), response["ETag"]
        except ClientError as error:
            if self._missing(key, error):
                return None
            raise

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys under a prefix, in order."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            yield from (item.get("Key", "") for item in page.get("Contents", []))

    def _replace(self, key: str, body: bytes | Path, sha256: str, etag: str | None) -> Stored:
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        return self._put(key, body, ChecksumSHA256=_base64(sha256), **condition)

    def _missing(self, key: str, error: ClientError) -> bool:
        """Return whether an error means that there is no such object.

        Without ListBucket on its prefix, S3 returns 403 for a missing key as for a forbidden one; a LIST shows which.
        """
        return _status(error) == NOT_FOUND or (_status(error) == FORBIDDEN and key not in self.keys(key))

    def _put(self, key: str, body: bytes | Path, **options: Any) -> Stored:  # noqa: ANN401 (options of PutObject)
        for last in (False, False, True):
            try:
                if isinstance(body, bytes):
                    response = self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **options)
                else:
                    with body.open("rb") as file:
                        response = self.client.put_object(Bucket=self.bucket, Key=key, Body=file, **options)
            except ClientError as error:
                # S3 returns NoSuchKey for If-Match if there is no object.
                if _status(error) == PRECONDITION_FAILED or _code(error) == "NoSuchKey":
                    raise ChangedError from error
                if _status(error) != CONFLICT or last:  # another write is under way
                    raise
            else:
                self.wrote(key, len(body) if isinstance(body, bytes) else body.stat().st_size)
                return Stored(response["ETag"], response.get("VersionId"))
        raise AssertionError  # the last round returns or raises


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(binascii.unhexlify(hexadecimal)).decode()


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
