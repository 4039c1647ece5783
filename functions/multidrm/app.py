"""NAVER Cloud One Click Multi DRM policy log: api.ncloud-docs.com/docs/en/policy-log (ids: drm-policy-list)."""

import datetime as dt
import re
from collections.abc import Collection, Generator, Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, StringConstraints

from logarchive.action.handler import lambda_handler
from logarchive.column.convert import each, epoch_ms, text
from logarchive.column.field_mapping import FieldMapping
from logarchive.errors import ForbiddenError, MalformedError, ProviderError
from logarchive.moment import to_epoch_ms
from logarchive.part import Part
from logarchive.provider.paging import Page, announced, indexed, opened
from logarchive.provider.provider import Api, Provider
from logarchive.provider.source import Address, Source
from logarchive.record.body import error_document
from logarchive.record.layout import JsonLayout
from logarchive.vendor import ncloud
from logarchive.window import Span

LOG, POLICIES = "/api/v1/policy/policyLog", "/api/v1/policy"
#: The page's maximum.
SIZE = 100
LAYOUT = JsonLayout(path="content")
#: "default Policy : 0", says the page drm-policy-detail: every site has it, whether or not it is listed.
DEFAULT_POLICY = "0"
#: One sample lacks the space before the name: `Policy 123 -myPolicy_dummy2 creation completed`.
DESCRIPTION = re.compile(r"Policy\s+\d+\s*-.*\s(creation|update|delete)\s+\w+", re.DOTALL)
NAMES = {"creation": "policy.create", "update": "policy.update", "delete": "policy.delete"}
#: The error code EXCEPTION: the only one that another attempt may mend.
EXCEPTION, FORBIDDEN = "280000", {"401", "403"}
INFO = 9
#: Later than any record.
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def _written(policy: object) -> object:
    return str(policy) if type(policy) is int else policy


type PolicyId = Annotated[str, BeforeValidator(_written), StringConstraints(pattern=r"^(0|[1-9][0-9]{0,17})$")]


class MultidrmSource(Source):
    """The policy log of one site."""

    base_url: Address = Field(
        HttpUrl("https://multi-drm.apigw.ntruss.com"),
        description="where the API lives; `https://multi-drm.apigw.gov-ntruss.com` for the government cloud",
    )
    policy_ids: (
        Annotated[tuple[PolicyId, ...], Field(min_length=1), AfterValidator(lambda ids: tuple(dict.fromkeys(ids)))]
        | Literal["all"]
        | None
    ) = Field(None, description='a list of ids, `"all"` to enumerate them, or absent: one request without an id')
    region_code: str = Field("KR", pattern=r"^[A-Z]{2,8}$", description="sent as `x-ncp-region_code`")
    end_time_parameter: Literal["endTime", "endTIme"] = Field(
        "endTime", description="how that parameter is spelt; an older page of the vendor's has `endTIme`"
    )


def fetch(api: Api, source: MultidrmSource, span: Span) -> Iterator[Part]:
    """Ask for the log of each policy, page by page. That it is kept by `timestamp` too mends a misspelt parameter."""
    start, end = map(to_epoch_ms, (span.start, span.end))
    asked: dict[str, str | int] = {"startTime": start, source.end_time_parameter: end}
    policies: tuple[str | None, ...]
    if source.policy_ids == "all":
        policies = yield from enumerated(api, source)
    else:
        policies = source.policy_ids or (None,)
    for policy in policies:
        one = asked if policy is None else {**asked, "policyId": policy}
        found = (alone(page, policy, policies) for page in pages(api, source, LOG, one))
        for part in announced(found):
            # If `endTime` is ignored, later records are outside, and archived with their own window.
            yield part.replace(asked=Span(span.start, LATEST))


def ids(page: Page) -> set[str]:
    """Return the ids of the policies that a page is about."""
    found = [item.get("policyId") for item in page.items if item.__class__ is dict]
    return {str(policy) for policy in found if type(policy) is int or (isinstance(policy, str) and policy.isdecimal())}


def alone(page: Page, policy: str | None, policies: Collection[str | None]) -> Page:
    """Return a page; raise MalformedError if it holds what another id is asked for, and so would come twice."""
    if policy is not None and (others := ids(page) & {*policies} - {policy}):
        raise MalformedError(f"policy {policy} was asked for, and policy {min(others)} came: leave `policy_ids` away")
    return page


def enumerated(api: Api, source: MultidrmSource) -> Generator[Part, None, tuple[str, ...]]:
    """List the policies there are; return them with those that were ever seen, since deleted ones may vanish."""
    found = {DEFAULT_POLICY}
    for listed in pages(api, source, POLICIES, {}):
        yield listed.part.replace(role="listing")
        found |= ids(listed)
        if len(ids(listed)) < len(listed.items):
            raise MalformedError("a policy without `policyId`, or one of them twice, was listed")
    return api.remember(found)


def pages(api: Api, source: MultidrmSource, path: str, asked: Mapping[str, str | int]) -> Iterator[Page]:
    """Yield all pages of a list. The page says that they count from 1; a server that counts from 0 is noticed."""
    headers = {"x-ncp-region_code": source.region_code, "Content-Type": "application/json"}

    def ask(number: int) -> Page:
        params = {"pageNo": number, "pageSize": SIZE, **asked}
        return page(api.request("GET", path, params=params, headers=headers))

    return indexed(ask, SIZE, refused)


def refused(error: MalformedError) -> bool:
    """Say whether the service itself refused a page: then there is none. Any other answer leaves it open."""
    document = error_document(error.part) if error.part else None
    return not error.retryable and document is not None and document.get("success") is False


def page(part: Part) -> Page:
    """Read an answer; the older page knows no `total`. Only `success` makes an empty list one of no records."""
    items, around = opened(part, LAYOUT)
    total = around.get("total")
    refused = around.get("success", True) is not True or around.get("error") or ncloud.stated(around)
    if around["content"] is None or refused:
        raise MalformedError("no `content` in the answer, or no success")
    return Page(part, items, total if type(total) is int else None)


def fault(part: Part) -> ProviderError | None:
    """Return the gateway's error, or that of `success: false` under HTTP 200; another status says more than a code."""
    match ncloud.fault(part) or (error_document(part) if part.status < HTTPStatus.BAD_REQUEST else None):
        case ProviderError() as error:
            return error
        case {"success": False, "error": {"code": code, "message": message}}:
            kind = ForbiddenError if str(code) in FORBIDDEN else MalformedError
            error = kind(f"code {code}: {message}")
            error.retryable = str(code) == EXCEPTION
            return error
        case {"success": False}:
            return MalformedError("`success` is false, and no error is named")
        case _:
            return None


@each
def event_name(description: object) -> str | None:
    """Return what a description says happened, if it follows the grammar of the page's samples."""
    found = DESCRIPTION.fullmatch(description) if isinstance(description, str) else None
    return NAMES[found[1]] if found else None


def columns(_source: MultidrmSource) -> Mapping[str, FieldMapping]:
    """Map two of the three fields; `policyId` stays in `attributes`. The API knows no levels."""
    return {
        "time": FieldMapping("timestamp", epoch_ms),
        "severity_number": FieldMapping("timestamp", each(lambda _: INFO), take=False),
        "event_name": FieldMapping("description", event_name, take=False),
        "body": FieldMapping("description", text),
    }


provider = Provider(
    name="multidrm",
    source=MultidrmSource,
    secret=ncloud.Keys,
    secret_group="ncloud",  # noqa: S106 (a name)
    auth=ncloud.auth,
    kept_headers=ncloud.KEPT_HEADERS,
    fetch=fetch,
    fault=fault,
    layout=LAYOUT,
    columns=columns,
    feed_id=lambda source: f"{source.base_url.host}/{source.region_code}",
)
handler = lambda_handler(provider)
