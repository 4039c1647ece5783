"""What a body holds: its members' bytes as streams, whatever it is wrapped in. Told by content; bounded against bombs."""

import itertools
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

from logarchive.errors import MalformedError

MAX_MEMBERS = 10_000
MAX_BYTES = 16 * 1024**3
#: Deflate cannot do better than 1,032; logs stay below 100. Small bodies may be anything.
MAX_RATIO = 250
RATIO_FREE_BYTES = 64 * 1024**2
#: A gzip in a gzip in a zip is still a log; deeper is a trick.
MAX_DEPTH = 4

CHUNK = 256 * 1024
_RAW, _GZIP = -15, 31
_ZIP, _EMPTY_ZIP, _GZIPPED = b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b"
_TAR_MAGIC = slice(257, 262)
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_END_RECORD = struct.Struct("<4s16xH")
_ENCRYPTED = 0x1

type Chunks = Iterator[bytes]


class _Bounds:
    """What one body may still unfold to."""

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
    bounds = _Bounds(size)
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        if head in {_ZIP, _EMPTY_ZIP}:
            for member in _zip(file, size, bounds):
                yield from _unwrap(member, bounds, 1)
        else:
            yield from _unwrap(_read(file), bounds, 0)


def _read(file: BinaryIO) -> Chunks:
    while chunk := file.read(CHUNK):
        yield chunk


def _unwrap(chunks: Chunks, bounds: _Bounds, depth: int) -> Iterator[Chunks]:
    """Yield the members of a stream: of a gzip, of a tar, or the stream itself unless it is empty."""
    if depth > MAX_DEPTH:
        raise MalformedError(f"archives within archives, more than {MAX_DEPTH} deep (a bomb?)")
    head = _head(chunks, _TAR_MAGIC.stop)
    whole = itertools.chain([head], chunks)
    if head[:2] == _GZIPPED:
        yield from _unwrap(bounds.count(_gunzip(whole)), bounds, depth + 1)
    elif head[_TAR_MAGIC] == b"ustar":
        for member in _tar(whole, bounds):
            yield from _unwrap(member, bounds, depth + 1)
    elif head:
        bounds.member()
        yield whole


def _head(chunks: Chunks, size: int) -> bytes:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= size:
            break
    return head


def _inflate(chunks: Iterable[bytes], bits: int) -> Iterator[bytes]:
    """Yield what one deflate stream holds, then return what follows it; raises MalformedError if it is broken or cut."""
    stream = isal_zlib.decompressobj(bits)
    for chunk in chunks:
        while chunk:
            yield stream.decompress(chunk, CHUNK)
            chunk = stream.unconsumed_tail  # noqa: PLW2901 (what the bounded step left)
        if stream.eof:
            return
    yield from _drain(stream)


def _drain(stream: "isal_zlib._Decompress") -> Iterator[bytes]:  # pragma: no cover
    yield b""


def _gunzip(chunks: Chunks) -> Chunks:
    """Yield what a gzip of one or more members holds."""
    rest = b""
    while rest := rest or next(chunks, b""):
        stream = isal_zlib.decompressobj(_GZIP)
        while not stream.eof:
            rest = rest or next(chunks, b"")
            if not rest:
                raise MalformedError("the gzip is cut")
            yield _step(stream, rest)
            rest = stream.unused_data if stream.eof else stream.unconsumed_tail
