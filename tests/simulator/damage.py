"""What faults do to a body: cut, encrypted, lying and exploding archives."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable


def patched(body: bytes, local: int, central: int, patch: Callable[[bytearray], bytes], size: int) -> bytes:
    """Return a zip with some bytes of every header changed, so far behind the beginning of either kind."""
    out = bytearray(body)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        at = archive.start_dir
        for info in archive.infolist():
            for place in (info.header_offset + local, at + central):
                out[place : place + size] = patch(out[place : place + size])
            at += 46 + len(info.orig_filename.encode()) + len(info.extra) + len(info.comment)
    return bytes(out)


def encrypted(body: bytes) -> bytes:
    """Return a zip whose members claim to be encrypted."""
    return patched(body, 6, 8, lambda flags: bytes([flags[0] | 1]), 1) if body.startswith(b"PK") else body


def lying(body: bytes, claimed: int) -> bytes:
    """Return a zip whose members claim another size than they have."""
    return patched(body, 22, 24, lambda _size: struct.pack("<I", claimed), 4)


def gzip_bomb(size: int) -> bytes:
    """Return a small gzip that unpacks to this many zero bytes."""
    return gzip.compress(bytes(size), mtime=0)


def zip_bomb(size: int) -> bytes:
    """Return a small zip of one member that unpacks to this many zero bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("logs.json", bytes(size))
    return buffer.getvalue()
