"""JSON read by the standard library alone, so that a scalar keeps the text it has in its source."""

import json
from typing import Any


class Number(str):
    """A number as its text in the source."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object: its keys in order, repeated ones too."""


#: Reads what real writers write, though it is no JSON: NaN and Infinity, as their text, and raw control characters.
DECODER = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=Number, strict=False
)


def record(text: bytes) -> Pairs | None:
    """Return a record's keys and values; None for what cannot be read as a JSON object."""
    try:
        value = DECODER.decode(text.decode())
    except ValueError:
        return None
    return value if isinstance(value, Pairs) else None


def encodable(text: str) -> bool:
    """Say whether a text has a UTF-8 form; half a surrogate pair has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def compact(value: Any) -> str:
    """Return a value as JSON without white space, numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{_quoted(key)}:{compact(one)}" for key, one in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(compact(one) for one in value) + "]"  # pyright: ignore[reportUnknownVariableType] (JSON)
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=not encodable(text))
