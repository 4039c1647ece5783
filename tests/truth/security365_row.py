"""What row a record of Security365 must become, from its exact JSON text and the mapping in the documentation alone."""

import re
from collections.abc import Iterator
from typing import Any

from tests.truth.json_text import DECODER, Number, Pairs, encodable, record
from tests.truth.row import Row, attributes, row

TEXTS = {
    "logLevel": "severity_text",
    "event": "event_name",
    "description": "body",
    "serviceName": "service_name",
    "serviceHostname": "host_name",
    "userId": "user_id",
    "ip": "client_address",
    "traceId": "trace_id",
}
FED = {"time", *TEXTS}
SEVERITIES = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "NOTICE": 10, "WARN": 13, "ERROR": 17, "FATAL": 21}
MS = re.compile(r"[1-9][0-9]{12}")


def security365_row(text: bytes) -> Row | None:
    """Return the row of a record; None if it must be rejected: unreadable, or without a readable time."""
    pairs = record(text)
    return None if pairs is None else row_of(pairs)


def row_of(pairs: Any) -> Row | None:
    """Return the row of a record's keys and values; None if it must be rejected."""
    columns: dict[str, Any] = {}
    rest = [(key, value) for key, value in _left(pairs, columns) if key not in FED or not _fits(key, value, columns)]
    return row(columns, attributes(rest)) if "time" in columns else None


def record_id(pairs: Any) -> Any:
    """Return the vendor's own id of a record: the second part of its `sort`."""
    return dict(pairs)["sort"][1]


def _left(pairs: Any, columns: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield keys and values, the document in `detail` unfolded, and the user without the name that feeds a column."""
    for key, value in pairs:
        if key == "detail" and value.__class__ is str:
            yield key, _unfolded(value)
        elif key == "user" and value.__class__ is Pairs and value:
            others = Pairs(pair for pair in value if pair[0] != "name" or not _named(pair[1], columns))
            yield from [(key, others)] if others else []
        else:
            yield key, value


def _unfolded(text: str) -> Any:
    """Return the JSON object that a text is; a text that is none stays."""
    try:
        value = DECODER.decode(text)
    except ValueError:
        return text
    return value if isinstance(value, Pairs) else text


def _named(name: Any, columns: dict[str, Any]) -> bool:
    if name.__class__ is not str or not encodable(name) or "user_name" in columns:
        return False
    columns["user_name"] = name
    return True


def _fits(key: str, value: Any, columns: dict[str, Any]) -> bool:
    """Put a value into the columns that its key feeds; say whether nothing of it is left for the attributes."""
    if key == "time":
        fits = value.__class__ is Number and MS.fullmatch(value) is not None
        columns |= {"time": int(value)} if fits else {}
        return fits
    if value.__class__ is not str or not encodable(value):
        return False
    if key == "logLevel":
        columns["severity_number"] = SEVERITIES.get(value)
    columns[TEXTS[key]] = value
    return True
