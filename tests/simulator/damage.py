"""What faults do to a body: cut, encrypted, lying and exploding archives."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

CHUNK = bytes(1 << 20)


def cut_half(body: bytes) -> bytes:
    """Return the first half: a zip without its directory, a gzip without its end."""
    return body[: len(body) // 2]


def encrypted(body: bytes) -> bytes:
    """Return a zip whose members claim to be encrypted."""
    if not body.startswith(b"PK"):
        return body
    out = bytearray(body)
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for at in _headers(body, header):
            out[at + flags] |= 1
    return bytes(out)


def lying(body: bytes, claimed: int) -> bytes:
    """Return a zip whose members claim another size than they have."""
    out = bytearray(body)
    for header, size in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        for at in _headers(body, header):
            out[at + size : at + size + 4] = struct.pack("<I", claimed)
    return bytes(out)


def _headers(body: bytes, header: bytes) -> list[int]:
    """Return where the local or the central headers of a zip stand."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if header == b"PK\x03\x04":
            return [info.header_offset for info in archive.infolist()]
        at = archive.start_dir
        found: list[int] = []
        for info in archive.infolist():
            found.append(at)
            at += 46 + len(info.orig_filename.encode()) + len(info.extra) + len(info.comment)
    return found


def zip_bomb(size: int) -> bytes:
    """Return a small zip of one member that unpacks to this many zero bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("logs.json", "w") as member:
        for at in range(0, size, len(CHUNK)):
            member.write(CHUNK[: size - at])
    return buffer.getvalue()


def gzip_bomb(size: int) -> bytes:
    """Return a small gzip that unpacks to this many zero bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as member:
        for at in range(0, size, len(CHUNK)):
            member.write(CHUNK[: size - at])
    return buffer.getvalue()
