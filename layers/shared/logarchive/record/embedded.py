"""JSON objects that providers put into a text: parsed, so that they are flattened like any other object."""

from collections.abc import Sequence
from typing import Any

import orjson

from logarchive.record.block import Record
from logarchive.record.exact_json import compact, has_float, read


def unfold(records: Sequence[Record], key: str) -> None:
    """Replace a text by the object it holds, in place. What is no text, or no JSON object, stays as it is."""
    for record in records:
        text = record.get(key)
        if isinstance(text, str) and "{" in text:
            record[key] = unfolded(text)


def unfolded(text: str) -> Any:  # noqa: ANN401 (JSON)
    """Return the object that a text holds, number texts and repeated keys kept; else the text."""
    encoded = text.encode()
    value: Any
    try:
        value = orjson.loads(encoded)
        exact = compact(value) == encoded and not has_float(value)
    except (ValueError, TypeError):
        # orjson refuses big numbers and lone surrogates, which are JSON too. What it reads but cannot write (TypeError)
        # is nested too deeply for a record.
        value, exact = None, False
    if not exact:
        value = read(encoded)
    return value if value.__class__ is dict else text
