"""NAVER One Click Multi DRM, `GET /multidrm/api/v1/policy/policyLog` and `GET /multidrm/api/v1/policy`.

The pages are api.ncloud-docs.com/docs/en/policy-log, drm-policy-list and one-click-multi-drm-error-code. The older and
the newer page differ in whether `policyId` is required and `total` is given, and in the spelling of `endTime`: these
are switches. That failures come under HTTP 200 is how the codes' page, which names no status, is read here.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from tests.simulator import gateway
from tests.simulator.message import Asked, Request, Response, reply
from tests.simulator.multidrm_policy import MultidrmMaker, MultidrmSwitches, Policies, listed
from tests.simulator.provider import Provider, Route, at
from tests.simulator.record import Record
from tests.simulator.world import DAY_MS, World, from_ms

LOG_PATH = "/multidrm/api/v1/policy/policyLog"
LIST_PATH = "/multidrm/api/v1/policy"
REGION = "KR"
MAX_SIZE, DEFAULT_SIZE = 100, 20
MAX_MS = 1 << 47
NAMES = {
    280000: "EXCEPTION",
    280001: "JSON_PARSE_FAILED_EXCEPTION",
    280002: "WEB_COMMON_UNHANDLED_EXCEPTION",
    280003: "WEB_INVALID_PARAMETER_TYPE_TWO_PARAM",
    281003: "SITE_NOT_FOUND",
}


def failure(code: int, message: str) -> Response:
    """Return an error of the service itself: HTTP 200, `success` false."""
    error = {"code": code, "name": NAMES.get(code, "EXCEPTION"), "message": message}
    return reply({"success": False, "error": error})


def fail(options: dict[str, str]) -> Response:
    """Return an error under HTTP 200: the service's, or the gateway's if the code has its three digits."""
    code = options.get("code", "280000")
    if code in gateway.ERRORS:
        return gateway.fail(options)
    return failure(int(code), options.get("message", "played"))


class Multidrm(Provider[MultidrmSwitches]):
    """One site. A record's `host` is its policy; `listed` holds every policy that a listing ever named."""

    name = "multidrm"

    def __init__(self, world: World) -> None:
        switches, self.policies = MultidrmSwitches(), Policies(world)
        super().__init__(world, switches, MultidrmMaker(self.name, world, switches, self.policies))
        self.listed: set[str] = set()

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("data", at("GET", LOG_PATH), self._asked, self.answer, gateway.refuse, fail),
            Route("listing", at("GET", LIST_PATH), _asked_list, self.answer_list, gateway.refuse, fail),
        )

    def add(self, record: Record) -> Record:
        record.host = record.host or "0"  # the default policy
        return self.shelf.add(record, "")

    def answer(self, request: Request) -> Response:
        """Check a request for the log as the vendor would, and answer it."""
        return self._refused(request) or self._log(request.query)

    def answer_list(self, request: Request) -> Response:
        """Check a request for the policies as the vendor would, and answer it."""
        return self._refused(request) or self._list(request.query)

    def _refused(self, request: Request) -> Response | None:
        refusal = gateway.authenticate(request, self.world.now_ms())
        if refusal:
            return refusal
        if not request.headers.get("content-type", "").startswith("application/json"):
            return failure(280001, "Content-Type must be application/json.")
        if request.headers.get("x-ncp-region_code") != REGION:
            return failure(281003, "x-ncp-region_code is missing or no region of this site.")
        return None

    def _log(self, query: dict[str, str]) -> Response:
        span, page, policy = self._span(query), self._page(query), query.get("policyId", "")
        if span is None or page is None or (policy and not policy.isdecimal()):
            return failure(280003, "pageNo, pageSize, startTime, endTime or policyId is of the wrong type.")
        if self.switches.policy_id_required and not policy:
            return failure(280003, "policyId is required.")
        found = self._found(*span, policy)
        records = found[page]
        content = b",".join(record.text for record in records)
        return self._reply(content, len(found), records)

    def _reply(self, content: bytes, total: int, records: Sequence[Record] = ()) -> Response:
        end = b',"total":%d}' % total if self.switches.total else b"}"
        return Response(200, b'{"success":true,"content":[' + content + b"]" + end, records=records)

    def _found(self, start_ms: int, end_ms: int, policy: str) -> list[Record]:
        """Return what is shown now. The order is that of the sample; it is not promised."""
        found = self.shown(start_ms, end_ms)
        if policy:
            found = [record for record in found if record.host == policy]
        return found if self.switches.order == "descending" else found[::-1]

    def _list(self, query: dict[str, str]) -> Response:
        page = self._page(query)
        if page is None:
            return failure(280003, "pageNo or pageSize is of the wrong type.")
        now = self.world.now_ms()
        since = now if self.switches.deleted_vanish else now - 30 * DAY_MS
        policies = self.policies.between(since, now + 1)
        shown = [listed(one, now) for one in policies][page]
        self.listed |= {str(one["policyId"]) for one in shown}
        return self._reply(b",".join(map(orjson.dumps, shown)), len(policies))

    def _page(self, query: dict[str, str]) -> slice | None:
        """Return the page asked for; None if a number is none, or beyond the page's limits."""
        first = self.switches.first_page
        number, size = _number(query.get("pageNo", str(first))), _number(query.get("pageSize", str(DEFAULT_SIZE)))
        if number is None or size is None or not 1 <= size <= MAX_SIZE:
            return None
        if number < first and self.switches.page_zero == "error":
            return None
        start = max(number - first, 0) * size
        return slice(start, start + size)

    def _span(self, query: dict[str, str]) -> tuple[int, int] | None:
        """Return the half-open range asked for; without an end all that there is. Both ends inclusive: undocumented."""
        start = _number(query.get("startTime", "0"))
        end = _number(query.get(self.switches.end_time_parameter, str(MAX_MS)))
        if start is None or end is None:
            return None
        return start, min(end + (not self.switches.exclusive_end), MAX_MS)

    def _asked(self, request: Request) -> Asked:
        span, policy = self._span(request.query), request.query.get("policyId")
        hosts = (policy,) if policy else ()
        if span is None or "startTime" not in request.query or span[1] == MAX_MS:
            return Asked("multidrm", "data", hosts=hosts)
        return Asked("multidrm", "data", from_ms(span[0]), from_ms(span[1]), hosts)


def _number(text: str) -> int | None:
    value = int(text) if text.isascii() and text.isdecimal() else None
    return value if value is not None and value <= MAX_MS else None


def _asked_list(_request: Request) -> Asked:
    return Asked("multidrm", "listing")
