"""What a body holds, however it is wrapped; and what is refused."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from logarchive.errors import MalformedError
from logarchive.record import unpack
from tests.unit import visit

TEXT = b"some text\n" * 1000


def contents(body: bytes) -> list[bytes]:
    return [b"".join(member) for member in unpack.members(visit.part(body).path)]


def stored(content: bytes) -> bytes:
    return visit.zipped(content, how=zipfile.ZIP_STORED)


def tarred(*members: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        folder = tarfile.TarInfo("logs/")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for at, content in enumerate(members):
            entry = tarfile.TarInfo(f"logs/{at}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def with_folder() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.mkdir("logs")
        archive.writestr("logs/empty", b"")
        archive.writestr("logs/a", TEXT)
    return file.getvalue()


WRAPPINGS = {
    "plain": lambda: TEXT,
    "gzip": lambda: gzip.compress(TEXT),
    "two gzips": lambda: gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:]),
    "padded gzip": lambda: gzip.compress(TEXT) + b"\0" * 512,
    "gzip in gzip": lambda: gzip.compress(gzip.compress(TEXT)),
    "tar": lambda: tarred(b"", TEXT),
    "tar in gzip": lambda: gzip.compress(tarred(TEXT)),
    "gzip in tar": lambda: tarred(gzip.compress(TEXT)),
    "zip": lambda: visit.zipped(TEXT),
    "stored zip": lambda: visit.zipped(TEXT, how=zipfile.ZIP_STORED),
    "gzip in zip": lambda: visit.zipped(gzip.compress(TEXT)),
    "zip with a folder and an empty member": with_folder,
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_text_is_found_in_any_wrapping(wrapping: str) -> None:
    assert contents(WRAPPINGS[wrapping]()) == [TEXT]


def test_members_come_in_order_and_each_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "CHUNK", 64)
    texts = [b"%d" % at * (at * 37 + 1) for at in range(20)]
    for body in (visit.zipped(*texts), visit.zipped(*texts, how=zipfile.ZIP_STORED), tarred(*texts)):
        assert contents(body) == texts


def test_a_zip64_is_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w", force_zip64=True) as entry:
        entry.write(TEXT)
    assert contents(file.getvalue()) == [TEXT]


@pytest.mark.parametrize("wrap", [gzip.compress, visit.zipped, stored])
def test_what_is_cut_anywhere_is_malformed(wrap: Callable[[bytes], bytes]) -> None:
    whole = wrap(TEXT)
    for end in range(4, len(whole), max(1, len(whole) // 40)):
        with pytest.raises(MalformedError):
            contents(whole[:end])


def test_a_cut_tar_is_malformed() -> None:
    whole = tarred(TEXT, TEXT)
    for end in (700, 3000, 12_000, 15_000):
        with pytest.raises(MalformedError):
            contents(whole[:end])


@pytest.mark.parametrize("wrap", [gzip.compress, visit.zipped])
def test_garbage_behind_an_archive_is_malformed(wrap: Callable[[bytes], bytes]) -> None:
    for garbage in (b"x", b"garbage" * 20):
        with pytest.raises(MalformedError):
            contents(wrap(TEXT) + garbage)


def test_a_wrong_checksum_or_size_is_malformed() -> None:
    broken = bytearray(gzip.compress(TEXT))
    broken[-6] ^= 1
    stored = bytearray(visit.zipped(TEXT, how=zipfile.ZIP_STORED))
    stored[100] ^= 1
    sized = bytearray(visit.zipped(TEXT))
    at = sized.rindex(b"PK\x01\x02") + 24
    sized[at : at + 4] = struct.pack("<I", len(TEXT) + 1)
    for body in (broken, stored, sized):
        with pytest.raises(MalformedError):
            contents(bytes(body))


def test_an_encrypted_member_is_malformed() -> None:
    body = bytearray(visit.zipped(TEXT))
    body[6] |= 1
    body[body.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(MalformedError, match="encrypted"):
        contents(bytes(body))


def test_a_compression_we_cannot_undo_is_malformed() -> None:
    with pytest.raises(MalformedError, match="compression"):
        contents(visit.zipped(TEXT, how=zipfile.ZIP_BZIP2))


def test_a_bomb_is_malformed_by_its_size_its_members_or_its_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "RATIO_FREE_BYTES", 100_000)
    zeros = b"\0" * 10_000_000
    for body in (gzip.compress(zeros), visit.zipped(zeros)):
        with pytest.raises(MalformedError, match="bomb"):
            contents(body)
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 10)
    with pytest.raises(MalformedError, match="members"):
        contents(visit.zipped(*[b"x"] * 11))
    assert len(contents(visit.zipped(*[b"x"] * 10))) == 10
    deep = TEXT
    for _ in range(unpack.MAX_DEPTH + 1):
        deep = gzip.compress(deep)
    with pytest.raises(MalformedError, match="deep"):
        contents(deep)
