"""Where the records of a JSON response lie: at a path, or found by looking. A document is read whole or not at all."""

from collections.abc import Iterator, Mapping
from typing import Any

from logarchive.errors import MalformedError, repeated
from logarchive.record import csv_record
from logarchive.record.block import BLOCK_BYTES, BLOCK_ITEMS, BOM, Bad, Block, Buffer, Chunks, Item, Record
from logarchive.record.exact_json import DECODER, NO_OBJECT, checked, read
from logarchive.record.json_array import array, lines, rest_of_array
from logarchive.record.json_value import Document, Records
from logarchive.record.layout import JsonLayout

_HEAD_BYTES = 64 * 1024
#: A first line longer than this is taken for a document.
_MAX_LINE_BYTES = 8 * 1024 * 1024
#: Records do not lie in objects within objects deeper than this.
_MAX_DEPTH = 8
_SPACE = b" \t\r\n"


def blocks(chunks: Chunks, layout: JsonLayout, time_key: str) -> Iterator[Block]:
    """Yield the records of one member; `time_key` tells a record from a document that wraps records."""
    if layout.path is not None:
        return document(chunks, layout.path)
    return _judged(_recognised(chunks, layout, time_key), layout, time_key)


def _judged(found: Iterator[Block], layout: JsonLayout, time_key: str) -> Iterator[Block]:
    """Yield blocks; raise the error that an element among the records is."""
    for block in found:
        for item in block.items:
            if isinstance(item, dict) and time_key not in item and (error := layout.judge_element(item)):
                raise error
        yield block


def _recognised(chunks: Chunks, layout: JsonLayout, time_key: str) -> Iterator[Block]:
    buffer = _begun(chunks)
    first = buffer.data[:1]
    if first == b"[":
        return _array(Document(buffer))
    if first == b"{":
        return lines(buffer, time_key) if _are_lines(buffer) else _objects(Document(buffer), layout, time_key)
    if first in {b"<", b"\0"}:
        raise MalformedError("the response is no log: it begins like HTML or a binary file")
    return csv_record.blocks(buffer, time_key) if first else iter(())


def document(chunks: Chunks, path: str) -> Records:
    """Yield the records of a document's array at a dotted path; return the document with an empty array in its place.

    Raises MalformedError where there is none, or where the document is no JSON. Null counts as no records.
    """
    buffer = _begun(chunks)
    if not buffer.data:
        raise MalformedError("the response is empty: not even a document without records")
    whole = Document(buffer)
    around = yield from _at_path(whole, path.split("."))
    whole.end()
    return around


def _begun(chunks: Chunks) -> Buffer:
    buffer = Buffer(chunks)
    buffer.fill(_HEAD_BYTES)
    if buffer.data.startswith(BOM):
        buffer.drop(len(BOM))
    while not buffer.data.lstrip(_SPACE) and not buffer.ended:
        buffer.drop(len(buffer.data))
        buffer.fill(_HEAD_BYTES)
    buffer.drop(len(buffer.data) - len(buffer.data.lstrip(_SPACE)))
    return buffer


def _array(document: Document) -> Iterator[Block]:
    yield from array(document)
    document.end()


def _at_path(document: Document, path: list[str]) -> Records:
    seen: set[str] = set()

    def at_key(key: str) -> Records:
        if key in seen:
            raise document.broken(f"{repeated(key)!r} is there twice")
        seen.add(key)
        if key != path[0]:
            return document.plain()
        begin = document.next()
        if begin == "{" and len(path) > 1:
            return (yield from _at_path(document, path[1:]))
        if begin == "[" and len(path) == 1:
            yield from array(document)
            return []
        if document.plain() is not None or len(path) > 1:
            raise MalformedError(f"the response has no array at {key!r}")
        return None

    around = yield from document.object(at_key)
    if path[0] not in seen:
        raise MalformedError(f"the response has no {path[0]!r}")
    return around


def _are_lines(buffer: Buffer) -> bool:
    """Tell JSON lines from one document, or several: the first line is an object, and another line follows."""
    while not buffer.data.partition(b"\n")[2].strip(_SPACE) and not buffer.ended and len(buffer.data) < _MAX_LINE_BYTES:
        buffer.fill(2 * len(buffer.data))
    line, _, rest = buffer.data.partition(b"\n")
    line, rest = line.rstrip(_SPACE), rest.lstrip(_SPACE)
    if not rest or not line.endswith(b"}"):
        return False
    return rest.startswith(b"{") or isinstance(read(line), dict)


def _objects(document: Document, layout: JsonLayout, time_key: str) -> Iterator[Block]:
    """Yield records one after another, or the records that a document wraps."""
    items: list[Item] = []
    size = 0
    while document.next():
        walk = _Walk(document, time_key)
        for block in walk.blocks():
            if items:
                yield Block(items)
                items, size = [], 0
            yield block
        if walk.record is None:
            _judge(layout, walk.around, walk.arrays)
            continue
        items.append(walk.record)
        size += walk.size
        if size >= BLOCK_BYTES or len(items) >= BLOCK_ITEMS:
            yield Block(items)
            items, size = [], 0
    if items:
        yield Block(items)


class _Walk:
    """Reads an object that may be a record, or wrap records; what it was is known at its end."""

    def __init__(self, document: Document, time_key: str) -> None:
        self._document, self._time_key = document, time_key
        self.record: Item | None = None
        self.size = self.arrays = self._depth = 0
        self.around: Record = {}

    def blocks(self) -> Iterator[Block]:
        document = self._document
        if self._is_record(document.ahead()):
            self.record, self.size = document.element()
            return
        document.mark()
        self.around = yield from document.object(self._at_key)
        if self._is_record(self.around):
            if self.arrays:
                raise document.broken(f"an object with {self._time_key!r} holds records with {self._time_key!r}")
            text = document.marked()
            self.record, self.size = checked(self.around, text), len(text)
        document.unmark()

    def _is_record(self, value: object) -> bool:
        return isinstance(value, dict) and self._time_key in value

    def _at_key(self, _key: str) -> Records:
        begin = self._document.next()
        if begin == "[":
            return (yield from self._list())
        if begin != "{" or self._depth == _MAX_DEPTH:
            return self._document.plain()
        self._depth += 1
        value = yield from self._document.object(self._at_key)
        self._depth -= 1
        return value

    def _list(self) -> Records:
        """Yield the elements of a list that holds a record, and return an empty list; return any other list."""
        document = self._document
        items: list[Item] = []
        document.take("[")
        while document.next() != "]":
            if items:
                document.take(",")
            items.append(document.element(held=True)[0])
            if self._is_record(items[-1]):
                self.arrays += 1
                document.unmark()
                yield Block(items)
                yield from rest_of_array(document, first=False)
                return []
        document.take("]")
        # A record may hold this list, whose elements need not be records.
        return [
            DECODER.decode(item.text.decode()) if isinstance(item, Bad) and item.reason == NO_OBJECT else item
            for item in items
        ]


def _judge(layout: JsonLayout, around: Mapping[str, Any], arrays: int) -> None:
    """Raise the error that a document is: its own, or that it is none in which records are known to lie."""
    if layout.judge and (error := layout.judge(around, arrays > 0)):
        raise error
    if arrays > 1:
        raise MalformedError(f"{arrays} lists of records in one document")
    lists = list(_lists(around))
    if not arrays and (not lists or any(lists)):
        raise MalformedError("a document that is no record, and has no list that could hold records")


def _lists(document: Mapping[str, Any]) -> Iterator[list[Any]]:
    for value in document.values():
        if isinstance(value, list):
            yield value
        elif isinstance(value, dict):
            yield from _lists(value)  # pyright: ignore[reportUnknownArgumentType] (JSON)
