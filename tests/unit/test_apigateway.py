"""The apigateway provider: which days it asks for, when its pages add up, and what its events become."""

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError

from functions.apigateway.app import ApigatewaySource, covered, provider
from logarchive.errors import ForbiddenError, MalformedError, ProviderError, QuotaError, UnavailableError
from logarchive.part import Part
from logarchive.vendor.ncloud import Keys
from logarchive.visit.collection import VisitApi
from logarchive.window import Span, Window
from tests.simulator.simulator import Simulator
from tests.unit.exchange import NOW, Script, Time, answer, built, connected, ok, opened

KEYS = Keys.model_validate({"access_key": "accessKey", "secret_key": "secretKey"})
#: 22:00 to 23:00 in +09:00.
SPAN = Span(NOW, NOW + dt.timedelta(hours=1))
type Events = Sequence[object]


def source(**fields: object) -> ApigatewaySource:
    return ApigatewaySource.model_validate({"secret": "logarchive/ncloud/x", **fields})


def fetched(directory: Path, script: Script, span: Span = SPAN, **fields: object) -> list[Part]:
    api = opened(provider, source(**fields), KEYS, directory, script, Time())
    return list(provider.fetch(api, source(**fields), span))


def asked(script: Script) -> list[Any]:
    return [orjson.loads(request.content) for request in script.requests]


def page(items: Events, total: int) -> httpx.Response:
    return ok(orjson.dumps({"events": {"content": items, "total": total}}))


def events(count: int) -> Events:
    return [{"time": "2026-11-22 22:00:00", "level": "EVENT", "type": "ES010", "message": f"{n}"} for n in range(count)]


def serving(items: Events, most: int = 10_000) -> Callable[[httpx.Request], httpx.Response]:
    """Answer any page of items, never with more than `most` of them."""

    def reply(request: httpx.Request) -> httpx.Response:
        one = orjson.loads(request.content)
        return page(items[one["offset"] : one["offset"] + min(one["limit"], most)], len(items))

    return reply


def test_one_request_asks_for_the_day_of_the_span_in_its_zone(tmp_path: Path) -> None:
    [part] = fetched(tmp_path, script := Script([page([], 0)]))
    assert str(script.requests[0].url) == "https://apigateway.apigw.ntruss.com/api/v1/dashboards/events/search"
    assert script.requests[0].method == "POST"
    assert asked(script) == [
        {"timeZone": "+09:00", "from": "2026-11-22", "to": "2026-11-22", "limit": 100, "offset": 0}
    ]
    assert (part.role, part.announced, part.count) == ("data", 0, 0)


def test_settings_say_what_is_asked_for(tmp_path: Path) -> None:
    script = Script([page([], 0)])
    fetched(tmp_path, script, levels=["ALARM", "ALERT"], types=["EU400"], page_size=7, time_zone="-03:30")
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
    tmp_path: Path, zone: str, start: str, end: str, first: str, last: str
) -> None:
    span = Span(dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end))
    script = Script([page([], 0)])
    [part] = fetched(tmp_path, script, span, time_zone=zone)
    assert (asked(script)[0]["from"], asked(script)[0]["to"]) == (first, last)
    days = covered(span, zone)
    assert part.asked == days
    assert days.start <= span.start < span.end <= days.end
    assert days.start == dt.datetime.fromisoformat(f"{first}T00:00:00{zone}")
    assert days.end == dt.datetime.fromisoformat(f"{last}T00:00:00{zone}") + dt.timedelta(days=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"time_zone": "Asia/Seoul"},
        {"time_zone": "+09:60"},
        {"time_zone": "09:00"},
        {"levels": []},
        {"levels": ["INFO"]},
        {"types": []},
        {"types": ["ES030"]},
        {"page_size": 0},
        {"page_size": 10_001},
        {"page_size": "100"},
        {"limit": 5},
    ],
)
def test_a_wrong_source_is_refused_by_the_name_of_its_field(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        source(**fields)


def test_another_address_or_zone_is_another_feed_and_other_filters_are_not() -> None:
    assert provider.feed_id(source()) != provider.feed_id(source(base_url="https://apigateway.apigw.gov-ntruss.com"))
    assert provider.feed_id(source()) != provider.feed_id(source(time_zone="+00:00"))
    assert provider.feed_id(source()) == provider.feed_id(source(levels=["ALERT"], page_size=1, window="P1D"))


def test_pages_follow_each_other_by_offset_and_the_first_is_read_again(tmp_path: Path) -> None:
    script = Script([serving(events(250))])
    parts = fetched(tmp_path, script)
    assert [one["offset"] for one in asked(script)] == [0, 100, 200, 0]
    assert [part.role for part in parts] == ["data", "data", "data", "listing"]
    assert [part.announced for part in parts] == [250, 0, 0, None]
    assert [part.count for part in parts] == [100, 100, 50, None]


def test_a_server_that_gives_fewer_than_the_limit_is_asked_on_from_where_it_stopped(tmp_path: Path) -> None:
    script = Script([serving(events(25), most=10)])
    parts = fetched(tmp_path, script, page_size=10_000)
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
        (200, b"<html>maintenance</html>", MalformedError),
    ],
)
def test_an_error_is_no_empty_day_under_whatever_status(
    tmp_path: Path, status: int, body: bytes, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind):
        fetched(tmp_path, Script([answer(status, body)]))


def test_no_content_and_a_total_of_zero_is_an_empty_day(tmp_path: Path) -> None:
    [part] = fetched(tmp_path, Script([ok(b'{"events":{"content":null,"total":0}}')]))
    assert (part.announced, part.count) == (0, 0)


def test_times_are_read_in_the_zone_that_was_asked_for() -> None:
    convert = provider.columns(source(time_zone="-03:30"))["time"].convert
    assert convert(["2026-11-22 09:30:00"]) == [NOW.timestamp() * 1000]


def simulated(sim: Simulator, directory: Path, time: Time, **fields: object) -> AbstractContextManager[VisitApi]:
    configured = source(base_url=f"{sim.url}/apigateway", **fields)
    return connected(provider, configured, KEYS, directory, time)


@pytest.mark.parametrize(
    ("zone", "order"), [("+09:00", "descending"), ("-11:00", "ascending"), ("+14:00", "ascending")]
)
def test_the_provider_as_played_gives_the_events_of_the_window_in_whatever_zone(
    tmp_path: Path, zone: str, order: str
) -> None:
    time, past = Time(), Span(SPAN.start - dt.timedelta(days=2), SPAN.end - dt.timedelta(days=2))
    with Simulator(clock=time, scale=0.05) as sim, simulated(sim, tmp_path, time) as api:
        sim.set("apigateway", order=order, max_limit=60)
        parts = [part.replace(own=past) for part in provider.fetch(api, source(time_zone=zone), past)]
        count = sum(record.served for record in sim.truth("apigateway", past.start, past.end))
    numbers = built(provider, source(time_zone=zone), parts, Window(past.start, past.end), tmp_path).numbers
    assert numbers.rows + numbers.rejects >= count > 0
    assert numbers.announced == numbers.fetched
    assert (numbers.strays, numbers.rows + numbers.rejects + numbers.outside) == (0, numbers.fetched)
