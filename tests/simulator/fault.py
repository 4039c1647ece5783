"""Faults: what goes wrong for the next requests of an endpoint, and how.

Kinds that answer instead of the provider: a status (`"503"`), `fail` (the vendor's error under HTTP 200), `html`,
`not_a_zip`, `bomb`, `expired_link`, `reset`. Kinds that spoil the real response: `cut_body`, `cut_archive`,
`encrypted`, `lying_size`. None of them serves a record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulator import damage
from tests.simulator.message import Asked, Request, Response
from tests.simulator.provider import Provider, Route

HTML = b"<!doctype html><html><body><h1>We will be back soon</h1></body></html>"
type Option = str | int | float


@dataclass(slots=True, eq=False)
class Fault:
    """One fault; `times` counts down (None: for good), `when` looks at what is asked for, None means always."""

    kind: str
    provider: str
    endpoint: str | None = None
    times: int | None = 1
    when: Callable[[Asked], bool] | None = None
    options: dict[str, Option] = field(default_factory=dict[str, Option])

    def __post_init__(self) -> None:
        """Refuse a kind that nobody plays."""
        if not is_status(self.kind) and self.kind not in INSTEAD and self.kind not in SPOILED:
            raise ValueError(f"no such fault: {self.kind}; there are {sorted({*INSTEAD, *SPOILED})} and statuses")

    def number(self, name: str, default: int) -> int:
        """Return an option that is a number."""
        return int(self.options.get(name, default))

    def takes(self, asked: Asked) -> bool:
        """Say whether it strikes a request; a strike counts."""
        fits = asked.provider == self.provider and self.endpoint in (None, asked.endpoint)
        if not fits or self.times == 0 or (self.when is not None and not self.when(asked)):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def play(self, route: Route, provider: Provider[Any, Any], request: Request) -> Response:
        """Return what goes out, the real answer spoiled or another one instead of it."""
        if is_status(self.kind):
            response = route.refuse(int(self.kind), request)
            if "retry_after" in self.options:
                response.headers["Retry-After"] = str(self.options["retry_after"])
            return response
        if self.kind in INSTEAD:
            if self.kind == "expired_link":
                provider.expire(request)
            return INSTEAD[self.kind](self, route, request)
        response = route.answer(request)
        response.records = ()
        SPOILED[self.kind](self, response)
        return response

    def state(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {"kind": self.kind, "provider": self.provider, "endpoint": self.endpoint, "times": self.times}


def is_status(kind: str) -> bool:
    """Say whether a kind is an HTTP status."""
    return kind.isdecimal() and len(kind) == len("503")


def _cut_body(fault: Fault, response: Response) -> None:
    response.cut = min(fault.number("after", len(response.body) // 2), len(response.body) - 1)


def _body(change: Callable[[Fault, bytes], bytes]) -> Callable[[Fault, Response], None]:
    def spoil(fault: Fault, response: Response) -> None:
        response.body = change(fault, response.body)

    return spoil


def _bomb(fault: Fault, route: Route, _request: Request) -> Response:
    bomb = damage.gzip_bomb if route.endpoint == "download" else damage.zip_bomb
    return Response(200, bomb(fault.number("size", 100 << 20)), "application/zip")


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
INSTEAD: dict[str, Callable[[Fault, Route, Request], Response]] = {
    "fail": lambda fault, route, _request: route.fail({name: str(value) for name, value in fault.options.items()}),
    "html": lambda _fault, _route, _request: Response(200, HTML, "text/html; charset=utf-8"),
    "not_a_zip": lambda _fault, _route, _request: Response(200, PNG, "application/zip"),
    "bomb": _bomb,
    "expired_link": lambda _fault, route, request: route.refuse(403, request),
    "reset": lambda _fault, _route, _request: Response(reset=True),
}
SPOILED: dict[str, Callable[[Fault, Response], None]] = {
    "cut_body": _cut_body,
    # A zip without its directory, a gzip without its end.
    "cut_archive": _body(lambda _fault, body: body[: len(body) // 2]),
    "encrypted": _body(lambda _fault, body: damage.encrypted(body)),
    "lying_size": _body(lambda fault, body: damage.lying(body, fault.number("size", 0xFFFFFFF0))),
}
