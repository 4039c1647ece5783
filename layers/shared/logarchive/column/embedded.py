"""Texts that hold a JSON object, to be flattened like any other object."""

from collections.abc import Sequence
from typing import Any

import orjson

from logarchive.record.block import Record
from logarchive.record.exact_json import compact, float_texts, read


def unfold(records: Sequence[Record], key: str) -> list[Record]:
    """Replace a text by the object that it holds, in new records. What is no text, or no JSON object, stays."""
    return [
        {**record, key: unfolded(text)} if isinstance(text := record.get(key), str) and "{" in text else record
        for record in records
    ]


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
