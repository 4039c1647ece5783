"""The API Gateway's signature against vectors, and its errors in every shape they were seen in."""

import socket
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from logarchive.errors import (
    ForbiddenError,
    MalformedError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TooMuchError,
    UnavailableError,
)
from logarchive.net.request import Request
from logarchive.vendor.ncloud import KEPT_HEADERS, Keys, Signature, fault, signature
from tests.simulator.signature import ncloud
from tests.unit.exchange import KEYS, NOW, PLAIN, Place, Script, Time, answer, connected, plain, serving

names = st.text(min_size=1, max_size=9).filter(lambda name: name != "n")

VECTORS = [
    ("GET", "/photos/puppy.jpg?query1=&query2", "1505290625682", "vdld3MEKJoLwzbgIYnqiRZRqynVpC1iRZZzm9qXUTf8="),
    ("POST", "/api/v1/logs/download", "1381190400000", "pbqEuV5aTvCr846ibZhRZNDrHWKsEoGeQLCQnCOGzcM="),
    ("POST", "/api/v1/dashboards/events/search", "1381190400000", "q6Zv0MUMS4i/2TxxX8q4zJFikF9EwaYwDOOxpuOUc0c="),
    (
        "GET",
        "/api/v1/policy/policyLog?pageNo=1&pageSize=100&policyId=127&startTime=1700479924521&endTime=1700556709111",
        "1700556709111",
        "GjJmzozZdsi62ALeD9ai8amGBEpNZYuBkG3UxqC/LO0=",
    ),
]


@pytest.mark.parametrize(("method", "target", "timestamp", "expected"), VECTORS)
def test_a_signature_is_what_the_documented_formula_gives(
    method: str, target: str, timestamp: str, expected: str
) -> None:
    keys = Keys.model_validate({"access_key": "accessKey", "secret_key": "secretKey"})
    assert signature(method, target, timestamp, keys) == expected


@given(names, st.text(max_size=20), st.integers())
def test_a_query_reads_back_as_it_was_meant(name: str, value: str, number: int) -> None:
    request = Request(method="GET", url="https://h/x", params={name: value, "n": number}).built(httpx.Timeout(1))
    assert parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True) == [(name, value), ("n", str(number))]
    next(Signature(KEYS, lambda: NOW).sync_auth_flow(request))
    assert request.headers["x-ncp-iam-access-key"] == "accessKey"
    assert request.headers["x-ncp-apigw-timestamp"] == "1795352400000"
    target = request.url.raw_path.decode("ascii")
    expected = ncloud("GET", target, "1795352400000", "accessKey", 'secret/Key+="')
    assert request.headers["x-ncp-apigw-signature-v2"] == expected


def test_the_request_line_on_the_wire_is_the_one_that_was_signed(tmp_path: Path) -> None:
    heads: list[str] = []

    def reply(connection: socket.socket, head: bytes) -> None:
        heads.append(head.decode("ascii"))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with serving(reply) as port:
        configured = Place.model_validate({"secret": "s", "base_url": f"http://127.0.0.1:{port}/api/v1"})
        with connected(PLAIN, configured, KEYS, tmp_path, Time()) as api:
            api.request("GET", "/api/v1/로그", params={"q": "한 a+b%20[1]", "r": "~/?"})
    line, *lines = heads[0].split("\r\n")
    headers = dict(one.split(": ", 1) for one in lines if ": " in one)
    target = line.removeprefix("GET ").removesuffix(" HTTP/1.1")
    assert target == "/api/v1/%EB%A1%9C%EA%B7%B8?q=%ED%95%9C%20a%2Bb%2520%5B1%5D&r=~%2F%3F"
    timestamp = headers["x-ncp-apigw-timestamp"]
    assert headers["x-ncp-apigw-signature-v2"] == ncloud("GET", target, timestamp, "accessKey", 'secret/Key+="')


def found(tmp_path: Path, status: int, body: bytes, **headers: str) -> ProviderError | None:
    client = plain(tmp_path, Script([answer(status, body, **headers)]))
    try:
        return fault(client.request("GET", "/x"))
    except ProviderError as error:
        return fault(error.part) if error.part is not None else None


CODES: dict[type[ProviderError], list[tuple[int, int]]] = {
    MalformedError: [(400, 100), (404, 300), (200, 12345)],
    ForbiddenError: [(401, 200), (401, 210)],
    QuotaError: [(429, 400)],
    ThrottledError: [(429, 410), (429, 420)],
    TooMuchError: [(413, 430), (504, 510)],
    UnavailableError: [(503, 500), (500, 900), (200, 900)],
}


@pytest.mark.parametrize(("kind", "status", "code"), [(kind, *pair) for kind, pairs in CODES.items() for pair in pairs])
def test_a_code_says_what_failed(tmp_path: Path, kind: type[ProviderError], status: int, code: int) -> None:
    assert type(found(tmp_path, status, b'{"error":{"errorCode":"%d","message":"so"}}' % code)) is kind


PERMISSION = b'"Permission Denied","details":"A subscription is required."'


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"errorCode":"210","message":%b}}' % PERMISSION,
        b'{"error":{"errorCode":210,"message":%b}}' % PERMISSION,
        b'{"errorCode":"210","message":%b}' % PERMISSION,
        b'{"responseError":{"returnCode":210,"returnMessage":"Permission Denied (A subscription is required.)"}}',
    ],
)
def test_every_shape_gives_code_message_details_and_trace(tmp_path: Path, body: bytes) -> None:
    error = found(tmp_path, 401, body, x_ncp_trace_id="t-1")
    assert isinstance(error, ForbiddenError)
    expected = "HTTP 401, errorCode 210: Permission Denied (A subscription is required.) (x-ncp-trace-id t-1)"
    assert str(error) == expected


def test_an_error_may_be_in_the_headers_alone(tmp_path: Path) -> None:
    headers = {"x_ncp_apigw_error_code": "420", "x_ncp_apigw_error_message": "Rate Limited"}
    error = found(tmp_path, 429, b"", **headers)
    assert isinstance(error, ThrottledError)
    assert "Rate Limited" in str(error)


@pytest.mark.parametrize("name", ["apigateway", "elsa", "multidrm"])
def test_a_provider_behind_the_gateway_keeps_the_headers_that_hold_its_errors(name: str) -> None:
    assert import_module(f"functions.{name}.app").provider.kept_headers == KEPT_HEADERS


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((200, body) for body in (b"[]", b'{"events":{"content":[]}}', b'{"error":"text"}', b'{"error":null}')),
        *((400, b'{"error":{"errorCode":"777"}}'), (500, b"not json")),
        (200, b'{"errorCode":"210","x":"' + b"x" * 70_000 + b'"}'),
    ],
)
def test_what_is_no_error_of_the_gateway_is_left_to_others(tmp_path: Path, status: int, body: bytes) -> None:
    assert found(tmp_path, status, body) is None


@pytest.mark.parametrize("value", ["", "a b", "key\n", "키"])
def test_a_key_that_was_pasted_badly_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(ValidationError, match="pasted"):
        Keys.model_validate({"access_key": value, "secret_key": "fine"})
    with pytest.raises(ValidationError, match="pasted") as hidden:
        Keys.model_validate({"access_key": "fine", "secret_key": f"hush {value}"})
    assert "hush" not in str(hidden.value)
