"""A JSON document read forward, value by value, exactly, in linear time. What is no JSON raises MalformedError."""

import json
import re
from collections.abc import Callable, Generator
from typing import Any

from logarchive.errors import MalformedError, TooLargeError
from logarchive.record.block import BLOCK_BYTES, LARGE_BYTES, MAX_RECORD_BYTES, Bad, Block, Buffer, Item
from logarchive.record.exact_json import (
    CHARACTERS_A_VALUE,
    DECODER,
    NO_OBJECT,
    STRING,
    TOO_DEEP,
    TOO_MANY,
    checked,
    crowded,
    object_of,
    raw,
    values_in,
)

_SPACE = re.compile(r"[ \t\r\n]*+")
#: An error so near to the end of what is held may only mean that more is to come: `-Infinit`, `\ud83d\ud`.
_MARGIN = 16
#: What is deeper is not even passed over, which would take long.
_MAX_DEPTH = 100_000
#: Up to 256 KB, more only where a string is longer; no string is cut.
_PIECE = re.compile(r'(?:[^"]{1,256}+|"(?:[^"\\]++|\\.)*+"){1,1024}+', re.DOTALL)
#: Both kinds of brackets as one. Pairs without anything between them are left out first: that is much faster.
_ROUND, _NO_BRACKETS = bytes.maketrans(b"{[]}", b"(())"), bytes(set(range(256)) - set(b"{[]}"))
_OPEN, _PASSES = ord("("), 8
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]"]', re.DOTALL)

type Records = Generator[Block, None, Any]


class Document:
    """A document, and the place that is read next."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
        self._text, self._at = "", 0
        #: How many bytes of the buffer are decoded in `_text`.
        self._decoded = 0
        #: The size of the values that are held around records; small values count for the memory that each takes.
        self._plain = 0
        #: From here on the text is kept, for `marked`.
        self._mark: int | None = None

    def next(self) -> str:
        """Go to the next character that is no white space, and return it; an empty text at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, token: str) -> None:
        """Read one character. Raises MalformedError for another one."""
        if self.next() != token:
            raise self.broken(f"no {token!r}")
        self._at += 1

    def value(self) -> tuple[Any, int]:
        """Read the value that begins here; return it with its number of characters.

        Raises MalformedError, RecursionError where it is nested too deeply, OverflowError where it holds too much.
        """
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                unfinished = error.pos + _MARGIN >= len(self._text) or error.msg.startswith("Unterminated")
                if not unfinished or not self._more():
                    raise self.broken(error.msg, error.pos) from None
                if len(self._text) - self._at > BLOCK_BYTES and crowded(self._text, self._at):
                    raise OverflowError from None
            else:
                # A number at the end of what is held may go on, also behind the `e+` of `1e+9`.
                if end + len("e+") < len(self._text) or not self._more():
                    size, self._at = end - self._at, end
                    return value, size

    def element(self, *, held: bool = False) -> tuple[Item, int]:
        """Read the next value as a record or as a reject; return it with its number of characters.

        `held`: it may be part of a document around records.
        """
        self.next()
        try:
            value, size = self.value()
        except (RecursionError, OverflowError) as error:
            text = self._skip()
            item: Item = Bad(TOO_DEEP if isinstance(error, RecursionError) else TOO_MANY, raw(text))
            size = len(text)
        else:
            # Not its text, which would be one more copy of what may be large.
            item = checked(value, self._text, self._at - size, self._at)
        if held:
            # Of what could not become a record only the text is kept.
            self._charge(size, whole=not isinstance(item, Bad) or item.reason == NO_OBJECT)
        if len(self._text) - self._at > LARGE_BYTES and self._mark is None:
            self.release()
            self.restart()
        return item, size

    def plain(self) -> Any:  # noqa: ANN401 (JSON)
        """Read a value that holds no records."""
        self.next()
        try:
            value, size = self.value()
        except RecursionError:
            raise self.broken(TOO_DEEP) from None
        except OverflowError:
            raise TooLargeError(f"a JSON document with {TOO_MANY} around its records") from None
        self._charge(size)
        return value

    def _charge(self, size: int, *, whole: bool = True) -> None:
        """Count the value before this place, held as part of a document around records. Raises TooLargeError.

        `whole`: all the values that it is made of are held, not only its text.
        """
        values = 1 + (values_in(self._text, self._at - size, self._at) if whole else 0)
        self._plain += max(size, values * CHARACTERS_A_VALUE)
        if self._plain > MAX_RECORD_BYTES:
            raise TooLargeError(f"more than {MAX_RECORD_BYTES} bytes of JSON around the records")

    def object(self, at_key: Callable[[str], Records]) -> Records:
        """Read the object that begins here and return it; `at_key` reads each value, and yields records it holds."""
        pairs: list[tuple[str, Any]] = []
        self.take("{")
        while self.next() != "}":
            if pairs:
                self.take(",")
            if self.next() != '"':
                raise self.broken("no key")
            key: str = self.plain()
            self.take(":")
            self.next()
            value = yield from at_key(key)
            pairs.append((key, value))
        self.take("}")
        return object_of(pairs)

    def ahead(self) -> Any:  # noqa: ANN401 (JSON)
        """Return the value that begins here, and stay; None if it is no JSON, or longer than what a block holds."""
        self.next()
        while True:
            try:
                return DECODER.raw_decode(self._text, self._at)[0]
            except RecursionError:
                return None
            except json.JSONDecodeError:
                if len(self._text) - self._at >= BLOCK_BYTES or not self._more():
                    return None

    def mark(self) -> None:
        """Keep the text from here on, where a document begins."""
        self._mark, self._plain = self._at, 0

    def marked(self) -> str:
        """Return the text since `mark`."""
        return self._text[self._mark : self._at]

    def unmark(self) -> None:
        """Keep no text."""
        self._mark = None

    def end(self) -> None:
        """Raise MalformedError unless the document ends here."""
        if self.next():
            raise self.broken("text follows the document")

    def broken(self, reason: str, at: int | None = None) -> MalformedError:
        """Return the error that says what is wrong, here or at a place of the text that is held."""
        at = self._at if at is None else at
        offset = self.buffer.offset + len(raw(self._text[:at]))
        cut = " (near its end: it may be cut)" if self.buffer.ended and at + _MARGIN >= len(self._text) else ""
        return MalformedError(f"the response is not JSON at byte {offset}: {reason}{cut}")

    def restart(self) -> None:
        """Go on where the buffer now begins."""
        self._text, self._at, self._decoded = "", 0, 0

    def release(self) -> None:
        """Drop from the buffer what was read, unless it is marked."""
        end = self._at if self._mark is None else self._mark
        rest = self._text[end:]
        # The shorter side is measured: the other one may be a large value.
        size = self._decoded - len(raw(rest)) if len(rest) < end else len(raw(self._text[:end]))
        self.buffer.drop(size)
        self._text, self._at, self._decoded = rest, self._at - end, self._decoded - size
        self._mark = None if self._mark is None else 0

    def _pass(self, end: int) -> str:
        text = self._text[self._at : end]
        self._at = end
        return text

    def _more(self) -> bool:
        """Hold more of the stream behind this place; False when it has ended."""
        if self.buffer.ended and self._decoded == len(self.buffer.data):
            return False
        self.release()
        if self._decoded > MAX_RECORD_BYTES:
            raise TooLargeError(f"a JSON value of more than {MAX_RECORD_BYTES} bytes at byte {self.buffer.offset}")
        size = max(BLOCK_BYTES, min(2 * self._decoded, MAX_RECORD_BYTES + BLOCK_BYTES))
        self.buffer.fill(size)
        self._text = ""  # before it is made anew: memory holds it once
        self._text = self.buffer.data[:size].decode("utf-8", "surrogateescape")
        self._decoded = min(size, len(self.buffer.data))
        return True

    def _skip(self) -> str:
        """Pass a value in brackets that is too deep or too full to be parsed: it ends where its brackets do."""
        while True:
            depth, at = 1, self._at + 1
            while piece := _PIECE.match(self._text, at):
                behind = _depth_behind(piece[0], depth)
                if not behind:
                    return self._pass(self._closed(depth, at))
                if behind > _MAX_DEPTH:
                    raise self.broken(TOO_DEEP)
                depth, at = behind, piece.end()
            if not self._more():
                raise self.broken("a bracket or quote is not closed", len(self._text))

    def _closed(self, depth: int, at: int) -> int:
        """Return where `depth` brackets that are open at a place are closed."""
        for match in _BRACKETS.finditer(self._text, at):
            depth += (match[0] in "{[") - (match[0] in "}]")
            if not depth:
                return match.end()
        raise AssertionError  # `_depth_behind` has seen it


def _depth_behind(piece: str, depth: int) -> int:
    """Return how many brackets are open behind a piece of JSON; 0 once all were closed. No string is cut by it."""
    brackets = raw(STRING.sub("", piece)).translate(_ROUND, _NO_BRACKETS)
    for _ in range(_PASSES):
        brackets = brackets.replace(b"()", b"")
    for bracket in brackets:
        depth += 1 if bracket == _OPEN else -1
        if not depth:
            break
    return depth
