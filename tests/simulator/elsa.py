"""NAVER ELSA, `POST /elsa/api/v1/logs/download` (api.ncloud-docs.com/docs/effective-log-search-analytics-download)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tests.simulator import gateway
from tests.simulator.elsa_body import body, project
from tests.simulator.elsa_record import MAX_COUNT, ElsaMaker, ElsaSwitches
from tests.simulator.message import Asked, Request, Response, as_int, as_texts, reply
from tests.simulator.provider import Provider, Route, at
from tests.simulator.record import Record
from tests.simulator.world import HOUR_MS, World, from_ms, hours, to_ms

PROJECT_KEY = "Pb123_checkout"
PROJECT_ID = 16706
PATH = "/elsa/api/v1/logs/download"
MAX_LIMIT, MAX_KEY = 1000, 53
MAX_MS = 1 << 47


class Elsa(Provider[ElsaSwitches]):
    """One ELSA project."""

    name = "elsa"

    def __init__(self, world: World) -> None:
        switches = ElsaSwitches()
        super().__init__(world, switches, ElsaMaker(self.name, world, switches))

    def routes(self) -> tuple[Route, ...]:
        return (Route("data", at("POST", PATH), _asked, self.answer, gateway.refuse, gateway.fail),)

    def burst_hour(self, before: datetime) -> datetime:
        """Return the start of the last burst hour that ended by then."""
        hour = to_ms(before) // HOUR_MS - 1
        return from_ms((hour - (hour - self.switches.burst_phase) % 48) * HOUR_MS)

    def answer(self, request: Request) -> Response:
        """Check the request as the vendor would, and answer it."""
        asked = request.json()
        refusal = gateway.authenticate(request, self.world.now_ms()) or _invalid(asked)
        return refusal or self._download(asked)

    def _download(self, asked: dict[str, object]) -> Response:
        count = min(_int(asked.get("count", 100_000)), self.switches.cap)
        records = self._found(_int(asked["from"]), _int(asked["to"]), count)
        fields = as_texts(asked.get("includeFields"))
        texts = [record.text if fields is None else project(record.text, fields) for record in records]
        layout, csv = self.switches.layout, asked.get("format", "JSON") == "CSV"
        if csv:
            layout = "bare_csv" if layout.startswith("bare_") else "csv"
        response = body(texts, f"{asked['projectKey']}_{asked['from']}_{asked['to']}", layout, self.switches.empty)
        response.records = records
        return response

    def _found(self, from_: int, to: int, count: int) -> list[Record]:
        """Return at most `count` visible records. Both ends inclusive and which end is cut off: undocumented."""
        now = self.world.now_ms()
        end = min(to + (not self.switches.exclusive_end), now + 1)
        newest_first = self.switches.cut == "oldest"
        found: list[Record] = []
        for hour in sorted(hours(from_, end), reverse=newest_first):
            shown = self.shelf.visible(hour, from_, end, now, self.switches.gone_after_ms)
            found += shown[:: -1 if newest_first else 1]
            if len(found) >= count:
                break
        return sorted(found[:count], key=lambda one: one.time_ms, reverse=self.switches.order == "descending")


def _asked(request: Request) -> Asked:
    value = request.json()
    start, end = value.get("from"), value.get("to")
    if _is_int(start, 0, MAX_MS) and _is_int(end, 0, MAX_MS) and isinstance(start, int) and isinstance(end, int):
        return Asked("elsa", "data", from_ms(start), from_ms(end))
    return Asked("elsa", "data")


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _is_int(value: object, low: int = 0, high: int = MAX_MS) -> bool:
    return as_int(value, low, high) is not None


_CHECKS: dict[str, Callable[[object], bool]] = {
    "projectKey": lambda value: isinstance(value, str) and 1 <= len(value) <= MAX_KEY,
    "projectId": _is_int,
    "from": _is_int,
    "to": _is_int,
    "format": lambda value: value in ("JSON", "CSV"),
    "limit": lambda value: _is_int(value, 1, MAX_LIMIT),
    "count": lambda value: _is_int(value, 1, MAX_COUNT),
    "includeFields": lambda value: as_texts(value) is not None,
}


def _invalid(asked: dict[str, object]) -> Response | None:
    """Return what is wrong with the parameters: the limits are the page's, the shape of the refusal is undocumented."""
    missing = [name for name in ("projectKey", "projectId", "from", "to") if name not in asked]
    wrong = [name for name, value in asked.items() if name in _CHECKS and not _CHECKS[name](value)]
    if missing or wrong or _int(asked["from"]) > _int(asked["to"]):
        details = f"{', '.join(missing + wrong) or 'from, to'}: invalid"
        return reply({"error": {"errorCode": "100", "message": "Bad Request Exception", "details": details}}, 400)
    if (asked["projectKey"], asked["projectId"]) != (PROJECT_KEY, PROJECT_ID):
        return gateway.error("210")
    return None
