"""A copy of the bucket is checked; then one of its objects is spoiled at a time, and the check must name it."""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.truth import Bucket
from tools.bucket_copy import BucketCopy, Check, copy
from tools.demo.account import Account
from tools.demo.page import Page
from tools.stack import StackError
from verifier.verify import counted

#: What is shown of each source.
REPORT = ("source", "days", "windows", "sealed", "closed", "open", "missing_hours", "rows", "confirmed_percent")
#: Its columns whose names are shorter than the report's keys.
SHORT = {"missing_hours": "missing h", "confirmed_percent": "confirmed %"}


@dataclass(frozen=True)
class Spoiling:
    """Something done to one object of a copy, which the check must find."""

    what: str
    key: str
    #: The bytes that it has then; None if it is removed.
    body: bytes | None


@contextmanager
def spoiled(folder: Path, spoiling: Spoiling) -> Generator[None]:
    """Spoil one object of a copy, and put it right again."""
    path = folder / spoiling.key
    before = path.read_bytes()
    path.unlink()
    if spoiling.body is not None:
        path.write_bytes(spoiling.body)
    try:
        yield
    finally:
        path.write_bytes(before)


def show(page: Page, account: Account) -> None:
    """Check a copy of the bucket, then spoil it. Raises StackError if the check does not say what is right."""
    page.section("A copy of the bucket proves itself")
    page.say(
        "A function of its own, the notary, has stated in a log what was archived, and signed it with a key in KMS. "
        "Now the bucket is copied to a folder, and one file of Python checks the copy with the public key: without "
        "AWS, without a network, and without any code of the archive."
    )
    page.line()
    with TemporaryDirectory() as folder:
        with page.step("copy", "every object of the bucket, as aws s3 sync copies it"):
            copy(account.bucket, Path(folder))
        copied = BucketCopy(Path(folder), account.proof_key())
        page.line()
        page.line("python3 verify.py copy --key archive.key")
        page.line()
        show_report(page, copied.check("--json"))
        page.line()
        page.say("Three times one object of the copy is spoiled, and put right again; each time it is named:")
        for spoiling in spoilings(account.bucket):
            with spoiled(copied.folder, spoiling):
                page.line()
                page.line(f"{spoiling.what}:")
                page.whole(f"  {found(copied.check('--json'), spoiling)}")


def show_report(page: Page, check: Check) -> None:
    """Show the report on a copy that nobody has touched. Raises StackError if it does not say so."""
    if check.code:
        problem = f"{check.output[-1000:]}{check.error[-1000:]}"
        raise StackError(f"nobody has touched the copy, but verify.py ends with {check.code}: {problem}")
    report: Mapping[str, Any] = json.loads(check.output)
    page.table(
        [SHORT.get(name, name) for name in REPORT], [[source[name] for name in REPORT] for source in report["sources"]]
    )
    page.line()
    page.say("Confirmed: the sealed windows whose number of records the provider's own total confirms; many give none.")
    page.line()
    checked = ", ".join(counted(number, what) for what, number in report["checked"].items())
    page.say(f"Checked: {checked}. Nothing is wrong.")


def found(check: Check, spoiling: Spoiling) -> str:
    """Return what a report in JSON says of the spoiled object. Raises StackError if it does not name it."""
    if check.code != 1:
        raise StackError(f"{spoiling.what}, {spoiling.key}: not found by verify.py (exit code {check.code})")
    findings: list[Mapping[str, str]] = json.loads(check.output)["findings"]
    said = [finding["what"] for finding in findings if finding["object"] == spoiling.key]
    if not said:
        others = ", ".join(finding["object"] for finding in findings[:3])
        raise StackError(f"{spoiling.what}, {spoiling.key}: not named by verify.py, which names {others or 'nothing'}")
    return f"{spoiling.key} {said[0]}"


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
