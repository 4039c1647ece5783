"""The signed client: attempts, waits, what an answer amounts to, and what is written down of it."""

import datetime as dt
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import httpx
import pytest
from pydantic import BaseModel

from logarchive.errors import (
    ForbiddenError,
    MalformedError,
    OutOfTimeError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TooLargeError,
    TooMuchError,
    UnavailableError,
)
from logarchive.net.exchange import Exchange
from logarchive.net.pacing import Pace, backoff_seconds, interval, retry_after_seconds
from logarchive.net.redaction import Redaction
from logarchive.net.request import joined
from logarchive.net.spool import spool
from logarchive.record.body import document
from tests.unit.exchange import KEYS, NOW, Api, Pieces, Reply, Script, Time, answer, assert_kept, ok, plain

BUSY = answer(503)
DAY_SECONDS = 86_400


class Nested(BaseModel):
    tokens: list[object]
    level: int = 0
    short: str = ""
    least: str = ""


def test_each_attempt_is_signed_anew(api: Api) -> None:
    api.get(BUSY, ok())
    first, second = (request.headers["x-ncp-apigw-timestamp"] for request in api.requests)
    assert int(second) - int(first) == 1000
    signatures = {request.headers["x-ncp-apigw-signature-v2"] for request in api.requests}
    assert len(signatures) == 2


def test_the_body_is_kept_as_received_with_its_hash_and_size(tmp_path: Path, api: Api) -> None:
    part = api.get(ok(b"PK\x03\x04rest", content_type="text/plain"))
    assert part.path.parent == tmp_path
    assert part.path.read_bytes() == b"PK\x03\x04rest"
    assert (part.sha256, part.bytes) == (hashlib.sha256(b"PK\x03\x04rest").hexdigest(), 8)
    assert (part.suffix, part.status, part.time, part.role) == (".zip", 200, NOW, "data")


def test_a_content_encoding_is_hashed_as_sent_and_undone_only_to_read_it(api: Api) -> None:
    packed = gzip.compress(b'{"a":1}')
    part = api.get(ok(packed, content_encoding="gzip"))
    assert part.path.read_bytes() == packed
    assert part.sha256 == hashlib.sha256(packed).hexdigest()
    assert document(part) == {"a": 1}


def test_a_document_that_unpacks_to_more_than_is_bearable_is_malformed(api: Api) -> None:
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(17)) + bomb.flush()
    part = api.get(ok(packed, content_encoding="gzip"))
    with pytest.raises(MalformedError):
        document(part)


@pytest.mark.parametrize("body", [b"\x1f\x8bnot gzip", gzip.compress(b"[1]", mtime=0)[:-9], b"[1", b""])
def test_a_document_that_cannot_be_read_is_malformed(api: Api, body: bytes) -> None:
    part = api.get(ok(body))
    with pytest.raises(MalformedError):
        document(part)


@pytest.mark.parametrize("encoding", ["br", "deflate", "identity, ZSTD", "gzip,compress"])
def test_a_body_in_a_coding_that_nobody_asked_for_is_malformed_and_kept(api: Api, encoding: str) -> None:
    error = api.fails(MalformedError, ok(b"x", content_encoding=encoding), match=f"Content-Encoding {encoding}")
    assert api.requests[0].headers["accept-encoding"] == "identity"
    assert_kept(error, b"x")


@pytest.mark.parametrize("body", [b"[1]", gzip.compress(b"[1]", mtime=0)])
@pytest.mark.parametrize(
    "encoding", ["UTF-8", "none", "binary", "aws-chunked", "identity, gzip", "x-gzip,", "gzip;q=1", "null", "text"]
)
def test_what_is_no_coding_is_none_and_a_body_is_read_by_its_content(api: Api, encoding: str, body: bytes) -> None:
    part = api.get(httpx.Response(200, headers={"content-encoding": encoding}, stream=Pieces([body])))
    assert (part.path.read_bytes(), part.headers["content-encoding"]) == (body, encoding)
    assert document(part) == [1]


def breaking(body: bytes, error: Exception) -> Reply:
    """Answer with a body after which the connection breaks."""

    def pieces() -> Iterator[bytes]:
        yield body
        raise error

    return lambda _: httpx.Response(200, stream=Pieces(pieces()))


def short(body: bytes) -> Reply:
    """Answer with a body and a length that is more."""
    return lambda _: httpx.Response(200, headers={"content-length": "9"}, stream=Pieces([body]))


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (short(b"[1]"), b"[1]"),
        (short(b""), b""),
        (breaking(b"[1", httpx.RemoteProtocolError("peer closed")), b"[1"),
        (breaking(b"PK\x03\x04", httpx.ReadTimeout("slow")), b"PK\x03\x04"),
    ],
)
def test_what_came_of_a_body_that_was_cut_is_kept(api: Api, reply: Reply, body: bytes) -> None:
    assert_kept(api.fails(UnavailableError, reply), body)


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
def test_the_last_body_that_came_is_kept_though_the_last_attempt_brought_none(api: Api, failure: Exception) -> None:
    error = api.fails(UnavailableError, answer(503, b"one"), answer(503, b"two"), failure, match=str(failure))
    assert_kept(error, b"two")


def test_bodies_of_attempts_before_a_good_one_are_not_kept(tmp_path: Path, api: Api) -> None:
    busy = httpx.ConnectError("refused")
    part = api.get(answer(503, b"one"), busy, answer(503, b"two"), ok())
    assert list(tmp_path.iterdir()) == [part.path]


@pytest.mark.parametrize("headers", [{"content-length": "9"}, {"content-length": "2"}])
def test_a_body_of_another_length_than_announced_is_unavailable_and_tried_again(
    tmp_path: Path, api: Api, headers: dict[str, str]
) -> None:
    assert api.get(lambda _: httpx.Response(200, headers=headers, stream=Pieces([b"[1]"])), ok(b"[1]")).bytes == 3
    assert len(list(tmp_path.iterdir())) == 1


def test_an_empty_body_that_may_have_been_cut_is_unavailable_and_one_that_says_so_is_empty(api: Api) -> None:
    api.fails(UnavailableError, lambda _: httpx.Response(200, stream=Pieces([])), match="cut: 0 of unknown bytes")
    for sure in (ok(b""), httpx.Response(200, headers={"transfer-encoding": "chunked"}), answer(204)):
        assert api.get(sure).bytes == 0


@pytest.mark.parametrize(("left", "kind", "attempts"), [(1e9, UnavailableError, 4), (25, OutOfTimeError, 1)])
def test_a_body_that_drips_ends_at_its_limit_or_the_deadline(
    tmp_path: Path, api: Api, left: float, kind: type[Exception], attempts: int
) -> None:
    api.time.left = left

    def drip() -> Iterator[bytes]:
        while True:
            api.time.pass_by(10)
            yield b"x"

    error = api.fails(
        kind, lambda _: httpx.Response(200, stream=Pieces(drip())), match=r"longer than 300 s|no time left"
    )
    assert len(api.requests) == attempts
    assert (api.time.now - NOW).total_seconds() <= attempts * 310 + sum(api.time.slept)
    if isinstance(error, ProviderError):
        assert_kept(error, b"x" * 30)
    else:
        assert not list(tmp_path.iterdir())


def test_a_body_above_the_limit_is_too_large_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TooLargeError):
        spool([b"xx", b"xx"], tmp_path, most_bytes=3)
    assert not list(tmp_path.iterdir())
    assert spool([b"xx", b"x"], tmp_path, most_bytes=3).size == 3


def test_a_full_disk_is_too_large(tmp_path: Path) -> None:
    def full() -> Iterator[bytes]:
        yield b"xx"
        raise OSError(28, "No space left on device")

    with pytest.raises(TooLargeError, match="storage"):
        spool(full(), tmp_path, most_bytes=3)


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        *((b'\xef\xbb\xbf {"a"', ".json"), (b"[1]", ".json"), (b"\x1f\x8b\x08", ".gz"), (b"PK\x05\x06", ".zip")),
        *((b" <html>", ".html"), (b"20261122 1.2.3.4", ".txt"), (b"", ".txt"), (b"n" + bytes(256) + b"ustar", ".tar")),
    ],
)
def test_a_body_is_named_by_what_it_begins_with(tmp_path: Path, head: bytes, suffix: str) -> None:
    assert spool([head[:1], head[1:]], tmp_path, most_bytes=999).suffix == suffix


@pytest.mark.parametrize(
    ("status", "kind", "attempts"),
    [
        (202, UnavailableError, 4),
        (206, MalformedError, 1),
        (400, MalformedError, 1),
        (401, ForbiddenError, 1),
        (403, ForbiddenError, 1),
        (404, MalformedError, 1),
        (408, UnavailableError, 4),
        (413, TooMuchError, 4),
        (429, ThrottledError, 4),
        (500, UnavailableError, 4),
        (502, UnavailableError, 4),
        (504, TooMuchError, 4),
    ],
)
def test_a_status_says_what_failed_and_whether_to_try_again(
    api: Api, status: int, kind: type[ProviderError], attempts: int
) -> None:
    error = api.fails(ProviderError, answer(status, b"so it is"))
    assert type(error) is kind
    assert len(api.requests) == attempts
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone")]
)
def test_a_connection_that_fails_is_unavailable_and_tried_again(api: Api, failure: Exception) -> None:
    assert api.get(failure, failure, failure, ok()).status == 200
    api.fails(UnavailableError, failure, match=str(failure))


def test_every_wait_for_the_network_is_bounded(api: Api) -> None:
    api.get(ok())
    assert all(api.requests[0].extensions["timeout"].values())


def test_waits_double_and_end_with_the_fourth_attempt(api: Api) -> None:
    api.fails(UnavailableError, BUSY)
    assert api.time.slept == [1, 2, 4]


def test_jitter_takes_up_to_half_of_a_wait_and_waits_are_bounded() -> None:
    assert [backoff_seconds(attempt, 0) for attempt in (1, 2, 3)] == [0.5, 1, 2]
    assert backoff_seconds(50, 0.999) <= 30


@pytest.mark.parametrize("value", ["7", "Sun, 22 Nov 2026 13:00:07 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(api: Api, status: int, value: str) -> None:
    api.get(answer(status, retry_after=value), ok())
    assert api.time.slept == [7]


@pytest.mark.parametrize("left", [30, 31])
def test_a_retry_after_beyond_the_deadline_ends_the_visit_at_once(api: Api, left: float) -> None:
    api.time.left = left
    error = api.fails(ThrottledError, answer(429, retry_after="31"))
    assert (api.time.slept, len(api.requests)) == ([], 1)
    assert error.retry_after_seconds == 31


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("²", None),
        ("12", 12),
        ("Sun, 22 Nov 2026 12:59:00 GMT", 0),
        ("Sun, 22 Nov 2026 13:00:01 -0000", 1),
        ("-1", None),
        ("NaN", None),
        ("9" * 20, DAY_SECONDS),
        ("9" * 5000, DAY_SECONDS),
        ("Thu, 01 Jan 9999 00:00:00 GMT", DAY_SECONDS),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
        ("Thu, 01 Jan 0100 00:00:00 +2359", 0),
        ("Sun, 22 Nov 2026 13:00:01 +99999999999999999999", None),
        ("Sun, 22 Nov 2026 99999999999999999999:00:00 GMT", None),
    ],
)
def test_a_retry_after_is_at_most_a_day_and_an_unreadable_one_is_none(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


def test_nothing_is_sent_when_no_time_is_left(api: Api) -> None:
    api.time.left = 0
    api.fails(OutOfTimeError, ok())
    assert not api.requests


def test_a_time_out_because_the_deadline_passed_is_no_fault_of_the_provider(api: Api) -> None:
    api.time.left = 5

    def slow(_: httpx.Request) -> httpx.Response:
        api.time.pass_by(5)
        raise httpx.ReadTimeout("slow")

    api.fails(OutOfTimeError, slow)


def test_what_the_body_says_wins_over_the_status(api: Api) -> None:
    quota = b'{"error":{"errorCode":"400","message":"Quota Exceeded"}}'
    api.fails(QuotaError, answer(503, quota), match="Quota Exceeded")
    assert len(api.requests) == 1
    api.fails(ForbiddenError, ok(b'{"error":{"errorCode":210}}'))


def test_a_page_where_data_should_be_is_tried_again_and_then_malformed(api: Api) -> None:
    page = b"\n<!DOCTYPE html><title>Down for\n maintenance</title><p>sorry"
    api.fails(MalformedError, ok(page), match=r"Down for maintenance$")
    assert len(api.requests) == 4


def test_an_operator_reads_which_request_failed_and_in_the_vendors_words(tmp_path: Path) -> None:
    with pytest.raises(MalformedError) as caught:
        plain(tmp_path, Script([answer(400, b"projectId:\n wrong")])).request("POST", "/x", json={})
    assert str(caught.value) == "POST https://api.example.com/x: HTTP 400: projectId: wrong"


def test_an_error_whose_body_cannot_be_read_is_still_told(api: Api) -> None:
    broken = httpx.Response(400, headers={"content-encoding": "gzip"}, stream=Pieces([b"\x1f\x8bno gzip"]))
    api.fails(MalformedError, broken, match="HTTP 400: no body")


def test_a_long_error_is_told_by_its_beginning(api: Api) -> None:
    error = api.fails(MalformedError, answer(400, b"x" * 9999))
    assert str(error).endswith("HTTP 400: " + "x" * 300)


def test_values_deep_in_a_secret_are_masked_and_numbers_are_not() -> None:
    secret = Nested.model_validate(
        {"tokens": ["first-token", {"inner": "second-token"}], "level": 7, "short": "ab", "least": "xyz"}
    )
    text = "first-token second-token 7 ab xyz"
    assert Redaction(secret).text(text) == "*** *** 7 ab ***"
    assert Redaction(Nested(tokens=[], least="")).json({"a": [text, 7, None]}) == {"a": [text, 7, None]}


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("Sun, 22 Nov 2026 12:50:00 GMT", "600 s ahead of"),
        ("Sun, 22 Nov 2026 13:10:00 GMT", "600 s behind"),
        ("Sun, 22 Nov 2026 13:00:30 GMT", None),
        ("yesterday", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
        ("Sun, 22 Nov 2026 12:50:00 +99999999999999999999", None),
        ("Thu, 01 Jan 0100 00:00:00 +2359", "ahead of"),
    ],
)
def test_a_refusal_says_how_far_the_clocks_are_apart(api: Api, date: str, said: str | None) -> None:
    error = api.fails(ForbiddenError, answer(401, date=date))
    assert (said in str(error)) if said else ("clock" not in str(error))


def test_a_redirect_is_not_followed_so_that_credentials_go_nowhere_else(api: Api) -> None:
    api.fails(MalformedError, answer(302, location="https://evil.example.com/"), match="base_url")
    assert [request.url.host for request in api.requests] == ["api.example.com"]


def test_no_value_of_the_secret_is_written_down(tmp_path: Path) -> None:
    secret = KEYS.secret_key.get_secret_value()
    echo = f"{secret} {quote(secret, safe='')} {quote(secret).lower()} accessKey".encode()
    client = plain(tmp_path, Script([answer(400, echo, x_ncp_trace_id="for accessKey")]))
    with pytest.raises(MalformedError) as caught:
        client.request(
            "POST",
            "/x",
            params={"key": secret, "n": 1},
            json={"filters": [{"license": secret, "accessKey": None}]},
            headers={"authorization": f"Bearer {secret}"},
        )
    assert caught.value.part
    written = f"{caught.value} {caught.value.part.request} {caught.value.part.headers}"
    assert secret not in unquote(written)
    assert "accessKey" not in written
    assert caught.value.part.request == {
        "method": "POST",
        "url": "https://api.example.com/x",
        "params": {"key": "***", "n": 1},
        "json": {"filters": [{"license": "***", "***": None}]},
        "headers": {"authorization": "Bearer ***"},
    }


def test_a_request_is_told_as_it_was_before_it_was_signed(api: Api) -> None:
    part = api.get(ok(), params={"a": "b c"})
    assert part.request == {"method": "GET", "url": "https://api.example.com/x", "params": {"a": "b c"}}
    assert "x-ncp-apigw-signature-v2" in api.requests[0].headers


def test_only_headers_without_secrets_are_kept_and_cookies_are_forgotten(tmp_path: Path) -> None:
    script = Script([ok(set_cookie="session=1; Path=/", date="d", x_ncp_trace_id="t", x_other="o")])
    client = plain(tmp_path, script)
    part = client.request("GET", "/x")
    client.request("GET", "/x")
    assert part.headers == {"content-length": "2", "date": "d", "x-ncp-trace-id": "t"}
    assert "cookie" not in script.requests[1].headers


def test_the_query_is_encoded_once_and_a_form_and_a_json_body_are_sent_as_such(tmp_path: Path) -> None:
    script = Script([ok()])
    client = plain(tmp_path, script)
    client.request("GET", "/x", params={"q": "한글 a+b%20[1]/&=?#~", "n": 1})
    client.request("POST", "/x", data={"hosts": '["a"]', "p": "a+b c"})
    client.request("POST", "/x", json={"이름": 1})
    assert script.requests[0].url.raw_path == (b"/x?q=%ED%95%9C%EA%B8%80%20a%2Bb%2520%5B1%5D%2F%26%3D%3F%23~&n=1")
    assert script.requests[1].content == b"hosts=%5B%22a%22%5D&p=a%2Bb+c"
    assert script.requests[2].content == '{"이름":1}'.encode()
    assert script.requests[2].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://h", "/api/v1/logs", "https://h/api/v1/logs"),
        ("https://h/", "/api/v1/logs", "https://h/api/v1/logs"),
        ("https://h/api/v1", "/api/v1/logs", "https://h/api/v1/logs"),
        ("https://h/api/v1/", "/api/v1/logs", "https://h/api/v1/logs"),
        ("https://h/elsa/api/v1", "/api/v1/logs", "https://h/elsa/api/v1/logs"),
        ("https://h/cdn", "/", "https://h/cdn/"),
        ("https://h/v2/index.php", "/v2/index.php", "https://h/v2/index.php"),
        ("https://h/v1", "/api/v1/logs", "https://h/v1/api/v1/logs"),
    ],
)
def test_a_base_url_may_hold_the_beginning_of_the_path(base: str, path: str, url: str) -> None:
    assert joined(base, path) == url


def test_workers_share_the_pace(tmp_path: Path) -> None:
    time = Time()
    client = plain(tmp_path, Script([ok()]), time, pace=60, workers=2)
    for _ in range(3):
        client.request("GET", "/x")
    assert time.slept == [2, 2]
    assert interval(None, 3) == dt.timedelta(0)


def test_a_clock_that_is_set_back_delays_a_request_by_one_interval_at_most() -> None:
    time = Time()
    pace = Pace(dt.timedelta(seconds=5), time)
    pace.turn_seconds()
    time.now -= dt.timedelta(days=1)
    assert pace.turn_seconds() == 5


@pytest.mark.parametrize("left", [30, 60])
def test_a_pace_that_outlasts_the_deadline_runs_out_of_time(tmp_path: Path, left: float) -> None:
    time = Time(left=left)
    client = plain(tmp_path, Script([ok()]), time, pace=1)
    client.request("GET", "/x")
    with pytest.raises(OutOfTimeError):
        client.request("GET", "/x")
    assert time.slept == []


def test_the_client_of_the_next_visit_shares_the_pace_and_counts_for_itself(tmp_path: Path) -> None:
    time = Time()
    script = Script([BUSY, ok()])
    client = plain(tmp_path, script, time, pace=60)
    client.request("GET", "/x")
    (tmp_path / "next").mkdir()
    other = Exchange(client.session, tmp_path / "next", tuple)
    part = other.request("GET", "/x")
    assert part.path.parent == tmp_path / "next"
    assert (client.requests, other.requests) == (2, 1)
    assert time.slept[-1] == 1
