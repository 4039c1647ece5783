"""What a raw part holds, undone with the standard library alone: its records in order, as the archive counts them."""

import csv
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.truth.json_text import DECODER, Pairs


def members(data: bytes) -> Iterator[bytes]:
    """Yield the members of a body that are not empty, whatever they are wrapped in."""
    if data[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        yield from _zip(data)
    elif data[:2] == b"\x1f\x8b":
        yield from members(gzip.decompress(data))
    elif data[257:262] == b"ustar" and b"\0" in data[:257]:
        yield from _tar(data)
    elif data:
        yield data


def _zip(data: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            yield from members(archive.read(entry))


def _tar(data: bytes) -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            yield from members(file.read()) if file else ()


def json_records(data: bytes) -> list[Any]:
    """Return the records of an array, of lines, of an object that wraps one array, or of CSV with a header."""
    found: list[Any] = []
    for member in members(data):
        text = member.decode("utf-8-sig", "surrogateescape").strip()
        kind = _array if text[:1] == "[" else _objects if text[:1] == "{" else _table
        found += kind(text)
    return found


def listed(data: bytes, key: str) -> list[Any]:
    """Return what stands in the array of an answer, None for what is no JSON."""
    text = data.decode() if data[:1] == b"{" else gzip.decompress(data).decode()
    return list(_elements(text, text.index(f'"{key}":[') + len(f'"{key}":[')))


def _elements(text: str, at: int) -> Iterator[Any]:
    while text[at] != "]":
        try:
            value, at = DECODER.raw_decode(text, at)
        except ValueError:
            # It is broken, but its end is still told by the object that follows it, or by the array's end.
            value, ends = None, [text.find("},{", at), text.find("}]", at)]
            at = min(end for end in ends if end >= 0) + 1
        yield value
        at += text[at] == ","


def lines(data: bytes) -> list[bytes]:
    """Return the lines that are not blank."""
    return [line for member in members(data) for line in member.split(b"\n") if line.strip()]


def _array(text: str) -> list[Any]:
    value: list[Any] = DECODER.decode(text)
    return value


def _objects(text: str) -> list[Any]:
    first, end = DECODER.raw_decode(text)
    wrapped: list[list[Any]] = [value for _, value in first if value.__class__ is list]
    if end == len(text) and len(wrapped) == 1 and "logTime" not in dict(first):
        return wrapped[0]
    return [DECODER.decode(line) for line in text.splitlines() if line.strip()]


def _table(text: str) -> list[Any]:
    header, *rows = csv.reader(io.StringIO(text))
    return [Pairs(zip(header, row, strict=True)) for row in rows]


#: How a provider's parts are read back.
RECORDS: dict[str, Callable[[bytes], list[Any]]] = {
    "elsa": json_records,
    "apigateway": partial(listed, key="content"),
    "multidrm": partial(listed, key="content"),
    "security365": partial(listed, key="items"),
    "dsa": lines,
}
