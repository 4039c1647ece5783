"""APIs whose time is a test's: each provider's, and a plain one; scripted in a test, or played by the simulator."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, HttpUrl

from logarchive.errors import ProviderError
from logarchive.moment import HOUR as ONE_HOUR
from logarchive.net.download_host import resolved
from logarchive.net.exchange import Exchange
from logarchive.net.pacing import Timer
from logarchive.net.session import open_session
from logarchive.net.transport import Resolve, Transport
from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.record.layout import JsonLayout
from logarchive.row.build import Built
from logarchive.vendor import ncloud
from logarchive.visit.collection import Collection
from logarchive.window import Span, Window
from tests.simulator import Simulator, access
from tests.unit import visit
from tools.registry import providers

NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
#: An hour that the providers are asked for, and its start in epoch milliseconds.
HOUR = Span(NOW - 3 * ONE_HOUR, NOW - 2 * ONE_HOUR)
HOUR_MS = 1795341600000
KEYS = ncloud.Keys.model_validate({"access_key": "accessKey", "secret_key": 'secret/Key+="'})
#: What a source of each provider must say, besides the name of its secret.
SOURCES: Mapping[str, Mapping[str, object]] = {
    **access.FIELDS,
    "dsa": {"api": "dsa", "hosts": ["a.test"]},
    "security365": {**access.FIELDS["security365"], "base_url": "https://logs.example.com"},
}

type Reply = Callable[[httpx.Request], httpx.Response]
type Answer = httpx.Response | Exception | Reply


class Place(Source):
    """A source with download hosts."""

    base_url: HttpUrl = HttpUrl("https://api.example.com")
    download_hosts: tuple[str, ...] = ("logs.example.com",)


PLAIN = Provider(
    name="plain",
    source=Place,
    secret=ncloud.Keys,
    secret_group="ncloud",
    auth=ncloud.auth,
    fetch=lambda _api, _source, _span: iter(()),
    fault=ncloud.fault,
    kept_headers=ncloud.KEPT_HEADERS,
    layout=JsonLayout(),
    columns=lambda _source: {},
    feed_id=lambda _source: "",
    download_hosts=lambda source: source.download_hosts,
)


@dataclass
class Time:
    """A clock that only `sleep` and tests move, with a deadline."""

    now: dt.datetime = NOW
    left: float = 600.0
    slept: list[float] = field(default_factory=list[float])

    def __call__(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)
        self.left -= seconds

    def remaining(self) -> float:
        return self.left

    def timer(self) -> Timer:
        return Timer(clock=self, sleep=self.sleep, remaining=self.remaining, jitter=lambda: 1.0)


@dataclass
class Script:
    """Answers requests in turn (the last answer again and again), and remembers them."""

    answers: Sequence[Answer]
    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


class Pieces(httpx.SyncByteStream):
    """A body in pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)


def opened[S: Source, K: BaseModel](
    provider: Provider[S, K], configured: S, secret: K, directory: Path, script: Reply, time: Time
) -> Exchange:
    """Open the API of a provider that is a script."""
    session = open_session(
        provider, configured, secret, time.timer(), connect=lambda _admit: httpx.MockTransport(script)
    )
    return Exchange(session, directory, tuple)


@contextmanager
def connected[S: Source, K: BaseModel](
    provider: Provider[S, K], configured: S, secret: K, directory: Path, time: Time, resolve: Resolve = resolved
) -> Generator[Exchange]:
    """Open the API of a provider that a server on this machine plays."""
    session = open_session(
        provider, configured, secret, time.timer(), connect=lambda admit: Transport(resolve, admit, time.remaining)
    )
    with closing(session):
        yield Exchange(session, directory, tuple)


def source(name: str, **fields: object) -> Any:
    """Return a source of a provider that says what it must, and `fields`."""
    return providers()[name].source.model_validate({"secret": "s", **SOURCES.get(name, {}), **fields})


def secret(name: str, **fields: str) -> Any:
    """Return the secret that the simulator wants, and `fields`."""
    provider = providers()[name]
    return provider.secret.model_validate({**access.KEYS[provider.secret_group], **fields})


def scripted(name: str, *answers: Answer, keys: Any = None, **fields: object) -> Exchange:
    """Open a provider's API that gives these answers, or that is the script or the function given."""
    script = answers[0] if callable(answers[0]) else Script(answers)
    configured = source(name, **fields)
    return opened(providers()[name], configured, keys or secret(name), visit.directory(), script, Time())


def fetching(name: str, *answers: Answer, span: Span = HOUR, keys: Any = None, **fields: object) -> Iterator[Part]:
    """Fetch a span from a scripted API."""
    api = scripted(name, *answers, keys=keys, **fields)
    return providers()[name].fetch(api, source(name, **fields), span)


def fetched(name: str, *answers: Answer, span: Span = HOUR, keys: Any = None, **fields: object) -> list[Part]:
    """Return all parts of a span, fetched from a scripted API."""
    return list(fetching(name, *answers, span=span, keys=keys, **fields))


@contextmanager
def simulated(name: str, sim: Simulator, time: Time, *, keys: Any = None, **fields: object) -> Generator[Exchange]:
    """Open a provider's API that the simulator plays."""
    configured = source(name, **access.source(name, sim.url, **fields))
    with connected(providers()[name], configured, keys or secret(name), visit.directory(), time) as api:
        yield api


def collection(name: str, api: Exchange, /, **fields: object) -> Collection[Any, Any]:
    """Return what gathers spans; parts are kept under the names of their files."""
    provider, configured = providers()[name], source(name, **fields)
    return Collection(provider, configured, api, lambda part: part.replace(key=part.path.name))


def built(name: str, parts: Iterable[Part], span: Span = HOUR, **fields: object) -> Built:
    """Build what the parts of a span become; those that have no range of their own answer for all of it."""
    provider = providers()[name]
    whole = [part.replace(own=part.own or (span if provider.bounded else None)) for part in parts]
    return visit.visit(*whole, of=provider, source=source(name, **fields), window=Window(span.start, span.end))


def plain(directory: Path, script: Script, time: Time | None = None, **configured: object) -> Exchange:
    """Open the API of a provider that is nothing but the API Gateway."""
    source = Place.model_validate({"secret": "s", **configured})
    return opened(PLAIN, source, KEYS, directory, script, time or Time())


class Api:
    """The API of `plain`, whose answers, and then its requests, are a test's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.time = Time()
        self.script = Script(())

    @property
    def requests(self) -> list[httpx.Request]:
        return self.script.requests

    def get(self, *answers: Answer, **asked: Any) -> Part:
        """Return what comes of a request that is answered like this; the last answer comes again and again."""
        self.script = Script(answers)
        return plain(self.directory, self.script, self.time).request("GET", "/x", **asked)

    def download(self, link: str, *answers: Answer, **source: object) -> Part:
        """Return what comes of a link whose host answers like this."""
        self.script = Script(answers)
        return plain(self.directory, self.script, self.time, **source).download(link)

    def fails[E: Exception](
        self, kind: type[E], *answers: Answer, match: str | None = None, link: str | None = None, **source: object
    ) -> E:
        """Return the error that comes of a request, or of a link."""
        with pytest.raises(kind, match=match) as caught:
            self.get(*answers) if link is None else self.download(link, *answers, **source)
        return caught.value


def ok(body: bytes = b"[]", **headers: str) -> httpx.Response:
    """Return a good answer; underscores in header names become hyphens."""
    return answer(200, body, **headers)


def answer(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    """Return an answer with its length."""
    named: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers={"content-length": str(len(body)), **named}, content=body)


def same(status: int, body: bytes) -> Reply:
    """Answer alike however often it is asked."""
    return lambda _: answer(status, body)


def assert_kept(error: ProviderError, body: bytes) -> None:
    """The error holds the bytes that came, as a part with the role `error`, and no other file is left."""
    assert error.part
    assert (error.part.role, error.part.path.read_bytes()) == ("error", body)
    assert list(error.part.path.parent.iterdir()) == [error.part.path]


@contextmanager
def serving(reply: Callable[[socket.socket, bytes], None]) -> Generator[int]:
    """Answer each connection to a port of the loopback, given its first bytes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                reply(connection, connection.recv(65536))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
