"""The multidrm provider: which policies it asks for, how it pages, and what it takes for an error."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import orjson
import pytest

from functions.multidrm.app import event_name, provider
from logarchive.errors import (
    ForbiddenError,
    MalformedError,
    MismatchError,
    ProviderError,
    ThrottledError,
    UnavailableError,
)
from logarchive.part import Part
from logarchive.record.body import document
from logarchive.window import Span
from tests.unit import exchange
from tests.unit.exchange import HOUR, Reply, Script, answer, ok, same
from tests.unit.listing import NO_PAGE, Total, Zero, of_all, policies, policy_log, untold
from tests.unit.listing import policies_page as page

source, fetched = partial(exchange.source, "multidrm"), partial(exchange.fetched, "multidrm")


def asked(script: Script, path: str = "/api/v1/policy/policyLog") -> list[dict[str, str]]:
    return [dict(request.url.params) for request in script.requests if request.url.path == path]


def test_one_request_asks_for_the_span_in_milliseconds() -> None:
    script = Script([page([], 0)])
    [part] = fetched(script)
    [request] = script.requests
    assert (request.method, request.content) == ("GET", b"")
    assert str(request.url) == (
        "https://multi-drm.apigw.ntruss.com/api/v1/policy/policyLog"
        "?pageNo=1&pageSize=100&startTime=1795341600000&endTime=1795345200000"
    )
    assert request.headers["x-ncp-region_code"] == "KR"
    assert request.headers["content-type"] == "application/json"
    assert (part.role, part.announced, part.count) == ("data", 0, 0)
    # A server that ignores `endTime` answers for all that is later.
    assert part.asked == Span(HOUR.start, dt.datetime(2100, 1, 1, tzinfo=dt.UTC))


def test_settings_say_what_is_asked_for() -> None:
    script = Script([page([], 0)])
    fetched(script, policy_ids=["7"], region_code="SGN", end_time_parameter="endTIme")
    assert asked(script) == [
        {"pageNo": "1", "pageSize": "100", "startTime": "1795341600000", "endTIme": "1795345200000", "policyId": "7"}
    ]
    assert script.requests[0].headers["x-ncp-region_code"] == "SGN"


def test_each_policy_of_a_list_is_asked_for_once_in_its_order() -> None:
    script = Script([page([], 0)])
    parts = fetched(script, policy_ids=["12", 0, 12, "3"])
    assert [one["policyId"] for one in asked(script)] == ["12", "0", "3"]
    assert [part.role for part in parts] == ["data"] * 3


def test_all_policies_are_listed_remembered_and_asked_for_with_those_that_are_gone() -> None:
    script = Script([page([{"policyId": one, "policyStatus": "READY"} for one in (12, 7)], 2), page([], 0)])
    kept: set[str] = {"99"}

    def remember(ids: Iterable[str]) -> tuple[str, ...]:
        kept.update(ids)
        return tuple(sorted(kept, key=int))

    api = replace(exchange.scripted("multidrm", script, policy_ids="all"), remember=remember)
    parts = list(provider.fetch(api, source(policy_ids="all"), HOUR))
    assert kept == {"0", "7", "12", "99"}
    assert [one["policyId"] for one in asked(script)] == ["0", "7", "12", "99"]
    assert asked(script, "/api/v1/policy") == [{"pageNo": "1", "pageSize": "100"}]
    assert [part.role for part in parts] == ["listing", "data", "data", "data", "data"]


def test_the_list_of_policies_is_read_to_its_end() -> None:
    many = [{"policyId": one} for one in range(1, 131)]
    script = Script([page(many[:100], 130), page(many[100:], 130), page(many[:100], 130), page([], 0)])
    fetched(script, policy_ids="all")
    assert {one["policyId"] for one in asked(script)} == {str(one) for one in range(131)}


@pytest.mark.parametrize("item", [{}, {"policyId": None}, {"policyId": "a"}, 7, None])
def test_a_policy_without_an_id_is_no_policy_to_skip(item: object) -> None:
    with pytest.raises(MalformedError, match="policyId"):
        fetched(page([item], 1), page([], 0), policy_ids="all")


def failure(code: object, status: int = 200) -> httpx.Response:
    error = {"code": code, "name": "N", "message": "why"}
    return answer(status, orjson.dumps({"success": False, "error": error}))


@pytest.mark.parametrize(
    ("response", "kind", "said", "attempts"),
    [
        (failure(281003), MalformedError, "code 281003: why", 1),
        (failure(280000), MalformedError, "code 280000: why", 4),
        (failure("280000"), MalformedError, "code 280000: why", 4),
        (failure(280000, 500), UnavailableError, "HTTP 500", 4),
        (failure(281003, 401), ForbiddenError, "HTTP 401.*why", 1),
        (failure(281003, 400), MalformedError, "HTTP 400.*why", 1),
        (ok(b'{"success":false}'), MalformedError, "`success` is false", 1),
        (ok(b'{"success":false,"content":[],"total":0}'), MalformedError, "`success` is false", 1),
        (ok(b'{"error":{"errorCode":"210","message":"Denied"}}'), ForbiddenError, "errorCode 210: Denied", 1),
        (answer(429, b'{"error":{"errorCode":410,"message":"slow"}}'), ThrottledError, "errorCode 410: slow", 4),
        (ok(b'{"success":true}'), MalformedError, "no 'content'", 1),
        (ok(b'{"success":true,"content":null,"total":0}'), MalformedError, "no `content`", 1),
        (ok(b"[]"), MalformedError, "not JSON", 1),
        (ok(b""), MalformedError, "the response is empty", 1),
    ],
)
def test_an_error_is_no_empty_window_under_whatever_status(
    response: httpx.Response, kind: type[ProviderError], said: str, attempts: int
) -> None:
    script = Script([same(response.status_code, response.content)])
    with pytest.raises(kind, match=said):
        fetched(script)
    assert len(script.requests) == attempts


#: What happened -> descriptions.
EVENTS: dict[str | None, list[object]] = {
    "policy.create": [
        *("Policy 127 - myPolicy creation completed", "Policy 123 -myPolicy_dummy2 creation completed"),
        "Policy 5 - update creation completed",
    ],
    "policy.update": [
        *("Policy 127 - myPolicy update completed", "Policy 5 - creation of update update completed"),
        "Policy 5 - two\nlines update failed",
    ],
    "policy.delete": [
        *("Policy 123 - myPolicy_dummy2 delete completed", "Policy 5 - a - b delete delete completed"),
        "Policy  5- x  delete  completed",
    ],
    None: [
        *("Policy 5 - update", "Policy 5 - my-update completed", "Policy 5 - my updates completed", "", 7, None),
        *("Policy 5 - x update completed twice", "Policy five - x update completed"),
        *("The Policy 5 - x update completed", "Policy 5 - x Update completed"),
    ],
}


@pytest.mark.parametrize("event", EVENTS)
def test_a_description_names_what_happened_only_if_it_follows_the_grammar(event: str | None) -> None:
    assert event_name(EVENTS[event]) == [event] * len(EVENTS[event])


def told_by(parts: list[Part]) -> list[str]:
    return [item["description"] for part in parts if part.role == "data" for item in document(part)["content"]]


@pytest.mark.parametrize("total", [of_all, untold])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("count", [0, 1, 50, 99, 100, 101, 199, 200, 201, 299, 300, 301, 400])
def test_every_record_comes_once_and_in_order(count: int, first: int, total: Total) -> None:
    for zero in ("error", "page 1", "empty"):
        parts = fetched(policy_log(policies(count), total, first=first, zero=zero))
        assert told_by(parts) == [f"{number}" for number in range(count)]
        data = [part for part in parts if part.role == "data"]
        assert sum(part.count or 0 for part in data) == count
        assert sum(part.announced or 0 for part in data) == (total(count, 0) or 0)
        assert (data[0].announced is None) == (total is untold)


@pytest.mark.parametrize("zero", ["page 1", "empty"])
def test_a_page_zero_that_is_not_used_is_kept(zero: Zero) -> None:
    roles = [part.role for part in fetched(policy_log(policies(50), untold, zero=zero))]
    assert sorted(roles) == ["data", "listing"]


@pytest.mark.parametrize("count", [0, 1, 50, 99])
def test_a_total_that_one_short_page_holds_takes_one_request(count: int) -> None:
    assert [part.role for part in fetched(policy_log(policies(count)))] == ["data"]


def test_a_total_that_one_full_page_holds_takes_an_empty_page_more_and_the_first_again() -> None:
    parts = fetched(policy_log(policies(100)))
    assert [part.role for part in parts] == ["data", "data", "listing"]
    assert [part.count for part in parts] == [100, 0, None]
    assert [part.announced for part in parts] == [100, 0, None]


@pytest.mark.parametrize(("first", "zero"), [(1, "error"), (1, "page 1"), (0, "error")])
def test_a_server_that_gives_fewer_than_asked_for_is_followed_to_its_total(first: int, zero: Zero) -> None:
    parts = fetched(policy_log(policies(170), first=first, zero=zero, most=30))
    assert told_by(parts) == [f"{number}" for number in range(170)]


def test_a_record_that_comes_between_the_looks_at_pages_one_and_zero_is_a_mismatch() -> None:
    before, after = policies(101)[1:], policies(100)
    with pytest.raises(MismatchError, match="the same page was returned twice"):
        fetched(page(before, None), page(after, None), page(after, None))


def test_a_first_page_that_fails_is_an_error_and_no_sign_of_another_index() -> None:
    with pytest.raises(MalformedError, match="281003"):
        fetched(ok(b'{"success":false,"error":{"code":281003,"message":"site"}}'), page(policies(1), 1))


def at_zero(zero: bytes, count: int, status: int = 200, total: object = None) -> Reply:
    """Play a server that has one page, the one numbered 1, and another answer for page 0."""

    def reply(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["pageNo"])
        return answer(status, zero) if number == 0 else page(policies(count if number == 1 else 0), total)

    return reply


NO_PAGES = [
    (200, b"<html>maintenance</html>"),
    (204, b""),
    (200, b""),
    (200, b'{"success":true,"content":[{"policyId":1}'),
    (200, b'{"success":true}'),
    (200, b'{"success":null,"content":[]}'),
    (404, b""),
    (404, b'{"error":{"errorCode":"300","message":"Not Found Exception"}}'),
]


@pytest.mark.parametrize("count", [0, 7, 100])
@pytest.mark.parametrize(("status", "zero"), NO_PAGES)
def test_a_page_zero_that_cannot_be_read_leaves_open_whether_there_is_one(status: int, zero: bytes, count: int) -> None:
    came: list[Part] = []
    with pytest.raises(MalformedError):
        came.extend(exchange.fetching("multidrm", at_zero(zero, count, status)))
    assert [(part.role, part.bytes) for part in came] == [("listing", len(page(policies(count)).content))]


@pytest.mark.parametrize(("status", "zero"), NO_PAGES)
def test_a_total_says_whether_a_page_zero_that_cannot_be_read_was_missed(status: int, zero: bytes) -> None:
    with pytest.raises(MismatchError, match="0 records came where 50 were announced"):
        fetched(at_zero(zero, 0, status, total=50))


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("count", [0, 7, 100])
def test_a_page_zero_that_the_service_refuses_is_none(count: int, status: int) -> None:
    came = fetched(at_zero(NO_PAGE, count, status))
    assert [part.path.read_bytes() for part in came if part.role == "listing"][:1] == [NO_PAGE]
    assert sum(part.count or 0 for part in came if part.role == "data") == count


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_page_zero_that_fails_in_another_way_fails_the_visit(status: int) -> None:
    with pytest.raises(ProviderError) as caught:
        fetched(at_zero(b'{"success":false}', 0, status))
    assert not isinstance(caught.value, MalformedError)


@pytest.mark.parametrize("total", [True, False])
def test_a_total_that_is_no_number_is_none(*, total: bool) -> None:
    [part] = [part for part in fetched(at_zero(NO_PAGE, int(total), total=total)) if part.role == "data"]
    assert (part.announced, part.count) == (None, int(total))


NO_SUCCESS: list[object] = ["false", "true", None, 0, 1, []]


@pytest.mark.parametrize(
    "told", [*({"success": no} for no in NO_SUCCESS), {"error": {"code": 280000}}, {"error": "why"}]
)
@pytest.mark.parametrize("content", [[], [{"policyId": 1}]])
@pytest.mark.parametrize("more", ["", "x" * 70_000])
def test_only_success_makes_a_policy_log(told: Any, content: Any, more: str) -> None:
    body = orjson.dumps({"success": True, "more": more, "total": len(content)} | told | {"content": content})
    with pytest.raises(MalformedError):
        fetched(same(200, body))


@pytest.mark.parametrize("code", [b'"210"', b"210", b'"200"'])
def test_the_gateways_refusal_is_seen_in_the_dress_of_the_service(code: bytes) -> None:
    with pytest.raises(ForbiddenError, match="Denied"):
        fetched(ok(b'{"success":false,"error":{"errorCode":%b,"message":"Denied"}}' % code))


@pytest.mark.parametrize("told", [[0, 7], ["0", "7"]])
@pytest.mark.parametrize("ids", [["0", "7"], [7, 0], "all"])
@pytest.mark.parametrize("count", [1, 60, 150])
def test_an_id_that_the_server_does_not_filter_by_would_bring_all_twice(told: list[Any], ids: Any, count: int) -> None:
    log, listed = policy_log(policies(count, told)), page([{"policyId": one} for one in told], 2)

    def reply(request: httpx.Request) -> httpx.Response:
        return log(request) if request.url.path.endswith("Log") else listed

    with pytest.raises(MalformedError, match=r"policy (0|7) was requested, and policy (0|7) came"):
        fetched(reply, policy_ids=ids)


def test_one_id_alone_cannot_bring_a_record_twice() -> None:
    assert sum(part.count or 0 for part in fetched(policy_log(policies(3, [0, 7])), policy_ids=[7])) == 6


@pytest.mark.parametrize("policy", ["9" * 70_000, "\u0661", "007", -1, 10**18, "", "1 "])
def test_a_listed_id_that_cannot_be_one_is_malformed_and_never_requested(policy: object) -> None:
    with pytest.raises(MalformedError, match="a policy without `policyId`"):
        fetched(policy_log(policies(1, [policy])), policy_ids="all")


def test_ids_may_be_numbers_or_text_and_are_the_same_then() -> None:
    assert source(policy_ids=[0, "0", 127, "127", 10**17]).policy_ids == ("0", "127", f"{10**17}")
