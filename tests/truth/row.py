"""A row as both sides tell it: what a record must become, and what the archive holds."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.truth.json_text import Number, Pairs, compact, encodable

#: Columns whose values follow from the record alone, in the order of the table.
COLUMNS = (
    *("time", "severity_number", "severity_text", "event_name", "body", "service_name", "service_version"),
    *("host_name", "user_id", "user_name", "client_address", "client_port", "http_request_method", "url_domain"),
    *("url_path", "url_query", "http_response_status_code", "http_response_size", "http_duration_ms"),
    *("http_request_referrer", "user_agent_original", "network_protocol_version", "cache_status", "geo_region"),
    *("network_carrier_name", "trace_id"),
)

type Attributes = Mapping[str, str | None]
#: The values of COLUMNS, then the attributes: comparable, and hashable.
type Row = tuple[Any, ...]


def row(columns: Mapping[str, Any], attributes: Attributes) -> Row:
    """Return a row; columns that are not named are NULL."""
    return (*map(columns.get, COLUMNS), frozenset(attributes.items()))


def fields(one: Row) -> dict[str, Any]:
    """Return a row's values by name: columns that are not NULL, and each attribute as `attributes[name]`."""
    named = {name: value for name, value in zip(COLUMNS, one, strict=False) if value is not None}
    return named | {f"attributes[{name}]": value for name, value in sorted(one[-1])}


def attributes(pairs: list[tuple[str, Any]]) -> dict[str, str | None]:
    """Return the attributes that keys and values become, in order: a taken name gets #2, #3 ..."""
    found: dict[str, str | None] = {}
    for name, value in _flat(pairs):
        found[_free(name, found) if name in found else name] = value
    return found


def _flat(pairs: list[tuple[str, Any]]) -> Iterator[tuple[str, str | None]]:
    for key, value in pairs:
        if value.__class__ is str and (value.isascii() or encodable(value)):
            yield key, value
        elif value.__class__ is Number:
            yield key, value[:]
        elif value.__class__ is Pairs and value:
            yield from ((f"{key}.{inner}", one) for inner, one in _flat(_distinct(value)))
        else:
            yield key, None if value is None else compact(value)


def _distinct(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return an object's pairs with a namesake of an earlier key under a name of its own."""
    if len(dict(pairs)) == len(pairs):
        return pairs
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[_free(name, found)] = value
    return list(found.items())


def _free(name: str, taken: Mapping[str, Any]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"
