"""The one small request of `doctor`: the first one that a visit of the last hours would send, once, without retry."""

import datetime as dt
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from pydantic import BaseModel

from logarchive.errors import OutOfTimeError, ProviderError
from logarchive.moment import DAY, HOUR
from logarchive.net.exchange import Exchange
from logarchive.net.session import Session
from logarchive.part import Part
from logarchive.provider.provider import Method, Provider, RequestOptions
from logarchive.provider.source import Source
from logarchive.window import Span

#: How long the provider may take.
SECONDS = 30.0
#: What is asked for. Records: for less than Korea and China are from UTC, so that a time that is off by as much is
#: outside. Files: for a day, so that an hour without traffic does not matter.
OF_RECORDS, OF_FILES = 7 * HOUR, DAY


@dataclass(frozen=True)
class Probe:
    """What came of the request."""

    #: The response, that of an error too; None if none came.
    part: Part | None = None
    error: ProviderError | OutOfTimeError | None = None


def probe[S: Source, K: BaseModel](
    provider: Provider[S, K], source: S, session: Session, directory: Path, now: dt.datetime
) -> Probe:
    """Send the request, and read its response as far as a visit reads it before the next request."""
    api = _FirstRequest(Exchange(session, directory, _forget, attempts=1))
    span = Span(now - (OF_RECORDS if provider.bounded else OF_FILES), now)
    first = None
    try:
        with suppress(_EnoughError):
            first = next(provider.fetch(api, provider.smallest(source), span), None)
    except (ProviderError, OutOfTimeError) as error:
        return Probe(api.part or (error.part if isinstance(error, ProviderError) else None), error)
    return Probe(first or api.part)


class _EnoughError(Exception):
    """A second request would have been sent."""


@dataclass
class _FirstRequest:
    """The API of a provider for one request."""

    exchange: Exchange
    part: Part | None = None

    def request(self, method: Method, path: str, **options: Unpack[RequestOptions]) -> Part:
        """Send the first request; raise _EnoughError at the next one."""
        self._require_first()
        self.part = self.exchange.request(method, path, **options)
        return self.part

    def download(self, url: str) -> Part:
        """Follow a link only if that is the first request."""
        self._require_first()
        self.part = self.exchange.download(url)
        return self.part

    def remember(self, ids: Iterable[str], /) -> tuple[str, ...]:
        """Store nothing."""
        return _forget(ids)

    def _require_first(self) -> None:
        if self.exchange.requests:
            raise _EnoughError


def _forget(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(ids))
