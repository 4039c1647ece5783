"""Downloads: which links are followed, to which addresses, and what goes with them (nothing)."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import httpcore
import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from logarchive.errors import (
    ForbiddenError,
    LinkExpiredError,
    MalformedError,
    OutOfTimeError,
    ProviderError,
    UnavailableError,
)
from logarchive.net.download_host import DownloadHost, DownloadHosts, resolved
from logarchive.net.exchange import Exchange
from logarchive.net.transport import Network, Transport, anywhere, within
from tests.unit.exchange import KEYS, PLAIN, Api, Place, Time, answer, assert_kept, connected, ok, serving

LINK = "http://logs.example.com/20261122/13/a.gz?st=token&e=1"


def networked(
    directory: Path, resolve: Callable[[str, int], Sequence[str]], *hosts: str
) -> AbstractContextManager[Exchange]:
    source = Place.model_validate({"secret": "s", "download_hosts": hosts})
    return connected(PLAIN, source, KEYS, directory, Time(), resolve)


def test_a_link_is_fetched_without_credentials_and_told_without_its_query(api: Api) -> None:
    part = api.download(LINK, ok(b"20261122 1.2.3.4"))
    assert part.request == {"method": "GET", "url": "http://logs.example.com/20261122/13/a.gz"}
    [sent] = api.requests
    assert sent.url.raw_path == b"/20261122/13/a.gz?st=token&e=1"
    assert set(sent.headers) == {"host", "accept", "accept-encoding", "user-agent"}


HOSTS = ("logs.example.com", "exact.example.com:8443", "[::1]:9000", "h:2121", "h:80", "b:9", "h")


@pytest.mark.parametrize(
    "url",
    [
        *("http://logs.example.com/x", "https://LOGS.example.com./x", "https://logs.example.com:443/x"),
        *("https://exact.example.com:8443/x", "http://[::1]:9000/x", "http://logs.example.com#@evil.example.com/x"),
    ],
)
def test_a_link_to_a_host_of_the_source_is_followed(api: Api, url: str) -> None:
    api.download(url, ok(), download_hosts=HOSTS)
    assert len(api.requests) == 1


NOT_ALLOWED, SCHEME = ", which is not allowed by download_hosts: if it is right", ": only http and https"
#: Why a link is refused -> links.
REFUSED = {
    f"a link to logs.example.com:8080{NOT_ALLOWED}": ["http://logs.example.com:8080/x?st=1"],
    f"a link to logs.example.com:80{NOT_ALLOWED}": ["https://logs.example.com:80/x"],
    f"a link to exact.example.com{NOT_ALLOWED}": ["https://exact.example.com/x?st=1"],
    NOT_ALLOWED: [
        *("http://[::1]/x", "http://evil.example.com/x?st=1", "http://sub.logs.example.com/x"),
        "http://logs.example.com.evil.example.com/x",
    ],
    "no host, or a user name": [
        *("http:/x", "https:x", "http://user@logs.example.com/x", "http://u:p@logs.example.com/"),
        "http://logs.example.com@evil.example.com/x",
    ],
    f"ftp{SCHEME}": ["ftp://logs.example.com/x", "ftp://h:2121/x"],
    f"without a scheme{SCHEME}": ["//logs.example.com/x", "//h:80", "/x"],
    **{f"{url.partition(':')[0]}{SCHEME}": [url] for url in ("s3://b:9", "file:///etc/passwd", "javascript:1", "h:80")},
    f"… (1000 characters){SCHEME}": ["x" * 1000 + "://h:80/"],
}


@pytest.mark.parametrize(("why", "url"), [(why, url) for why, urls in REFUSED.items() for url in urls])
def test_any_other_link_is_refused_with_the_reason_and_without_its_signed_query(api: Api, why: str, url: str) -> None:
    error = api.fails(ForbiddenError, ok(), match=re.escape(why), link=url, download_hosts=HOSTS)
    assert "st=1" not in str(error)
    assert len(str(error)) < 600
    assert not api.requests


@pytest.mark.parametrize(
    "url", ["http://h:80:80/", "http://" + "a" * 70_000, "http://[::1", "http://\x00/", "http://a\x00b/"]
)
def test_a_link_that_is_no_url_is_malformed(api: Api, url: str) -> None:
    api.fails(MalformedError, ok(), link=url)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_link_that_is_refused_or_gone_has_expired_and_is_not_tried_again(api: Api, status: int) -> None:
    error = api.fails(LinkExpiredError, answer(status, b"AccessDenied st=token"), link=LINK)
    assert len(api.requests) == 1
    assert "token" not in str(error)
    assert_kept(error, b"AccessDenied st=token")


@pytest.mark.parametrize(("status", "attempts"), [(503, 4), (429, 4), (400, 1), (401, 1), (304, 1), (302, 1), (200, 4)])
def test_a_download_that_fails_is_tried_again_if_that_may_help(api: Api, status: int, attempts: int) -> None:
    said = f"HTTP {status} from the download host"
    error = api.fails(ProviderError, answer(status, b"<p>st=token"), match=said, link=LINK)
    assert len(api.requests) == attempts
    assert "token" not in str(error)


def test_a_record_that_looks_like_an_error_of_the_api_is_none_in_a_download(api: Api) -> None:
    assert api.download(LINK, ok(b'{"errorCode":"200"}')).status == 200


def test_redirects_are_followed_three_times_within_the_hosts(tmp_path: Path, api: Api) -> None:
    hops = [answer(302, location=f"/hop{number}?st=next") for number in range(3)]
    part = api.download(LINK, *hops, ok(b"data"))
    assert part.path.read_bytes() == b"data"
    assert part.request["url"] == "http://logs.example.com/20261122/13/a.gz"
    assert [request.url.path for request in api.requests[1:]] == ["/hop0", "/hop1", "/hop2"]
    assert len(list(tmp_path.iterdir())) == 1
    part.path.unlink()
    moved = answer(302, b"moved", location="/again")
    assert_kept(api.fails(MalformedError, moved, match="more than 3", link=LINK), b"moved")


@pytest.mark.parametrize("location", ["http://evil.example.com/", "ftp://logs.example.com/", "http://169.254.169.254/"])
def test_a_redirect_is_admitted_like_a_link(api: Api, location: str) -> None:
    assert_kept(api.fails(ForbiddenError, answer(307, b"moved", location=location), link=LINK), b"moved")
    assert len(api.requests) == 1


@pytest.mark.parametrize("location", ["http://[::1", "http://h:80:80/", "/" + "a" * 65_530, "//a\x00b/"])
def test_a_redirect_to_what_is_no_url_is_malformed_and_its_body_is_kept(api: Api, location: str) -> None:
    moved = answer(301, b"moved", location=location)
    assert_kept(api.fails(MalformedError, moved, match="the link is no URL", link=LINK), b"moved")
    api.fails(MalformedError, moved, match="base_url")
    assert len(api.requests) == 1


PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"]
PRIVATE = [
    *("127.0.0.1", "10.0.0.1", "172.16.9.9", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"),
    *("::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "2002:7f00:1::", "64:ff9b::7f00:1", "::ffff:127.0.0.1"),
    *("fec0::1", "feff::1", "::127.0.0.1", "::10.0.0.1", "::93.184.216.34", "3fff::1", "3fff:fff::1", "5f00::1"),
    *("2606:2800::5efe:10.0.0.1", "2606:2800::200:5efe:93.184.216.34", "2001:0:7f00:1::", "64:ff9b:1::10.0.0.1"),
    *("::ffff:0:10.0.0.1", "::ffff:0:93.184.216.34"),
]
NEVER = [
    *("169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%lo", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"),
    *("0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::169.254.169.254"),
    *("2002:a9fe:a9fe::1", "::169.254.169.254", "64:ff9b:1::169.254.169.254", "2001:db8::5efe:169.254.169.254"),
    *(
        "2001:db8::200:5efe:100.100.100.200",
        "2001:0:a9fe:a9fe::",
        "fd20:ce::254",
        "fd00:ec2::23",
        "::ffff:0:169.254.169.254",
    ),
]


@pytest.mark.parametrize("address", PUBLIC + PRIVATE + NEVER)
def test_a_host_admits_public_addresses_and_host_with_port_private_ones_too(address: str) -> None:
    hosts = DownloadHosts(["logs.example.com", "logs.example.com:8080"])

    def admits(port: int) -> bool:
        try:
            return hosts.addresses("logs.example.com", port, [address]) == [address]
        except ForbiddenError:
            return False

    assert admits(80) == (address in PUBLIC)
    assert admits(8080) == (address not in NEVER)


def test_of_several_addresses_only_the_admitted_are_connected_to() -> None:
    hosts = DownloadHosts(["logs.example.com"])
    assert hosts.addresses("logs.example.com", 80, ["10.0.0.1", *PUBLIC]) == PUBLIC
    with pytest.raises(ForbiddenError, match=r"add logs\.example\.com:80 to download_hosts"):
        hosts.addresses("logs.example.com", 80, ["10.0.0.1"])


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("Logs.Example.com", "logs.example.com"),
        ("logs.example.com:80", "logs.example.com:80"),
        ("logs.example.com:443", "logs.example.com:443"),
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("[::1]:9000", "[::1]:9000"),
        ("한글.example.com", "xn--bj0bj06e.example.com"),
    ],
)
def test_an_entry_is_a_host_or_a_host_with_a_port(text: str, entry: str) -> None:
    assert TypeAdapter[str](DownloadHost).validate_python(text) == entry


@pytest.mark.parametrize(
    "text",
    [
        *("", "http://h", "h/x", "h/", "u@h", "h:", "h:port", "h:0", "h:99999", " h", "h ", "h?x", "h#x", "*.h", "::1"),
        *("[1::2::3]", "[::1]x", "\u00aa.example"),
    ],
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](DownloadHost).validate_python(text)


def test_a_number_that_is_an_address_is_looked_at_as_the_address_it_is(tmp_path: Path) -> None:
    with (
        networked(tmp_path, resolved, "2130706433") as api,
        pytest.raises(ForbiddenError, match=r"127\.0\.0\.1"),
    ):
        api.download("http://2130706433/")


def test_the_address_that_was_looked_at_is_the_one_connected_to(tmp_path: Path) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    asked: list[str] = []
    heads: list[bytes] = []

    def fickle(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    def reply(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndata")

    with serving(reply) as port, networked(tmp_path, fickle, f"logs.test:{port}") as client:
        assert client.download(f"http://logs.test:{port}/a?st=1").path.read_bytes() == b"data"
        assert asked == ["logs.test"]
        assert f"\r\nHost: logs.test:{port}\r\n".encode() in heads[0]
        with pytest.raises(ForbiddenError, match=r"169\.254\.169\.254"):
            client.download(f"http://logs.test:{port}/a?st=1")
    assert len(heads) == 1


def test_the_server_is_asked_for_its_name_and_not_for_its_address_over_tls(tmp_path: Path) -> None:
    hellos: list[bytes] = []
    with serving(lambda _, hello: hellos.append(hello)) as port:
        fixed = networked(tmp_path, lambda _host, _port: ["127.0.0.1"], f"logs.test:{port}")
        with fixed as api, pytest.raises(UnavailableError):
            api.download(f"https://logs.test:{port}/a")
    assert all(b"logs.test" in hello for hello in hellos)
    assert len(hellos) == 4


def test_a_host_that_cannot_be_resolved_or_has_no_address_is_unavailable(tmp_path: Path) -> None:
    def fails(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    def finds_nothing(_host: str, _port: int) -> list[str]:
        return []

    def finds_no_name(_host: str, port: int) -> list[str]:
        return resolved("a" * 64 + ".test", port)

    for resolve in (fails, finds_nothing, finds_no_name):
        with networked(tmp_path, resolve, "logs.test") as api, pytest.raises(UnavailableError):
            api.download("http://logs.test/a")


def test_the_next_address_is_tried_when_one_does_not_answer(tmp_path: Path) -> None:
    def reply(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    addresses = ["127.0.0.9", "127.0.0.1"]
    with serving(reply) as port, networked(tmp_path, lambda _host, _port: addresses, f"logs.test:{port}") as api:
        assert api.download(f"http://logs.test:{port}/a").bytes == 0


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_cannot_hold_us_beyond_the_deadline(begun: bytes) -> None:
    left = iter([1.0, 1.0, 1.0, 0.2, 0.1, 0.1] + [0.0] * 99)
    stop = threading.Event()

    def reply(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(begun)
        while not stop.wait(0.01):
            connection.sendall(b"x")

    with serving(reply) as port:
        transport = Transport(resolved, anywhere, lambda: next(left))
        client = httpx.Client(transport=transport)
        with pytest.raises(OutOfTimeError), client.stream("GET", f"http://127.0.0.1:{port}/") as response:
            for _ in response.iter_raw():
                pass
        stop.set()
        client.close()


def test_a_wait_is_the_shorter_of_its_time_out_and_the_time_left() -> None:
    assert [within(timeout, lambda: 3.0) for timeout in (None, 2, 4)] == [3, 2, 3]
    assert within(None, lambda: float("inf")) is None
    with pytest.raises(OutOfTimeError):
        within(1, lambda: 0.0)


def test_a_body_that_the_server_cuts_is_unavailable(tmp_path: Path) -> None:
    def reply(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut")

    with serving(reply) as port:
        cut = pytest.raises(UnavailableError, match="without sending complete message body")
        with networked(tmp_path, resolved, f"127.0.0.1:{port}") as api, cut:
            api.download(f"http://127.0.0.1:{port}/a")
    [kept] = tmp_path.iterdir()
    assert kept.read_bytes() == b"cut"


def test_a_secured_connection_ends_at_the_deadline_too() -> None:
    left = [9.0]
    with serving(lambda _connection, _head: None) as port:
        stream = Network(resolved, anywhere, lambda: left[0]).connect_tcp("127.0.0.1", port)
        stream.close()
        stream._stream = httpcore.MockStream([b"data", b"more"])  # type: ignore[attr-defined]
        secured = stream.start_tls(ssl.create_default_context())
        assert secured.read(4) == b"data"
        left[0] = 0
        with pytest.raises(OutOfTimeError):
            secured.read(4)


def test_an_api_s_name_may_lead_to_a_private_address_but_to_no_metadata_service() -> None:
    assert anywhere("api.example.com", 443, [*NEVER, *PRIVATE, *PUBLIC]) == [*PRIVATE, *PUBLIC]
    with pytest.raises(ForbiddenError, match=r"api\.example\.com resolves to .*, which a base_url may not reach"):
        anywhere("api.example.com", 443, NEVER)
