"""The request and the response as the providers here see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit

import orjson

if TYPE_CHECKING:
    from tests.simulator.record import Record


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `target` is exactly what stood on the request line, header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, decoded."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def host(self) -> str:
        """The Host header, with the port if it was sent."""
        return self.headers.get("host", "")

    def json(self) -> dict[str, object]:
        """Return the body as a JSON object, or an empty one if it is none."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return cast("dict[str, object]", value) if isinstance(value, dict) else {}

    def form(self) -> dict[str, str]:
        """Return the body as a URL-encoded form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


def as_texts(value: object) -> tuple[str, ...] | None:
    """Return a JSON list of texts as a tuple; None if it is something else."""
    items = tuple(cast("list[object]", value)) if isinstance(value, list) else (None,)
    texts = tuple(item for item in items if isinstance(item, str))
    return texts if len(texts) == len(items) else None


def as_int(value: object, low: int, high: int) -> int | None:
    """Return a JSON integer within both bounds; None if it is something else."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if low <= value <= high else None


@dataclass(slots=True)
class Response:
    """One response; `records` are those that the body serves, `cut` says where the body is broken off."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    records: Sequence[Record] = ()
    cut: int | None = None
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for: the range in time (None if it cannot be read) and the hosts."""

    provider: str
    endpoint: str
    start: datetime | None = None
    end: datetime | None = None
    hosts: tuple[str, ...] = ()


def reply(value: object, status: int = 200, **headers: str) -> Response:
    """Return a JSON response; underscores in header names become hyphens."""
    return Response(status, orjson.dumps(value), headers={k.replace("_", "-"): v for k, v in headers.items()})
