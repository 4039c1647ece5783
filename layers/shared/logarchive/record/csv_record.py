"""CSV with a header: each row becomes a record of text values."""

import csv
from collections.abc import Iterator

from logarchive.errors import MalformedError, TooLargeError
from logarchive.record.block import BLOCK_BYTES, BLOCK_ITEMS, MAX_RECORD_BYTES, Bad, Block, Buffer, Item, unique


def blocks(buffer: Buffer, time_key: str) -> Iterator[Block]:
    """Yield blocks of rows. Raises MalformedError when the header does not name the time, or a quote never ends."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    lines = _Lines(buffer)
    reader = csv.reader(lines, strict=True)
    try:
        names = next(reader, list[str]())
    except csv.Error as error:
        raise MalformedError(f"the response is neither JSON nor CSV: {error}") from error
    # A line of a megabyte is no header.
    header = _header(names) if lines.offset <= BLOCK_BYTES else []
    if time_key not in header:
        raise MalformedError(f"the response is neither JSON nor CSV with a column {time_key!r}")
    row_bytes = sum(map(len, header))
    ended = False
    while not ended:
        items: list[Item] = []
        end = lines.offset + BLOCK_BYTES
        # Each record has all names of the header, so a long header makes short blocks.
        while len(items) < BLOCK_ITEMS and lines.offset + row_bytes * len(items) < end and not ended:
            ended = not _read(reader, lines, header, items)
        yield Block(items)


class _Lines:
    """The lines of a stream, kept until a row is complete, so that a reject can show its lines."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._lines = self._split()
        self.taken: list[bytes] = []
        self._row_bytes = self.offset = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken.append(line)
        self.offset += len(line)
        self._row_bytes += len(line)
        if self._row_bytes > MAX_RECORD_BYTES:
            raise TooLargeError(f"a CSV row of more than {MAX_RECORD_BYTES} bytes, which ends after byte {self.offset}")
        return line.decode("utf-8", "backslashreplace")

    def begin_row(self) -> None:
        self.taken, self._row_bytes = [], 0

    def _split(self) -> Iterator[bytes]:
        buffer = self._buffer
        while buffer.data or not buffer.ended:
            *whole, rest = buffer.data.split(b"\n")
            buffer.drop(len(buffer.data) - len(rest))
            for line in whole:
                yield line + b"\n"
            if buffer.ended:
                yield rest
                buffer.drop(len(rest))
            elif len(rest) > MAX_RECORD_BYTES:
                raise TooLargeError(f"a CSV line of more than {MAX_RECORD_BYTES} bytes at byte {buffer.offset}")
            else:
                buffer.fill(max(BLOCK_BYTES, 2 * len(rest)))


def _header(names: list[str]) -> list[str]:
    header: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for name in names:
        header[unique(name.strip(), header, numbers)] = None
    return list(header)


def _read(reader: Iterator[list[str]], lines: _Lines, header: list[str], items: list[Item]) -> bool:
    """Read one row, unless it is blank; False at the end."""
    lines.begin_row()
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
    elif row and len(row) < len(header) and not lines.taken[-1].endswith((b"\n", b"\r")):
        raise MalformedError(f"the CSV is cut: its last row has {len(row)} fields where the header has {len(header)}")
    elif row:
        items.append(Bad(f"{len(row)} fields where the header has {len(header)}", b"".join(lines.taken)))
    return True
