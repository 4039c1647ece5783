"""SOFTCAMP Security365, `POST /security365/v1/siems/externalSearch` (page "External system log search", 2025-02-19).

The page names no host. `Authorization`, an API key and `filters` in the body are the variants of the vendor's guide
"Security365 log query API"; the name of the key's header is undocumented. That the codes 61001 to 61003 come in the
body is how the page's table of statuses is read here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from tests.simulator.message import Asked, Request, Response, as_int, reply
from tests.simulator.provider import Provider, Route, at
from tests.simulator.record import Record
from tests.simulator.security365_record import (
    MAX_SIZE,
    Item,
    Security365Maker,
    Security365Switches,
    in_order,
    keyed,
)
from tests.simulator.world import HOUR_MS, World, from_ms, to_ms

PATH = "/security365/v1/siems/externalSearch"
LICENSE = "HWIX-1DGC0-MKQ6-B2HAF"
TOKEN = "simAccessToken"
API_KEY = "simApiKey"
SORT = [{"time": "desc"}, {"_id": "asc"}]
MAX_MS = 1 << 47
MESSAGES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Request limit exceeded",
    500: "Internal Server Error",
    61001: "fail to search",
    61002: "Referer does not match system domain",
    61003: "JSON conversion error",
}
type Key = tuple[int, str]


def failure(code: int, status: int, message: str = "") -> Response:
    """Return an error with its code in the body."""
    return reply({"code": code, "msg": message or MESSAGES.get(code, "played")}, status)


def refuse(status: int, _request: Request) -> Response:
    """Return a refusal with an HTTP status; its body is undocumented."""
    return failure(status, status)


def fail(options: dict[str, str]) -> Response:
    """Return an error under HTTP 200."""
    return failure(int(options.get("code", "61001")), 200, options.get("message", ""))


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks for: from and to as given, how many, and after which key."""

    start_ms: int
    to_ms: int
    size: int
    after: Key | None


class Security365(Provider[Security365Switches, Item]):
    """The log of one licence."""

    name = "security365"

    def __init__(self, world: World) -> None:
        switches = Security365Switches()
        super().__init__(world, switches, Security365Maker(self.name, world, switches))

    def routes(self) -> tuple[Route, ...]:
        return (Route("data", at("POST", PATH), self._asked, self.answer, refuse, fail),)

    def add(self, record: Record) -> Record:
        """Hold one more record, under the `sort` that its text says."""
        added = self.shelf.add(keyed(record, self.switches.unit), "")
        in_order(self.shelf.hour(record.hour_ms))
        return added

    def crowded_hour(self, before: datetime) -> datetime:
        """Return the start of the last crowded hour that ended by then."""
        hour = to_ms(before) // HOUR_MS - 1
        return from_ms((hour - (hour - self.switches.crowd_phase) % 168) * HOUR_MS)

    def answer(self, request: Request) -> Response:
        """Check the request as the vendor would, and answer it."""
        asked = request.json()
        refusal = self._refused(request, asked)
        if refusal:
            return refusal
        query = self._query(asked)
        if query is None:
            return failure(400, 400)
        return self._search(query)

    def _refused(self, request: Request, asked: dict[str, object]) -> Response | None:
        """Return the refusal of a wrong Referer, token, key or licence, or of a body that is no JSON."""
        switches, headers = self.switches, request.headers
        if headers.get("referer") != switches.referer:
            return failure(61002, 200)
        if switches.require_token and headers.get("authorization") != f"Bearer {TOKEN}":
            return failure(401, 401)
        if switches.require_api_key and headers.get(switches.api_key_header.lower()) != API_KEY:
            return failure(401, 401)
        if not asked or not _is_key(asked.get("pagination_key", [0, ""])):
            return failure(61003, 200)
        return None if asked.get("license") == LICENSE else failure(401, 401)

    def _query(self, asked: dict[str, object]) -> Query | None:
        """Return what is asked for; None if something is missing or wrong. Only the samples' `sort` is accepted."""
        span, size = self._span(asked), as_int(asked.get("size"), 1, MAX_SIZE)
        if span is None or size is None or asked.get("sort") != SORT:
            return None
        after = cast("list[object] | None", asked.get("pagination_key"))
        return Query(*span, size, cast("Key", tuple(after)) if after else None)

    def _span(self, asked: dict[str, object]) -> tuple[int, int] | None:
        filters = self.switches.body == "filters"
        held = asked.get("filters") if filters else asked
        if not isinstance(held, dict) or (filters and asked.keys() & {"from", "to"}):
            return None
        start, end = (as_int(cast("dict[str, object]", held).get(name), 0, MAX_MS) for name in ("from", "to"))
        return (start, end) if start is not None and end is not None and start <= end else None

    def _search(self, query: Query) -> Response:
        found = self._found(query)
        start = 0
        if query.after is not None:
            place = bisect_left if self.switches.inclusive_key else bisect_right
            start = place(found, _order(query.after), key=_order_of)
        page = found[start : start + min(query.size, self.switches.cap)]
        total = query.size if self.switches.total == "size" else len(found)
        content = b",".join(one.text for one in page)
        return Response(200, b'{"code":0,"msg":"","total":%d,"items":[%b]}' % (total, content), records=page)

    def _found(self, query: Query) -> list[Item]:
        """Return all that is shown now and can be reached, in order. Both ends inclusive: as the sample suggests."""
        end_ms = query.to_ms + (not self.switches.exclusive_end)
        found = self.shown(query.start_ms, end_ms)
        return found[: self.switches.cap] if self.switches.reach == "per_range" else found

    def _asked(self, request: Request) -> Asked:
        span = self._span(request.json())
        start, end = (from_ms(span[0]), from_ms(span[1])) if span else (None, None)
        return Asked("security365", "data", start, end)


def _order(key: Key) -> tuple[int, str]:
    return -key[0], key[1]


def _order_of(one: Item) -> tuple[int, str]:
    return -one.rank, one.id


def _is_key(value: object) -> bool:
    """Say whether a pagination key is a whole number and a text; a number that became a float is neither."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [type(one) for one in items] == [int, str]
