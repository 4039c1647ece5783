"""Answers that only look good: what is an error, or may be one, is never taken for a window without records."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from functions.apigateway.app import ApigatewaySource
from functions.apigateway.app import provider as apigateway
from functions.multidrm.app import MultidrmSource
from functions.multidrm.app import provider as multidrm
from functions.security365.app import License, Security365Source
from functions.security365.app import provider as security365
from logarchive.errors import ForbiddenError, MalformedError, MismatchError, ProviderError, UnavailableError
from logarchive.part import Part
from logarchive.window import Span
from tests.unit.exchange import KEYS, NOW, Script, Time, answer, ok, opened

HOUR = Span(NOW.replace(hour=10), NOW.replace(hour=11))
LICENSE = License.model_validate({"license": "HWIX-1DGC0-MKQ6-B2HAF"})
SEARCH = {"secret": "s", "base_url": "https://logs.example.com", "referer": "https://example.com/app"}
LONG = b"x" * 70_000
type Reply = Callable[[httpx.Request], httpx.Response]


def parts(name: str, directory: Path, *answers: httpx.Response | Reply, came: list[Part] | None = None) -> list[Part]:
    """Return what a provider makes of answers, and add it to `came`; the last answer comes again and again."""
    script, came = Script(answers), [] if came is None else came
    if name == "apigateway":
        events = ApigatewaySource.model_validate({"secret": "s"})
        return [*apigateway.fetch(opened(apigateway, events, KEYS, directory, script, Time()), events, HOUR)]
    if name == "multidrm":
        site = MultidrmSource.model_validate({"secret": "s"})
        came.extend(multidrm.fetch(opened(multidrm, site, KEYS, directory, script, Time()), site, HOUR))
        return came
    search = Security365Source.model_validate(SEARCH)
    return [*security365.fetch(opened(security365, search, LICENSE, directory, script, Time()), search, HOUR)]


def same(status: int, body: bytes) -> Reply:
    """Answer alike however often it is asked."""
    return lambda _: answer(status, body)


def policy_page(count: int, **told: object) -> httpx.Response:
    items = [{"policyId": 1, "description": f"{n}", "timestamp": 1795341600000} for n in range(count)]
    return ok(orjson.dumps({"success": True, "content": items, **told}))


def at_zero(zero: bytes, count: int, status: int = 200, **told: object) -> Reply:
    """Play a server that has one page, the one numbered 1, and another answer for page 0."""

    def reply(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["pageNo"])
        return answer(status, zero) if number == 0 else policy_page(count if number == 1 else 0, **told)

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
def test_a_page_zero_that_cannot_be_read_leaves_open_whether_there_is_one(
    tmp_path: Path, status: int, zero: bytes, count: int
) -> None:
    came: list[Part] = []
    with pytest.raises(MalformedError):
        parts("multidrm", tmp_path, at_zero(zero, count, status), came=came)
    assert [(part.role, part.bytes) for part in came] == [("listing", len(policy_page(count).content))]


@pytest.mark.parametrize(("status", "zero"), NO_PAGES)
def test_a_total_says_whether_a_page_zero_that_cannot_be_read_was_missed(
    tmp_path: Path, status: int, zero: bytes
) -> None:
    with pytest.raises(MismatchError, match="0 records came where 50 were announced"):
        parts("multidrm", tmp_path, at_zero(zero, 0, status, total=50))


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("count", [0, 7, 100])
def test_a_page_zero_that_the_service_refuses_is_none(tmp_path: Path, count: int, status: int) -> None:
    refusal = b'{"success":false,"error":{"code":280003,"message":"pageNo"}}'
    came = parts("multidrm", tmp_path, at_zero(refusal, count, status))
    assert [part.path.read_bytes() for part in came if part.role == "listing"][:1] == [refusal]
    assert sum(part.count or 0 for part in came if part.role == "data") == count


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_page_zero_that_fails_in_another_way_fails_the_visit(tmp_path: Path, status: int) -> None:
    with pytest.raises(ProviderError) as caught:
        parts("multidrm", tmp_path, at_zero(b'{"success":false}', 0, status))
    assert not isinstance(caught.value, MalformedError)


REFERER = '{"code":61002,"msg":"Referer\uac00 \ub2e4\ub985\ub2c8\ub2e4"}'


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body",
    [b"\xef\xbb\xbf" + REFERER.encode(), REFERER.encode("cp949"), b"\xef\xbb\xbf \n" + REFERER.encode()],
)
def test_a_code_is_seen_in_whatever_encoding(tmp_path: Path, body: bytes, status: int) -> None:
    with pytest.raises(ForbiddenError, match="61002"):
        parts("security365", tmp_path, same(status, body))


@pytest.mark.parametrize("items", [b"[]", b"null", b"[" + b",".join([b'{"a":"%b"}' % (b"y" * 200)] * 400) + b"]"])
@pytest.mark.parametrize("first", ["msg", "items"])
def test_an_error_that_is_too_long_to_look_like_one_is_still_one(tmp_path: Path, items: bytes, first: str) -> None:
    members = [b'"msg":"%b"' % LONG, b'"items":' + items]
    told = b",".join(members if first == "msg" else members[::-1])
    with pytest.raises(UnavailableError, match="61001"):
        parts("security365", tmp_path, same(200, b'{"code":61001,' + told + b"}"))
    with pytest.raises(UnavailableError, match="61001"):
        parts("security365", tmp_path, same(200, b"{" + told + b',"code":"61001"}'))


@pytest.mark.parametrize(
    "body",
    [
        b'{"code":0,"items":null',
        b'{"code":0,"items":nul',
        b'{"code":0,"items":null}garbage',
        b'{"code":0,"items":null}{"code":61001}',
        b'{"code":0,"items":[]',
        b'{"code":0,"items":[]}]',
        b'{"code":0,"total":5,"items":[]}',
        b'{"code":0,"total":5,"items":null}',
        b'{"code":0,"msg":"%b","items":null' % LONG,
        b'{"code":0,"msg":"%b","items":[]}garbage' % LONG,
    ],
)
def test_what_is_cut_or_contradicts_itself_is_malformed_and_not_empty(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(MalformedError):
        parts("security365", tmp_path, same(200, body))


@pytest.mark.parametrize("rest", [b"}", b',"items":[]}', b',"items":null}', b',"items":[{"time":1795341600000}]}'])
@pytest.mark.parametrize("code", [b"61001", b'"61002"', b"77777", b"null"])
@pytest.mark.parametrize("space", [0, 511, 512, 600])
def test_an_error_far_behind_white_space_is_one(tmp_path: Path, space: int, code: bytes, rest: bytes) -> None:
    with pytest.raises(ProviderError):
        parts("security365", tmp_path, same(200, b" " * space + b'{"code":' + code + rest))


ERRORS: list[dict[str, Any]] = [
    {"error": {"errorCode": "500", "message": "Endpoint Error"}},
    {"error": {"errorCode": 900}},
    {"errorCode": "200", "message": "Authentication Failed"},
    {"errorCode": 77777},
    {"responseError": {"returnCode": "1", "returnMessage": "why"}},
]
EMPTY: dict[str, dict[str, Any]] = {
    "apigateway": {"events": {"content": [], "total": 0}},
    "multidrm": {"success": True, "content": [], "total": 0},
}


@pytest.mark.parametrize("more", [b"", LONG])
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", ["apigateway", "multidrm"])
def test_an_error_beside_no_records_is_no_empty_window(tmp_path: Path, name: str, error: Any, more: bytes) -> None:
    with pytest.raises(ProviderError):
        parts(name, tmp_path, same(200, orjson.dumps(error | EMPTY[name] | {"more": more.decode()})))


NO_SUCCESS: list[object] = ["false", "true", None, 0, 1, []]


@pytest.mark.parametrize("code", [0, "0"])
@pytest.mark.parametrize("name", ["apigateway", "multidrm"])
def test_a_code_of_zero_beside_what_came_is_no_error(tmp_path: Path, name: str, code: object) -> None:
    [part] = parts(name, tmp_path, ok(orjson.dumps(EMPTY[name] | {"errorCode": code, "message": "OK"})))
    assert (part.announced, part.count) == (0, 0)


@pytest.mark.parametrize(
    "told",
    [*({"success": one} for one in NO_SUCCESS), {"error": {"code": 280000}}, {"error": "why"}],
)
@pytest.mark.parametrize("content", [[], [{"policyId": 1}]])
@pytest.mark.parametrize("more", [b"", LONG])
def test_only_success_makes_a_policy_log(tmp_path: Path, told: Any, content: Any, more: bytes) -> None:
    body = orjson.dumps({"success": True, "more": more.decode(), "total": len(content)} | told | {"content": content})
    with pytest.raises(MalformedError):
        parts("multidrm", tmp_path, same(200, body))


@pytest.mark.parametrize("total", [True, False])
def test_a_total_that_is_no_number_is_none(tmp_path: Path, *, total: bool) -> None:
    refusal = b'{"success":false,"error":{"code":280003,"message":"pageNo"}}'
    came = parts("multidrm", tmp_path, at_zero(refusal, int(total), total=total))
    [part] = [part for part in came if part.role == "data"]
    assert (part.announced, part.count) == (None, int(total))
    with pytest.raises(MalformedError):
        parts("apigateway", tmp_path, ok(orjson.dumps({"events": {"content": [{}] * total, "total": total}})))


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("name", ["apigateway", "multidrm", "security365"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"code":500,"msg":"m"}',
        b'{"code":61001,"msg":"m"}',
        b'{"code":61003,"msg":"m"}',
        b'{"code":0,"msg":"","total":0,"items":[]}',
        b'{"error":{"errorCode":"900","message":"m"}}',
        b'{"errorCode":100}',
        b'{"success":false,"error":{"code":280000,"message":"m"}}',
        b'{"success":true,"content":[],"total":0}',
        b'{"events":{"content":[],"total":0}}',
        b"<html></html>",
        b"",
    ],
)
def test_a_status_that_says_forbidden_is_believed(tmp_path: Path, name: str, body: bytes, status: int) -> None:
    with pytest.raises(ForbiddenError):
        parts(name, tmp_path, same(status, body))


@pytest.mark.parametrize("code", [b'"210"', b"210", b'"200"'])
def test_the_gateways_refusal_is_seen_in_the_dress_of_the_service(tmp_path: Path, code: bytes) -> None:
    body = b'{"success":false,"error":{"errorCode":%b,"message":"Denied"}}' % code
    with pytest.raises(ForbiddenError, match="Denied"):
        parts("multidrm", tmp_path, same(200, body))
