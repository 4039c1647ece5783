"""JSON records, read exactly: what orjson would change or refuse is kept as its text.

orjson is used where it provably loses nothing (`faithful`); otherwise the standard library's parser, whose hooks keep
number texts, repeated keys and lone surrogates. Both give the same record for the same text.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from logarchive.record.block import BLOCK_BYTES, Bad, Record, Verbatim, unique

_LEAST, _MOST = -(2**63), 2**64 - 1
_MOST_DIGITS = 20
TOO_DEEP = "nested too deeply"
#: The most values of a record, and the characters per value if it has more: each takes about 100 bytes of memory.
_MAX_VALUES, CHARACTERS_A_VALUE = 150_000, 16
TOO_MANY = f"more than {_MAX_VALUES} values"
NO_OBJECT = "not a JSON object"
STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
#: orjson never writes a newline, so this one separates.
NEWLINE = orjson.Fragment(b"\n")
_NO_LEAVES = {float, list, dict}
#: How surrogateescape shows a byte that is not UTF-8.
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


def object_of(pairs: Sequence[tuple[str, Any]]) -> Record:
    """Make an object, in which a repeated key gets `#2`, `#3` … behind it."""
    record: Record = dict(pairs)
    if len(record) != len(pairs):
        record.clear()
        numbers: dict[str, int] = {}
        for key, value in pairs:
            record[unique(key, record, numbers)] = value
    return record


def _integer(text: str) -> int | Verbatim:
    if text == "-0" or len(text) > _MOST_DIGITS:
        return Verbatim(text)
    value = int(text)
    return value if _LEAST <= value <= _MOST else Verbatim(text)


#: Also takes what real writers write though it is no JSON: control characters in texts, NaN, Infinity, -Infinity.
DECODER = json.JSONDecoder(
    object_pairs_hook=object_of, parse_int=_integer, parse_float=Verbatim, parse_constant=Verbatim, strict=False
)


def fragment(value: object) -> orjson.Fragment:
    """Let orjson write a Verbatim."""
    if isinstance(value, Verbatim):
        return orjson.Fragment(value.text)
    raise TypeError


def canonical(record: Record) -> bytes:
    """Write a record independently of white space and the order of its keys."""
    return orjson.dumps(record, default=fragment, option=orjson.OPT_SORT_KEYS)


def compact(value: Any) -> bytes:  # noqa: ANN401 (JSON)
    """Write JSON without white space, in the order it came."""
    return orjson.dumps(value, default=fragment)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encoded(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """Replace strings that have no UTF-8 form (lone surrogates) by their JSON text."""
    if isinstance(value, str):
        return value if _encodable(value) else Verbatim(json.dumps(value))
    if isinstance(value, list):
        return [_encoded(item) for item in value]  # pyright: ignore[reportUnknownVariableType] (JSON)
    if isinstance(value, dict):
        return object_of([(key if _encodable(key) else json.dumps(key), _encoded(item)) for key, item in value.items()])  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] (JSON)
    return value


def checked(value: Any, text: str, start: int = 0, end: int | None = None) -> Record | Bad:  # noqa: ANN401 (JSON)
    """Return the record, or why the value is not one; it lies in a part of a text."""
    end = len(text) if end is None else end
    if _NOT_UTF8.search(text, start, end):
        return Bad("not UTF-8", raw(text[start:end]))
    if not isinstance(value, dict):
        return Bad(NO_OBJECT, raw(text[start:end]))
    if end - start > BLOCK_BYTES and crowded(text, start, end):
        return Bad(TOO_MANY, raw(text[start:end]))
    try:
        record: Record = _encoded(value) if _SURROGATE.search(text, start, end) else value  # pyright: ignore[reportUnknownVariableType] (JSON)
        canonical(record)
    except (TypeError, RecursionError):
        return Bad(TOO_DEEP, raw(text[start:end]))
    return record


def raw(text: str) -> bytes:
    """Return the bytes that a text decoded with surrogateescape came from."""
    return text.encode("utf-8", "surrogateescape")


def crowded(text: str, start: int = 0, end: int | None = None) -> bool:
    """Return whether JSON in a part of a text holds more values than may be in memory."""
    end = len(text) if end is None else end
    return values_in(text, start, end) > max(_MAX_VALUES, (end - start) // CHARACTERS_A_VALUE)


def values_in(text: str, start: int, end: int) -> int:
    """Return how many values the JSON in a part of a text holds; it may be too many while they are few for its size."""
    # First with its strings, which needs no copy.
    count = sum(text.count(sign, start, end) for sign in ",[{")
    if count <= (end - start) // CHARACTERS_A_VALUE:
        return count
    structure = STRING.sub("", text[start:end])
    return sum(map(structure.count, ",[{"))


def perhaps_crowded(data: bytes) -> bool:
    """Return whether JSON of a block or two holds more values than may be in memory, if its strings hold some too."""
    return len(data) > BLOCK_BYTES and sum(map(data.count, (b",", b"[", b"{"))) > _MAX_VALUES


def read(data: bytes) -> Record | Bad:
    """Read one record exactly."""
    text = data.decode("utf-8", "surrogateescape")
    if len(data) > BLOCK_BYTES and crowded(text):
        return Bad(TOO_MANY, data)
    try:
        value = DECODER.decode(text)
    except RecursionError:
        return Bad(TOO_DEEP, data)
    except json.JSONDecodeError as error:
        return Bad("not UTF-8" if _NOT_UTF8.search(text) else f"not JSON: {error.msg}", data)
    return checked(value, text)


def is_cut(line: bytes) -> bool:
    """Return whether a line, which is no record, is the beginning of one."""
    if line[:1] != b"{" or line[-1:] != b"}":
        return line[:1] == b"{"
    text = line.decode("utf-8", "surrogateescape")
    try:
        DECODER.decode(text)
    except json.JSONDecodeError as error:
        return error.pos == len(text) or error.msg.startswith("Unterminated")
    except RecursionError:
        pass
    return False


class CanonicalTexts:
    """Records in canonical form: pieces of one text, because one call of orjson is much cheaper than one for each."""

    def __init__(self, records: Sequence[Record]) -> None:
        """Write the records; raises TypeError when one is nested too deeply."""
        lines: list[Any] = [NEWLINE] * (2 * len(records))
        lines[::2] = records
        self._text = orjson.dumps(lines, fragment, orjson.OPT_SORT_KEYS)
        self.pieces = list(self._split(len(records)))

    def _split(self, count: int) -> Iterator[memoryview]:
        r"""Yield what lies between `[`, `,\n,` and `,\n]`."""
        text, start = memoryview(self._text), 1
        find = self._text.find
        for _ in range(count):
            end = find(b"\n", start)
            yield text[start : end - 1]
            start = end + 2

    @property
    def size(self) -> int:
        """The bytes of all pieces."""
        return len(self._text) - 3 * len(self.pieces) - 1 if self.pieces else 0

    @property
    def spaces(self) -> int:
        """How many of them are spaces."""
        return self._text.count(b" ")


def faithful(source: bytes, texts: CanonicalTexts, around: int) -> bool:
    """Return whether orjson, reading `source` and writing it again, lost nothing (apart from the texts of floats).

    The canonical form is never longer than its source, except for floats. So if both have the same number of bytes that
    are no white space, then no repeated key was lost and no `-0` became 0. `around` counts the brackets and commas
    between the records.
    """
    size = texts.size + around
    if size == len(source):
        return True
    lines = source.count(b"\n") + source.count(b"\r") + source.count(b"\t")
    if size == len(source) - lines:
        return True
    return size - texts.spaces == len(source) - lines - source.count(b" ")


def float_texts(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """Return a value with each float as the text that orjson writes."""
    kind = value.__class__
    if kind is float:
        return Verbatim(compact(value).decode())
    if kind is list:
        return list(map(float_texts, value))
    if kind is dict and not _NO_LEAVES.isdisjoint(map(type, value.values())):
        return {key: float_texts(item) for key, item in value.items()}
    return value


def has_float(value: Any) -> bool:  # noqa: ANN401 (JSON)
    """Return whether there is a float anywhere in a value."""
    if isinstance(value, dict):
        return any(map(has_float, value.values()))  # pyright: ignore[reportUnknownArgumentType] (JSON)
    return any(map(has_float, value)) if isinstance(value, list) else isinstance(value, float)  # pyright: ignore[reportUnknownArgumentType] (JSON)
