"""How connections are opened and read: to the addresses a rule admits, and never waiting beyond the deadline."""

import ssl
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from logarchive.errors import ForbiddenError, OutOfTimeError
from logarchive.provider.address import is_never_reached

#: The seconds this invocation may still use.
type Remaining = Callable[[], float]
#: Host and port -> addresses; raises OSError.
type Resolve = Callable[[str, int], Sequence[str]]
#: Host, port and its addresses -> those that may be connected to; raises ForbiddenError.
type Admit = Callable[[str, int, Sequence[str]], Sequence[str]]


def anywhere(host: str, _port: int, addresses: Sequence[str]) -> Sequence[str]:
    """Allow private addresses too, for an API whose base URL the operator has set, but no metadata service.

    Raises ForbiddenError if no address is left.
    """
    allowed = [address for address in addresses if not is_never_reached(address)]
    if addresses and not allowed:
        raise ForbiddenError(f"{host} resolves to {', '.join(addresses)}, which a base_url may not reach")
    return allowed


class Transport(httpx.BaseTransport):
    """HTTP/1.1 over connections of ours. Proxies and certificates named in environment variables are not used."""

    def __init__(self, resolve: Resolve, admit: Admit, remaining: Remaining) -> None:
        """Open nothing yet; certificates are loaded at the first https connection."""
        self._pool = httpcore.ConnectionPool(network_backend=Network(resolve, admit, remaining), keepalive_expiry=15)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request to exactly its URL; what fails on the way is an httpx.TransportError."""
        url = request.url
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.read(),
            extensions=request.extensions,
        )
        with _translated():
            response = self._pool.handle_request(sent)
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


@dataclass
class Network(httpcore.NetworkBackend):
    """Opens connections. A name is resolved once, and a connection is opened only to an address that is allowed."""

    resolve: Resolve
    admit: Admit
    remaining: Remaining

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that accepts."""
        refused: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self.admit(host, port, self._resolved(host, port)):
            try:
                left = within(timeout, self.remaining)
                stream = httpcore.SyncBackend().connect_tcp(address, port, left, local_address, socket_options)
                return _Stream(stream, self.remaining)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
        raise refused

    def _resolved(self, host: str, port: int) -> Sequence[str]:
        try:
            return self.resolve(host, port)
        except (OSError, UnicodeError) as error:  # a label of a name is empty or too long
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error


@dataclass
class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline, so that a server that sends byte by byte cannot hold us."""

    _stream: httpcore.NetworkStream
    _remaining: Remaining

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, within(timeout, self._remaining))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, within(timeout, self._remaining))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, within(timeout, self._remaining))
        return _Stream(secured, self._remaining)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 (httpcore's signature)
        return self._stream.get_extra_info(info)


@dataclass
class _Body(httpx.SyncByteStream):
    _response: httpcore.Response

    def __iter__(self) -> Iterator[bytes]:
        with _translated():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


def within(timeout: float | None, remaining: Remaining) -> float | None:
    """Return the time-out, or the time left if that is less; raise OutOfTimeError when none is left."""
    left = remaining()
    if left <= 0:
        raise OutOfTimeError("no time left to wait for the provider")
    if timeout is None:
        return None if left == float("inf") else left
    return min(timeout, left)


@contextmanager
def _translated() -> Generator[None]:
    kinds = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
    try:
        yield
    except kinds as error:
        raise httpx.TransportError(f"{type(error).__name__}: {error}") from error
