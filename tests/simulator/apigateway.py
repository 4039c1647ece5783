"""NAVER API Gateway, `POST /apigateway/api/v1/dashboards/events/search`.

The page is api.ncloud-docs.com/docs/apigateway-dashboardevent-events. It says nothing about order, the greatest
`limit`, its default, or whether both days are included: all of these are played as one would expect, with switches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.simulator import gateway
from tests.simulator.apigateway_event import LEVELS, ApigatewayMaker, ApigatewaySwitches, event, level_and_type, told
from tests.simulator.apigateway_shift import Shift
from tests.simulator.message import Asked, Request, Response, as_int, as_texts
from tests.simulator.provider import Provider, Route, at
from tests.simulator.record import Record
from tests.simulator.world import HOUR_MS, World, from_ms, to_ms, zone_of
from tests.simulator.world import told as moment

PATH = "/apigateway/api/v1/dashboards/events/search"
MAX_LONG = (1 << 63) - 1
DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks for: a half-open range, the zone of its days, filters and a page."""

    start_ms: int
    end_ms: int
    zone: timedelta
    levels: tuple[str, ...]
    types: tuple[str, ...]
    offset: int
    limit: int

    @property
    def listing(self) -> tuple[object, ...]:
        """What is asked for, whichever page of it."""
        return self.start_ms, self.end_ms, self.zone, self.levels, self.types

    @property
    def filters(self) -> bool:
        """Whether not every event is wanted."""
        return bool(self.levels or self.types)

    def takes(self, level: object, kind: object) -> bool:
        """Say whether an event of a level and a type passes the filters."""
        return (not self.levels or level in self.levels) and (not self.types or kind in self.types)


class Apigateway(Provider[ApigatewaySwitches]):
    """The event history of one account. The texts of its truth tell times in +09:00 (else see `told`)."""

    name = "apigateway"

    def __init__(self, world: World) -> None:
        switches = ApigatewaySwitches()
        super().__init__(world, switches, ApigatewayMaker(self.name, world, switches))
        self._shift = Shift(self.switches)
        self._appeared = 0

    def routes(self) -> tuple[Route, ...]:
        return (Route("data", at("POST", PATH), _asked, self.answer, gateway.refuse, gateway.fail),)

    def add(self, record: Record) -> Record:
        record.by_day = True
        return self.shelf.add(record)

    def answer(self, request: Request) -> Response:
        """Check the request as the vendor would, and answer it."""
        refusal = gateway.authenticate(request, self.world.now_ms())
        if refusal:
            return refusal
        query = _query(request.json())
        return self._page(query) if query else gateway.error("100", "A parameter is missing or invalid.")

    def _page(self, query: Query) -> Response:
        found = self._found(query)
        if self._shift.strikes(query, len(found)) and self._appear(query):
            found = self._found(query)
        limit = min(query.limit, self.switches.max_limit or query.limit)
        page = found[query.offset : query.offset + limit]
        content = b",".join(told(record, query.zone) for record in page)
        total = len(found) + self._shift.unseen(query)
        return Response(200, b'{"events":{"content":[%b],"total":%d}}' % (content, total), records=page)

    def _found(self, query: Query) -> list[Record]:
        """Return the events of a listing, in order. That events of one second keep theirs is undocumented."""
        shown = self.shown(query.start_ms, query.end_ms)
        found = [record for record in shown if query.takes(*level_and_type(record))] if query.filters else shown
        return found if self.switches.order == "descending" else found[::-1]

    def _appear(self, query: Query) -> bool:
        """Let a late event appear where the listing begins; false if none can."""
        now = self.world.now_ms()
        time_ms = min(query.end_ms - 1, now) // 1000 * 1000
        kinds = [kind for kind, level in LEVELS.items() if query.takes(level, kind)]
        if time_ms < query.start_ms or not kinds:
            return False
        self._appeared += 1
        rng = self.world.random("apigateway", "shifted", self._appeared)
        text = event(rng, time_ms, rng.choice(kinds)).encode()
        self.shelf.add(Record(time_ms, now, text, time_ms // HOUR_MS * HOUR_MS, "shifted", by_day=True))
        return True


def _asked(request: Request) -> Asked:
    query = _query(request.json())
    if query is None:
        return Asked("apigateway", "data")
    return Asked("apigateway", "data", from_ms(query.start_ms), from_ms(query.end_ms))


def _query(asked: dict[str, object]) -> Query | None:
    """Return what is asked for; None if something is missing or outside the page's limits."""
    days = _days(asked)
    offset = as_int(asked.get("offset", 0), 0, MAX_LONG)
    limit = as_int(asked.get("limit", DEFAULT_LIMIT), 1, MAX_LONG)
    levels = _among(asked.get("level", []), set(LEVELS.values()))
    types = _among(asked.get("type", []), set(LEVELS))
    if days is None or offset is None or limit is None or levels is None or types is None:
        return None
    return Query(*days, levels, types, offset, limit)


def _days(asked: dict[str, object]) -> tuple[int, int, timedelta] | None:
    """Return the half-open range of the days asked for, and their zone."""
    zone = zone_of(str(asked.get("timeZone")))
    first, last = _day(asked.get("from")), _day(asked.get("to"))
    if zone is None or first is None or last is None or first > last:
        return None
    return to_ms(first - zone), to_ms(last + timedelta(days=1) - zone), zone


def _day(value: object) -> datetime | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return None
    try:
        return moment(value, "%Y-%m-%d")
    except ValueError:
        return None


def _among(value: object, known: set[str]) -> tuple[str, ...] | None:
    """Return a list of known words; the page forbids nulls in it. That an empty one filters nothing is undocumented."""
    texts = as_texts(value)
    return texts if texts is not None and known.issuperset(texts) else None
