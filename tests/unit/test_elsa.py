"""The ELSA provider: what it asks, and what it takes for an error."""

from functools import partial

import orjson
import pytest

from functions.elsa.app import provider
from logarchive.errors import ForbiddenError, MalformedError, ProviderError, ThrottledError, UnavailableError
from tests.unit import exchange
from tests.unit.exchange import HOUR, HOUR_MS, Script, answer, ok

source, fetched = partial(exchange.source, "elsa"), partial(exchange.fetched, "elsa")


def test_one_request_asks_for_the_span_to_its_last_millisecond() -> None:
    script = Script([ok()])
    [part] = fetched(script)
    assert (part.asked, part.role) == (HOUR, "data")
    assert str(script.requests[0].url) == "https://elsa.apigw.ntruss.com/api/v1/logs/download"
    assert script.requests[0].method == "POST"
    assert orjson.loads(script.requests[0].content) == {
        "projectKey": "Pb123_checkout",
        "projectId": 16706,
        "from": HOUR_MS,
        "to": 1795345199999,
        "format": "JSON",
        "limit": 1000,
        "count": 200000,
    }


def test_settings_say_what_is_asked_for() -> None:
    script = Script([ok()])
    fetched(script, format="CSV", count=500, include_fields=["logTime", "body"])
    asked = orjson.loads(script.requests[0].content)
    assert (asked["format"], asked["count"], asked["includeFields"]) == ("CSV", 500, ["logTime", "body"])
    assert provider.cap(source(count=500)) == 500


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"error":{"errorCode":"210","message":"Permission Denied"}}', ForbiddenError),
        (200, b'{"error":{"errorCode":"420","message":"Rate Limited"}}', ThrottledError),
        (200, b'{"errorCode":900,"message":"Unexpected Error"}', UnavailableError),
        (200, b'{"message":"no such project"}', MalformedError),
        (200, b"{}", MalformedError),
        (403, b'{"message":"no"}', ForbiddenError),
        (400, b'{"message":"no"}', MalformedError),
        (504, b'{"error":{"errorCode":"510","message":"Endpoint Timeout"}}', UnavailableError),
        (200, b"<html>maintenance</html>", MalformedError),
    ],
)
def test_an_error_is_none_of_the_records_under_whatever_status(
    status: int, body: bytes, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind) as caught:
        fetched(answer(status, body))
    assert caught.value.part is not None
    assert caught.value.part.path.read_bytes() == body
    assert "nor a known error" not in str(caught.value) or status == 200


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b'{"logs":[]}', b"PK\x05\x06" + bytes(18), b"logTime,errorCode\n1,210\n"),
        b'{"logTime":1795341600000,"error":{"errorCode":"210"}}',
        b'{"logTime":1795341600000,"errorCode":"E1"}\n{"logTime":1795341600001}',
    ],
)
def test_what_may_be_records_or_an_empty_result_is_no_error(body: bytes) -> None:
    [part] = fetched(ok(body))
    assert part.path.read_bytes() == body


@pytest.mark.parametrize("key", ["message", "reason", "status"])
@pytest.mark.parametrize("before", range(255, 300, 4))
def test_no_half_of_a_secret_stays_where_a_long_error_is_cut(before: int, key: str) -> None:
    secret = "0123456789abcdef"
    body = orjson.dumps({key: "x" * before + secret + "y" * 999, "logs": []})
    with pytest.raises(MalformedError) as caught:
        fetched(ok(body), keys=exchange.secret("elsa", secret_key=secret))
    assert secret[:4] not in str(caught.value)
    assert len(str(caught.value)) < 1_000
