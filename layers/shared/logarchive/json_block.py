"""Streams of JSON cut into blocks of whole records: lines, and arrays, wherever the array lies in its document."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from logarchive.errors import MalformedError
from logarchive.json_record import DECODER, Bad, Record, Written, checked, faithful, raw, read, reason

BLOCK_BYTES = 1024 * 1024
#: Beyond this a record that does not end is taken for broken.
MAX_RECORD_BYTES = 32 * 1024 * 1024
_ATTEMPTS = 3
_LOOK_BACK = 64
_SPACE = re.compile(r"[ \t\r\n]*")
_GAP = re.compile(r"[ \t\r\n,]*")
_BOUNDARY = re.compile(r"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_BOUNDARY_BYTES = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
_QUOTED_OR_BRACE = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|[{}"]')

type Chunks = Iterator[bytes]
type Item = Record | Bad


class Block:
    """Records in order, with what stands where a record should; `exactly` reads them again, keeping number texts."""

    def __init__(
        self,
        items: list[Item],
        exactly: Callable[[], list[Item]] | None = None,
        written: Sequence[bytes | memoryview] | None = None,
        *,
        verbatim: bool = False,
    ) -> None:
        """Hold items; without `exactly` they are exact already; `written` are their canonical forms, where known.

        `verbatim`: the canonical form is the record's own text.
        """
        self.items = items
        self.verbatim = verbatim
        self.exact = exactly is None
        self.written = written
        self._exactly = exactly

    def exactly(self) -> "Block":
        """Return the same block, read exactly."""
        return self if self._exactly is None else Block(self._exactly())


class Buffer:
    """A stream that is read ahead."""

    def __init__(self, chunks: Chunks) -> None:
        """Start before the first byte."""
        self._chunks = chunks
        self.data = b""
        self.ended = False

    def fill(self, size: int) -> None:
        """Read until `size` bytes are held, or the stream has ended."""
        pieces, held = [self.data], len(self.data)
        while held < size and not self.ended:
            piece = next(self._chunks, None)
            if piece is None:
                self.ended = True
            else:
                pieces.append(piece)
                held += len(piece)
        self.data = b"".join(pieces)

    def drop(self, size: int) -> None:
        """Forget the first bytes."""
        self.data = self.data[size:]


def _fast(source: bytes, records: Any, around: int, exactly: Callable[[], list[Item]]) -> Block | None:  # noqa: ANN401 (JSON)
    """Return what orjson read as a block, if it is nothing but objects and all of the source."""
    if set(map(type, records)) - {dict}:
        return None
    try:
        written = Written(records)
    except TypeError:
        return None
    return Block(records, exactly, written.pieces) if faithful(source, written, around) else None


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
        if block.items and isinstance(block.items[-1], Bad) and data[-1:] != b"\n" and found[-1][:1] == b"{" != found[-1][-1:] != b"}":
            raise MalformedError("the last line is cut")
    return block


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
            block = self._proven() or self._scanned(size > MAX_RECORD_BYTES)
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
            block = _fast(source, records, len(records) + 1 if records else 2, lambda: scan(source.decode("utf-8", "surrogateescape"), 1, last=True).items)
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

    def _scanned(self, desperate: bool) -> Block:  # noqa: FBT001 (a state)
        """Read record by record, so that only a bad one is lost."""
        ended = self._buffer.ended
        text = self._buffer.data.decode("utf-8", "surrogateescape")
        found = scan(text, 0, last=ended or desperate)
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


class Scan:
    """What a scan has found: items, where it stopped, whether it met the array's `]`."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.items: list[Item] = []
        self.end = 0
        self.closed = False


def scan(text: str, start: int, *, last: bool) -> Scan:
    """Read the elements of an array from a place between two of them; unless `last`, more text may follow."""
    found = Scan()
    found.end = start
    while found.end - start < BLOCK_BYTES or last:
        at = _after(_GAP, text, found.end)
        if at == len(text):
            break
        if text[at] == "]":
            found.end, found.closed = at + 1, True
            break
        end, item = _element(text, at, last=last)
        if item is None:
            break
        found.items.append(item)
        found.end = end
    return found


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _next(text: str, at: int) -> str:
    at = _after(_SPACE, text, at)
    return text[at : at + 1]


def _element(text: str, at: int, *, last: bool) -> tuple[int, Item | None]:
    """Read one element; None when its end is not in sight."""
    try:
        value, end = DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        why = f"not JSON: {reason(error)}"
    else:
        following = _next(text, end)
        if following and following in ",]{":
            return end, checked(value, text[at:end])
        if not following:
            return (end, checked(value, text[at:end])) if isinstance(value, dict) else (at, None)
        why = "not JSON: text follows the record"
    end = _broken_end(text, at, last=last)
    if end is None:
        return at, None
    item = Bad(why, raw(text[at:end]))
    return end, Bad("not UTF-8", item.text) if re.search("[\udc80-\udcff]", text[at:end]) else item


def _broken_end(text: str, at: int, *, last: bool) -> int | None:
    """Find where a broken element ends: where its braces balance, else before the next record that can be read."""
    end = _balanced(text, at)
    if end is not None and _next(text, end) in {",", "]"}:
        return end
    if text[at] != "{":
        match = re.compile(r"[,\]]").search(text, at)
        return match.start() if match else None
    for match in _BOUNDARY.finditer(text, at) if last else ():
        try:
            _, after = DECODER.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        if _next(text, after) in {",", "]"}:
            return match.start() + 1
    return None


def _balanced(text: str, at: int) -> int | None:
    depth = 0
    for match in _QUOTED_OR_BRACE.finditer(text, at):
        token = match[0]
        if token == '"':
            return None
        depth += (token == "{") - (token == "}")
        if depth == 0:
            return match.end() if token == "}" else None
    return None
