"""Writes a response body to a local file as it comes, hashed, so that memory stays bounded whatever its size."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from logarchive.errors import TooLargeError
from logarchive.part import GZIP_MAGIC
from logarchive.record.unpack import is_tar

HEAD_BYTES = 512


@dataclass(frozen=True)
class Spooled:
    """A body on disk; `head` is its first bytes."""

    path: Path
    sha256: str
    size: int
    head: bytes

    @property
    def suffix(self) -> str:
        """What its first bytes say it is. Content-Type is ignored: vendors send application/zip for an error."""
        start = self.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        known = {b"{": ".json", b"[": ".json", b"<": ".html"}
        if self.head[:2] == GZIP_MAGIC:
            return ".gz"
        if self.head[:2] == b"PK":
            return ".zip"
        return ".tar" if is_tar(self.head) else known.get(start, ".txt")


def spool(chunks: Iterable[bytes], directory: Path, *, most_bytes: int) -> Spooled:
    """Write chunks to a new file. On any error nothing is left behind.

    Raises TooLargeError past `most_bytes` or on a full disk.
    """
    handle, name = tempfile.mkstemp(dir=directory, suffix=".part")
    path = Path(name)
    try:
        return _written(handle, path, chunks, most_bytes)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise TooLargeError("the function's ephemeral storage is full") from error
        raise


def _written(handle: int, path: Path, chunks: Iterable[bytes], most_bytes: int) -> Spooled:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(handle, "w+b") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > most_bytes:
                raise TooLargeError(f"a response of more than {most_bytes} bytes")
            digest.update(chunk)
            file.write(chunk)
        file.seek(0)
        return Spooled(path, digest.hexdigest(), size, file.read(HEAD_BYTES))
