"""A provider's API whose time is a test's and whose responses are a function, for tests of `net` and of providers."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import httpx
from pydantic import BaseModel, HttpUrl

from logarchive.errors import ProviderError
from logarchive.net.download_host import resolved
from logarchive.net.exchange import Exchange
from logarchive.net.session import open_session
from logarchive.net.timer import Timer
from logarchive.net.transport import Resolve, Transport
from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.record.layout import JsonLayout
from logarchive.row.build import Builder
from logarchive.row.built import Built
from logarchive.vendor import ncloud
from logarchive.visit.collection import Collection, VisitApi
from logarchive.window import Span, Window

NOW = dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC)
KEYS = ncloud.Keys.model_validate({"access_key": "accessKey", "secret_key": 'secret/Key+="'})


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

    answers: Sequence[httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]]
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
    provider: Provider[S, K],
    configured: S,
    secret: K,
    directory: Path,
    script: Callable[[httpx.Request], httpx.Response],
    time: Time,
) -> VisitApi:
    """Open the API of a provider that is a script."""
    session = open_session(
        provider, configured, secret, time.timer(), connect=lambda _admit: httpx.MockTransport(script)
    )
    return VisitApi(Exchange(session, directory), tuple)


@contextmanager
def connected[S: Source, K: BaseModel](
    provider: Provider[S, K], configured: S, secret: K, directory: Path, time: Time, resolve: Resolve = resolved
) -> Generator[VisitApi]:
    """Open the API of a provider that a server on this machine plays."""
    session = open_session(
        provider,
        configured,
        secret,
        time.timer(),
        connect=lambda admit: Transport(resolve, admit, time.remaining),
    )
    with closing(session):
        yield VisitApi(Exchange(session, directory), tuple)


def collected[S: Source, K: BaseModel](
    provider: Provider[S, K], configured: S, api: VisitApi, span: Span
) -> Collection[S, K]:
    """Collect a span; parts are kept under the names of their files."""
    collection = Collection(
        provider, configured, api.exchange, api.remember, lambda part: part.replace(key=part.path.name)
    )
    collection.gather(span)
    return collection


def built[S: Source, K: BaseModel](
    provider: Provider[S, K], configured: S, parts: Sequence[Part], window: Window, directory: Path
) -> Built:
    """Build what parts become."""
    return Builder(
        records=provider.record_format(configured),
        source_name="simulated",
        window=window,
        ensure_time=lambda: None,
    ).build("v1", parts, None, Path(mkdtemp(dir=directory)))


def plain(directory: Path, script: Script, time: Time | None = None, **configured: object) -> VisitApi:
    """Open the API of a provider that is nothing but the API Gateway."""
    source = Place.model_validate({"secret": "s", **configured})
    return opened(PLAIN, source, KEYS, directory, script, time or Time())


def ok(body: bytes = b"[]", **headers: str) -> httpx.Response:
    """Return a good answer; underscores in header names become hyphens."""
    return answer(200, body, **headers)


def answer(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    """Return an answer with its length."""
    named: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers={"content-length": str(len(body)), **named}, content=body)


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
