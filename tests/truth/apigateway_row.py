"""What row an event of NAVER's API Gateway must become, from its exact JSON text and the page's four fields alone."""

import datetime as dt
import re
from functools import lru_cache
from typing import Any

from tests.truth.json_text import encodable, record
from tests.truth.row import Row, attributes, row

#: The zone in which the truth tells times; an answer tells them in the one that was asked for.
HOME = dt.timedelta(hours=9)
TEXTS = {"level": "severity_text", "type": "event_name", "message": "body"}
FED = {"time", *TEXTS}
SEVERITIES = {"EVENT": 9, "ALARM": 13, "ALERT": 17}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


@lru_cache(maxsize=1 << 16)
def apigateway_row(text: bytes) -> Row | None:
    """Return the row of an event; None if it must be rejected: unreadable, or without a readable time."""
    pairs = record(text)
    return None if pairs is None else row_of(pairs)


def row_of(pairs: Any, zone: dt.timedelta = HOME) -> Row | None:
    """Return the row of an event's keys and values, its time told in a zone; None if it must be rejected."""
    columns: dict[str, Any] = {}
    rest = [(key, value) for key, value in pairs if key not in FED or not _fits(key, value, columns, zone)]
    return row(columns, attributes(rest)) if "time" in columns else None


def _fits(key: str, value: Any, columns: dict[str, Any], zone: dt.timedelta) -> bool:
    """Put a value into the columns that its key feeds; say whether nothing of it is left for the attributes."""
    if value.__class__ is not str or not encodable(value):
        return False
    if key == "time":
        return _time(value, columns, zone)
    if key == "level" and value in SEVERITIES:
        columns["severity_number"] = SEVERITIES[value]
    columns[TEXTS[key]] = value
    return True


def _time(value: str, columns: dict[str, Any], zone: dt.timedelta) -> bool:
    try:
        local = dt.datetime.fromisoformat(f"{value}+00:00") if TIME.fullmatch(value) else None
    except ValueError:
        return False
    if local is not None:
        columns["time"] = (local - zone - EPOCH) // MILLISECOND
    return local is not None
