"""`logarchive verify` and `logarchive evidence`."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from console.account.access import Access, Clients
from console.account.copy import TOPS, copy, ensure_empty_or_copy, path
from console.account.proof import notarize, written
from console.account.stack import Stack
from console.command.verify import place
from console.failure import ConsoleError
from tests.console.conftest import Deployed
from tests.console.run import Run
from tests.integration.test_deployed import public_key
from tools.stack import Aws
from verifier import verify

PART = "raw/provider=elsa/source=shop/date=2026-11-20/20261120T000000Z-PT1H/20261120T010600Z-0001/00000.zip"


def test_a_window_and_a_row_belong_to_the_same_folder() -> None:
    folder = PART.rpartition("/")[0].rpartition("/")[0] + "/"
    assert place("elsa/shop/2026-11-20T00:00:00Z/PT1H") == (folder, "--window")
    assert place(f"{PART}#12") == (folder, "--row")
    with pytest.raises(ConsoleError, match="elsa/shop: is no window and no row; for instance elsa/shop/2026-11-22T"):
        place("elsa/shop")


@pytest.mark.parametrize("key", ["raw/../../x", "/etc/passwd", "raw//x", "raw/./x"])
def test_no_key_leads_out_of_the_folder_of_the_copy(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConsoleError, match="whose name is no path"):
        path(tmp_path, key)
    assert path(tmp_path, "raw/x") == tmp_path / "raw" / "x"


def test_a_folder_with_something_else_in_it_is_no_place_for_a_copy(tmp_path: Path) -> None:
    (tmp_path / "proof").mkdir()
    for name in ("coverage", "history"):  # `aws s3 sync` copies them as well
        (tmp_path / name).mkdir()
    ensure_empty_or_copy(tmp_path)
    ensure_empty_or_copy(tmp_path / "new")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConsoleError, match=r"holds notes\.txt, which is no part of a copy"):
        ensure_empty_or_copy(tmp_path)


@pytest.fixture
def bucket(emulator: Aws) -> Iterator[Stack]:
    """Make a bucket with a few objects, and a stack that has nothing else."""
    name = "copied"
    clients = Clients(Access(name, None, None, urlsplit(emulator["endpoint_url"]).port))
    client = boto3.client("s3", **emulator)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": emulator["region_name"]})  # type: ignore[typeddict-item] # any region
    for key in ("proof/checkpoint", "raw/a", "raw/folder/b", "logs/c", "rejects/d", "coverage/index.html", "history/e"):
        client.put_object(Bucket=name, Key=key, Body=key.encode())
    client.put_object(Bucket=name, Key="raw/folder/")  # as the console of S3 marks a folder
    yield Stack(name, {"BucketName": name}, clients)
    for one in client.list_objects_v2(Bucket=name).get("Contents", []):
        client.delete_object(Bucket=name, Key=one.get("Key", ""))
    client.delete_bucket(Bucket=name)


def files(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_dir())


def unseen(_done: int, _total: int | None) -> None:
    """Show nobody how far a copy is."""


def test_a_copy_has_what_the_verifier_reads_and_can_be_made_again(bucket: Stack, tmp_path: Path) -> None:
    moves: list[tuple[int, int | None]] = []

    def moved(done: int, total: int | None) -> None:
        moves.append((done, total))

    for _ in range(2):
        ensure_empty_or_copy(tmp_path)
        copy(bucket, tmp_path, TOPS, moved)
    assert files(tmp_path) == ["logs/c", "proof/checkpoint", "raw/a", "raw/folder/b", "rejects/d"]
    assert moves[-1] == (5, 5)
    assert len(moves) == 5  # the second time nothing was new


def test_what_the_bucket_does_not_hold_any_more_is_removed_from_the_copy(bucket: Stack, tmp_path: Path) -> None:
    copy(bucket, tmp_path, TOPS, unseen)
    (tmp_path / "coverage").mkdir()
    (tmp_path / "coverage" / "index.html").touch()
    outside = tmp_path / "coverage"
    (tmp_path / "raw" / "link").symlink_to(outside)
    bucket.clients.objects.delete_object(Bucket="copied", Key="raw/folder/b")
    bucket.clients.objects.delete_object(Bucket="copied", Key="logs/c")
    copy(bucket, tmp_path, ("proof/", "raw/"), unseen)
    assert files(tmp_path) == ["coverage/index.html", "logs/c", "proof/checkpoint", "raw/a", "rejects/d"]
    copy(bucket, tmp_path, TOPS, unseen)
    assert files(tmp_path) == ["coverage/index.html", "proof/checkpoint", "raw/a", "rejects/d"]


def test_the_notary_is_asked_for_the_log_alone(monkeypatch: pytest.MonkeyPatch, bucket: Stack) -> None:
    asked: list[object] = []

    def act(_stack: Stack, *words: str, **fields: object) -> None:
        asked.append((*words, fields))

    monkeypatch.setattr(Stack, "act", act)
    notarize(bucket)
    assert asked == [("notary", "notary", {"daily": False})]


@pytest.mark.slow
def test_the_accounts_key_is_written_as_the_docs_write_it(deployed: Deployed) -> None:
    arn = deployed.stack.outputs["ProofSigningKeyArn"]
    der = boto3.client("kms", **deployed.stack.aws).get_public_key(KeyId=arn)["PublicKey"]
    key = written(f"{deployed.stack.outputs['BucketName']}/proof", der)
    assert key == public_key(deployed.stack)
    assert verify.Key.parsed(key).text == key


@pytest.mark.slow
def test_a_copy_is_verified_and_updated_and_a_changed_object_is_found(
    deployed: Deployed, on_stack: Run, tmp_path: Path
) -> None:
    folder = str(tmp_path / "copy")
    key = public_key(deployed.stack)
    first = on_stack("verify", "--copy", folder, "--key", key)
    assert first.out.endswith("Nothing is wrong.\n"), first.out
    assert (first.code, first.err) == (0, "")
    [changed, *_] = (tmp_path / "copy" / "logs").rglob("*.parquet")
    changed.write_bytes(b"changed")
    again = on_stack("verify", "--copy", folder, "--key", key, "--json")
    assert (again.code, json.loads(again.out)["findings"]) == (0, [])  # what has changed is copied again
    assert on_stack("verify", "--only-log").code == 0
    other = written("another/proof", bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    assert on_stack("verify", "--copy", folder, "--key", other).code == 2


@pytest.mark.slow
def test_a_pack_of_evidence_of_a_row_and_of_a_window_can_be_checked_without_the_archive(
    deployed: Deployed, on_stack: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT raw_part, raw_index FROM logs WHERE provider = 'security365' ORDER BY time LIMIT 1"
    [row] = on_stack("query", "--sql", sql, "--json").json
    window = f"security365/one/{deployed.start:%Y-%m-%dT%H:%M:%SZ}/PT1H"
    for what in (f"{row['raw_part']}#{row['raw_index']}", window):
        pack = tmp_path / "pack.zip"
        made = on_stack("evidence", what, "--out", str(pack), "--json")
        assert (made.code, made.json["pack"]) == (0, str(pack)), made
        assert verify.main([str(pack), "--key", public_key(deployed.stack)]) == 0
        assert "Nothing is wrong" in capsys.readouterr().out
    missing = on_stack("evidence", window.replace("PT1H", "PT2H"), "--out", str(tmp_path / "none.zip"))
    assert (missing.code, missing.out.partition(":")[0]) == (1, "no pack was made")
