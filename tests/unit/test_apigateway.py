"""The apigateway provider: which days it asks for, when its pages add up, and what it takes for an error."""

import datetime as dt
from functools import partial
from itertools import count
from typing import Any

import httpx
import orjson
import pytest

from functions.apigateway.app import covered
from logarchive.errors import ForbiddenError, MalformedError, MismatchError, ProviderError, QuotaError, UnavailableError
from logarchive.visit.collection import STABLE_TRIES
from logarchive.window import Span
from tests.unit import exchange
from tests.unit.exchange import HOUR, Script, answer, ok
from tests.unit.listing import event_log, events, of_the_page
from tests.unit.listing import events_page as page

source, fetched = partial(exchange.source, "apigateway"), partial(exchange.fetched, "apigateway")


def asked(script: Script) -> list[Any]:
    return [orjson.loads(request.content) for request in script.requests]


def test_one_request_asks_for_the_day_of_the_span_in_its_zone() -> None:
    [part] = fetched(script := Script([page([], 0)]))
    assert str(script.requests[0].url) == "https://apigateway.apigw.ntruss.com/api/v1/dashboards/events/search"
    assert script.requests[0].method == "POST"
    assert asked(script) == [
        {"timeZone": "+09:00", "from": "2026-11-22", "to": "2026-11-22", "limit": 100, "offset": 0}
    ]
    assert (part.role, part.announced, part.count) == ("data", 0, 0)


def test_settings_say_what_is_asked_for() -> None:
    script = Script([page([], 0)])
    fetched(script, levels=["ALARM", "ALERT"], types=["EU400"], page_size=7, time_zone="-03:30")
    [one] = asked(script)
    assert (one["level"], one["type"], one["limit"]) == (["ALARM", "ALERT"], ["EU400"], 7)
    assert (one["timeZone"], one["from"], one["to"]) == ("-03:30", "2026-11-22", "2026-11-22")


@pytest.mark.parametrize(
    ("zone", "start", "end", "first", "last"),
    [
        ("+09:00", "2026-11-22T14:00:00Z", "2026-11-22T15:00:00Z", "2026-11-22", "2026-11-22"),
        ("+09:00", "2026-11-22T14:00:00Z", "2026-11-22T15:00:00.001Z", "2026-11-22", "2026-11-23"),
        ("+09:00", "2026-11-22T15:00:00Z", "2026-11-23T15:00:00Z", "2026-11-23", "2026-11-23"),
        ("-11:00", "2026-11-22T10:00:00Z", "2026-11-22T12:00:00Z", "2026-11-21", "2026-11-22"),
        ("-11:00", "2026-11-22T11:00:00Z", "2026-11-23T11:00:00Z", "2026-11-22", "2026-11-22"),
        ("+14:00", "2026-11-22T09:30:00Z", "2026-11-22T10:30:00Z", "2026-11-22", "2026-11-23"),
        ("+00:00", "2028-02-28T23:00:00Z", "2028-02-29T01:00:00Z", "2028-02-28", "2028-02-29"),
    ],
)
def test_the_days_that_are_asked_for_cover_the_span_and_no_day_more(
    zone: str, start: str, end: str, first: str, last: str
) -> None:
    span = Span(dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end))
    script = Script([page([], 0)])
    [part] = fetched(script, span=span, time_zone=zone)
    assert (asked(script)[0]["from"], asked(script)[0]["to"]) == (first, last)
    days = covered(span, zone)
    assert part.asked == days
    assert days.start <= span.start < span.end <= days.end
    assert days.start == dt.datetime.fromisoformat(f"{first}T00:00:00{zone}")
    assert days.end == dt.datetime.fromisoformat(f"{last}T00:00:00{zone}") + dt.timedelta(days=1)


def test_pages_follow_each_other_by_offset_and_the_first_is_read_again() -> None:
    script = Script([event_log(events(250))])
    parts = fetched(script)
    assert [one["offset"] for one in asked(script)] == [0, 100, 200, 0]
    assert [part.role for part in parts] == ["data", "data", "data", "listing"]
    assert [part.announced for part in parts] == [250, 0, 0, None]
    assert [part.count for part in parts] == [100, 100, 50, None]


def test_a_server_that_gives_fewer_than_the_limit_is_asked_on_from_where_it_stopped() -> None:
    script = Script([event_log(events(25), most=10)])
    parts = fetched(script, page_size=10_000)
    came = [(one["offset"], part.count) for one, part in zip(asked(script), parts, strict=True)]
    assert came == [(0, 10), (10, 10), (20, 5), (0, None)]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"error":{"errorCode":"210","message":"Permission Denied"}}', ForbiddenError),
        (429, b'{"error":{"errorCode":"400","message":"Quota Exceeded"}}', QuotaError),
        (503, b'{"errorCode":500,"message":"Endpoint Error"}', UnavailableError),
        (503, b'{"events":{"content":[],"total":0}}', UnavailableError),
        (401, b'{"events":null}', ForbiddenError),
        (200, b"", MalformedError),
        (200, b'{"events":null}', MalformedError),
        (200, b'{"events":{"content":[]}}', MalformedError),
        (200, b'{"events":{"content":null,"total":1}}', MalformedError),
        (200, b'{"events":{"content":[],"total":"0"}}', MalformedError),
        (200, b'{"events":{"content":[],"total":false}}', MalformedError),
        (200, b'{"events":{"content":[{}],"total":true}}', MalformedError),
        (200, b"<html>maintenance</html>", MalformedError),
    ],
)
def test_an_error_is_no_empty_day_under_whatever_status(status: int, body: bytes, kind: type[ProviderError]) -> None:
    with pytest.raises(kind):
        fetched(answer(status, body))


def test_no_content_and_a_total_of_zero_is_an_empty_day() -> None:
    [part] = fetched(ok(b'{"events":{"content":null,"total":0}}'))
    assert (part.announced, part.count) == (0, 0)


def test_a_page_size_that_holds_all_makes_do_with_a_total_of_the_page_alone() -> None:
    [part] = fetched(event_log(events(250), of_the_page), page_size=1_000)
    assert (part.announced, part.count) == (250, 250)


def test_a_reading_that_never_stands_still_leaves_its_earlier_parts_superseded() -> None:
    turns = count(151)

    def moving(request: httpx.Request) -> httpx.Response:
        return event_log(events(next(turns)))(request)

    collection = exchange.collection("apigateway", exchange.scripted("apigateway", moving))
    with pytest.raises(MismatchError, match="158 records came where 157 were announced"):
        collection.gather(HOUR)
    *earlier, first, second = collection.parts
    assert len(earlier) == 2 * (STABLE_TRIES - 1)
    assert {part.role for part in earlier} == {"superseded"}
    assert [part.extra["superseded_by"] for part in earlier] == [[]] * len(earlier)
    assert {first.role, second.role} == {"data"}
