"""What rows the JSON records of the providers must become, from their exact text and the vendors' pages alone."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from tests.truth.json_text import DECODER, Number, Pairs, encodable, record
from tests.truth.row import Row, attributes, row

type Columns = dict[str, Any]
#: Puts the value of a key into columns; says whether nothing of it is left for the attributes.
type Feed = Callable[[Any, Columns], bool]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)
MS = re.compile(r"[1-9][0-9]{12}")


def json_row(
    feeds: Mapping[str, Feed],
    *,
    always: Mapping[str, Any] = {},
    left: Callable[[Any, Columns], Iterable[tuple[str, Any]]] = lambda pairs, _: pairs,
    cached: int = 0,
) -> Callable[[Any], Row | None]:
    """Return what makes rows of records: of their exact bytes, or of keys and values; so many of bytes are remembered.

    Its row is None for what must be rejected: unreadable, or without a readable time. `always` is in each row; `left`
    says which keys and values are looked at.
    """

    def of_pairs(pairs: Any) -> Row | None:
        columns = dict(always)
        rest = [
            (key, value) for key, value in left(pairs, columns) if key not in feeds or not feeds[key](value, columns)
        ]
        return row(columns, attributes(rest)) if "time" in columns else None

    @lru_cache(maxsize=cached)
    def of_bytes(text: bytes) -> Row | None:
        pairs = record(text)
        return None if pairs is None else of_pairs(pairs)

    return lambda one: of_bytes(one) if isinstance(one, bytes) else of_pairs(one)


def text(column: str, more: Callable[[str], Mapping[str, Any]] = lambda _: {}) -> Feed:
    """Take a text into a column, and what `more` reads in it into others."""

    def feed(value: Any, columns: Columns) -> bool:
        fits = column not in columns and value.__class__ is str and encodable(value)
        columns |= {column: value, **more(value)} if fits else {}
        return fits

    return feed


def epoch(value: Any, columns: Columns) -> bool:
    """Take a number of epoch milliseconds."""
    fits = value.__class__ is Number and MS.fullmatch(value) is not None
    columns |= {"time": int(value)} if fits else {}
    return fits


SEVERITIES = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "WARNING": 13, "ERROR": 17, "FATAL": 21, "CRITICAL": 21}
PYTHON_LEVELS = {10: 5, 20: 9, 30: 13, 40: 17, 50: 21}
DIGITS_TO_MS = {10: Decimal(1000), 13: Decimal(1), 16: Decimal(1) / 1000, 19: Decimal(1) / 1_000_000}


def _elsa_time(value: Any, columns: Columns) -> bool:
    """Take a time in any form, truncated to milliseconds; the text of all but their number is kept."""
    if "time" in columns:
        return False
    exact = epoch(value, columns)
    ms = None if exact else _milliseconds(value)
    columns |= {} if ms is None else {"time": ms}
    return exact


def _milliseconds(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        unit = DIGITS_TO_MS.get(len(value.partition(".")[0]))
        return None if unit is None else int(Decimal(value) * unit)
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - EPOCH) // MILLISECOND


def _elsa_level(value: Any, columns: Columns) -> bool:
    """Take a level's name, or Python's number of it."""
    if "severity_number" not in columns and isinstance(value, str):
        number = PYTHON_LEVELS.get(int(value)) if re.fullmatch("[0-9]+", value) else SEVERITIES.get(value.upper())
        columns |= {} if number is None else {"severity_number": number}
    return text("severity_text")(value, columns)


elsa = json_row(
    {
        "logTime": _elsa_time,
        "logLevel": _elsa_level,
        "body": text("body"),
        "projectName": text("service_name"),
        "projectVersion": text("service_version"),
        "host": text("host_name"),
    }
)

EVENT_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
EVENT_LEVELS = {"EVENT": 9, "ALARM": 13, "ALERT": 17}


def apigateway(zone: dt.timedelta, cached: int = 0) -> Callable[[Any], Row | None]:
    """Return what makes rows of the API Gateway's events, whose times are told in a zone."""

    def event_time(value: Any, columns: Columns) -> bool:
        told = value if isinstance(value, str) and EVENT_TIME.fullmatch(value) else ""
        try:
            local = dt.datetime.fromisoformat(f"{told}+00:00")
        except ValueError:
            return False
        columns["time"] = (local - zone - EPOCH) // MILLISECOND
        return True

    def level(value: str) -> Columns:
        return {"severity_number": EVENT_LEVELS[value]} if value in EVENT_LEVELS else {}

    feeds = {"time": event_time, "type": text("event_name"), "message": text("body")}
    return json_row(feeds | {"level": text("severity_text", level)}, cached=cached)


#: One of the samples of Multi DRM lacks the space before the name.
DESCRIPTION = re.compile(r"Policy\s+[0-9]+\s*-\s*(?:.*?)\s+(?P<done>creation|update|delete)\s+\w+", re.DOTALL)
POLICY_EVENTS = {"creation": "policy.create", "update": "policy.update", "delete": "policy.delete"}


def _happened(description: str) -> Columns:
    match = DESCRIPTION.fullmatch(description)
    return {"event_name": POLICY_EVENTS[match["done"]] if match else None}


multidrm = json_row({"timestamp": epoch, "description": text("body", _happened)}, always={"severity_number": 9})

#: As the page of Security365 has them.
LOG_LEVELS = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "NOTICE": 10, "WARN": 13, "ERROR": 17, "FATAL": 21}


def _left(pairs: Any, columns: Columns) -> Iterator[tuple[str, Any]]:
    """Yield keys and values: `detail` unfolded, no `sort` of time and id, no name of the user that feeds a column."""
    time = next((value for key, value in pairs if key == "time"), None)
    for key, value in pairs:
        if key == "sort" and _is_time_and_id(value, time):
            continue
        if key == "detail" and value.__class__ is str:
            yield key, _unfolded(value)
        elif key == "user" and value.__class__ is Pairs and value:
            others = Pairs(pair for pair in value if pair[0] != "name" or not text("user_name")(pair[1], columns))
            yield from [(key, others)] if others else []
        else:
            yield key, value


def _is_time_and_id(value: Any, time: Any) -> bool:
    """Say whether a `sort` is only the time in milliseconds, and an id."""
    if value.__class__ is not list or [item.__class__ for item in value] != [Number, str]:
        return False
    return epoch(time, {}) and value[0] == time and value[1] != "" and encodable(value[1])


def _unfolded(document: str) -> Any:
    """Return the JSON object that a text is; a text that is none stays."""
    try:
        value = DECODER.decode(document)
    except ValueError:
        return document
    return value if isinstance(value, Pairs) else document


security365 = json_row(
    {
        "time": epoch,
        "logLevel": text("severity_text", lambda level: {"severity_number": LOG_LEVELS.get(level)}),
        "event": text("event_name"),
        "description": text("body"),
        "serviceName": text("service_name"),
        "serviceHostname": text("host_name"),
        "userId": text("user_id"),
        "ip": text("client_address"),
        "traceId": text("trace_id"),
    },
    left=_left,
)
