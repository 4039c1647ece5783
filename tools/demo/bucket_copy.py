"""A copy of the bucket, checked by `verifier/verify.py` as an auditor would, without AWS.

Then one object of the copy is spoiled at a time, and the check must name it.
"""

import json
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.truth import Bucket
from tools.lock import ROOT
from tools.stack import StackError

VERIFIER = ROOT / "verifier" / "verify.py"
#: How many objects are copied at once.
CONNECTIONS = 8


@dataclass(frozen=True)
class Spoiling:
    """Something done to one object of a copy, which the check must find."""

    what: str
    key: str
    #: The bytes that it has then; None if it is removed.
    body: bytes | None


@dataclass(frozen=True)
class BucketCopy:
    """A folder with a copy of the bucket, and the public key that it is checked with."""

    folder: Path
    key: str

    def check(self, *options: str) -> "Check":
        """Run the check. It gets no environment: so no credentials, no endpoint, nothing installed."""
        command = [sys.executable, "-I", str(VERIFIER), str(self.folder), "--key", self.key, *options]
        done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
        return Check(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def spoiled(self, spoiling: Spoiling) -> Generator[None]:
        """Spoil one object, and put it right again."""
        path = self.folder / spoiling.key
        before = path.read_bytes()
        path.unlink()
        if spoiling.body is not None:
            path.write_bytes(spoiling.body)
        try:
            yield
        finally:
            path.write_bytes(before)


@dataclass(frozen=True)
class Check:
    """What the check has said."""

    code: int
    output: str
    error: str

    def findings(self) -> list[tuple[str, str]]:
        """Return what was found, object by object, of a report in JSON. Raises StackError if it could not check."""
        if self.code not in {0, 1}:
            raise StackError(f"verify.py could not check the copy: {self.output[-600:]}{self.error[-600:]}")
        report: Mapping[str, Any] = json.loads(self.output)
        return [(finding["object"], finding["what"]) for finding in report["findings"]]


def copy(bucket: Bucket, folder: Path) -> int:
    """Copy every object of the bucket to a folder, as `aws s3 sync` does; return how many."""
    keys = bucket.keys("")

    def one(key: str) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bucket.read(key))

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, keys))
    return len(keys)


def spoilings(bucket: Bucket) -> Iterator[Spoiling]:
    """Yield a changed byte, a removed object and an older version put back, each of another provider."""
    part = next(key for key in bucket.keys("raw/provider=dsa/") if not key.endswith("manifest.json"))
    body = bucket.read(part)
    middle = len(body) // 2
    yield Spoiling("one byte changed", part, body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :])
    yield Spoiling("object removed", bucket.keys("logs/provider=security365/")[-1], None)
    key, version = _older(bucket, "logs/provider=elsa/")
    older = bucket.client.get_object(Bucket=bucket.name, Key=key, VersionId=version)["Body"].read()
    yield Spoiling("older version put back", key, older)


def _older(bucket: Bucket, prefix: str) -> tuple[str, str]:
    """Return an object that was replaced, and its version before."""
    pages = bucket.client.get_paginator("list_object_versions").paginate(Bucket=bucket.name, Prefix=prefix)
    replaced = [version for page in pages for version in page.get("Versions", []) if not version.get("IsLatest")]
    if not replaced:
        raise StackError(f"no object under {prefix} was replaced")
    return replaced[-1].get("Key", ""), replaced[-1].get("VersionId", "")
