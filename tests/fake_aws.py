"""S3 and DynamoDB in memory, as far as the archive uses them, with a gate around every call.

Fast enough to try thousands of orders of events. What they promise is checked against a full emulator by running the
same ledger and store tests on both (`tests/unit/test_ledger.py` and `test_store.py`).
"""

import base64
import binascii
import hashlib
import io
import operator
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from logarchive.ledger.dynamodb import Condition, Item, Term, Write

#: Called with the call's name before and after it; may raise, to kill the caller there.
type Gate = Callable[[str, str], None]


def open_gate(_call: str, _moment: str) -> None:
    """Let everything pass."""


def refused(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Fake")


@dataclass
class FakeTable:
    """A table with the keys `source` and `window`, and the indexes `due` and `unproven`.

    A drop-in for `ledger.dynamodb.Table`.
    """

    items: dict[tuple[str, str], Item] = field(default_factory=dict[Any, Any])
    gate: Gate = open_gate
    calls: list[str] = field(default_factory=list[str])

    def get(self, partition: str, sort: str) -> Item | None:
        with self._call(f"ddb.get {sort}"):
            return self._copy(self.items.get((partition, sort)))

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        with self._call("ddb.get_many"):
            assert len(keys) <= 100
            assert len({*keys}) == len(keys)
            return [dict(self.items[key]) for key in keys if key in self.items]

    def query(self, key: Condition, *, index: str = "", backwards: bool = False) -> Iterator[Item]:
        with self._call("ddb.query"):
            items = self._select(key, index)
        yield from reversed(items) if backwards else items

    def first(self, key: Condition, limit: int, *, index: str) -> list[Item]:
        with self._call("ddb.first"):
            return self._select(key, index)[:limit]

    def scan(self, limit: int, after: Item | None = None, *, index: str = "") -> tuple[list[Item], Item | None]:
        with self._call(f"ddb.scan {index}".strip()):
            keys = ("source", index, "window") if index else ("source", "window")
            found = [{name: item[name] for name in keys} if index else dict(item) for item in self._marked(index)]

            def place(item: Item) -> list[str]:
                return [item[name] for name in keys]

            left = sorted((item for item in found if after is None or place(item) > place(after)), key=place)
            return left[:limit], {name: left[limit - 1][name] for name in keys} if len(left) > limit else None

    def update(self, write: Write) -> Item | None:
        with self._call(f"ddb.update {write.sort}"):
            return self._copy(self._write(write)) if self._admits(write) else None

    def transact(self, writes: Sequence[Write]) -> bool:
        with self._call("ddb.transact"):
            assert len(writes) <= 100
            assert len({(write.partition, write.sort) for write in writes}) == len(writes)
            if not all(map(self._admits, writes)):
                return False
            for write in writes:
                self._write(write)
            return True

    def _admits(self, write: Write) -> bool:
        return holds(write.when, self.items.get((write.partition, write.sort), {}))

    def _write(self, write: Write) -> Item:
        keys = {"source": write.partition, "window": write.sort}
        item: Item = {**self.items.get((write.partition, write.sort), {}), **keys}
        self.items[write.partition, write.sort] = item
        for name, value in write.put.items():
            if value is None:
                item.pop(name, None)
            else:
                item[name] = value
        for name, added in write.add.items():
            item[name] = item.get(name, 0) + added if isinstance(added, int) else item.get(name, added) | added
        return item

    def _select(self, key: Condition, index: str) -> list[Item]:
        order = "due_at" if index == "due" else "window"
        [partition] = [term.values[0] for term in key if term.name == "source"]
        own = [item for (owner, _), item in self.items.items() if owner == partition and order in item]
        items = [item for item in own if holds(key, item)]
        return [dict(item) for item in sorted(items, key=lambda item: item[order])]

    def _marked(self, index: str) -> list[Item]:
        return [item for item in self.items.values() if not index or index in item]

    @staticmethod
    def _copy(item: Item | None) -> Item | None:
        return None if item is None else dict(item)

    def _call(self, name: str) -> AbstractContextManager[None]:
        self.calls.append(name)
        return _through(self.gate, name)


@contextmanager
def _through(gate: Gate, call: str) -> Generator[None]:
    gate(call, "before")
    yield
    gate(call, "after")


@dataclass
class _Object:
    body: bytes
    etag: str
    version: str
    content_type: str = ""


@dataclass
class FakeS3:
    """The calls of an S3 client that the store makes, on one versioned bucket."""

    objects: dict[str, _Object] = field(default_factory=dict[Any, Any])
    gate: Gate = open_gate
    calls: list[str] = field(default_factory=list[str])
    writes: int = 0

    def put_object(self, *, Key: str, Body: Any, Bucket: str, **options: Any) -> dict[str, Any]:
        with self._call("s3.put", Key):
            body = Body if isinstance(Body, bytes) else Body.read()
            checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
            if options.get("ChecksumSHA256", checksum) != checksum:
                raise refused("BadDigest", 400)
            self._admit(Key, options)
            stored = self._store(Key, body)
            self.objects[Key].content_type = options.get("ContentType", "")
            return stored

    def get_object(self, *, Key: str, Bucket: str) -> dict[str, Any]:
        with self._call("s3.get", Key):
            found = self._found(Key, "NoSuchKey")
            return {"Body": _Body(found.body), "ETag": found.etag, "VersionId": found.version}

    def head_object(self, *, Key: str, Bucket: str, ChecksumMode: str = "") -> dict[str, Any]:
        with self._call("s3.head", Key):
            found = self._found(Key, "404")
            checksum = base64.b64encode(binascii.unhexlify(hashlib.sha256(found.body).hexdigest())).decode()
            kept = {"ETag": found.etag, "VersionId": found.version, "ContentType": found.content_type}
            return kept | {"ChecksumSHA256": checksum}

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        with self._call("s3.list", Prefix):
            keys = sorted(key for key in self.objects if key.startswith(Prefix))
        yield {"Contents": [{"Key": key} for key in keys]} if keys else {}

    def _admit(self, key: str, options: Mapping[str, Any]) -> None:
        standing = self.objects.get(key)
        if options.get("IfNoneMatch") and standing:
            raise refused("PreconditionFailed", 412)
        if "IfMatch" in options and standing is None:
            raise refused("NoSuchKey", 404)
        if standing and options.get("IfMatch", standing.etag) != standing.etag:
            raise refused("PreconditionFailed", 412)

    def _store(self, key: str, body: bytes) -> dict[str, Any]:
        self.writes += 1
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        self.objects[key] = _Object(body, etag, f"v{self.writes}")
        return {"ETag": etag, "VersionId": f"v{self.writes}"}

    def _found(self, key: str, code: str) -> _Object:
        if key not in self.objects:
            raise refused(code, 404)
        return self.objects[key]

    def _call(self, name: str, key: str) -> AbstractContextManager[None]:
        self.calls.append(f"{name} {key}")
        return _through(self.gate, f"{name} {key}")


class _Body(io.BytesIO):
    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield from iter(lambda: self.read(size), b"")


@dataclass
class FakeKms:
    """A key of `Kms` that signs with what it is given: by default with what only this class takes for a signature."""

    signature: Callable[[bytes], bytes] = lambda message: hashlib.sha512(message).digest()
    public: bytes = bytes(32)
    gate: Gate = open_gate
    calls: list[str] = field(default_factory=list[str])
    #: Everything that was ever signed.
    signed: list[bytes] = field(default_factory=list[bytes])

    def public_key(self) -> bytes:
        return bytes.fromhex("302a300506032b6570032100") + self.public

    def sign(self, message: bytes) -> bytes:
        self.calls.append("kms.sign")
        with _through(self.gate, "kms.sign"):
            self.signed.append(message)
            return self.signature(message)


@dataclass
class FakeSsm:
    """The calls of an SSM client that the archive makes."""

    parameters: dict[str, str] = field(default_factory=dict[Any, Any])
    calls: list[str] = field(default_factory=list[str])

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> dict[str, Any]:
        self.calls.append("get_parameter")
        if Name not in self.parameters:
            raise refused("ParameterNotFound", 400)
        return {"Parameter": {"Name": Name, "Value": self.parameters[Name]}}

    def get_paginator(self, operation: str) -> "FakeSsm":
        self.calls.append(operation)
        return self

    def paginate(self, *, Path: str = "", ParameterFilters: Any = (), **_options: Any) -> Iterator[dict[str, Any]]:
        path = Path or ParameterFilters[0]["Values"][0]
        for name, value in self.parameters.items():
            if name.startswith(f"{path}/"):
                yield {"Parameters": [{"Name": name} | ({"Value": value} if Path else {})]}


@dataclass
class FakeSecrets:
    """The one call of a Secrets Manager client that the archive makes."""

    secrets: dict[str, str] = field(default_factory=dict[Any, Any])
    calls: list[str] = field(default_factory=list[str])

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:
        self.calls.append(SecretId)
        if SecretId not in self.secrets:
            raise refused("ResourceNotFoundException", 400)
        return {"SecretString": self.secrets[SecretId]}


def holds(condition: Condition, item: Mapping[str, Any]) -> bool:
    """Say whether a condition holds for an item."""
    return all(_term_holds(term, item.get(term.name)) for term in condition)


def _term_holds(term: Term, value: Any) -> bool:
    if value is None:
        return term.operator in {"absent", "absent or <="}
    compared: Mapping[str, Callable[..., bool]] = {
        "=": operator.eq,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        "between": _between,
        "begins with": str.startswith,
        "exists": bool,
        "absent or <=": operator.le,
    }
    return term.operator in compared and compared[term.operator](value, *term.values)


def _between(value: str, first: str, last: str) -> bool:
    return first <= value <= last
