"""Streams of JSON cut into blocks of whole records: lines, and arrays, wherever the array lies in its document."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from logarchive.errors import MalformedError
from logarchive.record.block import BLOCK_BYTES, MAX_RECORD_BYTES, Bad, Block, Buffer, Item
from logarchive.record.exact_json import CanonicalTexts, faithful, raw, read
from logarchive.record.json_scan import scan

_ATTEMPTS = 3
_LOOK_BACK = 64


def _fast(source: bytes, records: Any, around: int, exactly: Callable[[], list[Item]]) -> Block | None:  # noqa: ANN401 (JSON)
    """Return what orjson read as a block, if it is nothing but objects and all of the source."""
    if set(map(type, records)) - {dict}:
        return None
    try:
        canonical = CanonicalTexts(records)
    except TypeError:
        return None
    return Block(records, exactly, canonical.pieces) if faithful(source, canonical, around) else None


def lines(buffer: Buffer) -> Iterator[Block]:
    """Yield blocks of records that lie one on a line."""
    size = BLOCK_BYTES
    while True:
        buffer.fill(size)
        end = len(buffer.data) if buffer.ended else buffer.data.rfind(b"\n") + 1
        if end:
            yield _line_block(buffer.data[:end])
            buffer.drop(end)
            size = BLOCK_BYTES
        elif buffer.ended:
            return
        elif (size := size * 2) > 2 * MAX_RECORD_BYTES:
            raise MalformedError(f"a line of more than {MAX_RECORD_BYTES} bytes")


def _line_block(data: bytes) -> Block:
    found = [line for line in map(bytes.strip, data.split(b"\n")) if line]

    def exactly() -> list[Item]:
        return [read(line) for line in found]

    try:
        block = _fast(b"".join(found), [orjson.loads(line) for line in found], 0, exactly)
    except orjson.JSONDecodeError:
        block = None
    if block is None:
        block = Block(exactly())
        if data[-1:] != b"\n" and block.items and isinstance(block.items[-1], Bad) and _begun(found[-1]):
            raise MalformedError("the last line is cut")
    return block


def _begun(line: bytes) -> bool:
    return line.startswith(b"{") and not line.endswith(b"}")


class _Exactly:
    """Reads an array's text exactly."""

    def __init__(self, source: bytes) -> None:
        self._source = source

    def __call__(self) -> list[Item]:
        return scan(self._source.decode("utf-8", "surrogateescape"), 1, last=True).items


class Array:
    """The records of an array whose `[` has been read; afterwards the buffer stands behind its `]`."""

    def __init__(self, buffer: Buffer) -> None:
        """Start behind the `[`."""
        self._buffer = buffer
        self._closed = False

    def blocks(self) -> Iterator[Block]:
        """Yield blocks of records; raises MalformedError when the stream ends before the array."""
        size = BLOCK_BYTES
        while not self._closed:
            self._buffer.fill(size)
            block = self._proven() or self._scanned(desperate=size > MAX_RECORD_BYTES)
            size = BLOCK_BYTES if block.items else size * 2
            if block.items:
                yield block

    def _proven(self) -> Block | None:
        """Cut where a record may end and prove it: what parses as an array can only have been cut at its top level."""
        data = self._buffer.data
        start = 1 if data[:1] == b"," else 0
        for end, closed in self._cuts(data):
            source = b"[%b]" % data[start:end]
            try:
                records = orjson.loads(source)
            except orjson.JSONDecodeError as error:
                # Broken well before the cut: no other cut can mend it.
                if error.pos < len(error.doc) - 2:
                    return None
                continue
            block = _fast(source, records, len(records) + 1 if records else 2, _Exactly(source))
            if block:
                self._take(end + closed, closed=closed)
            return block
        return None

    def _take(self, end: int, *, closed: bool) -> None:
        self._buffer.drop(end)
        self._closed = closed

    def _cuts(self, data: bytes) -> Iterator[tuple[int, bool]]:
        """Yield where to cut, the likeliest place first, and whether the array's `]` stands there."""
        if self._buffer.ended:
            end = len(data)
            for _ in range(_ATTEMPTS):
                end = data.rfind(b"]", 0, end)
                if end < 0:
                    return
                yield end, True
            return
        first = re.match(rb'[ \t\r\n,]*(\{[ \t\r\n]*"[^"\\]*")', data)
        for opening in {first[1] if first else b"{": 1, b"{": 1}:
            yield from ((end, False) for end in _ends(data, opening))

    def _scanned(self, *, desperate: bool) -> Block:
        """Read record by record, so that only a bad one is lost."""
        ended = self._buffer.ended
        text = self._buffer.data.decode("utf-8", "surrogateescape")
        found = scan(text, 0, last=ended or desperate, limit=BLOCK_BYTES)
        if not found.items and not found.closed and (ended or desperate):
            raise MalformedError("the JSON array is cut: its end is missing")
        self._take(len(raw(text[: found.end])), closed=found.closed)
        return Block(found.items)


def _ends(data: bytes, opening: bytes) -> Iterator[int]:
    """Yield the last few places behind a `}` that a comma and `opening` follow."""
    at, found = len(data), 0
    for _ in range(_LOOK_BACK):
        at = data.rfind(opening, 0, at)
        if at < 0 or found == _ATTEMPTS:
            return
        before = data[max(0, at - 64) : at].rstrip(b" \t\r\n")
        if before[-1:] == b"," and (record := before[:-1].rstrip(b" \t\r\n"))[-1:] == b"}":
            found += 1
            yield data.rfind(b"}", 0, at) + 1 if record else at
