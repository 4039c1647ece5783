"""Where the records of a JSON answer lie: at a path, or found out by looking."""

import json
from collections.abc import Generator, Iterator
from typing import Any

import orjson

from logarchive.errors import MalformedError
from logarchive.record import csv_record
from logarchive.record.block import Bad, Block, Buffer, Chunks, Record
from logarchive.record.exact_json import DECODER, read
from logarchive.record.json_stream import Array, lines
from logarchive.record.layout import JsonLayout

_HEAD_BYTES = 64 * 1024
#: A first line longer than this is taken for a document.
_MAX_LINE_BYTES = 8 * 1024 * 1024
_MAX_HEAD_BYTES = 64 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"


def blocks(chunks: Chunks, layout: JsonLayout, time_key: str | None) -> Iterator[Block]:
    """Yield the records of one member; `time_key` tells a record from a document that wraps records."""
    if layout.path is not None:
        return document(chunks, layout.path)
    buffer = _begun(chunks)
    return _sniffed(buffer, time_key)


def _begun(chunks: Chunks) -> Buffer:
    buffer = Buffer(chunks)
    buffer.fill(_HEAD_BYTES)
    if buffer.data.startswith(_BOM):
        buffer.drop(len(_BOM))
    _skip_space(buffer)
    return buffer


def _skip_space(buffer: Buffer) -> None:
    while not (stripped := buffer.data.lstrip(_SPACE)) and not buffer.ended:
        buffer.data = b""
        buffer.fill(_HEAD_BYTES)
    buffer.data = stripped


def _sniffed(buffer: Buffer, time_key: str | None) -> Iterator[Block]:
    first = buffer.data[:1]
    if first == b"[":
        buffer.drop(1)
        return _array(buffer, b"[]")
    if first == b"{":
        return _objects(buffer, time_key)
    if first in {b"<", b"\0"}:
        raise MalformedError("the answer is no log: it begins like a page or a binary file")
    return csv_record.blocks(buffer, time_key) if first else iter(())


def document(chunks: Chunks, path: str) -> Generator[Block, None, Any]:
    """Yield the records of a document's array at a dotted path; return the document with an empty array in its place.

    Raises MalformedError where there is none, or where what is around it is no JSON. Null counts as no records.
    """
    buffer = _begun(chunks)
    if not buffer.data:
        raise MalformedError("the answer is empty: not even a document without records")
    end = _find(buffer, path.split("."), None)
    return (yield from _cut_out(buffer, end)) if end is not None else _whole(buffer, b"")


def _array(buffer: Buffer, around: bytes) -> Generator[Block, None, Any]:
    """Yield an array's blocks, then prove the document around it: with an empty array in its place it must be JSON."""
    yield from Array(buffer).blocks()
    return _whole(buffer, around)


def _whole(buffer: Buffer, before: bytes) -> Any:  # noqa: ANN401 (JSON)
    buffer.fill(_MAX_HEAD_BYTES)
    try:
        return orjson.loads(before + buffer.data)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"what is around the array of records is cut or garbage: {error}") from error


def _objects(buffer: Buffer, time_key: str | None) -> Iterator[Block]:
    """Tell lines and a single record from a document that wraps one array of records."""
    while b"\n" not in buffer.data and not buffer.ended and len(buffer.data) < _MAX_LINE_BYTES:
        buffer.fill(2 * len(buffer.data))
    line, found, rest = buffer.data.partition(b"\n")
    line = line.rstrip(_SPACE)
    if line.endswith(b"}") and rest.lstrip(_SPACE).startswith(b"{"):
        return lines(buffer)
    first = read(line)
    if isinstance(first, Bad):
        return _unclear(buffer, time_key, one_line=bool(found) and line.endswith(b"}"))
    if time_key in first or rest.lstrip(_SPACE) or len(_arrays(first)) != 1:
        return lines(buffer)
    end = _find(buffer, [_arrays(first)[0]], None)
    return iter(()) if end is None else _cut_out(buffer, end)


def _arrays(document: Record) -> list[str]:
    """Name the keys that hold arrays of nothing but objects."""
    return [key for key, value in document.items() if isinstance(value, list) and not set(map(type, value)) - {dict}]  # pyright: ignore[reportUnknownArgumentType] (JSON)


def _unclear(buffer: Buffer, time_key: str | None, *, one_line: bool) -> Iterator[Block]:
    """Cope with a first line that is no JSON by itself: a long or indented document, or a broken line."""
    try:
        end = _find(buffer, None, time_key)
    except MalformedError:
        if one_line:
            return lines(buffer)
        raise
    if end is not None:
        return _cut_out(buffer, end)
    return Array(_closed(buffer)).blocks()


def _closed(buffer: Buffer) -> Buffer:
    """Show one indented object after another as an array."""

    def chunks() -> Chunks:
        while True:
            yield buffer.data
            if buffer.ended:
                break
            buffer.data = b""
            buffer.fill(_HEAD_BYTES)
        yield b"]"

    return Buffer(chunks())


def _cut_out(buffer: Buffer, end: int) -> Generator[Block, None, Any]:
    """Yield the array whose `[` ends at a place of the buffer."""
    around = buffer.data[:end] + b"]"
    buffer.drop(end)
    return _array(buffer, around)


def _find(buffer: Buffer, path: list[str] | None, time_key: str | None) -> int | None:
    """Find the place behind the `[` of the array of records, reading ahead until it is in sight.

    None: the path leads to null; or, without a path, the document is itself a record.
    """
    size = _HEAD_BYTES
    while True:
        text = buffer.data.decode("utf-8", "surrogateescape")
        try:
            place = _walk(text, path, time_key)
        except (json.JSONDecodeError, IndexError, RecursionError) as error:
            size *= 4
            if buffer.ended or size > _MAX_HEAD_BYTES:
                raise MalformedError(f"the JSON document is cut or broken: {error}") from error
            buffer.fill(size)
        else:
            return None if place is None else len(text[:place].encode("utf-8", "surrogateescape"))


def _walk(text: str, path: list[str] | None, time_key: str | None) -> int | None:
    """Walk an object's keys; raises JSONDecodeError or IndexError where the text ends or is no JSON."""
    at = _token(text, 0, "{")
    while text[at := _space(text, at)] != "}":
        key, at = DECODER.raw_decode(text, at)
        at = _space(text, _token(text, _space(text, at), ":"))
        wanted = path is not None and key == path[0]
        if wanted and len(path or ()) > 1:
            return at + place if (place := _walk(text[at:], (path or [])[1:], None)) is not None else None
        if key == time_key:
            return None
        if text[at] == "[" and (wanted or (path is None and text[_space(text, at + 1)] == "{")):
            return at + 1
        value, at = DECODER.raw_decode(text, at)
        if wanted:
            if value is None:
                return None
            raise MalformedError(f"the answer has no array at {key!r}")
        if text[at := _space(text, at)] == ",":
            at += 1
        elif text[at] != "}":
            raise json.JSONDecodeError("Expecting ',' or '}'", text, at)
    if path is not None:
        raise MalformedError(f"the answer has no {path[0]!r}")
    return None


def _token(text: str, at: int, token: str) -> int:
    if text[at] != token:
        raise json.JSONDecodeError(f"Expecting {token!r}", text, at)
    return at + 1


def _space(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
