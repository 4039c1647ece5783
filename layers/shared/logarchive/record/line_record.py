"""Space-separated lines with quoted fields, read one by one."""

import re
from collections.abc import Iterable, Iterator, Sequence

from logarchive.errors import MalformedError
from logarchive.record.block import BLOCK_BYTES, MAX_RECORD_BYTES, Bad, Block, Buffer, Chunks, Item
from logarchive.record.layout import LineLayout

_FIELD = re.compile(r'(?:"((?:[^"]|"")*+)"([^ ]*+)|([^" ][^ ]*+)?)(?= |\Z)')


def blocks(chunks: Chunks) -> Iterator[list[bytes]]:
    """Yield blocks of the lines that are not empty, without their ends; raises MalformedError for a page."""
    buffer = Buffer(chunks)
    size = BLOCK_BYTES
    buffer.fill(1)
    if buffer.data[:1] == b"<":
        raise MalformedError("the answer is no log: it begins like a page")
    while buffer.data or not buffer.ended:
        buffer.fill(size)
        end = len(buffer.data) if buffer.ended else buffer.data.rfind(b"\n") + 1
        if end:
            yield _lines(buffer.data[:end])
            buffer.drop(end)
            size = BLOCK_BYTES
        elif (size := size * 2) > 2 * MAX_RECORD_BYTES:
            raise MalformedError(f"a line of more than {MAX_RECORD_BYTES} bytes")


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if b"\r" in data:
        lines = [line.removesuffix(b"\r") for line in lines]
    return list(filter(None, lines))


def block(lines: Sequence[bytes], layout: LineLayout) -> Block:
    """Read lines, but blank ones, as records of text; what means absent is left out."""
    lines = [line for line in lines if not line.isspace()]
    return Block([_item(line, layout) for line in lines], None, lines, verbatim=True)


def _item(line: bytes, layout: LineLayout) -> Item:
    fields = split(line)
    if fields is None:
        return Bad("a quote is not closed", line)
    names = layout.fields.get(len(fields))
    if names is None:
        return Bad(f"{len(fields)} fields where {_any(layout.fields)} are expected", line)
    return {name: value for name, value in zip(names, fields, strict=True) if value not in layout.absent}


def _any(numbers: Iterable[int]) -> str:
    return " or ".join(map(str, sorted(numbers)))


def split(line: bytes) -> list[str] | None:
    r"""Split a line at its single spaces outside of quotes; None when a quote is not closed.

    Within quotes `""` is a quote; quotes elsewhere are text. Bytes that are no UTF-8 show as `\xff`.
    """
    text = line.decode("utf-8", "backslashreplace")
    fields: list[str] = []
    at = 0
    while at <= len(text) and (field := _FIELD.match(text, at)):
        quoted, rest, bare = field.groups()
        fields.append(bare or "" if quoted is None else quoted.replace('""', '"') + rest)
        at = field.end() + 1
    return fields if at > len(text) else None
