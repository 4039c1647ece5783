"""The security365 provider: what goes on the wire and what is written down, its errors, what its records become."""

import datetime as dt
from pathlib import Path

import httpx
import orjson
import pytest
from pydantic import HttpUrl, ValidationError

from functions.security365.app import License, Security365Source, provider
from logarchive.errors import (
    ConfigError,
    ForbiddenError,
    MalformedError,
    ProviderError,
    ThrottledError,
    UnavailableError,
)
from logarchive.part import Part
from logarchive.window import Span
from tests.simulator import SECURITY365_API_KEY, SECURITY365_LICENSE, SECURITY365_REFERER, SECURITY365_TOKEN
from tests.simulator.simulator import Simulator
from tests.unit.exchange import NOW, Script, Time, answer, connected, ok, opened

LICENSE = "HWIX-1DGC0-MKQ6-B2HAF"
HOUR = Span(NOW - dt.timedelta(hours=3), NOW - dt.timedelta(hours=2))
EMPTY = b'{"code":0,"msg":"","total":0,"items":[]}'
FIELDS = {"secret": "x", "base_url": "https://logs.example.com", "referer": "https://Example.com/app"}


def source(**fields: object) -> Security365Source:
    return Security365Source.model_validate(FIELDS | fields)


def secret(**fields: str) -> License:
    return License.model_validate({"license": LICENSE, **fields})


def fetched(directory: Path, script: Script, keys: License | None = None, **fields: object) -> list[Part]:
    api = opened(provider, source(**fields), keys or secret(), directory, script, Time())
    return list(provider.fetch(api, source(**fields), HOUR))


def test_one_request_asks_for_the_span_to_its_last_millisecond(tmp_path: Path) -> None:
    script = Script([ok(EMPTY)])
    [part] = fetched(tmp_path, script)
    [request] = script.requests
    assert (request.method, str(request.url)) == ("POST", "https://logs.example.com/v1/siems/externalSearch")
    assert orjson.loads(request.content) == {
        "license": LICENSE,
        "size": 10000,
        "sort": [{"time": "desc"}, {"_id": "asc"}],
        "from": 1795341600000,
        "to": 1795345199999,
    }
    assert request.headers["referer"] == "https://Example.com/app"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.content))
    assert not {"authorization", "x-api-key"} & set(request.headers)
    assert (part.asked, part.count, part.announced) == (HOUR, 0, None)


def test_the_range_may_lie_within_filters(tmp_path: Path) -> None:
    script = Script([ok(EMPTY)])
    fetched(tmp_path, script, body="filters", page_size=3)
    asked = orjson.loads(script.requests[0].content)
    assert asked["filters"] == {"from": 1795341600000, "to": 1795345199999}
    assert not {"from", "to"} & asked.keys()
    assert asked["size"] == 3


def test_token_and_key_are_sent_as_headers(tmp_path: Path) -> None:
    script = Script([ok(EMPTY)])
    fetched(tmp_path, script, secret(token="tok", api_key="key"), headers={"X-Tenant": "t"})
    sent = script.requests[0].headers
    assert (sent["authorization"], sent["x-api-key"], sent["x-tenant"]) == ("Bearer tok", "key", "t")


def test_the_key_goes_where_headers_say_and_nowhere_else(tmp_path: Path) -> None:
    script = Script([ok(EMPTY)])
    headers = {"X-Client-Key": "v1 {api_key}", "X-Other": "{api_key}{api_key}", "X-Plain": "{key}"}
    [part] = fetched(tmp_path, script, secret(api_key="k-e-y"), headers=headers)
    sent = script.requests[0].headers
    assert (sent["x-client-key"], sent["x-other"], sent["x-plain"]) == ("v1 k-e-y", "k-e-yk-e-y", "{key}")
    assert "x-api-key" not in sent
    assert part.request["headers"] == {"referer": "https://Example.com/app", **headers}


def test_a_place_for_a_key_that_the_secret_lacks_is_an_error_of_the_source(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"headers: .* needs `api_key` in the secret"):
        fetched(tmp_path, Script([ok(EMPTY)]), headers={"X-Client-Key": "{api_key}"})


def test_no_credential_is_told_of_a_request(tmp_path: Path) -> None:
    keys = secret(token="tokentoken", api_key="keykeykey")
    [part] = fetched(tmp_path, Script([ok(EMPTY, x_request_id=f"for {LICENSE}")]), keys)
    told = repr((part.request, part.headers))
    assert "externalSearch" in told
    assert not [value for value in (LICENSE, "tokentoken", "keykeykey", "license") if value in told]


def test_each_attempt_carries_the_licence_anew(tmp_path: Path) -> None:
    script = Script([answer(503), httpx.ConnectError("cut"), ok(EMPTY)])
    fetched(tmp_path, script, secret(token="tok"))
    first, *others = script.requests
    assert len(others) == 2
    assert orjson.loads(first.content)["license"] == LICENSE
    assert {(one.content, one.headers["authorization"]) for one in others} == {(first.content, "Bearer tok")}


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": None},
        {"base_url": "https://user:pass@logs.example.com"},
        {"referer": None},
        {"referer": "example.com"},
        {"referer": "https://"},
        {"referer": "https://example.com/a b"},
        {"referer": "https://example.com\r\nX: y"},
        {"referer": "https://example.com/\u00e9"},
        {"page_size": 1},
        {"page_size": 10_001},
        {"page_size": "10"},
        {"body": "nested"},
        {"headers": {"X Y": "v"}},
        {"headers": {"": "v"}},
        {"headers": {"X-Y": "v\r\nX-Z: w"}},
        {"headers": {"X-Y": "\u00e9"}},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"COOKIE": "a=b"}},
        {"headers": {"referer": "https://a.test"}},
        {"headers": {"Host": "a.test"}},
        {"headers": {"Content-Type": "text/plain"}},
        {"headers": {"content-length": "1"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"licence": "x"},
    ],
)
def test_a_wrong_source_is_refused_by_the_name_of_its_field(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        source(**fields)


@pytest.mark.parametrize("wrong", ["", " ", "a b", "key\n", "\u00e9"])
@pytest.mark.parametrize("name", ["license", "token", "api_key"])
def test_a_wrong_secret_is_refused_by_name_and_not_repeated(name: str, wrong: str) -> None:
    with pytest.raises(ValidationError, match=name) as caught:
        secret(**{name: f"{wrong}hush{wrong}" if wrong else ""})
    assert "hush" not in str(caught.value)


def test_another_address_or_referer_is_another_feed_and_other_paging_is_not() -> None:
    assert provider.feed_id(source()) != provider.feed_id(source(base_url="https://other.example.com"))
    assert provider.feed_id(source()) != provider.feed_id(source(referer="https://Example.com/app/"))
    assert provider.feed_id(source()) == provider.feed_id(source(page_size=5, body="filters", headers={"X-Y": "z"}))


@pytest.mark.parametrize(
    ("status", "body", "kind", "attempts"),
    [
        (200, b'{"code":61001,"msg":"fail to search"}', UnavailableError, 4),
        (400, b'{"code":61001,"msg":"fail to search"}', UnavailableError, 4),
        (200, b'{"code":"61002","msg":"Referer does not match"}', ForbiddenError, 1),
        (500, b'{"code":61002,"msg":"Referer does not match"}', ForbiddenError, 1),
        (200, b'{"code":61003,"msg":"JSON"}', MalformedError, 1),
        (404, b'{"code":61003,"msg":"JSON"}', MalformedError, 1),
        (200, b'{"code":61999,"msg":"new"}', MalformedError, 1),
        (200, b'{"code":401,"msg":"Unauthorized"}', ForbiddenError, 1),
        (403, b'{"code":1,"msg":"address"}', ForbiddenError, 1),
        (200, b'{"code":429,"msg":"limit"}', ThrottledError, 4),
        (429, b"{}", ThrottledError, 4),
        (500, EMPTY, UnavailableError, 4),
        (404, b'{"code":404}', MalformedError, 1),
        (200, b'{"msg":"","total":0,"items":[]}', MalformedError, 1),
        (200, b'{"code":null,"items":[]}', MalformedError, 1),
        (200, b'{"code":0,"msg":"","total":0}', MalformedError, 1),
        (200, b'{"code":0,"items":{}}', MalformedError, 1),
        (200, b"[]", MalformedError, 1),
        (200, b"", MalformedError, 1),
        (200, b" \n", MalformedError, 1),
        (204, b"", MalformedError, 1),
        (200, b"<html>maintenance</html>", MalformedError, 4),
    ],
)
def test_an_error_is_no_empty_window_under_whatever_status(
    tmp_path: Path, status: int, body: bytes, kind: type[ProviderError], attempts: int
) -> None:
    script = Script([lambda _: answer(status, body)])
    with pytest.raises(kind):
        fetched(tmp_path, script)
    assert len(script.requests) == attempts


def test_a_record_is_known_by_the_second_value_of_its_sort() -> None:
    assert provider.unique_id is not None
    sorts = [[1, "a"], [1, "b", "c"], ["d"], [1, 2], "ef", None]
    assert provider.unique_id.convert(sorts) == ["a", "b", None, None, None, None]


def simulated(sim: Simulator, directory: Path, keys: License, configured: Security365Source) -> list[Part]:
    at = configured.model_copy(update={"base_url": HttpUrl(f"{sim.url}/security365")})
    with connected(provider, at, keys, directory, Time()) as api:
        return list(provider.fetch(api, at, HOUR))


@pytest.mark.parametrize("body", ["flat", "filters"])
def test_the_service_as_played_takes_licence_token_key_and_referer(tmp_path: Path, body: str) -> None:
    keys = License.model_validate(
        {"license": SECURITY365_LICENSE, "token": SECURITY365_TOKEN, "api_key": SECURITY365_API_KEY}
    )
    with Simulator(clock=Time(), scale=0.5) as sim:
        sim.set("security365", require_token=True, require_api_key=True, body=body, tie=0)
        parts = simulated(sim, tmp_path, keys, source(referer=SECURITY365_REFERER, body=body, page_size=40))
        served = sum(record.served for record in sim.truth("security365", HOUR.start, HOUR.end))
    assert sum(part.count or 0 for part in parts) == served > 80
