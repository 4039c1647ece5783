"""SOFTCAMP Security365 SIEM external search, API version 2025-02-19: docs.softcamp.co.kr/."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from logarchive.answer import error_document
from logarchive.convert import epoch_ms, item, severity_name, text
from logarchive.credential import Credential
from logarchive.errors import (
    ConfigError,
    ForbiddenError,
    MalformedError,
    ProviderError,
    ThrottledError,
    UnavailableError,
)
from logarchive.handler import lambda_handler
from logarchive.page import counted
from logarchive.part import Part, beginning
from logarchive.provider import Api, Clock, Feed, JsonLayout, Provider
from logarchive.secret import Key, Secret
from logarchive.source import Address, Source
from logarchive.window import EPOCH, MILLISECOND, Span

PATH = "/v1/siems/externalSearch"
#: "At most 10,000 can be queried": per call or per search is not told, so a range with so many is halved.
CAP = 10_000
#: As in every sample; whether any other order is accepted is not documented.
SORT = [{"time": "desc"}, {"_id": "asc"}]
#: `detail` is a document in a text, or a plain text.
LAYOUT = JsonLayout(path="items", embedded=("detail",))
#: Codes of the body, which come under HTTP 200 too.
KINDS: Mapping[str, type[ProviderError]] = {
    "401": ForbiddenError,
    "403": ForbiddenError,
    "429": ThrottledError,
    "500": UnavailableError,
    "61001": UnavailableError,  # fail to search
    "61002": ForbiddenError,  # Referer does not match system domain
    "61003": MalformedError,  # JSON conversion error
}
#: Where a header's value holds the secret's key.
PLACE = "{api_key}"
#: What a source may not say itself: credentials belong into the secret, the rest is the client's.
OWN = {"authorization", "content-length", "content-type", "cookie", "host", "referer", "transfer-encoding"}


class License(Secret):
    """The secret of a source: the licence, and what some installations ask for besides."""

    license: Key = Field(description="the licence whose logs are searched")
    token: Key | None = Field(None, description="sent as `Authorization: Bearer …`")
    api_key: Key | None = Field(None, description="sent as `X-API-KEY`, or where `headers` say `{api_key}`")


def _harmless(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[ -~]*", value):
            raise ValueError(f"{name!r}: a name of letters, digits and `-`, and a value of printable ASCII")
        if name.lower() in OWN:
            raise ValueError(f"{name} cannot be set here: a token belongs into the secret, the Referer into `referer`")
    return headers


class Security365Source(Source):
    """The logs of one licence."""

    base_url: Address = Field(description="where the API lives: your installation's address; the vendor publishes none")
    referer: str = Field(
        pattern=r"^https?://[!-~]+$",
        description="the domain registered with the licence, sent exactly as it stands here",
    )
    page_size: int = Field(CAP, ge=2, le=CAP, strict=True, description="records of one answer")
    headers: Annotated[dict[str, str], AfterValidator(_harmless)] = Field(
        default_factory=dict[str, str],
        description="further headers, nothing secret; `{api_key}` stands for the secret's",
    )
    body: Literal["flat", "filters"] = Field(
        "flat", description="`filters`: `from` and `to` within an object of that name"
    )


def auth(source: Security365Source, secret: License, _clock: Clock) -> Credential:
    """Return what is put into each request: the licence into the body, token and key into headers."""
    api_key = secret.api_key.get_secret_value() if secret.api_key else ""
    headers = {name: value.replace(PLACE, api_key) for name, value in source.headers.items() if PLACE in value}
    if headers and not api_key:
        raise ConfigError(f"headers: {PLACE} stands for the secret's `api_key`, which it lacks")
    if api_key and not headers:
        headers["x-api-key"] = api_key
    if secret.token:
        headers["authorization"] = f"Bearer {secret.token.get_secret_value()}"
    return Credential(headers, {"license": secret.license.get_secret_value()})


def fetch(api: Api, source: Security365Source, span: Span) -> Iterator[Part]:
    """Ask page after page, newest first; `to` is the last millisecond of the span. Stop on a short page, or the cap.

    `total` never ends the search: in the vendor's sample it is the page's size. Only where a short page comes with a
    greater one, the next page is asked for too, lest a server that gives fewer than `page_size` goes unnoticed.
    """
    start, end = ((moment - EPOCH) // MILLISECOND for moment in (span.start, span.end))
    between = {"from": start, "to": end - 1}
    asked: dict[str, Any] = {"size": source.page_size, "sort": SORT}
    asked |= {"filters": between} if source.body == "filters" else between
    headers = {"referer": source.referer, **source.headers}
    came = 0
    while came < CAP:
        page = api.request("POST", PATH, json=asked, headers=headers).be(asked=span)
        part, count, last = counted(page, LAYOUT)
        yield part
        came += count
        if not count or (count < source.page_size and not announces_more(part, came, source.page_size)):
            return
        key = last.get("sort") if last else None
        if not isinstance(key, list) or key == asked.get("pagination_key"):
            raise MalformedError("there is no way on: the page's last record has no `sort` of its own")
        asked["pagination_key"] = key


def announces_more(part: Part, came: int, size: int) -> bool:
    """Say whether a short page tells of more than came, by a `total` before its items that is not just the size."""
    total = re.search(rb'"total"\s*:\s*(\d{1,18})', beginning(part, 256))
    return total is not None and came < int(total[1]) != size


def fault(part: Part) -> ProviderError | None:
    """Return the error that the body's `code` tells, under whichever status."""
    document = error_document(part)
    if document is None:
        return None
    code = str(document.get("code"))
    if code == "0" or (part.status >= HTTPStatus.BAD_REQUEST and code not in KINDS):
        return None
    return KINDS.get(code, MalformedError)(f"code {code}: {document.get('msg')}")


def columns(_source: Security365Source) -> Mapping[str, Feed]:
    """Map what has a column; the rest, nested objects with dots, stays in `attributes`."""
    return {
        "time": Feed("time", epoch_ms),
        "severity_text": Feed("logLevel", text),
        "severity_number": Feed("logLevel", severity_name, take=False),
        "event_name": Feed("event", text),
        "body": Feed("description", text),
        "service_name": Feed("serviceName", text),
        "host_name": Feed("serviceHostname", text),
        "user_id": Feed("userId", text),
        "user_name": Feed("user.name", text),
        "client_address": Feed("ip", text),
        "trace_id": Feed("traceId", text),
    }


provider = Provider(
    name="security365",
    source=Security365Source,
    secret=License,
    secret_group="security365",  # noqa: S106 (a name)
    auth=auth,
    fetch=fetch,
    fault=fault,
    layout=LAYOUT,
    columns=columns,
    feed=lambda source: f"{source.base_url.host}/{source.referer}",
    unique_id=Feed("sort", item(1), take=False),
    cap=lambda _source: CAP,
)
handler = lambda_handler(provider)
