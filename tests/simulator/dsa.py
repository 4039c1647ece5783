"""Tencent DSA `GetDsaHostLogs` (API 2.0, page "Download Access Logs") and the files that its links lead to.

The service that the page describes is retired; its living equivalent is played by `cdn`, on the same files.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import orjson

from tests.simulator import cdn, tencent
from tests.simulator.dsa_line import HOSTS, DsaMaker, DsaSwitches
from tests.simulator.link import Links, asked_link, is_link, refuse_link
from tests.simulator.message import Asked, Request, Response, as_texts, reply
from tests.simulator.provider import Provider, Route, at
from tests.simulator.record import Record
from tests.simulator.world import HOUR_MS, World, from_ms, hours, to_ms, told

PATH = "/dsa/v2/index.php"
MAX_HOSTS, CALLS_A_MINUTE = 10, 100
REQUIRED = ("Action", "Timestamp", "Nonce", "SecretId", "Signature")


class Dsa(Provider[DsaSwitches]):
    """One account with twelve hosts."""

    name = "dsa"

    def __init__(self, world: World) -> None:
        switches = DsaSwitches()
        self.maker = DsaMaker(self.name, world, switches)
        super().__init__(world, switches, self.maker)
        self.links = Links(self)
        self._nonces: set[str] = set()
        self._calls: deque[int] = deque()
        self._cdn = cdn.Cdn(self)

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("listing", at("POST", PATH), self._asked, self.answer, tencent.refuse, tencent.fail),
            self._cdn.route(),
            Route("download", is_link, self._asked_link, self.links.answer, refuse_link, tencent.fail),
        )

    def truth(self, start: datetime, end: datetime) -> Iterator[Record]:
        """Yield every line of the files whose hour begins in the half-open range, host by host."""
        start_ms, end_ms = to_ms(start), to_ms(end)
        for hour in range(-(-start_ms // HOUR_MS) * HOUR_MS, end_ms, HOUR_MS):
            for host in HOSTS:
                yield from self.shelf.hour(hour, host)

    def expire(self, request: Request) -> None:
        self.links.expire(request.path)

    def visible(self, hour_ms: int, host: str) -> list[Record]:
        """Return the lines of a file as it stands now."""
        now, gone_after = self.world.now_ms(), self.switches.gone_after_ms
        return [record for record in self.shelf.hour(hour_ms, host) if record.visible(now, gone_after)]

    def listed(self, start_ms: int, end_ms: int, host: str) -> Iterator[int]:
        """Yield the hours of a half-open range that have a link now: published, and with traffic."""
        now = self.world.now_ms()
        newest = now - HOUR_MS - int(self.switches.publish_after_seconds * 1000)
        for hour in hours(start_ms, min(end_ms, newest + 1)):
            if hour >= start_ms and self._has_lines(hour, host, now):
                yield hour

    def _has_lines(self, hour: int, host: str, now: int) -> bool:
        """Say whether a file exists; for old hours without making its lines, as a backfill lists weeks at once."""
        all_visible_ms = hour + HOUR_MS + int(self.switches.late_max_seconds * 1000)
        if now < all_visible_ms or self.shelf.holds(hour, host):
            return bool(self.visible(hour, host))
        return self.maker.counts(hour, host) > 0

    def local(self, ms: int) -> datetime:
        """Return a moment as the service tells it, as if it were UTC."""
        return from_ms(ms) + self.switches.zone

    def utc_ms(self, local: datetime) -> int:
        """Return a moment that was told by the service, as if it were UTC."""
        return to_ms(local - self.switches.zone)

    def answer(self, request: Request) -> Response:
        """Check the request as the vendor would, and answer it."""
        form = request.form()
        return self._refused(request, form) or self._list(request, form)

    def _refused(self, request: Request, form: dict[str, str]) -> Response | None:
        missing = [name for name in REQUIRED if not form.get(name)]
        if missing or form["Action"] != "GetDsaHostLogs":
            return tencent.failure(
                4104 if missing == ["SecretId"] else 4000, f"missing or wrong: {missing or 'Action'}"
            )
        if not tencent.signed_api2(request, form):
            return tencent.failure(4100, "Authentication failed.")
        if form["Nonce"] in self._nonces or not self._fresh(form["Timestamp"]):
            return tencent.failure(4500, "Replay: the Nonce was used before or the Timestamp is stale.")
        self._nonces.add(form["Nonce"])
        if not self.within(CALLS_A_MINUTE, 60_000, self._calls):
            return tencent.failure(4400, "More than 100 calls a minute.")
        return None

    def _fresh(self, timestamp: str) -> bool:
        return timestamp.isdecimal() and abs(self.world.now_ms() - int(timestamp) * 1000) <= tencent.SKEW_MS

    def within(self, calls: int, period_ms: int, made: deque[int]) -> bool:
        """Count a call and say whether it is within so many in a period of the simulator's clock."""
        now = self.world.now_ms()
        while made and made[0] <= now - period_ms:
            made.popleft()
        if len(made) >= calls:
            return False
        made.append(now)
        return True

    def _list(self, request: Request, form: dict[str, str]) -> Response:
        hosts, days = _hosts(form), self._days(form)
        if not 1 <= len(hosts) <= MAX_HOSTS or days is None:
            return tencent.failure(4000, "hosts: a JSON array of 1 to 10; startDate, endDate: YYYY-MM-DD.")
        unknown = [host for host in hosts if host not in HOSTS]
        if unknown:
            return tencent.failure(5000, f"no such host: {unknown}")
        data = {host: list(self._links(request, host, *days)) for host in hosts}
        return reply({"code": 0, "message": "", "codeDesc": "Success", "data": data})

    def _links(self, request: Request, host: str, start_ms: int, end_ms: int) -> Iterable[dict[str, str]]:
        for hour in self.listed(start_ms, end_ms, host):
            local = self.local(hour)
            url = self.links.issue(request, f"/{local:%Y%m%d/%H/%Y%m%d}-{host}")
            yield {"datetime": f"{local:%Y-%m-%d %H:%M:%S}", "url": url}

    def _days(self, form: dict[str, str]) -> tuple[int, int] | None:
        """Return the half-open range of the days asked for; an empty one is today, as the page says."""
        today = f"{self.local(self.world.now_ms()):%Y-%m-%d}"
        try:
            first = told(form.get("startDate") or today, "%Y-%m-%d")
            last = told(form.get("endDate") or today, "%Y-%m-%d")
        except ValueError:
            return None
        return (self.utc_ms(first), self.utc_ms(last + timedelta(days=1))) if first <= last else None

    def _asked(self, request: Request) -> Asked:
        form = request.form()
        days = self._days(form)
        start, end = (from_ms(days[0]), from_ms(days[1])) if days else (None, None)
        return Asked("dsa", "listing", start, end, tuple(_hosts(form)))

    def _asked_link(self, request: Request) -> Asked:
        return asked_link(self, request)


def _hosts(form: dict[str, str]) -> list[str]:
    try:
        return list(as_texts(orjson.loads(form.get("hosts", ""))) or ())
    except orjson.JSONDecodeError:
        return []
