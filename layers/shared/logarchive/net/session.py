"""The session of a worker with one source's API: connections, pace and redaction, which all its visits share."""

import datetime as dt
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
from pydantic import BaseModel

from logarchive.errors import OutOfTimeError, ProviderError, UnavailableError
from logarchive.net import response
from logarchive.net.download_host import DownloadHosts, resolved
from logarchive.net.pacing import Pace, Timer, interval
from logarchive.net.redaction import Redaction
from logarchive.net.request import Request
from logarchive.net.spool import Spooled, spool
from logarchive.net.transport import Admit, Transport, anywhere, within
from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source

BODY_SECONDS = 300
#: A manifest repeats at most this much of each header.
HEADER_CHARACTERS = 1_000
MAX_BODY_BYTES = 4 * 1024**3
TIMEOUT = httpx.Timeout(connect=10, read=120, write=30, pool=10)

#: Makes a transport whose connections go only to allowed addresses.
type Connect = Callable[[Admit], httpx.BaseTransport]


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Connections to the API or to download hosts, and what belongs to each attempt over them."""

    connections: httpx.Client
    #: Signs each attempt; None: it is sent without credentials.
    auth: httpx.Auth | None
    #: Which error a response amounts to; the first one counts.
    faults: tuple[response.Fault, ...]
    pace: Pace


@dataclass(frozen=True, kw_only=True)
class Session:
    """What the visits of one worker share. `open_session` makes one; close it at the end."""

    base_url: str
    api: Channel
    downloads: Channel
    download_hosts: DownloadHosts
    redaction: Redaction
    #: Response headers that manifests keep.
    kept_headers: Collection[str]
    timer: Timer
    #: Counts for metrics.
    count: Callable[[str, float], None]

    def close(self) -> None:
        """Close the connections."""
        self.api.connections.close()
        self.downloads.connections.close()

    def wait_turn(self, channel: Channel) -> None:
        """Wait as the pace demands. Raises OutOfTimeError when the deadline passes first."""
        if not self.timer.sleep_in_time(channel.pace.turn_seconds()):
            raise OutOfTimeError("no time left to keep the pace")

    def send(self, channel: Channel, request: Request, directory: Path) -> tuple[Part, str | None]:
        """Send once, signed anew, and spool the body into `directory`; return it, and the place it redirects to.

        A ProviderError that is raised holds what came, if anything did.
        """
        wire = request.built(TIMEOUT)
        with self._translated():
            received = channel.connections.send(wire, auth=channel.auth, stream=True, follow_redirects=False)
        time = self.timer.clock()
        broken: list[ProviderError] = []
        with closing(received):
            body = spool(self._arriving(received, time, broken), directory, most_bytes=MAX_BODY_BYTES)
        part = self._part(request, received, body, time)
        error = broken[0] if broken else response.unusable(received, body)
        if error:
            error.part = part.replace(role="error")
            raise error
        return part, received.extensions.get("location")

    def _arriving(self, received: httpx.Response, begun: dt.datetime, broken: list[ProviderError]) -> Iterator[bytes]:
        """Yield a body as it comes. Where it breaks off, end, with the reason in `broken`: what has come is kept."""
        try:
            with self._translated():
                # Unlike `iter_raw`, the stream can be read even if the body was read before.
                for chunk in cast("Iterable[bytes]", received.stream):
                    self._require_time(begun)
                    yield chunk
        except UnavailableError as error:
            broken.append(error)

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Turn errors of the connection into the layer's own."""
        try:
            yield
        except (httpx.TransportError, httpx.StreamError) as error:
            if self.timer.remaining() <= 0:
                raise OutOfTimeError("the time ran out while the provider was sending its response") from error
            raise UnavailableError(str(error) or type(error).__name__) from error

    def _require_time(self, begun: dt.datetime) -> None:
        within(None, self.timer.remaining)
        if (self.timer.clock() - begun).total_seconds() > BODY_SECONDS:
            raise UnavailableError(f"the body took longer than {BODY_SECONDS} s")

    def _part(self, request: Request, received: httpx.Response, body: Spooled, time: dt.datetime) -> Part:
        items = received.headers.items()
        kept = {
            name: self.redaction.brief(value, HEADER_CHARACTERS) for name, value in items if name in self.kept_headers
        }
        return Part(
            path=body.path,
            sha256=body.sha256,
            bytes=body.size,
            suffix=body.suffix,
            request=request.described(self.redaction),
            status=received.status_code,
            headers=kept,
            time=time,
        )


def open_session[S: Source, K: BaseModel](
    provider: Provider[S, K],
    source: S,
    secret: K,
    timer: Timer,
    *,
    count: Callable[[str, float], None] = lambda _name, _value: None,
    connect: Connect | None = None,
) -> Session:
    """Return a session that has opened no connection yet; `connect` stands in for the network in tests."""
    connect = connect or (lambda admit: Transport(resolved, admit, timer.remaining))
    hosts = DownloadHosts(provider.download_hosts(source))
    return Session(
        base_url=str(source.base_url),
        api=Channel(
            connections=_connections(connect(anywhere)),
            auth=provider.auth(source, secret, timer.clock),
            faults=(response.forbidden(provider.fault), response.fault),
            pace=Pace(interval(source.pace, source.workers), timer.clock),
        ),
        downloads=Channel(
            connections=_connections(connect(hosts.addresses)),
            auth=None,
            faults=(response.download_fault,),
            pace=Pace(dt.timedelta(0), timer.clock),
        ),
        download_hosts=hosts,
        redaction=Redaction(secret),
        kept_headers=response.KEPT_HEADERS | provider.kept_headers,
        timer=timer,
        count=count,
    )


def _connections(transport: httpx.BaseTransport) -> httpx.Client:
    """Return a client that reads no environment variables. It sends no cookie: requests are built without it."""
    return httpx.Client(transport=transport, trust_env=False, event_hooks={"response": [_take_location]})


def _take_location(received: httpx.Response) -> None:
    """Hide the target of a redirect from httpx, which would drop the response if the target is no URL."""
    if received.has_redirect_location:
        received.extensions["location"] = received.headers.pop("location")
