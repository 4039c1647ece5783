"""Unpacks a body: the bytes of its members, whatever archive holds them. Recognised by content; bounded in bytes."""

import itertools
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from logarchive.errors import MalformedError, TooLargeError
from logarchive.part import GZIP_MAGIC
from logarchive.record import zip_archive
from logarchive.record.block import Chunks
from logarchive.record.zip_archive import CHUNK, GZIP, inflate

MAX_MEMBERS = 10_000
MAX_BYTES = 16 * 1024**3
#: A gzip in a gzip in a zip is still a log; deeper is a trick.
MAX_DEPTH = 4

_TAR_MAGIC, _TAR_BLOCK = slice(257, 262), 512
#: isal misreads a header of a gzip with several optional fields if it comes in pieces.
_GZIP_HEADER_BYTES = 4096
#: What a body may be that is not read -> how it begins.
_UNREAD = {
    "bzip2": (b"BZh91AY&SY", b"BZh61AY&SY", b"BZh11AY&SY"),
    "xz": (b"\xfd7zXZ\0",),
    "zstd": (b"\x28\xb5\x2f\xfd",),
    "7z": (b"7z\xbc\xaf\x27\x1c",),
    "UTF-32": (b"\xff\xfe\0\0", b"\0\0\xfe\xff"),
    "UTF-16": (b"\xff\xfe", b"\xfe\xff"),
    "a zip within an archive": (zip_archive.LOCAL, zip_archive.END),
}


class _Limits:
    """How much more one body may unpack to. `ensure_time` is called at each chunk, and may raise."""

    def __init__(self, ensure_time: Callable[[], None]) -> None:
        self._ensure_time = ensure_time
        self._bytes = self._members = 0

    def count(self, chunks: Chunks) -> Chunks:
        for chunk in chunks:
            self._ensure_time()
            self._bytes += len(chunk)
            if self._bytes > MAX_BYTES:
                raise TooLargeError(f"the body unpacks to more than {MAX_BYTES} bytes")
            yield chunk

    def members(self, count: int) -> None:
        self._members += count
        if self._members > MAX_MEMBERS:
            raise TooLargeError(f"the archive has more than {MAX_MEMBERS} members")


def members(path: Path, ensure_time: Callable[[], None] = lambda: None) -> Iterator[Chunks]:
    """Yield the bytes of every member that is not empty, in order; each stream must be read before the next one.

    `ensure_time` is called at each chunk, and may raise. Raises MalformedError for what is broken, cut, encrypted,
    followed by garbage, or packed in a way that is not read; TooLargeError beyond the limits.
    """
    limits = _Limits(ensure_time)
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head in {zip_archive.LOCAL, zip_archive.END}:
            for member in _zip(file, limits):
                yield from _unwrap(member, limits, 1)
        else:
            yield from _unwrap(limits.count(_read(file)), limits, 0)


def only_member(path: Path, ensure_time: Callable[[], None] = lambda: None) -> Chunks:
    """Yield the bytes of the only member, none if the body is empty. Raises MalformedError at its end for another."""
    every = members(path, ensure_time)
    yield from next(every, iter(()))
    if next(every, None) is not None:
        raise MalformedError("an archive of several members where one document is promised")


def _zip(file: BinaryIO, limits: _Limits) -> Iterator[Chunks]:
    directory = zip_archive.directory(file, MAX_MEMBERS)
    limits.members(directory if isinstance(directory, int) else len(directory))
    for member in directory if isinstance(directory, list) else ():
        yield limits.count(zip_archive.content(file, member))


def _read(file: BinaryIO) -> Chunks:
    while chunk := file.read(CHUNK):
        yield chunk


def _unwrap(chunks: Chunks, limits: _Limits, depth: int) -> Iterator[Chunks]:
    """Yield the members of a stream: of a gzip, of a tar, or the stream itself unless it is empty."""
    if depth > MAX_DEPTH:
        raise MalformedError(f"archives within archives, more than {MAX_DEPTH} deep")
    head = _head(chunks, _TAR_MAGIC.stop)
    whole = itertools.chain([head], chunks)
    if head[:2] == GZIP_MAGIC:
        yield from _unwrap(limits.count(_gunzip(whole)), limits, depth + 1)
    elif is_tar(head):
        for member in _tar(whole, limits):
            yield from _unwrap(member, limits, depth + 1)
    elif unread := next((name for name, begins in _UNREAD.items() if head.startswith(begins)), None):
        raise MalformedError(f"the body is {unread}, which is not read")
    elif head:
        yield whole


def is_tar(head: bytes) -> bool:
    """Return whether a body that begins like this is a tar. A log may have the same five letters there, but no NUL."""
    return head[_TAR_MAGIC] == b"ustar" and b"\0" in head[: _TAR_MAGIC.start]


def _head(chunks: Chunks, size: int) -> bytes:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= size:
            break
    return head


def _gunzip(chunks: Chunks) -> Chunks:
    """Yield what a gzip of one or more members holds; zeros may pad its end."""
    rest = _head(chunks, _GZIP_HEADER_BYTES)
    while rest[:1].strip(b"\0"):
        rest = yield from inflate(chunks, rest, GZIP)
        if len(rest) < _GZIP_HEADER_BYTES:
            rest += _head(chunks, _GZIP_HEADER_BYTES - len(rest))
    if any(chunk.strip(b"\0") for chunk in itertools.chain([rest], chunks)):
        raise MalformedError("garbage follows the gzip")


def _tar(chunks: Chunks, limits: _Limits) -> Iterator[Chunks]:
    """Yield the files of a tar. The standard library's reader takes a broken header for the end."""
    file = _Stream(chunks)
    while (header := file.read(_TAR_BLOCK)).strip(b"\0"):
        limits.members(1)
        try:
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise MalformedError(f"the tar is broken or cut: {error}") from error
        if member.size < 0:
            raise MalformedError("the tar is broken: a member has a negative size")
        # Links and folders hold nothing, whatever they say.
        size = 0 if member.islnk() or member.issym() or member.isdir() else member.size
        content = file.take(size)
        if member.isreg():
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
