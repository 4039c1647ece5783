"""A made-up archive of fifty sources over 400 days: every state, outages, late rows. The same at every run."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace

from logarchive.coverage.gap import Expected, leaves_of
from logarchive.coverage.model import Coverage, SourceCoverage, source_coverage
from logarchive.coverage.report import Month, SourceMonth, source_month
from logarchive.ledger.entry import Entry, Head
from logarchive.moment import DAY, HOUR, floor
from logarchive.window import Span, Window

NOW = dt.datetime(2026, 11, 26, 15, 20, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
KST = dt.timezone(9 * HOUR)
INVALID = {"elsa/billing": "project_idd: unknown field; did you mean project_id?"}
NAMES = ("elsa/checkout", "elsa/search", "apigateway/main", "multidrm/site", "security365/tenant", "dsa/edge")
CHECKPOINT = "bucket/proof\n48211\nC9vGz1w0Gl4cZQp6y1mZbJm2v0d3mYlM0sUo6p7b2Xw=\n\n— bucket/proof 5Zk3Zg…\n"


def coverage(sources: int = 50, days: int = 400) -> Coverage:
    """Return what the page shows of it."""
    shown = Span(floor(NOW, DAY) - (days - 1) * DAY, floor(NOW, DAY) + DAY)
    distinct = [_source(number, shown) for number in range(min(sources, len(NAMES)))]
    others = (
        replace(distinct[number % len(NAMES)], name=f"elsa/service-{number:02d}")
        for number in range(len(NAMES), sources)
    )
    made = [*distinct, *others]
    return Coverage("logarchive-archivebucket-1a2b3c", NOW, made, (), CHECKPOINT, INVALID)


def month() -> Month:
    """Return what the report of November says of it."""
    begin = NOW.replace(day=1, hour=0, minute=0) - 9 * HOUR
    november = Span(begin, begin + 30 * DAY)
    sources = [_month(number, november) for number in range(len(NAMES))]
    return Month("logarchive-archivebucket-1a2b3c", november, NOW, sources, (), CHECKPOINT, INVALID, KST)


def _month(number: int, november: Span) -> SourceMonth:
    entries = _entries(number, november, random.Random(number))
    head = Head(begin=november.start, cursor=floor(NOW, HOUR), feed_id="p/1")
    return source_month(NAMES[number], head, leaves_of(entries, NOW), november, NOW)


def _source(number: int, shown: Span) -> SourceCoverage:
    chance = random.Random(number)
    head = Head(begin=shown.start, cursor=floor(NOW, HOUR), feed_id="p/1")
    return source_coverage(NAMES[number], head, leaves_of(_entries(number, shown, chance), NOW), shown, Expected(NOW))


def _entries(number: int, shown: Span, chance: random.Random) -> Iterator[Entry]:
    outage = chance.randrange(60 * 24, 380 * 24)
    for at in range((floor(NOW, HOUR) - shown.start) // HOUR):
        if number == 3 and 7000 <= at < 7005:
            continue  # what should not be: time without a window
        window = Window(shown.start + at * HOUR, shown.start + (at + 1) * HOUR)
        yield _entry(number, window, chance, closed=number == 2 and outage <= at < outage + 30)


def _entry(number: int, window: Window, chance: random.Random, *, closed: bool) -> Entry:
    age = NOW - window.end
    rows = round(4000 * (1.2 + number % 5) * (0.3 + (window.start.hour - 3) % 24 / 24) * chance.uniform(0.8, 1.2))
    late = round(rows * chance.uniform(0, 0.004))
    item: dict[str, object] = {"window_key": window.key, "lost_at": window.start + 30 * DAY}
    if closed:
        return Entry.model_validate(
            {**item, "state": "closed", "issue": "expired", "error": "the provider's retention passed"}
        )
    if number == 1 and age < 20 * HOUR:
        error = "HTTP 403: the secret's key may not read this project"
        return Entry.model_validate({**item, "state": "planned", "issue": "forbidden", "error": error, "due_at": NOW})
    if age < 5 * MINUTE:
        return Entry.model_validate({**item, "state": "planned", "due_at": window.end + 5 * MINUTE})
    ages = [moment for moment in (6 * MINUTE, 61 * MINUTE, 24 * HOUR + 2 * MINUTE) if moment <= age + 5 * MINUTE]
    sealed = len(ages) == 3
    shrunk = sealed and number == 4 and chance.random() < 0.003
    numbers = {
        "rows": rows,
        "fetched": rows,
        "announced": rows if NAMES[number].startswith(("apigateway", "multidrm")) else None,
        "late": late,
        "rejects": 3 if chance.random() < 0.01 else 0,
        "verification": "verified" if NAMES[number].startswith(("apigateway", "multidrm")) else "unverified",
    }
    return Entry.model_validate({
        **item,
        "state": "sealed" if sealed else "archived",
        "due_at": None if sealed else NOW + HOUR,
        "issue": "shrunk" if shrunk else None,
        "error": "the provider no longer returns 4 of 9000 records; their rows are kept" if shrunk else None,
        "visits": [f"{window.end + one:%Y%m%dT%H%M%SZ}-0001" for one in ages],
        "late_by_visit": [0, late, *[0] * (len(ages) - 2)][: len(ages)] if len(ages) > 1 else [0],
        "numbers": numbers if len(ages) > 1 else {**numbers, "late": 0},
        "object": {"key": "logs/x", "etag": '"e"', "sha256": "0", "bytes": rows * 84, "visits": ()},
    })  # fmt: skip
