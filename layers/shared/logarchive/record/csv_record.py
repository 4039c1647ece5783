"""CSV with a header: each row becomes a record of text values."""

import csv
from collections.abc import Iterator

from logarchive.errors import MalformedError
from logarchive.record.block import MAX_RECORD_BYTES, Bad, Block, Buffer, Item, unique

_BLOCK_ROWS = 1000


def blocks(buffer: Buffer, time_key: str | None) -> Iterator[Block]:
    """Yield blocks of rows; raises MalformedError when the header does not name the time, or a quote never ends."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    lines = _Lines(buffer)
    reader = csv.reader(lines, strict=True)
    header = _header(next(reader, list[str]()))
    if time_key is not None and time_key not in header:
        raise MalformedError(f"the answer is neither JSON nor CSV with a column {time_key!r}")
    ended = False
    while not ended:
        items: list[Item] = []
        while len(items) < _BLOCK_ROWS and not (ended := not _read(reader, lines, header, items)):
            pass
        yield Block(items)


class _Lines:
    """The lines of a stream, kept until a row is complete, so that a reject can show its lines."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._lines = self._split()
        self.taken: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken.append(line)
        return line.decode("utf-8", "backslashreplace")

    def _split(self) -> Iterator[bytes]:
        rest = b""
        while not self._buffer.ended or self._buffer.data:
            *whole, rest = (rest + self._buffer.data).split(b"\n")
            self._buffer.data = b""
            yield from (line + b"\n" for line in whole)
            self._buffer.fill(1)
        if rest:
            yield rest


def _header(names: list[str]) -> list[str]:
    header: list[str] = []
    for name in names:
        header.append(unique(name.strip(), header))
    return header


def _read(reader: Iterator[list[str]], lines: _Lines, header: list[str], items: list[Item]) -> bool:
    """Read one row, unless it is blank; False at the end."""
    lines.taken = []
    try:
        row = next(reader)
    except StopIteration:
        return False
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise MalformedError("the CSV is cut: a quote is not closed") from error
        items.append(Bad(f"not CSV: {error}", b"".join(lines.taken)))
        return True
    if len(row) == len(header):
        items.append(dict(zip(header, row, strict=True)))
    elif row:
        items.append(Bad(f"{len(row)} fields where the header has {len(header)}", b"".join(lines.taken)))
    return True
