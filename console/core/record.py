"""The records of a stored part, as they stand there: what a row's `raw_index` counts. Pure.

The verifier cuts JSON documents and lines. Here archives are unpacked first, and what a vendor may send besides is cut.
"""

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from console.failure import ConsoleError
from verifier import verify

#: What a part may unpack to, so that it fits into memory.
MOST_BYTES = 1 << 28
#: A gzip in a gzip in a zip is still a log.
_MOST_DEPTH = 4
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
#: The bit of an entry's flags in a zip that says that a password is needed.
_ENCRYPTED = 1
#: The key that tells a record from a document that wraps records, of providers whose documents have no fixed form.
_TIME = {"elsa": "logTime"}


def records(provider: str, body: bytes, most: int = MOST_BYTES) -> list[str] | None:
    """Return the records of a part; None if it has a form that is not known here.

    Raises ConsoleError if it is encrypted, or unpacks to more than `most` bytes.
    """
    found: list[str] = []
    try:
        for member in _members(body, most, _MOST_DEPTH):
            some = _cut(provider, member)
            if some is None:
                return None
            found += some
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError, NotImplementedError):
        return None
    return found


def _members(body: bytes, most: int, depth: int) -> Iterator[bytes]:
    """Yield what is packed in a body, in order, and not empty. Raises ConsoleError beyond the limits."""
    if not depth:
        raise ConsoleError("the part is an archive in an archive, too deep to be read here")
    if body.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            _ensure_small(sum(entry.file_size for entry in archive.infolist()), most)
            _ensure_readable(archive)
            for entry in archive.infolist():
                yield from _members(archive.read(entry), most, depth - 1)
    elif body.startswith(_GZIP):
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            unpacked = file.read(most + 1)
        _ensure_small(len(unpacked), most)
        yield from _members(unpacked, most, depth - 1)
    elif body:
        yield body


def _ensure_small(size: int, most: int) -> None:
    if size > most:
        raise ConsoleError(f"the part unpacks to more than {most:,} bytes: look at a copy of it")


def _ensure_readable(archive: zipfile.ZipFile) -> None:
    if any(entry.flag_bits & _ENCRYPTED for entry in archive.infolist()):
        raise ConsoleError(
            "the part is a zip that is encrypted: copy it with `aws s3 cp`, and open it with its password"
        )


def _cut(provider: str, member: bytes) -> list[str] | None:
    found = verify.records(provider, member)
    if found is not None:
        return [one.decode() for one in found]
    return _looked_for(member.decode("utf-8-sig"), _TIME[provider]) if provider in _TIME else None


def _looked_for(text: str, time: str) -> list[str] | None:
    """Return the records of JSON lines, of an object that wraps one list, or of CSV with a header."""
    if not text.lstrip().startswith("{"):
        return _rows(text)
    first, end = _first_value(text.strip())
    lists = [key for key, value in first.items() if isinstance(value, list)]
    if time not in first and end == len(text.strip()) and len(lists) == 1:
        return verify.elements(text.strip(), [lists[0]])
    return [line for line in text.split("\n") if line.strip()]


def _first_value(text: str) -> tuple[dict[str, Any], int]:
    try:
        return json.JSONDecoder(strict=False).raw_decode(text)
    except ValueError:
        return {}, 0


def _rows(text: str) -> list[str]:
    """Return the rows of CSV below its header, each with all of its lines."""
    lines = io.StringIO(text, newline="").readlines()
    reader, rows, taken = csv.reader(lines), list[str](), 0
    for _ in reader:
        rows.append("".join(lines[taken : reader.line_num]).rstrip("\r\n"))
        taken = reader.line_num
    return [row for row in rows[1:] if row]
