"""What JSON, CSV and log lines have in common: records, rejected texts, and blocks of both."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from logarchive.errors import TooLargeError

BLOCK_BYTES = 1024 * 1024
#: However short they are: in memory each takes some hundred bytes.
BLOCK_ITEMS = 16_384
#: Beyond this a record that does not end is taken for broken.
MAX_RECORD_BYTES = 20 * 1024 * 1024
#: More is held at once only for a large record, which may hold too many values.
LARGE_BYTES = 2 * BLOCK_BYTES
#: The byte order mark: some editors write it before a text. It is not part of the text.
BOM = b"\xef\xbb\xbf"

type Chunks = Iterator[bytes]
type Record = dict[str, Any]


class Verbatim:  # no dataclass: orjson would write it as an object
    """A JSON scalar kept as its text in the source, because no Python value would give that text back."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verbatim) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Verbatim({self.text!r})"


class Bad(NamedTuple):
    """A text that should be a record and is none, with the reason."""

    reason: str
    text: bytes


type Item = Record | Bad


@dataclass(frozen=True)
class Block:
    """Records and rejected texts in order."""

    items: list[Item]
    #: Reads them again, keeping number texts; None: they are exact already.
    reread: Callable[[], list[Item]] | None = None
    #: Their canonical forms, where known.
    canonical: Sequence[bytes | memoryview] | None = None
    #: Whether the canonical form is the record's own text.
    verbatim: bool = False
    #: The text of the JSON array that orjson read as `items`, if it did.
    source: bytes | None = None

    def exactly(self) -> "Block":
        """Return the same block, read exactly."""
        return self if self.reread is None else Block(self.reread())


@dataclass
class Buffer:
    """A stream with the bytes that were read ahead."""

    _chunks: Chunks
    data: bytes = b""
    ended: bool = False
    #: Bytes of the stream before `data`.
    offset: int = 0

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
        self.offset += size

    def whole_lines(self) -> Iterator[bytes]:
        """Yield the rest in blocks of whole lines, at most BLOCK_ITEMS of them.

        Raises TooLargeError for a line that is longer than any record.
        """
        size = BLOCK_BYTES
        while self.data or not self.ended:
            self.fill(size)
            end = len(self.data) if self.ended else self.data.rfind(b"\n") + 1
            if end:
                end = _after_lines(self.data, BLOCK_ITEMS, end)
                yield self.data[:end]
                self.drop(end)
                size = BLOCK_BYTES
            elif size > MAX_RECORD_BYTES:
                raise TooLargeError(f"a line of more than {MAX_RECORD_BYTES} bytes at byte {self.offset}")
            else:
                size = min(2 * size, MAX_RECORD_BYTES + BLOCK_BYTES)


def _after_lines(data: bytes, count: int, end: int) -> int:
    """Return where the first `count` lines end, or `end` if there are fewer before it."""
    if data.count(b"\n", 0, end) <= count:
        return end
    at = 0
    for _ in range(count):
        at = data.index(b"\n", at) + 1
    return at


def unique(name: str, taken: Container[str], numbers: dict[str, int]) -> str:
    """Return the name, or with `#2`, `#3` … where it is taken; `numbers` remembers the next one of each name."""
    if name not in taken:
        return name
    number = numbers.get(name, 2)
    while f"{name}#{number}" in taken:
        number += 1
    numbers[name] = number + 1
    return f"{name}#{number}"
