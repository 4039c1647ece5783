"""What a provider says of itself: a value made of plain functions and tables, nothing that acts."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import httpx
from pydantic import BaseModel

from logarchive.column.field_mapping import FieldMapping
from logarchive.errors import ProviderError
from logarchive.moment import MILLISECOND, SECOND, Clock
from logarchive.part import Part, Role
from logarchive.provider.source import Source
from logarchive.record.layout import Layout
from logarchive.row.record_format import RecordFormat
from logarchive.window import Span

type Json = Mapping[str, Any] | Sequence[Any]


class Api(Protocol):
    """What `fetch` may use: requests are signed, paced, retried, checked and spooled by the layer."""

    @property
    def requests(self) -> int:
        """Attempts made so far, retries included."""
        ...

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
        """Send one signed request below the source's base URL; raise the ProviderError that its answer amounts to."""
        ...

    def download(self, url: str, *, role: Role = "data") -> Part:
        """Fetch a link without credentials, if the source's `download_hosts` admit it."""
        ...

    def remember(self, ids: Iterable[str], /) -> tuple[str, ...]:
        """Keep ids that the provider's own list may forget; return them with all that were ever kept, in order."""
        ...


@dataclass(frozen=True, kw_only=True)
class Provider[S: Source, K: BaseModel]:
    """A kind of log API. Everything here could be read off its documentation."""

    name: str
    source: type[S]
    secret: type[K]
    #: A secret's name starts with `{stack}/{secret_group}/`.
    secret_group: str
    #: Signs each attempt anew: the flow runs once per attempt.
    auth: Callable[[S, K, Clock], httpx.Auth]
    #: Yields the parts that answer for the asked span (margin included), in order.
    fetch: Callable[[Api, S, Span], Iterator[Part]]
    #: The error that a body under HTTP 2xx (or the body of an error) amounts to, if any.
    fault: Callable[[Part], ProviderError | None]
    layout: Layout
    #: Column -> the key that feeds it.
    columns: Callable[[S], Mapping[str, FieldMapping]]
    #: What makes two settings the same feed; a source whose feed changes under its name is refused.
    feed_id: Callable[[S], str]
    #: The provider's own unique id of a record; None: identity is a hash of the record.
    unique_id: FieldMapping | None = None
    #: Where `download` may go: `host` or `host:port`, see `link.py`.
    download_hosts: Callable[[S], Sequence[str]] = field(default=lambda _source: ())
    #: The number of records at which an answer for a span is capped; None: no cap.
    cap: Callable[[S], int | None] = field(default=lambda _source: None)
    #: The least a record can weigh, in bytes: an answer too small to reach the cap is not counted.
    smallest_record_bytes: int = 2
    #: Whether records are kept by their own time; False: every record of a file belongs to the window.
    bounded: bool = True
    #: What is asked for beyond the window at both ends, since nobody documents whether the bounds are inclusive.
    margin: dt.timedelta = MILLISECOND
    #: The smallest span a capped range is halved to.
    resolution: dt.timedelta = MILLISECOND
    smallest_window: dt.timedelta = SECOND

    def record_format(self, source: S) -> RecordFormat:
        """Return how a source's records become rows."""
        return RecordFormat(
            layout=self.layout, columns=self.columns(source), unique_id=self.unique_id, bounded=self.bounded
        )
