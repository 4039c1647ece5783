"""The store's promises, on the in-memory bucket and on the emulator alike."""

import hashlib
from pathlib import Path

import pytest

from logarchive.errors import ArchiveError
from logarchive.store import SINGLE_PUT_BYTES, ChangedError, Store


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
    assert found == store.look("logs/1") == now
    assert (tmp_path / "copy").read_bytes() == b"2" * size


def test_what_is_not_there_is_none(store: Store, tmp_path: Path) -> None:
    assert store.look("logs/none") is None
    assert store.fetch("logs/none", tmp_path / "none") is None


def test_keys_come_in_order_and_only_below_the_prefix(store: Store) -> None:
    for key in ("raw/b/2", "raw/b/1", "raw/c/1"):
        store.keep(key, b"x")
    assert list(store.keys("raw/b/")) == ["raw/b/1", "raw/b/2"]
