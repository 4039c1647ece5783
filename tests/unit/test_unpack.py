"""What a body holds, however it is wrapped; and what is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest

from logarchive.errors import MalformedError, OutOfTimeError, TooLargeError
from logarchive.record import unpack, zip_archive
from logarchive.record.layout import JsonLayout
from logarchive.record.reader import blocks, reaches
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
    for module in (unpack, zip_archive):
        monkeypatch.setattr(module, "CHUNK", 64)
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


@pytest.mark.parametrize("wrap", [gzip.compress, visit.zipped])
def test_logs_that_repeat_are_no_bomb_whatever_their_ratio(wrap: Callable[[bytes], bytes]) -> None:
    queries = b'{"query":"%b"}\n' % (b"SELECT " * 4000) * 1000
    assert len(wrap(queries)) < len(queries) / 300
    assert contents(wrap(queries)) == [queries]


def test_what_unpacks_to_more_than_fits_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_BYTES", 1_000_000)
    for body in (gzip.compress(b"\0" * 10_000_000), visit.zipped(b"\0" * 10_000_000), tarred(b"x" * 1_500_000)):
        with pytest.raises(TooLargeError, match="bytes"):
            contents(body)
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 10)
    for body in (visit.zipped(*[b"x"] * 11), tarred(*[b"x"] * 11)):
        with pytest.raises(TooLargeError, match="members"):
            contents(body)
    assert len(contents(visit.zipped(*[b"x"] * 10))) == 10
    deep = TEXT
    for _ in range(unpack.MAX_DEPTH + 1):
        deep = gzip.compress(deep)
    with pytest.raises(MalformedError, match="deep"):
        contents(deep)


def end(count: int, size: int, offset: int) -> bytes:
    return struct.pack("<4s4HIIH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, size, offset, 0)


def end64(count: int, size: int, offset: int, place: int) -> bytes:
    record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    return record + struct.pack("<4sIQI", b"PK\x06\x07", 0, place, 1) + end(0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)


LOCAL = visit.zipped(TEXT)[: visit.zipped(TEXT).index(b"PK\x01\x02")]
CENTRAL = visit.zipped(TEXT)[len(LOCAL) : -22]
BROKEN_ZIPS = {
    "its directory lies outside": LOCAL + CENTRAL + end(1, len(CENTRAL), 2**31),
    "its directory lies before the file": LOCAL + CENTRAL + end(1, 2**32 - 1, len(LOCAL)),
    "its directory is larger than it says": LOCAL + CENTRAL * 2 + end(1, 2 * len(CENTRAL), len(LOCAL)),
    "its directory has fewer members": LOCAL + CENTRAL + end(2, len(CENTRAL), len(LOCAL)),
    "its directory lies outside, in 64 bits": LOCAL + CENTRAL + end64(1, len(CENTRAL), 2**63, len(LOCAL + CENTRAL)),
    "its 64 bits lie outside": LOCAL + CENTRAL + end64(1, len(CENTRAL), len(LOCAL), 2**64 - 1),
    "its member lies outside": LOCAL + CENTRAL[:42] + b"\xff\xff\xff\x7f0.json" + end(1, len(CENTRAL), len(LOCAL)),
    "it has no end": LOCAL + CENTRAL,
}


@pytest.mark.parametrize("name", BROKEN_ZIPS)
def test_a_zip_that_contradicts_itself_is_malformed(name: str) -> None:
    with pytest.raises(MalformedError):
        contents(BROKEN_ZIPS[name])


@pytest.mark.parametrize("large", [False, True])
def test_a_directory_is_counted_before_it_is_read(large: bool) -> None:
    count = 60_000
    directory = CENTRAL * count
    place = len(LOCAL) + len(directory)
    tail = end64(count, len(directory), len(LOCAL), place) if large else end(count, len(directory), len(LOCAL))
    path = visit.part(LOCAL + directory + tail).path
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="members"):
        list(unpack.members(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_the_names_of_members_do_not_matter() -> None:
    false_flag = bytearray(visit.zipped(TEXT).replace(b"0.json", b"\xff.json"))
    for at in (6, false_flag.index(b"PK\x01\x02") + 8):
        false_flag[at + 1] |= 0x08
    assert contents(bytes(false_flag)) == [TEXT]


UNREAD = {
    "bzip2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "zstd": b"\x28\xb5\x2f\xfd" + TEXT,
    "7z": b"7z\xbc\xaf\x27\x1c" + TEXT,
    "UTF-16": TEXT.decode().encode("utf-16"),
    "UTF-32": TEXT.decode().encode("utf-32"),
    "a zip within an archive": visit.zipped(TEXT),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_said_to_be_what_it_is(name: str) -> None:
    for wrap in (gzip.compress, visit.zipped, tarred) + ((bytes,) if name[0] != "a" else ()):
        with pytest.raises(MalformedError, match=f"is {name}"):
            contents(wrap(UNREAD[name]))


def test_a_deadline_stops_any_reader() -> None:
    calls = 0

    def alive() -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise OutOfTimeError("late")

    for body in (b"\n" * 2_000_000, gzip.compress(b"\n" * 2_000_000), visit.zipped(b" " * 2_000_000), b"[" * 2_000_000):
        calls = 0
        with pytest.raises(OutOfTimeError):
            list(blocks(visit.part(body), JsonLayout(), "time", alive))
        calls = 0
        with pytest.raises(OutOfTimeError):
            reaches([visit.part(body)], JsonLayout(), "time", 1, 1, alive)
