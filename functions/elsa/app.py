"""NAVER Cloud Effective Log Search & Analytics: api.ncloud-docs.com/docs/effective-log-search-analytics-download."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, HttpUrl

from logarchive.action.handler import lambda_handler
from logarchive.column.convert import FieldMapping, epoch_ms, severity, text
from logarchive.errors import MalformedError, ProviderError
from logarchive.moment import to_epoch_ms
from logarchive.part import Part
from logarchive.provider.provider import Api, Provider
from logarchive.provider.source import Address, Source
from logarchive.record.body import error_document, unreadable
from logarchive.record.layout import JsonLayout
from logarchive.vendor import ncloud
from logarchive.window import Span

PATH = "/api/v1/logs/download"
#: The documentation's limits: `limit`, and records in the file.
LIMIT, MAX_COUNT = 1000, 200_000
TIME = "logTime"
#: Beginnings of keys that mean an error. An empty response with such a key counts as an error, so that no error is
#: taken for an empty window.
TROUBLE = (
    *("code", "err", "fail", "message", "msg", "reason", "responseerror", "result", "return", "status", "success"),
)


def _with_time(fields: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if fields is not None and TIME not in fields:
        raise ValueError(f"must contain {TIME}: a record without its time cannot become a row")
    return fields


class ElsaSource(Source):
    """One ELSA project."""

    base_url: Address = Field(HttpUrl("https://elsa.apigw.ntruss.com"), description="where the API lives")
    project_key: str = Field(min_length=1, max_length=53, description="the project's key")
    project_id: int = Field(ge=0, lt=2**63, strict=True, description="the project's number")
    format: Literal["JSON", "CSV"] = Field("JSON", description="`CSV` loses the types of values")
    count: int = Field(
        MAX_COUNT,
        ge=1,
        le=MAX_COUNT,
        strict=True,
        description="records in one file; if a file reaches it, both halves of its range are requested instead",
    )
    include_fields: Annotated[tuple[str, ...] | None, AfterValidator(_with_time)] = Field(
        None, description="only these fields, `logTime` among them; all by default"
    )


def fetch(api: Api, source: ElsaSource, span: Span) -> Iterator[Part]:
    """Request one file. `to` is the last millisecond of the span; the margin makes up for it if `to` is exclusive."""
    body: dict[str, Any] = {
        "projectKey": source.project_key,
        "projectId": source.project_id,
        "from": to_epoch_ms(span.start),
        "to": to_epoch_ms(span.end) - 1,
        "format": source.format,
        "limit": LIMIT,
        "count": source.count,
    }
    if source.include_fields:
        body["includeFields"] = source.include_fields
    yield api.request("POST", PATH, json=body).replace(asked=span)


def judge(document: Mapping[str, Any], holds_records: bool) -> ProviderError | None:
    """Return the error that a document is, in an archive or not: the gateway's, or one beside an empty list."""
    error, trouble = ncloud.failure(document), _trouble(document)
    if error or holds_records or not trouble:
        return error
    return MalformedError(f"neither records nor a known error: {trouble}")


def judge_element(element: Mapping[str, Any]) -> ProviderError | None:
    """Return the error that an element without a time is: all that it says belongs to an error.

    It says two things at least, or has a code of the gateway's form. Everything else is a reject.
    """
    said = {key: value for key, value in element.items() if value or value is False}
    trouble = _trouble(said)
    if trouble != said:
        return None
    known = ncloud.failure(element)
    return known or (MalformedError(f"an error among the records: {trouble}") if len(trouble) > 1 else None)


def _trouble(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key.lower().startswith(TROUBLE)}


LAYOUT = JsonLayout(judge=judge, judge_element=judge_element)


def fault(part: Part) -> ProviderError | None:
    """Return the error in a response: the gateway's, or a JSON object that is no record and contains none.

    Errors under HTTP 200 are not documented here, but sibling services return them.
    """
    document = error_document(part)
    if document and TIME in document:
        return None
    error = ncloud.fault(part)
    return error if error or part.status >= HTTPStatus.BAD_REQUEST else unreadable(part, LAYOUT, TIME)


def columns(_source: ElsaSource) -> Mapping[str, FieldMapping]:
    """Map the fields that ELSA sets itself; custom fields go to `attributes`."""
    return {
        "time": FieldMapping(TIME, epoch_ms),
        "severity_text": FieldMapping("logLevel", text),
        "severity_number": FieldMapping("logLevel", severity, take=False),
        "body": FieldMapping("body", text),
        "service_name": FieldMapping("projectName", text),
        "service_version": FieldMapping("projectVersion", text),
        "host_name": FieldMapping("host", text),
    }


provider = Provider(
    name="elsa",
    source=ElsaSource,
    secret=ncloud.Keys,
    secret_group="ncloud",  # noqa: S106 (a name)
    auth=ncloud.auth,
    kept_headers=ncloud.KEPT_HEADERS,
    fetch=fetch,
    fault=fault,
    layout=LAYOUT,
    columns=columns,
    feed_id=lambda source: f"{source.project_key}/{source.project_id}",
    cap=lambda source: source.count,
    smallest=lambda source: source.model_copy(update={"count": 1}),
)
handler = lambda_handler(provider)
