"""SOFTCAMP Security365 SIEM external search, API version 2025-02-19: docs.softcamp.co.kr/."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from logarchive.action.handler import lambda_handler
from logarchive.column.convert import FieldMapping, epoch_ms, item, severity_name, text
from logarchive.errors import (
    ConfigError,
    ForbiddenError,
    MalformedError,
    ProviderError,
    ThrottledError,
    UnavailableError,
)
from logarchive.moment import Clock, to_epoch_ms
from logarchive.part import Part
from logarchive.provider.credential import Credential, header_check
from logarchive.provider.paging import Counted
from logarchive.provider.provider import Api, Provider
from logarchive.provider.secret import Key, Secret
from logarchive.provider.source import Address, Source
from logarchive.record.body import error_document
from logarchive.record.layout import JsonLayout
from logarchive.window import Span

PATH = "/v1/siems/externalSearch"
#: "At most 10,000 can be queried": per request or per search is not documented, so such a range is halved.
CAP = 10_000
#: As in every sample; whether another order is accepted is not documented.
SORT = [{"time": "desc"}, {"_id": "asc"}]
#: `detail` is a JSON document in a text, or plain text.
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
#: Stands for the secret's `api_key` in the value of a header.
API_KEY = "{api_key}"
#: A record further outside the requested range than this shows that the API ignores the range.
SLACK_MS = 60_000


class License(Secret):
    """The secret of a source: the licence, and what some installations need in addition."""

    license: Key = Field(description="the licence whose logs are searched")
    token: Key | None = Field(None, description="sent as `Authorization: Bearer …`")
    api_key: Key | None = Field(None, description="sent as `X-API-KEY`, or where `headers` say `{api_key}`")


class Security365Source(Source):
    """The logs of one licence."""

    base_url: Address = Field(description="where the API lives: your installation's address; the vendor publishes none")
    referer: str = Field(
        pattern=r"^https?://[!-~]+$",
        description="the domain registered with the licence, sent exactly as written here",
    )
    page_size: int = Field(CAP, ge=2, le=CAP, strict=True, description="records in one response")
    headers: Annotated[dict[str, str], AfterValidator(header_check({"referer": None, "x-api-key": API_KEY}))] = Field(
        default_factory=dict[str, str],
        description="further headers, nothing secret; `{api_key}` stands for the secret's",
    )
    body: Literal["flat", "filters"] = Field(
        "flat", description="`filters`: `from` and `to` within an object of that name"
    )


def auth(source: Security365Source, secret: License, _clock: Clock) -> Credential:
    """Return the credentials of each request: the licence in the body, token and API key in headers."""
    api_key = secret.api_key.get_secret_value() if secret.api_key else ""
    headers = {name: value.replace(API_KEY, api_key) for name, value in source.headers.items() if API_KEY in value}
    if headers and not api_key:
        raise ConfigError(f"headers: {API_KEY} needs `api_key` in the secret, which has none")
    if api_key and not headers:
        headers["x-api-key"] = api_key
    if secret.token:
        headers["authorization"] = f"Bearer {secret.token.get_secret_value()}"
    return Credential(headers, {"license": secret.license.get_secret_value()})


def fetch(api: Api, source: Security365Source, span: Span) -> Iterator[Part]:
    """Request page after page, newest first, until a short page or the cap; `to` is the span's last millisecond.

    `total` alone never ends the search: in the documentation it is the page's size. But after a short page with a
    greater total the next page is requested too, in case the server gives fewer than `page_size` records at once.
    """
    between = {"from": to_epoch_ms(span.start), "to": to_epoch_ms(span.end) - 1}
    body: dict[str, Any] = {"size": source.page_size, "sort": SORT}
    body |= {"filters": between} if source.body == "filters" else between
    headers = {"referer": source.referer, **source.headers}
    count = 0
    while count < CAP:
        page = Counted(api.request("POST", PATH, json=body, headers=headers).replace(asked=span), LAYOUT)
        if error := failure(page.around):
            known = next((code for code in KINDS if code == str(page.around.get("code"))), "unknown")
            raise type(error)(f"code {known} in a response longer than any error; its body is kept under raw/")
        yield page.part
        count += page.count
        total = page.around.get("total")
        more = type(total) is int and count < total != source.page_size
        if more and not count:
            raise MalformedError(f"no records came, but a total of {total}")
        if not page.count or (page.count < source.page_size and not more):
            return
        body["pagination_key"] = next_key(page.last("sort", "time"), body)


def next_key(last: Mapping[str, Any] | None, body: Mapping[str, Any]) -> list[Any]:
    """Return the key of the next page: `sort` of the last record, exactly as received."""
    key: Any = last and last.get("sort")
    time: Any = last and last.get("time")
    if key.__class__ is not list or key == body.get("pagination_key"):
        raise MalformedError("no next page can be requested: the last record has no `sort`, or the same as before")
    between = body.get("filters", body)
    if type(time) is int and not between["from"] - SLACK_MS <= time <= between["to"] + SLACK_MS:
        raise MalformedError("the API ignores the requested range; is the source's field `body` right?")
    return key


def fault(part: Part) -> ProviderError | None:
    """Return the error of the body's `code`; under an HTTP error status only if the code is known."""
    document = error_document(part)
    error = failure(document) if document else None
    return None if part.status >= HTTPStatus.BAD_REQUEST and type(error) is MalformedError else error


def failure(document: Mapping[str, Any]) -> ProviderError | None:
    """Return the error that a response's `code` means; only 0 is success, and only if nothing else denies it."""
    code = str(document.get("code"))
    if code == "0" and (document.get("success", True) is not True or document.get("error")):
        return MalformedError("`code` is 0, but `success` or `error` says that the search has failed")
    return None if code == "0" else KINDS.get(code, MalformedError)(f"code {code}: {document.get('msg')}")


def columns(_source: Security365Source) -> Mapping[str, FieldMapping]:
    """Map the fields that have a column; the others stay in `attributes`, nested ones with dots in their names."""
    return {
        "time": FieldMapping("time", epoch_ms),
        "severity_text": FieldMapping("logLevel", text),
        "severity_number": FieldMapping("logLevel", severity_name, take=False),
        "event_name": FieldMapping("event", text),
        "body": FieldMapping("description", text),
        "service_name": FieldMapping("serviceName", text),
        "host_name": FieldMapping("serviceHostname", text),
        "user_id": FieldMapping("userId", text),
        "user_name": FieldMapping("user.name", text),
        "client_address": FieldMapping("ip", text),
        "trace_id": FieldMapping("traceId", text),
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
    feed_id=lambda source: f"{source.base_url}".rstrip("/").removesuffix("/v1") + f" {source.referer}",
    unique_id=FieldMapping("sort", item(1), take=False),
    time_and_id="sort",
    mapping_version=2,
    cap=lambda _source: CAP,
    smallest=lambda source: source.model_copy(update={"page_size": 2}),
)
handler = lambda_handler(provider)
