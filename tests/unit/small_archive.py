"""A small archive of all providers: records written by hand, made into Parquet by the layer, under the keys of the
bucket. The tests of the saved queries compute their answers from these lines, by hand."""

import datetime as dt
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logarchive.coverage.gap import leaves_of
from logarchive.coverage.window_table import months
from logarchive.ledger.entry import Entry
from logarchive.numbers import WindowNumbers
from logarchive.store.place import Place
from logarchive.window import Window
from tests.unit.exchange import source
from tests.unit.visit import part, visit
from tools.registry import providers

HOUR = dt.timedelta(hours=1)


def ms(text: str) -> int:
    """Return a moment in UTC as epoch milliseconds."""
    return int(dt.datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def elsa(text: str, **fields: object) -> dict[str, object]:
    return {"logTime": ms(text), **fields}


def event(text: str, level: str, kind: str, message: str) -> dict[str, object]:
    """Return an event of API Gateway, whose times are told in +09:00."""
    return {"time": text, "level": level, "type": kind, "message": message}


def policy(text: str, number: int, description: str) -> dict[str, object]:
    return {"policyId": number, "description": description, "timestamp": ms(text)}


def item(text: str, number: int, user: str | None, ip: str, said: str, **fields: object) -> dict[str, object]:
    """Return an item of Security365; `said` is its level and event."""
    level, _, name = said.partition(" ")
    person = {"id": user, "name": user.title()} if user else None
    own = {"time": ms(text), "ip": ip, "userId": user, "logLevel": level, "event": name, "user": person}
    return own | fields | {"sort": [ms(text), f"{number:064X}"]}


ELSA = [
    elsa("2026-11-22T13:05", logLevel="ERROR", projectName="shop", projectVersion="1.3.0", host="a", body="refused")
    | {"ExceptionType": "CardError", "logType": "nelo2-log", "logSource": "json", "sendTime": 1795352700},
    elsa("2026-11-22T13:10", logLevel="INFO", host="b", body="tried again", ExceptionType="CardError"),
    elsa("2026-11-22T13:20", logLevel="FATAL", host="b", body="gave up", ExceptionType="Timeout"),
    elsa("2026-11-22T13:30", logLevel="WARN", host="b", body="slow"),
    elsa("2026-11-22T13:40", logLevel=20, host="b", body="a level that is a number"),
]
EVENTS = [
    event("2026-11-22 22:10:00", "ALERT", "EU400", "quota of A"),
    event("2026-11-22 22:20:00", "ALARM", "EU410", "throttle of B"),
    event("2026-11-22 22:30:00", "ALARM", "EU410", "throttle of B"),
    event("2026-11-22 22:40:00", "EVENT", "ES020", "accepted"),
]
POLICIES = [
    policy("2026-11-22T12:05", 127, "Policy 127 - myPolicy creation completed"),
    policy("2026-11-22T12:06", 127, "Policy 127 -myPolicy update completed"),
    policy("2026-11-22T12:07", 128, "Policy 128 was archived"),
]
ITEMS = [
    item("2026-11-22T14:00:10", 1, "kim", "192.0.2.1", "INFO LOGIN", traceId="t1", logType="USER", brandName="Portal"),
    item("2026-11-22T14:01", 2, "kim", "192.0.2.2", "INFO DOC_OPEN", target="a.docx", serviceName="ShieldRM"),
    item("2026-11-22T14:02", 3, "kim", "192.0.2.1", "ERROR DOC_PRINT", description="refused"),
    item("2026-11-22T14:03", 4, "lee", "203.0.113.1", "ERROR USER_LOGIN"),
    item("2026-11-22T14:04", 5, None, "203.0.113.9", "WARN POST_COMMON_OAUTH_TOKEN"),
]
#: time in +08:00, client, domain, url, bytes, province, carrier, status, referer, ms, agent, range, method, protocol,
#: cache, client's port
LINES = [
    '20261122210000 203.0.113.1 www.example.com /a?x=1 1000000000 22 2 200 NULL 10 "A 1" "(null)" GET HTTP/2.0 hit 99',
    '20261122210100 203.0.113.1 www.example.com /a 500000000 4 26 502 "-" 30 "A 1" "bytes=0-1" GET HTTP/1.1 MISS -',
    "20261122210200 203.0.113.2 www.example.com /a 0 22 2 504 NULL 2000 - - POST HTTP/1.1 - -",
    "20261122210300 203.0.113.2 api.example.com /b 0 22 2 404 NULL 5.5 - - GET HTTP/1.1 miss -",
    "20261122210400 2001:db8::1 api.example.com /b 700 22 2 500 NULL - - - GET HTTP/1.1 miss -",
]
#: Provider, source, the window's start, its records.
WINDOWS: Sequence[tuple[str, str, str, Sequence[object]]] = (
    ("elsa", "shop", "2026-11-22T13:00", ELSA),
    ("elsa", "search", "2026-11-22T13:00", [elsa("2026-11-22T13:50", logLevel="INFO", body="found")]),
    ("elsa", "shop", "2026-11-21T09:00", [elsa("2026-11-21T09:15", logLevel="ERROR", body="no exception named")]),
    ("elsa", "shop", "2026-11-10T13:00", [elsa("2026-11-10T13:05", logLevel="ERROR", host="z", ExceptionType="Old")]),
    ("apigateway", "main", "2026-11-22T13:00", EVENTS),
    ("apigateway", "main", "2026-11-21T23:00", [event("2026-11-22 08:30:00", "ALARM", "EU420", "rate of C")]),
    ("apigateway", "main", "2026-11-10T13:00", [event("2026-11-10 22:10:00", "ALERT", "EU400", "quota of A")]),
    ("multidrm", "site", "2026-11-22T12:00", POLICIES),
    ("multidrm", "site", "2026-11-16T12:00", [policy("2026-11-16T12:30", 5, "Policy 5 - x delete completed")]),
    ("multidrm", "site", "2026-11-10T12:00", [policy("2026-11-10T12:30", 6, "Policy 6 - y delete completed")]),
    ("security365", "tenant", "2026-11-22T14:00", ITEMS),
    ("security365", "tenant", "2026-11-10T14:00", [item("2026-11-10T14:01", 6, "kim", "192.0.2.3", "ERROR LOGIN")]),
    ("dsa", "edge", "2026-11-22T13:00", LINES),
    ("dsa", "edge", "2026-11-21T13:00", [
        "20261121210000 203.0.113.3 www.example.com /c 40000000 22 2 200 NULL 250 - - GET HTTP/1.1 miss -",
    ]),
    ("dsa", "edge", "2026-11-10T13:00", [
        "20261110210000 203.0.113.1 old.example.com /a 1 22 2 500 NULL 99999 - - GET HTTP/1.1 miss -",
    ]),
)  # fmt: skip
WRAPPED = {
    "elsa": "[%s]",
    "apigateway": '{"events": {"content": [%s], "total": 0}}',
    "multidrm": '{"success": true, "content": [%s]}',
    "security365": '{"code": 0, "items": [%s]}',
}


def body(provider: str, records: Sequence[object]) -> bytes:
    """Return the records as the provider would answer with them."""
    if provider == "dsa":
        return "".join(f"{line}\n" for line in records).encode()
    return (WRAPPED[provider] % ",".join(map(json.dumps, records))).encode()


#: What the ledger says of windows of `elsa/shop`: the window's start, its state, its issue, and whatever else.
ENTRIES: Sequence[tuple[str, str, str | None, dict[str, object]]] = (
    ("2025-11-20T13:00", "sealed", None, {"rows": 1000}),  # more than a year ago
    ("2026-10-01T13:00", "closed", "expired", {"rows": 2, "error": "the retention passed"}),
    ("2026-11-10T13:00", "planned", "forbidden", {"lost_at": "2026-12-10T13:00:00Z", "error": "HTTP 403"}),
    ("2026-11-21T09:00", "sealed", None, {"rows": 1, "rejects": 2, "late": 1, "verification": "verified"}),
    ("2026-11-22T12:00", "archived", None, {"rows": 9, "lost_at": "2026-12-22T12:00:00Z"}),
    ("2026-11-22T13:00", "archived", "throttled", {"rows": 5, "lost_at": "2026-11-29T13:00:00Z"}),
)


def _leaf(start: str, state: str, issue: str | None, more: dict[str, object]) -> Entry:
    begin = dt.datetime.fromisoformat(f"{start}+00:00")
    numbers = {name: value for name, value in more.items() if name in WindowNumbers.model_fields}
    item = {"window_key": Window(begin, begin + HOUR).key, "state": state, "issue": issue, "numbers": numbers}
    return Entry.model_validate(item | {name: value for name, value in more.items() if name not in numbers})


def write(bucket: Path) -> None:
    """Write the archive's objects below a folder that stands for the bucket."""
    _write_windows(bucket, dt.datetime(2026, 11, 22, 15, tzinfo=dt.UTC))
    for name, source_name, start, records in WINDOWS:
        begin = dt.datetime.fromisoformat(f"{start}+00:00")
        _write(bucket, name, source_name, Window(begin, begin + HOUR), body(name, records))


def _write_windows(bucket: Path, now: dt.datetime) -> None:
    leaves = leaves_of([_leaf(*entry) for entry in ENTRIES], now)
    for key, parquet in months("elsa", "shop", leaves, now).items():
        (bucket / key).parent.mkdir(parents=True, exist_ok=True)
        (bucket / key).write_bytes(parquet)


def _write(bucket: Path, name: str, source_name: str, window: Window, answer: bytes) -> None:
    received = part(answer, key=f"raw/{name}/{source_name}/{window.slug}")
    how: Any = {"of": providers()[name], "source": source(name), "source_name": source_name, "window": window}
    built = visit(received, name="20261122T150000Z-0001", **how)
    assert built.path
    assert built.numbers.rejects == 0
    to = bucket / Place(name, source_name, window).logs
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(built.path, to)
