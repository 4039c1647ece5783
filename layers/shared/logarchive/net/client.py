"""The HTTP client of a visit: signs each attempt anew, paces, retries, spools what comes, says what it amounts to."""

import copy
import datetime as dt
import math
import random
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Literal, Self, cast

import httpx
from pydantic import BaseModel

from logarchive.errors import (
    ForbiddenError,
    MalformedError,
    OutOfTimeError,
    ProviderError,
    ThrottledError,
    UnavailableError,
)
from logarchive.moment import Clock
from logarchive.net import response as answer
from logarchive.net.download_host import Gate, resolved
from logarchive.net.pacing import Pace, backoff_seconds, interval, retry_after_seconds
from logarchive.net.redaction import Redaction
from logarchive.net.request import Request, joined
from logarchive.net.spool import Spooled, spool
from logarchive.net.transport import Remaining, Resolve, Transport, anywhere, within
from logarchive.part import Part, Role
from logarchive.provider.provider import Json, Provider
from logarchive.provider.source import Source

ATTEMPTS = 4
MAX_REDIRECTS = 3
#: How much of what an error says is repeated.
SAID_CHARACTERS = 310
BODY_SECONDS = 300
MAX_BODY_BYTES = 4 * 1024**3
CONNECT_SECONDS, READ_SECONDS, WRITE_SECONDS, POOL_SECONDS = 10, 120, 30, 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Client[S: Source, K: BaseModel]:
    """A provider's API as its `fetch` sees it, for one worker."""

    def __init__(  # noqa: PLR0913 (all by name)
        self,
        *,
        provider: Provider[S, K],
        source: S,
        secret: K,
        directory: Path,
        clock: Clock,
        sleep: Callable[[float], None],
        remaining: Remaining = lambda: math.inf,
        remember: Callable[[Iterable[str]], tuple[str, ...]] = tuple,
        count: Callable[[str, float], None] = lambda _name, _value: None,
        jitter: Callable[[], float] = random.random,
        transport: httpx.BaseTransport | None = None,
        resolve: Resolve = resolved,
    ) -> None:
        """Open no connection yet.

        `remaining` tells the seconds until the deadline, `remember` keeps ids for good, `count` counts for metrics;
        `transport` stands in for the network in tests.
        """
        self._provider = provider
        #: Where bodies are spooled.
        self.directory = directory
        self._clock, self._sleep, self._remaining, self._jitter = clock, sleep, remaining, jitter
        self.remember, self._count = remember, count
        self._base = str(source.base_url)
        self._auth = provider.auth(source, secret, clock)
        self._redaction = Redaction(secret)
        self._gate = Gate(provider.download_hosts(source))
        self._pace = Pace(interval(source.pace, source.workers), clock)
        self._api = _session(transport or Transport(resolve, anywhere, remaining))
        self._links = _session(transport or Transport(resolve, self._gate.addresses, remaining))
        #: Attempts made, downloads included.
        self.requests = 0

    def into(self, directory: Path) -> Self:
        """Return this client for the next visit: it spools to another directory, and shares connections and pace."""
        other = copy.copy(self)
        other.directory, other.requests = directory, 0
        return other

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._links.close()

    def __enter__(self) -> Self:
        """Use it, then close it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def request(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Json | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        role: Role = "data",
    ) -> Part:
        """Send one signed request below the base URL; raise the ProviderError that its last answer amounts to."""
        url = joined(self._base, path)
        asked = Request(method=method, url=url, params=params, json=json, form=data, headers=headers or {})
        return self._retried(asked, lambda: self._called(asked)).replace(role=role)

    def download(self, url: str, *, role: Role = "data") -> Part:
        """Fetch a link without credentials, if `download_hosts` admits it and whatever it redirects to.

        Raises LinkExpiredError where listing anew helps.
        """
        asked = Request(method="GET", url=url)
        return self._retried(asked, lambda: self._followed(asked)).replace(role=role)

    def _called(self, asked: Request) -> Part:
        self._take_turn()
        part, _ = self._exchanged(self._api, asked, self._auth)
        return self._checked(part, answer.forbidden(self._provider.fault), answer.fault)

    def _take_turn(self) -> None:
        pause = self._pace.turn_seconds()
        if pause >= self._remaining():
            raise OutOfTimeError("no time left to keep the pace")
        if pause:
            self._sleep(pause)

    def _followed(self, asked: Request) -> Part:
        step = asked
        for _ in range(1 + MAX_REDIRECTS):
            step = Request(method="GET", url=str(self._gate.check(step.url)))
            part, location = self._exchanged(self._links, step, None)
            if part.status not in _REDIRECTS or location is None:
                return self._checked(part.replace(request=asked.described(self._redaction)), answer.link_fault)
            part.path.unlink()
            try:
                step = Request(method="GET", url=str(httpx.URL(step.url).join(location)))
            except (httpx.InvalidURL, UnicodeError) as error:
                raise MalformedError(f"the link redirects to what is no URL: {error}") from error
        raise MalformedError(f"the link redirects more than {MAX_REDIRECTS} times")

    def _retried(self, asked: Request, attempt: Callable[[], Part]) -> Part:
        for number in range(1, ATTEMPTS + 1):
            try:
                return attempt()
            except ProviderError as error:
                self._blame(asked, error)
                self._count("Throttles", int(isinstance(error, ThrottledError)))
                if not error.retryable or number == ATTEMPTS:
                    raise
                self._await(error, number)
        raise AssertionError  # the last round returns or raises

    def _await(self, error: ProviderError, number: int) -> None:
        """Sleep before the next attempt; raise the error at once when the deadline would pass meanwhile."""
        pause = max(backoff_seconds(number, self._jitter()), error.retry_after_seconds or 0)
        if pause >= self._remaining():
            raise error
        if error.part is not None:
            error.part.path.unlink(missing_ok=True)
        self._sleep(pause)

    def _blame(self, asked: Request, error: ProviderError) -> None:
        """Say in the error which request it was, and let no secret through: cut before, half of one would remain."""
        said = self._redaction.text(str(error))[:SAID_CHARACTERS]
        error.args = (f"{self._redaction.text(f'{asked.method} {asked.address}')}: {said}",)

    def _checked(self, part: Part, *faults: answer.Fault) -> Part:
        """Return the part, or raise the first fault found: what the body says wins over the status."""
        error = next((error for fault in faults if (error := fault(part)) is not None), None)
        if error is None:
            return part
        error.part = part.replace(role="error")
        if error.retry_after_seconds is None:
            error.retry_after_seconds = retry_after_seconds(part.headers.get("retry-after"), part.time)
        if isinstance(error, ForbiddenError):
            error.args = (f"{error}{answer.skew(part)}",)
        raise error

    def _exchanged(self, session: httpx.Client, asked: Request, auth: httpx.Auth | None) -> tuple[Part, str | None]:
        """Send once and spool the answer; return it with its Location header."""
        within(None, self._remaining)
        self.requests += 1
        self._count("Requests", 1)
        timeout = httpx.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS, write=WRITE_SECONDS, pool=POOL_SECONDS)
        with self._reached():
            response = session.send(asked.built(timeout), auth=auth, stream=True, follow_redirects=False)
            try:
                time = self._clock()
                body = spool(_raw(response), self.directory, most_bytes=MAX_BODY_BYTES, alive=lambda: self._alive(time))
            finally:
                response.close()
        answer.require_whole(response, body)
        return self._part(asked, response, body, time), response.headers.get("location")

    @contextmanager
    def _reached(self) -> Generator[None]:
        """Turn what fails on the way into errors of ours."""
        try:
            yield
        except (httpx.TransportError, httpx.StreamError) as error:
            if self._remaining() <= 0:
                raise OutOfTimeError("the time ran out while the provider was answering") from error
            raise UnavailableError(str(error) or type(error).__name__) from error

    def _alive(self, begun: dt.datetime) -> None:
        within(None, self._remaining)
        if (self._clock() - begun).total_seconds() > BODY_SECONDS:
            raise UnavailableError(f"the body took longer than {BODY_SECONDS} s")

    def _part(self, asked: Request, response: httpx.Response, body: Spooled, time: dt.datetime) -> Part:
        kept = {name: value for name, value in response.headers.items() if name in answer.KEPT_HEADERS}
        return Part(
            path=body.path,
            sha256=body.sha256,
            bytes=body.size,
            suffix=body.suffix,
            request=asked.described(self._redaction),
            status=response.status_code,
            headers=self._redaction.json(kept),
            time=time,
        )


def _session(transport: httpx.BaseTransport) -> httpx.Client:
    """Return a client that keeps no cookies and asks the environment nothing."""
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(transport=transport, trust_env=False, cookies=jar)


def _raw(response: httpx.Response) -> Iterable[bytes]:
    """Return the body as it comes, no Content-Encoding undone. Unlike `iter_raw`, this takes a body that is read."""
    return cast("httpx.SyncByteStream", response.stream)
