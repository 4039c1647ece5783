"""A copy of the bucket in a folder, checked by `verifier/verify.py` as an auditor would, without AWS."""

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.lock import ROOT

VERIFIER = ROOT / "verifier" / "verify.py"
#: How many objects are copied at once.
CONNECTIONS = 8


class Objects(Protocol):
    """The objects of a bucket."""

    def keys(self, prefix: str) -> Iterable[str]:
        """Return the keys under a prefix."""
        ...

    def read(self, key: str) -> bytes:
        """Return an object's bytes."""
        ...


@dataclass(frozen=True)
class Check:
    """What the check has said."""

    code: int
    output: str
    error: str


@dataclass(frozen=True)
class BucketCopy:
    """A folder with a copy of the bucket, and the public key that it is checked with (or a file that holds it)."""

    folder: Path
    key: str

    def check(self, *options: str) -> Check:
        """Run the check. It gets no environment: so no credentials, no endpoint, nothing installed."""
        command = [sys.executable, "-I", str(VERIFIER), str(self.folder), "--key", self.key, *options]
        done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
        return Check(done.returncode, done.stdout, done.stderr)


def copy(bucket: Objects, folder: Path) -> None:
    """Copy every object of a bucket to a folder, as `aws s3 sync` does."""

    def one(key: str) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bucket.read(key))

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, bucket.keys("")))
