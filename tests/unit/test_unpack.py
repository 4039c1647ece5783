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


def with_name_of_a_folder() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("logs/", TEXT)
    return file.getvalue()


def zip64() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w", force_zip64=True) as entry:
        entry.write(TEXT)
    return file.getvalue()


def wrong_name() -> bytes:
    """Return a zip whose member has a name that it says is UTF-8, and is not."""
    body = bytearray(visit.zipped(TEXT).replace(b"0.json", b"\xff.json"))
    for at in (6, body.index(b"PK\x01\x02") + 8):
        body[at + 1] |= 0x08
    return bytes(body)


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
    "stored zip": lambda: stored(TEXT),
    "gzip in zip": lambda: visit.zipped(gzip.compress(TEXT)),
    "zip with a folder and an empty member": with_folder,
    "zip whose only member has the name of a folder": with_name_of_a_folder,
    "zip of 64 bits": zip64,
    "zip with a wrong name": wrong_name,
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_text_is_found_in_any_wrapping(wrapping: str) -> None:
    assert contents(WRAPPINGS[wrapping]()) == [TEXT]


def test_a_text_is_no_tar_because_a_client_has_sent_five_letters() -> None:
    text = b"GET /%b/ustar.html" % (b"x" * 251) + TEXT
    assert text[257:262] == b"ustar"
    assert contents(text) == [text]
    assert contents(gzip.compress(text)) == [text]


def test_a_header_of_a_gzip_may_lie_anywhere_on_the_border_of_two_chunks() -> None:
    header = b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x05\0extra" + b"name\0comment\0"
    for before in range(len(header)):
        zeros = b"\0" * (zip_archive.CHUNK - before - 43)
        first = gzip.compress(zeros, 0)
        assert len(first) == zip_archive.CHUNK - before
        assert contents(first + header + gzip.compress(TEXT)[10:]) == [zeros + TEXT]


def test_members_come_in_order_and_each_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (unpack, zip_archive):
        monkeypatch.setattr(module, "CHUNK", 64)
    texts = [b"%d" % at * (at * 37 + 1) for at in range(20)]
    for body in (visit.zipped(*texts), visit.zipped(*texts, how=zipfile.ZIP_STORED), tarred(*texts)):
        assert contents(body) == texts


@pytest.mark.parametrize("wrap", [gzip.compress, visit.zipped, stored, tarred])
def test_what_is_cut_anywhere_is_malformed(wrap: Callable[[bytes], bytes]) -> None:
    whole = wrap(TEXT)
    # A tar shows that it is one 257 bytes on, and its end is two empty blocks, of which one may be missing.
    first, last = (700, 11_500) if wrap is tarred else (4, len(whole))
    for end in range(first, last, max(1, len(whole) // 40)):
        with pytest.raises(MalformedError):
            contents(whole[:end])


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


PACKED, ZIPPED, STORED = gzip.compress(TEXT), visit.zipped(TEXT), stored(TEXT)
#: Where the directory of the zip begins.
ENTRY = ZIPPED.index(b"PK\x01\x02")
LOCAL, CENTRAL = ZIPPED[:ENTRY], ZIPPED[ENTRY:-22]


def flipped(body: bytes, *places: int) -> bytes:
    changed = bytearray(body)
    for place in places:
        changed[place] ^= 1
    return bytes(changed)


#: Archives that contradict themselves, or cannot be read, by what is wrong -> what the error says.
ONE = len(CENTRAL)
BROKEN = {
    "a directory outside": (LOCAL + CENTRAL + end(1, ONE, 2**31), "not where"),
    "a directory before the file": (LOCAL + CENTRAL + end(1, 2**32 - 1, ENTRY), "not where"),
    "a directory larger than it says": (
        LOCAL + CENTRAL * 2 + end(1, 2 * ONE, ENTRY),
        "directory does not have the size",
    ),
    "a directory of fewer members": (LOCAL + CENTRAL + end(2, ONE, ENTRY), "broken at member 2"),
    "a directory with one more member behind it": (LOCAL + CENTRAL * 2 + end(1, ONE, ENTRY), "not where"),
    "a zip behind a zip": (ZIPPED * 2, "not where"),
    "one more member behind a directory of 64 bits": (
        LOCAL + CENTRAL * 2 + end64(1, ONE, ENTRY, ENTRY + 2 * ONE),
        "not where",
    ),
    "a member that is there twice": (LOCAL + CENTRAL * 2 + end(2, 2 * ONE, ENTRY), "overlap"),
    "a member that goes on into the directory": (
        LOCAL + CENTRAL[:20] + struct.pack("<I", len(LOCAL)) + CENTRAL[24:] + end(1, ONE, ENTRY),
        "reach into",
    ),
    "a directory outside, in 64 bits": (LOCAL + CENTRAL + end64(1, ONE, 2**63, ENTRY + ONE), "not where"),
    "64 bits outside": (LOCAL + CENTRAL + end64(1, ONE, ENTRY, 2**64 - 1), "not where"),
    "64 bits where no file reaches": (LOCAL + CENTRAL + end64(1, ONE, ENTRY, 2**63 - 2), "not where"),
    "a member outside": (LOCAL + CENTRAL[:42] + b"\xff\xff\xff\x7f0.json" + end(1, ONE, ENTRY), "reach into"),
    "a member elsewhere": (LOCAL + CENTRAL[:42] + b"\1\0\0\x000.json" + end(1, ONE, ENTRY), "no header where"),
    "no end": (LOCAL + CENTRAL, "no end"),
    "a wrong size": (flipped(ZIPPED, ENTRY + 24), "member 1 does not have the size"),
    "a wrong checksum in a zip": (flipped(STORED, 100), "wrong CRC"),
    "a wrong checksum in a gzip": (flipped(PACKED, -6), "broken"),
    "a byte behind a gzip": (PACKED + b"x", "cut"),
    "garbage behind a gzip": (PACKED + b"garbage" * 20, "broken"),
    "a byte behind a zip": (ZIPPED + b"x", "garbage follows"),
    "garbage behind a zip": (ZIPPED + b"garbage" * 20, "garbage follows"),
    "an encrypted member": (flipped(ZIPPED, 6, ENTRY + 8), "encrypted"),
    "a bzip2 in a zip": (visit.zipped(TEXT, how=zipfile.ZIP_BZIP2), "unknown compression"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_archive_that_contradicts_itself_or_cannot_be_read_is_malformed(name: str) -> None:
    body, said = BROKEN[name]
    with pytest.raises(MalformedError, match=said):
        contents(body)


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


TWO_READINGS = {
    "a second document in an archive": visit.zipped(b'{"items":[]}', b'{"items":[{"time":1}]}'),
    "a second list": b'{"items":[],"items":[{"time":1}]}',
    "a second code": b'{"code":0,"code":500,"items":[]}',
}


@pytest.mark.parametrize("name", TWO_READINGS)
def test_what_could_be_read_in_two_ways_is_no_document(name: str) -> None:
    with pytest.raises(MalformedError, match=r"several members|twice"):
        list(blocks(visit.part(TWO_READINGS[name]), JsonLayout(path="items"), "time"))
