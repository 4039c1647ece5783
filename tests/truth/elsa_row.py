"""What row an ELSA record must become, from its exact JSON text and the mapping in the documentation alone."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from tests.truth.json_text import Number, encodable, record
from tests.truth.row import Row, attributes, row

TEXTS = {
    "logLevel": "severity_text",
    "body": "body",
    "projectName": "service_name",
    "projectVersion": "service_version",
    "host": "host_name",
}
FED = {"logTime", *TEXTS}
SEVERITIES = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "WARNING": 13, "ERROR": 17, "FATAL": 21, "CRITICAL": 21}
PYTHON_LEVELS = {10: 5, 20: 9, 30: 13, 40: 17, 50: 21}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MS = re.compile(r"[1-9][0-9]{12}")
DIGITS_TO_MS = {10: Decimal(1000), 13: Decimal(1), 16: Decimal(1) / 1000, 19: Decimal(1) / 1_000_000}


def elsa_row(text: bytes) -> Row | None:
    """Return the row of a record; None if it must be rejected: unreadable, or without a readable time."""
    pairs = record(text)
    return None if pairs is None else row_of(pairs)


def row_of(pairs: Any) -> Row | None:
    """Return the row of a record's keys and values; None if it must be rejected."""
    columns: dict[str, Any] = {}
    rest = [(key, value) for key, value in pairs if key not in FED or not _fits(key, value, columns)]
    return row(columns, attributes(rest)) if "time" in columns else None


def _fits(key: str, value: Any, columns: dict[str, Any]) -> bool:
    """Put a value into the columns that its key feeds; say whether nothing of it is left for the attributes."""
    if key == "logTime" and "time" not in columns:
        return _time(value, columns)
    if key == "logLevel" and "severity_number" not in columns and (number := severity(value)) is not None:
        columns["severity_number"] = number
    column = TEXTS.get(key)
    if column is None or column in columns or value.__class__ is not str or not encodable(value):
        return False
    columns[column] = value
    return True


def _time(value: Any, columns: dict[str, Any]) -> bool:
    if value.__class__ is Number and MS.fullmatch(value):
        columns["time"] = int(value)
        return True
    ms = milliseconds(value)
    if ms is not None:
        columns["time"] = ms
    return False


def milliseconds(value: Any) -> int | None:
    """Read a time that is no plain number of epoch milliseconds, truncated to milliseconds."""
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        unit = DIGITS_TO_MS.get(len(value.partition(".")[0]))
        return None if unit is None else int(Decimal(value) * unit)
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return (aware - EPOCH) // dt.timedelta(milliseconds=1)


def severity(level: Any) -> int | None:
    """Read a level's name, or Python's number of it."""
    if not isinstance(level, str):
        return None
    return SEVERITIES.get(level.upper()) or (PYTHON_LEVELS.get(int(level)) if re.fullmatch("[0-9]+", level) else None)
