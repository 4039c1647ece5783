"""FILL IN what this archives: https://docs.example.com/logs (the API's documentation)."""

from collections.abc import Iterator, Mapping

from pydantic import Field, HttpUrl

from logarchive.action.handler import lambda_handler
from logarchive.column.convert import FieldMapping, epoch_ms
from logarchive.errors import MalformedError, ProviderError
from logarchive.moment import Clock, to_epoch_ms
from logarchive.part import Part
from logarchive.provider.credential import Credential
from logarchive.provider.provider import Api, Provider
from logarchive.provider.secret import Key, Secret
from logarchive.provider.source import Address, Source
from logarchive.record.body import error_document
from logarchive.record.layout import JsonLayout
from logarchive.window import Span

PATH = "/v1/logs"  # FILL IN


class SkeletonSource(Source):
    """FILL IN what one source is, and the fields that its requests need."""

    base_url: Address = Field(HttpUrl("https://api.example.com"), description="where the API lives")  # FILL IN


class SkeletonSecret(Secret):
    """The secret of a source."""

    api_key: Key = Field(description="the key of the API")  # FILL IN


def auth(_source: SkeletonSource, secret: SkeletonSecret, _clock: Clock) -> Credential:
    """Return what signs a request; it runs anew for each attempt."""
    return Credential({"x-api-key": secret.api_key.get_secret_value()}, {})  # FILL IN, or take one of logarchive.vendor


def fetch(api: Api, _source: SkeletonSource, span: Span) -> Iterator[Part]:
    """Ask for the records of a span. If the API has pages, see logarchive.provider.paging."""
    asked = {"from": to_epoch_ms(span.start), "to": to_epoch_ms(span.end)}  # FILL IN
    yield api.request("GET", PATH, params=asked).replace(asked=span)


def fault(part: Part) -> ProviderError | None:
    """Return the error that a body is, under whatever status; None if it is a list of records."""
    document = error_document(part)
    return MalformedError(f"an object, not a list: {str(document)[:300]}") if document else None  # FILL IN


def columns(_source: SkeletonSource) -> Mapping[str, FieldMapping]:
    """Map the keys of a record to columns; every other key goes to `attributes`."""
    return {"time": FieldMapping("time", epoch_ms)}  # FILL IN


provider = Provider(
    name="skeleton",
    source=SkeletonSource,
    secret=SkeletonSecret,
    secret_group="skeleton",  # noqa: S106 (a name)
    auth=auth,
    fetch=fetch,
    fault=fault,
    kept_headers=frozenset(),  # FILL IN the response headers that name a request, for questions to the vendor
    layout=JsonLayout(),  # FILL IN path= where the list of records stands, `result.items`
    columns=columns,
    smallest=lambda source: source,  # FILL IN what `doctor` asks for: `source.model_copy(update={"page_size": 1})`
    feed_id=lambda source: str(source.base_url.host),  # FILL IN what identifies a source: project, account or address
)
handler = lambda_handler(provider)
