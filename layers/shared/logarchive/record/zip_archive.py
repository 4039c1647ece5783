"""The members of a zip that is a whole file: read from its directory, checked by size and CRC. Names are not used."""

import struct
from collections.abc import Generator, Iterator
from itertools import pairwise
from typing import Any, BinaryIO, NamedTuple, cast

from isal import isal_zlib

from logarchive.errors import MalformedError
from logarchive.record.block import Chunks

CHUNK = 256 * 1024
RAW, GZIP = -15, 31
LOCAL, END = b"PK\x03\x04", b"PK\x05\x06"
_CENTRAL, _END64, _LOCATOR64 = b"PK\x01\x02", b"PK\x06\x06", b"PK\x06\x07"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_CENTRAL_HEADER = struct.Struct("<4s4xHH4xIIIHHH8xI")
_END_RECORD = struct.Struct("<4s6xHIIH")
_END64_RECORD = struct.Struct("<4s28xQQQ")
_LOCATOR64_RECORD = struct.Struct("<4s4xQ4x")
_EXTRA, _ZIP64 = struct.Struct("<HH"), 1
_MAX_COMMENT = 0xFFFF
_IN_EXTRA = 0xFFFF_FFFF
_ENCRYPTED, _STORED, _DEFLATED = 0x1, 0, 8

# isal's stubs call it an instance.
_InflateError = cast("type[Exception]", isal_zlib.error)


class Member(NamedTuple):
    """A member as the directory describes it; `number` counts from 1."""

    number: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int


def directory(file: BinaryIO, most: int) -> list[Member] | int:
    """Return the members; or only how many there are, if they are more than `most`. Raises MalformedError."""
    count, size, offset = _end(file)
    if count > most:
        return count
    file.seek(offset)
    members = [_member(file, number) for number in range(1, count + 1)]
    if file.tell() != offset + size:
        raise MalformedError("the zip's directory does not have the size it declares")
    places = sorted((member.offset, member.offset + _LOCAL_HEADER.size + member.packed) for member in members)
    if any(end > begin for (_, end), (begin, _) in pairwise([*places, (offset, offset)])):
        raise MalformedError("the zip's members overlap, or reach into its directory")
    return members


def _end(file: BinaryIO) -> tuple[int, int, int]:
    """Return the number of members, and size and place of the directory."""
    total = file.seek(0, 2)
    begin = file.seek(max(0, total - _MAX_COMMENT - _END_RECORD.size))
    tail = file.read()
    at = len(tail)
    while (at := tail.rfind(END, 0, at)) >= 0:
        fields = tail[at : at + _END_RECORD.size]
        if len(fields) == _END_RECORD.size and at + _END_RECORD.size + _END_RECORD.unpack(fields)[-1] == len(tail):
            break
    else:
        raise MalformedError("the zip has no end: it is cut, or garbage follows it")
    _, count, size, offset, _ = _END_RECORD.unpack(tail[at : at + _END_RECORD.size])
    end = begin + at
    locator = _read_at(file, begin + at - _LOCATOR64_RECORD.size, _LOCATOR64_RECORD)
    if locator and locator[0] == _LOCATOR64:
        end = locator[1]
        record = _read_at(file, end, _END64_RECORD)
        if not record or record[0] != _END64:
            raise MalformedError("the zip's directory is not where the zip says")
        _, count, size, offset = record
    # What lies between, a second archive for instance, would not be read.
    if offset + size != end:
        raise MalformedError("the zip's directory is not where the zip says")
    return count, size, offset


def _read_at(file: BinaryIO, place: int, record: struct.Struct) -> tuple[Any, ...] | None:
    """Return the fields at a place of the file; None where it has none."""
    if not 0 <= place <= file.seek(0, 2):
        return None
    file.seek(place)
    data = file.read(record.size)
    return record.unpack(data) if len(data) == record.size else None


def _member(file: BinaryIO, number: int) -> Member:
    header = file.read(_CENTRAL_HEADER.size)
    if len(header) < _CENTRAL_HEADER.size or header[:4] != _CENTRAL:
        raise MalformedError(f"the zip's directory is broken at member {number}")
    _, flags, method, crc, packed, size, name, extra, comment, offset = _CENTRAL_HEADER.unpack(header)
    file.read(name)
    large = _zip64(file.read(extra))
    file.read(comment)
    size, packed, offset = (next(large, _IN_EXTRA) if value == _IN_EXTRA else value for value in (size, packed, offset))
    return Member(number, flags, method, crc, packed, size, offset)


def _zip64(extra: bytes) -> Iterator[int]:
    """Yield the large numbers in an extra field."""
    at = 0
    while at + _EXTRA.size <= len(extra):
        kind, length = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size
        if kind == _ZIP64:
            data = extra[at : at + length]
            yield from (value for (value,) in struct.iter_unpack("<Q", data[: len(data) // 8 * 8]))
        at += length


def content(file: BinaryIO, member: Member) -> Chunks:
    """Yield a member's bytes. Raises MalformedError where they are not what the directory says."""
    size, crc = member.size, 0
    for chunk in _unpacked(file, member):
        size -= len(chunk)
        crc = isal_zlib.crc32(chunk, crc)
        yield chunk
    if size:
        raise MalformedError(f"the zip's member {member.number} does not have the size it declares")
    if crc != member.crc:
        raise MalformedError(f"the zip's member {member.number} has a wrong CRC")


def _unpacked(file: BinaryIO, member: Member) -> Chunks:
    if member.flags & _ENCRYPTED:
        raise MalformedError(f"the zip's member {member.number} is encrypted")
    if member.method not in {_STORED, _DEFLATED}:
        raise MalformedError(f"the zip's member {member.number} has an unknown compression ({member.method})")
    header = _read_at(file, member.offset, _LOCAL_HEADER)
    if not header or header[0] != LOCAL:
        raise MalformedError(f"the zip's member {member.number} has no header where the directory says")
    packed = _slice(file, member.offset + _LOCAL_HEADER.size + header[1] + header[2], member.packed)
    if member.method == _STORED:
        yield from packed
    elif (yield from inflate(packed, b"", RAW)) or next(packed, b""):
        raise MalformedError(f"garbage follows the zip's member {member.number}")


def inflate(chunks: Chunks, rest: bytes, bits: int) -> Generator[bytes, None, bytes]:
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


def _slice(file: BinaryIO, start: int, length: int) -> Chunks:
    """Read part of a file, at its own place each time: other members may be read in between."""
    end = start + length
    while start < end:
        file.seek(start)
        if not (chunk := file.read(min(CHUNK, end - start))):
            raise MalformedError("the zip is cut")
        start += len(chunk)
        yield chunk
