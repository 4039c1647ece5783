"""JSON objects that providers put into a text: unfolded, so that they are flattened like any other object."""

from collections.abc import Sequence
from typing import Any

import orjson

from logarchive.attribute import has_float
from logarchive.json_record import Record, compact, read


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
    except orjson.JSONDecodeError:
        # Of what orjson refuses, big numbers and lone surrogates are JSON all the same.
        value = None
    if value.__class__ is not dict or has_float(value) or compact(value) != encoded:
        value = read(encoded)
    return value if value.__class__ is dict else text
