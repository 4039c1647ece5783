"""Which download links may be followed (`download_hosts`): by host name, and by the address it resolves to."""

import re
import socket
from collections.abc import Iterable, Sequence
from typing import Annotated

import httpx
from pydantic import AfterValidator

from logarchive.errors import ForbiddenError, MalformedError, repeated
from logarchive.provider.address import is_never_reached, is_public

HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>[0-9]{1,5}))?")
_NEITHER = "is neither host nor host:port; for instance logs.example.com or 10.0.0.5:8080"
PORTS = {"http": 80, "https": 443}


def parsed_host(text: str) -> str:
    """Return an item of `download_hosts`, `host` or `host:port`, in lower case; raise ValueError for anything else."""
    match = HOST_AND_PORT.fullmatch(text)
    if not match or int(match["port"] or 1) not in range(1, 65536):
        raise ValueError(_NEITHER)
    try:
        host = _host(httpx.URL(f"http://{match['host']}"))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError(_NEITHER) from error
    return _named(host, int(match["port"])) if match["port"] else host


type DownloadHost = Annotated[str, AfterValidator(parsed_host)]


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system's resolver gives them; raises OSError."""
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in infos))


class DownloadHosts:
    """The hosts that links may lead to.

    `host` allows its public addresses at the scheme's own port; `host:port` allows that port, and private addresses.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(map(parsed_host, hosts))

    def check(self, link: str, base: httpx.URL | None = None) -> httpx.URL:
        """Return the link, relative to `base` if that redirects to it, as a URL if scheme, host and port are allowed.

        Raises ForbiddenError, or MalformedError for what is no URL.
        """
        try:
            url = base.join(link) if base else httpx.URL(link)
        except (httpx.InvalidURL, ValueError) as error:
            raise MalformedError(f"the link is no URL: {repeated(str(error))}") from error
        if url.scheme not in PORTS:
            scheme = f"with the scheme {repeated(url.scheme)}" if url.scheme else "without a scheme"
            raise ForbiddenError(f"a link {scheme}: only http and https are followed")
        if url.userinfo or not url.raw_host:
            raise ForbiddenError("a link that has no host, or a user name")
        port = url.port or PORTS[url.scheme]
        name = _named(_host(url), port)
        if name not in self._hosts and not (_host(url) in self._hosts and port == PORTS[url.scheme]):
            missing = _host(url) if port == PORTS[url.scheme] else name
            raise ForbiddenError(
                f"a link to {repeated(missing)}, which is not allowed by download_hosts: if it is right, add it there"
            )
        return url

    def addresses(self, host: str, port: int, candidates: Sequence[str]) -> list[str]:
        """Return the addresses of an allowed host that may be connected to; raise ForbiddenError when none may."""
        host = host.rstrip(".").lower()
        exact = _named(host, port) in self._hosts
        allowed = [address for address in candidates if not is_never_reached(address) and (exact or is_public(address))]
        if candidates and not allowed:
            advice = "" if exact else f"; if that is right, add {_named(host, port)} to download_hosts"
            raise ForbiddenError(f"{host} resolves to {', '.join(candidates)}, which a link may not reach{advice}")
        return allowed


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").rstrip(".").lower()


def _named(host: str, port: int | None) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
