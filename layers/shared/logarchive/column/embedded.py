"""Texts that hold a JSON object, to be flattened like any other object."""

from collections.abc import Sequence
from typing import Any

import orjson

from logarchive.record.block import Record
from logarchive.record.exact_json import NEWLINE, compact, float_texts, read


def unfold(records: Sequence[Record], key: str) -> list[Record]:
    """Replace a text by the object that it holds, in new records. What is no text, or no JSON object, stays."""
    places = [at for at, record in enumerate(records) if _may_hold_object(record.get(key))]
    texts = [records[at][key] for at in places]
    unfolded_records = list(records)
    for at, value in zip(places, _together(texts) or map(unfolded, texts), strict=True):
        unfolded_records[at] = {**records[at], key: value}
    return unfolded_records


def _may_hold_object(text: object) -> bool:
    return isinstance(text, str) and "{" in text


def _together(texts: Sequence[str]) -> list[Any] | None:
    """Return the objects that texts hold, read at once; None if orjson would not write each text as it came.

    orjson writes no newline but those between the values. As many values as texts therefore are each that of its text.
    """
    try:
        values = orjson.loads(f"[{','.join(texts)}]")
        lines = [NEWLINE] * (2 * len(values) - 1)
        lines[::2] = values
        exact = len(values) == len(texts) and orjson.dumps(lines) == f"[{',\n,'.join(texts)}]".encode()
    except (ValueError, TypeError):
        return None
    return list(map(float_texts, values)) if exact and set(map(type, values)) == {dict} else None


def unfolded(text: str) -> Any:  # noqa: ANN401 (JSON)
    """Return the object that a text holds, number texts and repeated keys kept; else the text."""
    encoded = text.encode()
    value: Any
    try:
        value = orjson.loads(encoded)
        exact = compact(value) == encoded
    except (ValueError, TypeError):
        # orjson refuses big numbers and lone surrogates, which are JSON too. What it reads but cannot write (TypeError)
        # is nested too deeply for a record.
        value, exact = None, False
    value = float_texts(value) if exact else read(encoded)
    return value if value.__class__ is dict else text
