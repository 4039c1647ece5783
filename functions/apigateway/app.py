"""NAVER Cloud API Gateway event history: api.ncloud-docs.com/docs/apigateway-dashboardevent-events."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, HttpUrl

from logarchive.action.handler import lambda_handler
from logarchive.column.convert import FieldMapping, lookup, text, zoned_time
from logarchive.errors import MalformedError
from logarchive.moment import DAY, HOUR, zone
from logarchive.part import Part
from logarchive.provider.paging import Page, announced, numbered, opened
from logarchive.provider.provider import Api, Provider
from logarchive.provider.source import Address, Offset, PositiveLength, Source
from logarchive.record.layout import JsonLayout
from logarchive.vendor import ncloud
from logarchive.window import Span

PATH = "/api/v1/dashboards/events/search"
LAYOUT = JsonLayout(path="events.content")
#: The documentation's three levels as OpenTelemetry numbers: INFO, WARN, ERROR.
SEVERITY = {"EVENT": 9, "ALARM": 13, "ALERT": 17}

type Level = Literal["EVENT", "ALARM", "ALERT"]
type Type = Literal["ES010", "ES020", "EU400", "EU410", "EU420"]


class ApigatewaySource(Source):
    """The events of one account."""

    base_url: Address = Field(
        HttpUrl("https://apigateway.apigw.ntruss.com"),
        description="where the API lives; `https://apigateway.apigw.gov-ntruss.com` for the government cloud",
    )
    window: PositiveLength = Field(
        HOUR, description="length of a window; each asks for all days that it touches: `P1D` needs far fewer requests"
    )
    time_zone: Offset = Field("+09:00", description="the zone of the days in a request and of the times in a response")
    levels: tuple[Level, ...] | None = Field(None, min_length=1, description="only these levels; all by default")
    types: tuple[Type, ...] | None = Field(None, min_length=1, description="only these types; all by default")
    page_size: int = Field(
        100, ge=1, le=10_000, strict=True, description="events in one response; no maximum is documented"
    )


def fetch(api: Api, source: ApigatewaySource, span: Span) -> Iterator[Part]:
    """Request the days that cover the span, page by page. `to` is taken as inclusive; this is not documented."""
    days = covered(span, source.time_zone)
    body: dict[str, Any] = {
        "timeZone": source.time_zone,
        "from": f"{days.start:%Y-%m-%d}",
        "to": f"{days.end - DAY:%Y-%m-%d}",
        "limit": source.page_size,
    }
    body |= {"level": source.levels} if source.levels else {}
    body |= {"type": source.types} if source.types else {}

    def ask(_number: int, before: int) -> Page:
        return page(api.request("POST", PATH, json={**body, "offset": before}))

    for part in announced(numbered(ask, source.page_size)):
        yield part.replace(asked=days)


def covered(span: Span, time_zone: str) -> Span:
    """Return the whole days of a zone that cover a span."""
    there = zone(time_zone)
    first, last = (moment.astimezone(there).date() for moment in (span.start, span.end - dt.datetime.resolution))
    midnight = dt.time(tzinfo=there)
    return Span(dt.datetime.combine(first, midnight), dt.datetime.combine(last, midnight) + DAY)


def page(part: Part) -> Page:
    """Read a response. An empty list of events beside an error is not an empty day."""
    items, around = opened(part, LAYOUT)
    content, total = around["events"]["content"], around["events"].get("total")
    if type(total) is not int or (content is None and total) or ncloud.failed(around):
        raise MalformedError("the response has no `events` with `content` and `total`, or an error beside them")
    return Page(part, items, total)


def columns(source: ApigatewaySource) -> Mapping[str, FieldMapping]:
    """Map the four fields of an event; times have no zone and are read in the one of the request."""
    return {
        "time": FieldMapping("time", zoned_time(source.time_zone)),
        "severity_text": FieldMapping("level", text),
        "severity_number": FieldMapping("level", lookup(SEVERITY), take=False),
        "event_name": FieldMapping("type", text),
        "body": FieldMapping("message", text),
    }


provider = Provider(
    name="apigateway",
    source=ApigatewaySource,
    secret=ncloud.Keys,
    secret_group="ncloud",  # noqa: S106 (a name)
    auth=ncloud.auth,
    kept_headers=ncloud.KEPT_HEADERS,
    fetch=fetch,
    fault=ncloud.fault,
    layout=LAYOUT,
    columns=columns,
    smallest=lambda source: source.model_copy(update={"page_size": 1}),
    # In another zone the same event has another `time`, and so another hash.
    feed_id=lambda source: f"{source.base_url.host}/{source.time_zone}",
)
handler = lambda_handler(provider)
