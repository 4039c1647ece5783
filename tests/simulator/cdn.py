"""Tencent CDN `DescribeCdnDomainLogs`, version 2018-06-06 (page "Querying Log Download Links"), TC3-HMAC-SHA256."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulator import tencent
from tests.simulator.dsa_line import HOSTS
from tests.simulator.message import Asked, Request, Response, reply
from tests.simulator.provider import Route, at
from tests.simulator.world import HOUR_MS, from_ms, told

if TYPE_CHECKING:
    from tests.simulator.dsa import Dsa

PATHS = ("/cdn", "/cdn/", "/")
CALLS_A_SECOND, MAX_LIMIT = 20, 1000
STAMP = "%Y-%m-%d %H:%M:%S"


def failure(code: str, message: str = "played") -> Response:
    """Return an error of API 3.0: HTTP 200, wrapped in Response.Error."""
    return reply({"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "sim"}})


class Cdn:
    """The listing of one host's files."""

    def __init__(self, dsa: Dsa) -> None:
        self.dsa = dsa
        self._calls: deque[int] = deque()

    def route(self) -> Route:
        """Return the endpoint."""
        return Route("listing", at("POST", *PATHS), self._asked, self.answer, tencent.refuse, _fail)

    def answer(self, request: Request) -> Response:
        """Check the request as the vendor would, and answer it."""
        refused = self._refused(request)
        return failure(*refused) if refused else self._list(request)

    def _refused(self, request: Request) -> tuple[str, str] | None:
        """Return code and message of what is wrong with key, time, action or rate."""
        wrong = self._unsigned(request)
        if wrong:
            return wrong, "Authentication failed, or the timestamp is more than 5 minutes off."
        if request.headers.get("x-tc-action") != "DescribeCdnDomainLogs":
            return "InvalidAction", request.headers.get("x-tc-action", "")
        if request.headers.get("x-tc-version") != "2018-06-06":
            return "NoSuchVersion", request.headers.get("x-tc-version", "")
        if not self.dsa.within(CALLS_A_SECOND, 1000, self._calls):
            return "RequestLimitExceeded", "More than 20 calls a second."
        return None

    def _unsigned(self, request: Request) -> str | None:
        timestamp = request.headers.get("x-tc-timestamp", "")
        if not timestamp.isdecimal():
            return "MissingParameter"
        off = abs(self.dsa.world.now_ms() - int(timestamp) * 1000) > tencent.SKEW_MS
        return tencent.signed_tc3(request, "cdn") or ("AuthFailure.SignatureExpire" if off else None)

    def _list(self, request: Request) -> Response:
        asked = request.json()
        span, page = self._range(asked), _page(asked)
        if span is None or page is None:
            return failure("InvalidParameter", "StartTime, EndTime, Offset, Limit or Area")
        host = asked.get("Domain")
        if not isinstance(host, str) or host not in HOSTS:
            return failure("ResourceNotFound.CdnHostNotExists", str(host))
        hours = list(self._hours(host, *span)) if asked.get("Area", "mainland") == "mainland" else []
        logs = [self._log(request, host, hour) for hour in hours[page[0] : page[0] + page[1]]]
        return reply({"Response": {"DomainLogs": logs, "TotalCount": len(hours), "RequestId": "sim"}})

    def _hours(self, host: str, start_ms: int, end_ms: int) -> Iterator[int]:
        """Yield the hours with a file that touch the range, both ends inclusive (undocumented)."""
        return self.dsa.listed(start_ms // HOUR_MS * HOUR_MS, end_ms + 1, host)

    def _log(self, request: Request, host: str, hour: int) -> dict[str, object]:
        local, last = self.dsa.local(hour), self.dsa.local(hour + HOUR_MS - 1000)
        name = f"{local:%Y%m%d%H}-{host}.gz"
        return {
            "StartTime": local.strftime(STAMP),
            "EndTime": last.strftime(STAMP),
            "LogPath": self.dsa.links.issue(request, f"/{local:%Y%m%d/%H}/{name}"),
            "Area": "mainland",
            "LogName": name,
            "FileSize": len(self.dsa.links.packed(hour, host, self.dsa.visible(hour, host))),
        }

    def _range(self, asked: dict[str, object]) -> tuple[int, int] | None:
        """Return first and last moment asked for; told in the service's zone (undocumented)."""
        try:
            start, end = told(str(asked.get("StartTime")), STAMP), told(str(asked.get("EndTime")), STAMP)
        except ValueError:
            return None
        return (self.dsa.utc_ms(start), self.dsa.utc_ms(end)) if start <= end else None

    def _asked(self, request: Request) -> Asked:
        value = request.json()
        span = self._range(value)
        start, end = (from_ms(span[0]), from_ms(span[1])) if span else (None, None)
        return Asked("dsa", "listing", start, end, (str(value.get("Domain")),))


def _page(asked: dict[str, object]) -> tuple[int, int] | None:
    offset, limit = asked.get("Offset", 0), asked.get("Limit", 100)
    if not isinstance(offset, int) or not isinstance(limit, int) or asked.get("LogType", "access") != "access":
        return None
    known = asked.get("Area", "mainland") in ("mainland", "overseas")
    return (offset, limit) if known and offset >= 0 and 1 <= limit <= MAX_LIMIT else None


def _fail(options: dict[str, str]) -> Response:
    return failure(options.get("code", "InternalError"), options.get("message", "played"))
