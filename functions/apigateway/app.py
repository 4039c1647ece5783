"""NAVER Cloud API Gateway event history: api.ncloud-docs.com/docs/apigateway-dashboardevent-events."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, HttpUrl

from logarchive.action.handler import lambda_handler
from logarchive.column.convert import lookup, text, zoned_time
from logarchive.column.field_mapping import FieldMapping
from logarchive.errors import MalformedError
from logarchive.part import Part
from logarchive.provider.paging import Page, announced, numbered, opened
from logarchive.provider.provider import Api, Provider
from logarchive.provider.source import Address, Source
from logarchive.record.layout import JsonLayout
from logarchive.vendor import ncloud
from logarchive.window import Span

PATH = "/api/v1/dashboards/events/search"
LAYOUT = JsonLayout(path="events.content")
DAY = dt.timedelta(days=1)
#: The page's three levels as OpenTelemetry numbers: INFO, WARN, ERROR.
SEVERITY = {"EVENT": 9, "ALARM": 13, "ALERT": 17}

type Level = Literal["EVENT", "ALARM", "ALERT"]
type Type = Literal["ES010", "ES020", "EU400", "EU410", "EU420"]


class ApigatewaySource(Source):
    """The events of one account."""

    base_url: Address = Field(
        HttpUrl("https://apigateway.apigw.ntruss.com"),
        description="where the API lives; `https://apigateway.apigw.gov-ntruss.com` for the government cloud",
    )
    time_zone: str = Field(
        "+09:00",
        pattern=r"^[+-](0\d|1[0-4]):[0-5]\d$",
        description="the zone in which days are asked for and times come",
    )
    levels: tuple[Level, ...] | None = Field(None, min_length=1, description="only these levels; all by default")
    types: tuple[Type, ...] | None = Field(None, min_length=1, description="only these types; all by default")
    page_size: int = Field(100, ge=1, le=10_000, strict=True, description="events of one answer; no maximum is known")


def fetch(api: Api, source: ApigatewaySource, span: Span) -> Iterator[Part]:
    """Ask for the days that cover the span, page by page. Whether `to` is inclusive is not told; its name says so."""
    days = covered(span, source.time_zone)
    asked: dict[str, Any] = {
        "timeZone": source.time_zone,
        "from": f"{days.start:%Y-%m-%d}",
        "to": f"{days.end - DAY:%Y-%m-%d}",
        "limit": source.page_size,
    }
    asked |= {"level": source.levels} if source.levels else {}
    asked |= {"type": source.types} if source.types else {}

    def ask(_number: int, before: int) -> Page:
        return page(api.request("POST", PATH, json={**asked, "offset": before}))

    for part in announced(numbered(ask, source.page_size)):
        yield part.replace(asked=days)


def covered(span: Span, time_zone: str) -> Span:
    """Return the whole days of a zone that cover a span."""
    zone = dt.datetime.fromisoformat(f"2000-01-01T00:00:00{time_zone}").tzinfo
    first, last = (moment.astimezone(zone).date() for moment in (span.start, span.end - dt.datetime.resolution))
    midnight = dt.time(tzinfo=zone)
    return Span(dt.datetime.combine(first, midnight), dt.datetime.combine(last, midnight) + DAY)


def page(part: Part) -> Page:
    """Read an answer. Beside an error, an empty list of events is none."""
    items, around = opened(part, LAYOUT)
    content, total = around["events"]["content"], around["events"].get("total")
    if type(total) is not int or (content is None and total) or ncloud.stated(around):
        raise MalformedError("the answer has no `events` with `content` and `total`, or an error beside them")
    return Page(part, items, total)


def columns(source: ApigatewaySource) -> Mapping[str, FieldMapping]:
    """Map the four fields there are; times name no zone and are read in the one that was asked for."""
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
    # In another zone the same event has another `time`, and so another hash.
    feed_id=lambda source: f"{source.base_url.host}/{source.time_zone}",
)
handler = lambda_handler(provider)
