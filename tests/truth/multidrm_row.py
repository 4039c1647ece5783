"""What row a record of Multi DRM's policy log must become, from its exact JSON text and the page's samples alone."""

import re
from typing import Any

from tests.truth.json_text import Number, encodable, record
from tests.truth.row import Row, attributes, row

FED = {"timestamp", "description"}
INFO = 9
MS = re.compile(r"[1-9][0-9]{12}")
#: One of the samples lacks the space before the name.
GRAMMAR = re.compile(r"Policy\s+[0-9]+\s*-\s*(?:.*?)\s+(?P<done>creation|update|delete)\s+\w+", re.DOTALL)
NAMES = {"creation": "policy.create", "update": "policy.update", "delete": "policy.delete"}


def multidrm_row(text: bytes) -> Row | None:
    """Return the row of a record; None if it must be rejected: unreadable, or without a readable time."""
    pairs = record(text)
    return None if pairs is None else row_of(pairs)


def row_of(pairs: Any) -> Row | None:
    """Return the row of a record's keys and values; None if it must be rejected."""
    columns: dict[str, Any] = {"severity_number": INFO}
    rest = [(key, value) for key, value in pairs if key not in FED or not _fits(key, value, columns)]
    return row(columns, attributes(rest)) if "time" in columns else None


def _fits(key: str, value: Any, columns: dict[str, Any]) -> bool:
    """Put a value into the columns that its key feeds; say whether nothing of it is left for the attributes."""
    if key == "timestamp":
        fits = value.__class__ is Number and MS.fullmatch(value) is not None
        columns |= {"time": int(value)} if fits else {}
        return fits
    if value.__class__ is not str or not encodable(value):
        return False
    happened = GRAMMAR.fullmatch(value)
    columns |= {"body": value, "event_name": NAMES[happened["done"]] if happened else None}
    return True
