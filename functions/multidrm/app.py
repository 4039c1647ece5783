"""NAVER Cloud One Click Multi DRM policy log: api.ncloud-docs.com/docs/en/policy-log (ids: drm-policy-list)."""

import datetime as dt
import re
from collections.abc import Collection, Generator, Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, StringConstraints

from logarchive.action.handler import lambda_handler
from logarchive.column.convert import FieldMapping, each, epoch_ms, text
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
#: The documentation's maximum.
SIZE = 100
LAYOUT = JsonLayout(path="content")
#: "default Policy : 0" (documentation: drm-policy-detail): every site has it, listed or not.
DEFAULT_POLICY, POLICY_ID = "0", "(0|[1-9][0-9]{0,17})"
#: One sample lacks the space before the name: `Policy 123 -myPolicy_dummy2 creation completed`.
DESCRIPTION = re.compile(r"Policy\s+\d+\s*-.*\s(creation|update|delete)\s+\w+", re.DOTALL)
NAMES = {"creation": "policy.create", "update": "policy.update", "delete": "policy.delete"}
#: The error code EXCEPTION: the only one for which another attempt may help.
EXCEPTION, FORBIDDEN = "280000", {"401", "403"}
INFO = 9
#: Later than any record.
LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def _written(policy: object) -> object:
    return str(policy) if type(policy) is int else policy


type PolicyId = Annotated[str, BeforeValidator(_written), StringConstraints(pattern=f"^{POLICY_ID}$")]


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
        "endTime", description="how that parameter is spelt; an older version of the documentation has `endTIme`"
    )


def fetch(api: Api, source: MultidrmSource, span: Span) -> Iterator[Part]:
    """Request the log of each policy, page by page."""
    start, end = map(to_epoch_ms, (span.start, span.end))
    params: dict[str, str | int] = {"startTime": start, source.end_time_parameter: end}
    policies: tuple[str | None, ...]
    if source.policy_ids == "all":
        policies = yield from enumerated(api, source)
    else:
        policies = source.policy_ids or (None,)
    for policy in policies:
        own = params if policy is None else {**params, "policyId": policy}
        checked = (require_only(policy, policies, page) for page in pages(api, source, LOG, own))
        for part in announced(checked):
            # If the API ignores `endTime`, later records are `outside`: they belong to their own windows.
            yield part.replace(asked=Span(span.start, LATEST))


def ids(page: Page) -> set[str]:
    """Return the ids of the policies on a page."""
    values = [item.get("policyId") for item in page.items if item.__class__ is dict]
    return {str(policy) for policy in values if type(policy) in {int, str} and re.fullmatch(POLICY_ID, str(policy))}


def require_only(policy: str | None, policies: Collection[str | None], page: Page) -> Page:
    """Return a page; raise MalformedError if it has records of another requested policy, which would come twice."""
    if policy is not None and (others := ids(page) & {*policies} - {policy}):
        raise MalformedError(f"policy {policy} was requested, and policy {min(others)} came: remove `policy_ids`")
    return page


def enumerated(api: Api, source: MultidrmSource) -> Generator[Part, None, tuple[str, ...]]:
    """List the policies; return their ids and all that were ever listed, since deleted policies may be missing."""
    known = {DEFAULT_POLICY}
    for listed in pages(api, source, POLICIES, {}):
        yield listed.part.replace(role="listing")
        known |= ids(listed)
        if len(ids(listed)) < len(listed.items):
            raise MalformedError("the list has a policy without `policyId`, or one policy twice")
    return api.remember(known)


def pages(api: Api, source: MultidrmSource, path: str, query: Mapping[str, str | int]) -> Iterator[Page]:
    """Yield all pages of a list. Documented as numbered from 1; a server that counts from 0 is detected."""
    headers = {"x-ncp-region_code": source.region_code, "Content-Type": "application/json"}

    def ask(number: int) -> Page:
        params = {"pageNo": number, "pageSize": SIZE, **query}
        return page(api.request("GET", path, params=params, headers=headers))

    return indexed(ask, SIZE, refused)


def refused(error: MalformedError) -> bool:
    """Return whether the service itself refused a page, so that there is none. Other errors do not prove it."""
    document = error_document(error.part) if error.part else None
    return not error.retryable and document is not None and document.get("success") is False


def page(part: Part) -> Page:
    """Read a response; in the older documentation it has no `total`. Without `success` an empty list proves nothing."""
    items, around = opened(part, LAYOUT)
    total = around.get("total")
    if around["content"] is None or ncloud.failed(around):
        raise MalformedError("the response has no `content`, or says that it failed")
    return Page(part, items, total if type(total) is int else None)


def fault(part: Part) -> ProviderError | None:
    """Return the gateway's error, or that of `success: false` under HTTP 200; an error status counts more."""
    match ncloud.fault(part) or (error_document(part) if part.status < HTTPStatus.BAD_REQUEST else None):
        case ProviderError() as error:
            return error
        case {"success": False, "error": {"code": code, "message": message}}:
            kind = ForbiddenError if str(code) in FORBIDDEN else MalformedError
            error = kind(f"code {code}: {message}")
            error.retryable = str(code) == EXCEPTION
            return error
        case {"success": False}:
            return MalformedError("`success` is false, but no error is given")
        case _:
            return None


@each
def event_name(description: object) -> str | None:
    """Return the event that a description names, if it has the form of the documented samples."""
    match = DESCRIPTION.fullmatch(description) if isinstance(description, str) else None
    return NAMES[match[1]] if match else None


def columns(_source: MultidrmSource) -> Mapping[str, FieldMapping]:
    """Map two of the three fields; `policyId` stays in `attributes`. The API has no levels."""
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
    # Every site has the default policy; with `all` the first request would be for the list of policies.
    smallest=lambda source: source.model_copy(update={"policy_ids": ("0",)}) if source.policy_ids == "all" else source,
    feed_id=lambda source: f"{source.base_url.host}/{source.region_code}",
)
handler = lambda_handler(provider)
