"""NAVER Cloud One Click Multi DRM policy log: api.ncloud-docs.com/docs/en/policy-log (ids: drm-policy-list)."""

import re
from collections.abc import Generator, Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, HttpUrl, StringConstraints

from logarchive import ncloud
from logarchive.answer import error_document
from logarchive.convert import each, epoch_ms, text
from logarchive.errors import MalformedError, MismatchError, ProviderError
from logarchive.handler import lambda_handler
from logarchive.page import Page, announced, numbered
from logarchive.part import Part
from logarchive.provider import Api, Feed, JsonLayout, Provider
from logarchive.source import Address, Source
from logarchive.window import EPOCH, MILLISECOND, Span

LOG, POLICIES = "/api/v1/policy/policyLog", "/api/v1/policy"
#: The page's maximum.
SIZE = 100
#: "default Policy : 0", says the page drm-policy-detail: every site has it, whether or not it is listed.
DEFAULT_POLICY = "0"
#: One sample lacks the space before the name: `Policy 123 -myPolicy_dummy2 creation completed`.
DESCRIPTION = re.compile(r"Policy\s+\d+\s*-.*\s(creation|update|delete)\s+\w+", re.DOTALL)
NAMES = {"creation": "policy.create", "update": "policy.update", "delete": "policy.delete"}
#: The error code EXCEPTION: the only one that another attempt may mend.
EXCEPTION = "280000"
INFO = 9

type PolicyId = Annotated[str, StringConstraints(pattern=r"^\d{1,18}$")]


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
    start, end = ((moment - EPOCH) // MILLISECOND for moment in (span.start, span.end))
    asked: dict[str, str | int] = {"startTime": start, source.end_time_parameter: end}
    policies: tuple[str | None, ...]
    if source.policy_ids == "all":
        policies = yield from enumerated(api, source)
    else:
        policies = source.policy_ids or (None,)
    for policy in policies:
        one = asked if policy is None else {**asked, "policyId": policy}
        for part in announced(pages(api, source, LOG, one)):
            yield part.be(asked=span)


def enumerated(api: Api, source: MultidrmSource) -> Generator[Part, None, tuple[str, ...]]:
    """List the policies there are; return them with those that were ever seen, since deleted ones may vanish."""
    found = {DEFAULT_POLICY}
    for listed in pages(api, source, POLICIES, {}):
        yield listed.part.be(role="listing")
        found |= {str(policy_id(item)) for item in listed.items}
    return api.remember(found)


def policy_id(item: object) -> int:
    """Return the id of a listed policy."""
    match item:
        case {"policyId": int(number)}:
            return number
        case _:
            raise MalformedError("a policy without `policyId` was listed")


def pages(api: Api, source: MultidrmSource, path: str, asked: Mapping[str, str | int]) -> Iterator[Page]:
    """Yield all pages of a list. The page says that they count from 1; a server that counts from 0 is noticed."""
    headers = {"x-ncp-region_code": source.region_code, "Content-Type": "application/json"}

    def ask(number: int) -> Page:
        params = {"pageNo": number, "pageSize": SIZE, **asked}
        return page(api.request("GET", path, params=params, headers=headers))

    one, first = ask(1), 1
    if not is_first(one):
        try:
            zero = ask(0)
        except MalformedError:
            zero = one  # there is no page 0, as documented
        else:
            looked_at = zero
            if zero.items and zero.items != one.items:
                one, first, looked_at = zero, 0, one
            yield looked_at.listing()

    def further(number: int, _before: int) -> Page:
        found = ask(first + number)
        if number == 1 and found.items and found.items == one.items:
            raise MismatchError("the second page is the first one: what came in between hid where pages begin")
        return found

    yield from numbered(further, SIZE, first=one)


def is_first(one: Page) -> bool:
    """Say whether page 1 shows that none is before it: it holds what the total says, and a second would be shorter."""
    return one.total is not None and len(one.items) == min(one.total, SIZE) and one.total < 2 * SIZE


def page(part: Part) -> Page:
    """Read an answer; the older page knows no `total`."""
    match part.document():
        case {"content": [*items], "total": int(total)}:
            return Page(part, items, total)
        case {"content": [*items]}:
            return Page(part, items, None)
        case _:
            raise MalformedError("no `content` in the answer")


def fault(part: Part) -> ProviderError | None:
    """Return the error of `success: false` under HTTP 200, or the gateway's; any other status says more than a code."""
    match error_document(part) if part.status < HTTPStatus.BAD_REQUEST else None:
        case {"success": False, "error": {"code": code, "message": message}}:
            error = MalformedError(f"code {code}: {message}")
            error.retryable = str(code) == EXCEPTION
            return error
        case {"success": False}:
            return MalformedError("`success` is false, and no error is named")
        case _:
            return ncloud.fault(part)


@each
def event_name(description: object) -> str | None:
    """Return what a description says happened, if it follows the grammar of the page's samples."""
    found = DESCRIPTION.fullmatch(description) if isinstance(description, str) else None
    return NAMES[found[1]] if found else None


def columns(_source: MultidrmSource) -> Mapping[str, Feed]:
    """Map two of the three fields; `policyId` stays in `attributes`. The API knows no levels."""
    return {
        "time": Feed("timestamp", epoch_ms),
        "severity_number": Feed("timestamp", each(lambda _: INFO), take=False),
        "event_name": Feed("description", event_name, take=False),
        "body": Feed("description", text),
    }


provider = Provider(
    name="multidrm",
    source=MultidrmSource,
    secret=ncloud.Keys,
    secret_group="ncloud",  # noqa: S106 (a name)
    auth=ncloud.auth,
    fetch=fetch,
    fault=fault,
    layout=JsonLayout(path="content"),
    columns=columns,
    feed=lambda source: f"{source.base_url.host}/{source.region_code}",
)
handler = lambda_handler(provider)
