"""Unpacks a body: the bytes of its members, whatever archive holds them. Recognised by content, with limits."""

import itertools
import struct
import tarfile
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from isal import isal_zlib

from logarchive.errors import MalformedError
from logarchive.part import GZIP_MAGIC
from logarchive.record.block import Chunks

MAX_MEMBERS = 10_000
MAX_BYTES = 16 * 1024**3
#: Deflate cannot do better than 1,032; logs stay below 100. Small bodies may be anything.
MAX_RATIO = 250
RATIO_FREE_BYTES = 64 * 1024**2
#: A gzip in a gzip in a zip is still a log; deeper is a trick.
MAX_DEPTH = 4

CHUNK = 256 * 1024
_RAW, _GZIP = -15, 31
_ZIP, _EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
_TAR_MAGIC, _TAR_BLOCK = slice(257, 262), 512
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_END_RECORD = struct.Struct("<4s16xH")
_ENCRYPTED = 0x1

# isal's stubs call it an instance.
_InflateError = cast("type[Exception]", isal_zlib.error)


class _Limits:
    """How much more one body may unpack to."""

    def __init__(self, packed: int) -> None:
        self._limit = min(MAX_BYTES, max(RATIO_FREE_BYTES, packed * MAX_RATIO))
        self._bytes = self._members = 0

    def count(self, chunks: Chunks) -> Chunks:
        for chunk in chunks:
            self._bytes += len(chunk)
            if self._bytes > self._limit:
                raise MalformedError(f"the body unfolds to more than {self._limit} bytes (a bomb?)")
            yield chunk

    def member(self) -> None:
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise MalformedError(f"the archive has more than {MAX_MEMBERS} members (a bomb?)")


def members(path: Path) -> Iterator[Chunks]:
    """Yield the bytes of every member that is not empty, in order; each stream must be read before the next one.

    Raises MalformedError for what is broken, cut, encrypted, trailed by garbage, or a bomb.
    """
    size = path.stat().st_size
    limits = _Limits(size)
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head in {_ZIP, _EMPTY_ZIP}:
            for member in _zip(file, size, limits):
                yield from _unwrap(member, limits, 1)
        else:
            yield from _unwrap(_read(file), limits, 0)


def _read(file: BinaryIO) -> Chunks:
    while chunk := file.read(CHUNK):
        yield chunk


def _unwrap(chunks: Chunks, limits: _Limits, depth: int) -> Iterator[Chunks]:
    """Yield the members of a stream: of a gzip, of a tar, or the stream itself unless it is empty."""
    if depth > MAX_DEPTH:
        raise MalformedError(f"archives within archives, more than {MAX_DEPTH} deep (a bomb?)")
    head = _head(chunks, _TAR_MAGIC.stop)
    whole = itertools.chain([head], chunks)
    if head[:2] == GZIP_MAGIC:
        yield from _unwrap(limits.count(_gunzip(whole)), limits, depth + 1)
    elif head[_TAR_MAGIC] == b"ustar":
        for member in _tar(whole, limits):
            yield from _unwrap(member, limits, depth + 1)
    elif head:
        yield whole


def _head(chunks: Chunks, size: int) -> bytes:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= size:
            break
    return head


def _inflate(chunks: Chunks, rest: bytes, bits: int) -> Generator[bytes, None, bytes]:
    """Yield what one deflate stream holds and return what was read beyond its end."""
    stream = isal_zlib.decompressobj(bits)
    while not stream.eof:
        rest = rest or next(chunks, b"")
        try:
            inflated = stream.decompress(rest, CHUNK)
        except _InflateError as error:
            raise MalformedError(f"the archive is broken: {error}") from error
        ended: bool = stream.eof
        if not (rest or inflated or ended):
            raise MalformedError("the archive is cut")
        if inflated:
            yield inflated
        rest = stream.unused_data if ended else stream.unconsumed_tail
    return rest


def _gunzip(chunks: Chunks) -> Chunks:
    """Yield what a gzip of one or more members holds; zeros may pad its end."""
    rest = next(chunks, b"")
    while rest[:1].strip(b"\0"):
        rest = yield from _inflate(chunks, rest, _GZIP)
        rest = rest or next(chunks, b"")
    if any(chunk.strip(b"\0") for chunk in itertools.chain([rest], chunks)):
        raise MalformedError("garbage follows the gzip")


def _tar(chunks: Chunks, limits: _Limits) -> Iterator[Chunks]:
    """Yield the files of a tar. The standard library's reader takes a broken header for the end."""
    file = _Stream(chunks)
    while (header := file.read(_TAR_BLOCK)).strip(b"\0"):
        limits.member()
        try:
            entry = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise MalformedError(f"the tar is broken or cut: {error}") from error
        # Links and folders hold nothing, whatever they say.
        size = 0 if entry.islnk() or entry.issym() or entry.isdir() else entry.size
        content = file.take(size)
        if entry.isreg():
            yield content
        file.skip(content, -size % _TAR_BLOCK)
    if len(header) < _TAR_BLOCK or any(chunk.strip(b"\0") for chunk in file.rest()):
        raise MalformedError("the tar is cut, or garbage follows it")


class _Stream:
    """A stream of chunks, read by size."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks, self._held = chunks, b""

    def read(self, size: int) -> bytes:
        while len(self._held) < size and (chunk := next(self._chunks, b"")):
            self._held += chunk
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def take(self, size: int) -> Chunks:
        while size:
            if not (chunk := self.read(min(size, CHUNK))):
                raise MalformedError("the tar is cut")
            size -= len(chunk)
            yield chunk

    def skip(self, content: Chunks, padding: int) -> None:
        for _ in content:
            pass
        self.read(padding)

    def rest(self) -> Chunks:
        return itertools.chain([self._held], self._chunks)


def _whole(chunks: Chunks, size: int) -> Chunks:
    """Pass on what must be `size` bytes."""
    for chunk in chunks:
        size -= len(chunk)
        yield chunk
    if size:
        raise MalformedError("a member of the archive does not have the size it declares")


def _zip(file: BinaryIO, size: int, limits: _Limits) -> Iterator[Chunks]:
    """Yield the members of a zip that takes up the whole file, each checked against its size and CRC."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries, comment = archive.infolist(), archive.comment
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError) as error:
        raise MalformedError(f"the zip is broken or cut: {error}") from error
    file.seek(size - len(comment) - _END_RECORD.size)
    if _END_RECORD.unpack(file.read(_END_RECORD.size)) != (_EMPTY_ZIP, len(comment)):
        raise MalformedError("garbage follows the zip")
    for entry in entries:
        limits.member()
        if not entry.is_dir():
            yield _checked(limits.count(_member(file, entry)), entry)


def _member(file: BinaryIO, entry: zipfile.ZipInfo) -> Chunks:
    if entry.flag_bits & _ENCRYPTED:
        raise MalformedError(f"the zip's member {entry.filename!r} is encrypted")
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or header[:4] != _ZIP:
        raise MalformedError(f"the zip's member {entry.filename!r} has no header where the directory says")
    _, name, extra = _LOCAL_HEADER.unpack(header)
    packed = _slice(file, entry.header_offset + _LOCAL_HEADER.size + name + extra, entry.compress_size)
    if entry.compress_type == zipfile.ZIP_STORED:
        yield from packed
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        if (yield from _inflate(packed, b"", _RAW)) or next(packed, b""):
            raise MalformedError(f"garbage follows the zip's member {entry.filename!r}")
    else:
        raise MalformedError(f"the zip's member {entry.filename!r} has an unknown compression ({entry.compress_type})")


def _slice(file: BinaryIO, start: int, length: int) -> Chunks:
    """Read part of a file, at its own place each time: the directory and other members are read in between."""
    end = start + length
    while start < end:
        file.seek(start)
        if not (chunk := file.read(min(CHUNK, end - start))):
            raise MalformedError("the zip is cut")
        start += len(chunk)
        yield chunk


def _checked(chunks: Chunks, entry: zipfile.ZipInfo) -> Chunks:
    crc = 0
    for chunk in _whole(chunks, entry.file_size):
        crc = isal_zlib.crc32(chunk, crc)
        yield chunk
    if crc != entry.CRC:
        raise MalformedError(f"the zip's member {entry.filename!r} has a wrong CRC")
