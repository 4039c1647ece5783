"""JSON records in blocks: lines, and the elements of an array; by orjson where that provably loses nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import orjson

from logarchive.errors import MalformedError
from logarchive.record.block import BLOCK_BYTES, BLOCK_ITEMS, LARGE_BYTES, Bad, Block, Buffer, Item
from logarchive.record.exact_json import CanonicalTexts, faithful, is_cut, perhaps_crowded, read
from logarchive.record.json_value import Document

_ATTEMPTS = 3
_LOOK_BACK = 64
_COMMA = re.compile(rb"[ \t\r\n]*+,")


def _fast(source: bytes, records: Any, exactly: Callable[[], list[Item]]) -> Block | None:  # noqa: ANN401 (JSON)
    """Return what orjson read of an array's text as a block, if it is nothing but objects and all of the text."""
    if set(map(type, records)) - {dict}:
        return None
    try:
        canonical = CanonicalTexts(records)
    except TypeError:
        return None
    brackets_and_commas = len(records) + 1 if records else 2
    if not faithful(source, canonical, brackets_and_commas):
        return None
    # Only a record longer than a block can be crowded. A record is never shorter than its canonical form, except for
    # floats; where those are not written as they came, the block is read exactly in any case.
    longest = max(map(len, canonical.pieces), default=0) + len(source) - canonical.size
    if longest > BLOCK_BYTES and perhaps_crowded(source):
        return None
    return Block(records, exactly, canonical.pieces, source=source)


def lines(buffer: Buffer, time_key: str) -> Iterator[Block]:
    """Yield blocks of records that lie one on a line. Raises MalformedError when no line is a record."""
    records = False
    for data in buffer.whole_lines():
        block = _line_block(data)
        records = records or any(time_key in item for item in block.items if isinstance(item, dict))
        yield block
    if not records:
        raise MalformedError(f"no line is a record: none is a JSON object with {time_key!r}")


def _line_block(data: bytes) -> Block:
    texts = [line for line in map(bytes.strip, data.split(b"\n")) if line]

    def exactly() -> list[Item]:
        return [read(line) for line in texts]

    block = None
    with suppress(orjson.JSONDecodeError):
        if len(data) <= LARGE_BYTES:
            block = _fast(b"[%b]" % b",".join(texts), [orjson.loads(line) for line in texts], exactly)
    if block is None:
        block = Block(exactly())
        if data[-1:] != b"\n" and block.items and isinstance(block.items[-1], Bad) and is_cut(texts[-1]):
            raise MalformedError("the last line is cut")
    return block


def array(document: Document) -> Iterator[Block]:
    """Yield the elements of the array that begins here, in blocks. Raises MalformedError."""
    document.take("[")
    yield from rest_of_array(document, first=True)


def rest_of_array(document: Document, *, first: bool) -> Iterator[Block]:
    """Yield the elements of an array up to its `]`; `first`: none has been read."""
    closed = False
    while not closed:
        document.release()
        document.buffer.fill(BLOCK_BYTES)
        block, closed = _proven(document, first=first) or _elements(document, first=first)
        document.release()
        if block.items:
            yield block
        first = first and not block.items


def _elements(document: Document, *, first: bool) -> tuple[Block, bool]:
    """Read about a block of elements exactly; return whether the `]` was reached."""
    items: list[Item] = []
    size = 0
    while size < BLOCK_BYTES and len(items) < BLOCK_ITEMS:
        if document.next() == "]":
            document.take("]")
            return Block(items), True
        if not first:
            document.take(",")
        item, length = document.element()
        items.append(item)
        size += length
        first = False
    return Block(items), False


def _proven(document: Document, *, first: bool) -> tuple[Block, bool] | None:
    """Cut where a record may end and prove it: what parses as an array can only have been cut at its top level."""
    buffer = document.buffer
    data = buffer.data[:LARGE_BYTES]
    comma = None if first else _COMMA.match(data)
    if not first and not comma:
        return None
    start = comma.end() if comma else 0
    for end, closed in _cuts(data, ended=buffer.ended and len(data) == len(buffer.data)):
        source = b"[%b]" % data[start:end]
        try:
            records = orjson.loads(source)
        except orjson.JSONDecodeError as error:
            # The error is far before the cut, so another cut will not help.
            if error.pos < len(error.doc) - 2:
                return None
            continue
        block = _fast(source, records, partial(_exactly, source))
        if block is None or (comma and not records):
            return None
        buffer.drop(end + closed)
        document.restart()
        return block, closed
    return None


def _exactly(source: bytes) -> list[Item]:
    """Read an array's text exactly."""
    document = Document(Buffer(iter([source])))
    document.take("[")
    items: list[Item] = []
    closed = False
    while not closed:
        block, closed = _elements(document, first=not items)
        items += block.items
    return items


def _cuts(data: bytes, *, ended: bool) -> Iterator[tuple[int, bool]]:
    """Yield where to cut, the likeliest place first, and whether the array ends there."""
    if ended:
        end = len(data)
        for _ in range(_ATTEMPTS):
            end = data.rfind(b"]", 0, end)
            if end < 0:
                return
            yield end, True
        return
    first = re.match(rb'[ \t\r\n,]*+(\{[ \t\r\n]*+"[^"\\]*+")', data)
    for opening in {first[1] if first else b"{": 1, b"{": 1}:
        yield from ((end, False) for end in _ends(data, opening))


def _ends(data: bytes, opening: bytes) -> Iterator[int]:
    """Yield the last few places behind a `}` that a comma and `opening` follow."""
    at, tried = len(data), 0
    for _ in range(_LOOK_BACK):
        at = data.rfind(opening, 0, at)
        if at < 0 or tried == _ATTEMPTS:
            return
        before = data[max(0, at - 64) : at].rstrip(b" \t\r\n")
        if before[-1:] == b"," and (record := before[:-1].rstrip(b" \t\r\n"))[-1:] == b"}":
            tried += 1
            yield data.rfind(b"}", 0, at) + 1 if record else at
