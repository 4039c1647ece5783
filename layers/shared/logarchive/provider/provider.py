"""A provider: a value made of plain functions and tables. It does nothing by itself."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypedDict, Unpack

import httpx
from pydantic import BaseModel

from logarchive.column.convert import FieldMapping
from logarchive.errors import ProviderError
from logarchive.moment import MILLISECOND, SECOND, Clock
from logarchive.part import Part
from logarchive.provider.check import Check, RecordTime
from logarchive.provider.source import Source
from logarchive.record.layout import Layout
from logarchive.row.record_format import RecordFormat
from logarchive.window import Span

type Json = Mapping[str, Any] | Sequence[Any]
type Method = Literal["GET", "POST"]


class RequestOptions(TypedDict, total=False):
    """What a request may have besides its method and path: a query, a body as JSON or as a form, headers."""

    params: Mapping[str, str | int]
    json: Json
    data: Mapping[str, str]
    headers: Mapping[str, str]


class Api(Protocol):
    """What `fetch` may call: the layer signs, paces, retries and checks requests, and writes the bodies to files."""

    def request(self, method: Method, path: str, **options: Unpack[RequestOptions]) -> Part:
        """Send one signed request below the source's base URL. Raises the ProviderError that the response means."""
        ...

    def download(self, url: str) -> Part:
        """Fetch a link without credentials, if the source's `download_hosts` allow it."""
        ...

    def remember(self, ids: Iterable[str], /) -> tuple[str, ...]:
        """Store ids that the provider may drop from its list; return them and all ids stored before, sorted."""
        ...


@dataclass(frozen=True, kw_only=True)
class Provider[S: Source, K: BaseModel]:  # 25 attributes: one for each fact about an API
    """A kind of log API. All of this is in its documentation."""

    name: str
    source: type[S]
    secret: type[K]
    #: A secret's name starts with `{stack}/{secret_group}/`.
    secret_group: str
    #: Signs every attempt again: the flow runs once per attempt.
    auth: Callable[[S, K, Clock], httpx.Auth]
    #: Yields the parts for the given span (margin included), in order.
    fetch: Callable[[Api, S, Span], Iterator[Part]]
    #: The error that a body means, under HTTP 2xx or as the body of an error; None if it is no error.
    fault: Callable[[Part], ProviderError | None]
    layout: Layout
    #: Column -> the key that becomes it.
    columns: Callable[[S], Mapping[str, FieldMapping]]
    #: What identifies a source: project, account or address. Under one source name it may not change.
    feed_id: Callable[[S], str]
    #: The provider's own unique id of a record; None: identity is a hash of the record.
    unique_id: FieldMapping | None = None
    #: A key whose value may be the list of a record's time and unique id: where it is, it is left out of `attributes`.
    time_and_id: str | None = None
    #: Grows whenever the same records become other rows: what an older one has built can be found, and replayed.
    mapping_version: int = 1
    #: Where `download` may connect to: `host` or `host:port`, see `net.download_host`.
    download_hosts: Callable[[S], Sequence[str]] = field(default=lambda _source: ())
    #: Response headers that manifests keep besides the general ones of `net.response`; lower case.
    kept_headers: frozenset[str] = frozenset()
    #: The largest number of records that the API returns for a span; None: no cap.
    cap: Callable[[S], int | None] = field(default=lambda _source: None)
    #: The smallest possible record, in bytes: in a body too small to reach the cap, records are not counted.
    smallest_record_bytes: int = 2
    #: Whether records are selected by their own time; False: every record of a file belongs to the window.
    bounded: bool = True
    #: How much more is requested at both ends, since no vendor documents whether the ends are inclusive.
    margin: dt.timedelta = MILLISECOND
    #: The longest range, margins included, that one request may ask for; None: no limit. Longer spans are cut.
    longest_range: dt.timedelta | None = None
    #: A capped range is halved down to this length.
    resolution: dt.timedelta = MILLISECOND
    smallest_window: dt.timedelta = SECOND
    #: The source that asks for as little as the API can give: `doctor` sends the first request of its `fetch`.
    smallest: Callable[[S], S] = field(default=lambda source: source)
    #: The latest time in the response to that request; None: it is read as in a visit.
    newest: Callable[[Part, S], RecordTime | None] | None = None
    #: What else that response tells `doctor` about a source: a check's name -> the check.
    checks: Mapping[str, Callable[[Part, S], Check]] = field(default_factory=dict[str, Any])

    def record_format(self, source: S) -> RecordFormat:
        """Return how a source's records become rows."""
        return RecordFormat(
            layout=self.layout,
            columns=self.columns(source),
            unique_id=self.unique_id,
            time_and_id=self.time_and_id,
            bounded=self.bounded,
            mapping_version=self.mapping_version,
        )
