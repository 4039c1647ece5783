"""The store's promises, on the in-memory bucket; `tests/integration/test_on_emulator.py` runs them on the emulator."""

import hashlib
import json
import tracemalloc
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from logarchive.errors import ArchiveError
from logarchive.store.bucket import ChangedError, Store, sha256_of
from logarchive.store.manifest import Manifest, RawVisit
from logarchive.store.place import Place
from tests.fake_aws import FakeS3, refused
from tests.scenario import some
from tests.unit.visit import WINDOW, part


def file(folder: Path, body: bytes) -> tuple[Path, str]:
    path = folder / hashlib.sha256(body).hexdigest()[:8]
    path.write_bytes(body)
    return path, hashlib.sha256(body).hexdigest()


def test_a_raw_part_is_written_once_and_the_same_bytes_again_are_a_success(store: Store) -> None:
    store.keep("raw/1", b"one")
    store.keep("raw/1", b"one")
    with pytest.raises(ArchiveError, match="raw/1 exists already with other bytes"):
        store.keep("raw/1", b"two")
    assert store.read("raw/1") == b"one"


def test_a_raw_part_is_written_from_a_file_too(store: Store, tmp_path: Path) -> None:
    path, sha256 = file(tmp_path, b"zip")
    store.keep("raw/2", path, sha256)
    store.keep("raw/2", path)
    assert store.read("raw/2") == b"zip"


def test_an_object_is_replaced_only_over_what_was_seen(store: Store, tmp_path: Path) -> None:
    first, second = file(tmp_path, b"1"), file(tmp_path, b"2")
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
    assert (tmp_path / "copy").read_bytes() == b"2"


@pytest.mark.parametrize(("conflicts", "written"), [(2, True), (3, False)])
def test_a_write_that_meets_another_is_tried_three_times(tmp_path: Path, conflicts: int, *, written: bool) -> None:
    left = iter(range(conflicts))

    def gate(call: str, moment: str) -> None:
        if (call, moment) == ("s3.put logs/1", "before") and next(left, None) is not None:
            raise refused("ConditionalRequestConflict", 409)

    store = Store(FakeS3(gate=gate), "bucket")  # type: ignore[arg-type] # a drop-in
    with nullcontext() if written else pytest.raises(ClientError):
        store.replace("logs/1", *file(tmp_path, b"1"), None)
    assert (store.find("logs/1") == b"1") == written


def test_what_is_published_replaces_whatever_is_there_and_a_browser_shows_it(store: Store) -> None:
    for body in (b"yesterday", b"today"):
        store.publish("coverage/index.html", body, "text/html; charset=utf-8")
    assert store.read("coverage/index.html") == b"today"
    head = store.client.head_object(Bucket=store.bucket, Key="coverage/index.html")
    assert head["ContentType"] == "text/html; charset=utf-8"


def test_what_is_not_there_is_none(store: Store, tmp_path: Path) -> None:
    assert store.fetch("logs/none", tmp_path / "none") is None


def test_keys_come_in_order_and_only_below_the_prefix(store: Store) -> None:
    for key in ("raw/b/2", "raw/b/1", "raw/c/1"):
        store.keep(key, b"x")
    assert list(store.keys("raw/b/")) == ["raw/b/1", "raw/b/2"]


def test_each_write_is_reported_with_its_size_and_a_refused_one_is_not(store: Store, tmp_path: Path) -> None:
    written: list[tuple[str, int]] = []

    def wrote(key: str, size: int) -> None:
        written.append((key, size))

    store = replace(store, wrote=wrote)
    store.keep("raw/1", b"one")
    store.keep("raw/1", b"one")
    path, sha256 = file(tmp_path, b"22")
    store.replace("logs/1", path, sha256, None)
    with pytest.raises(ChangedError):
        store.replace("logs/1", path, sha256, None)
    assert written == [("raw/1", 3), ("logs/1", 2)]


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


def test_what_a_provider_adds_to_a_part_overwrites_nothing_in_the_manifest(store: Store, tmp_path: Path) -> None:
    raw = RawVisit(store, Place("elsa", "shop", WINDOW), "visit", tmp_path, {})
    kept = raw.keep(part(b"body").replace(extra={"key": "elsewhere", "host": "a.test"}))
    [described] = json.loads(store.read(raw.close([kept])))["parts"]
    assert (described["key"], described["host"]) == (kept.key, "a.test")


def test_small_objects_are_replaced_only_over_the_etag_that_was_read(store: Store) -> None:
    assert store.find_tagged("proof/checkpoint") is None
    with pytest.raises(ChangedError):
        store.replace_bytes("proof/checkpoint", b"1", '"0123"')
    store.replace_bytes("proof/checkpoint", b"1", None)
    with pytest.raises(ChangedError):
        store.replace_bytes("proof/checkpoint", b"2", None)
    body, etag = some(store.find_tagged("proof/checkpoint"))
    assert body == b"1"
    store.replace_bytes("proof/checkpoint", b"2", etag)
    with pytest.raises(ChangedError):
        store.replace_bytes("proof/checkpoint", b"3", etag)
    assert store.read("proof/checkpoint") == b"2"


def test_a_stored_body_that_repeats_itself_is_read_back_in_little_memory(store: Store, tmp_path: Path) -> None:
    body = part(b" " * 64_000_000, suffix=".txt")
    raw = RawVisit(store, Place("elsa", "shop", WINDOW), "visit", tmp_path, {})
    manifest = raw.close([raw.keep(replace(body, sha256=sha256_of(body.path)))])
    tracemalloc.start()
    [again] = Manifest.read(store, manifest).recall(store, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
    assert sha256_of(again.path) == sha256_of(body.path)
