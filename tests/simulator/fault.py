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
            raise ValueError(f"no such fault: {self.kind}; there are {sorted(INSTEAD | SPOILED)} and statuses")

    def number(self, name: str, default: float) -> float:
        """Return an option that is a number."""
        return float(self.options.get(name, default))

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
            return self._status(route, request)
        if self.kind in INSTEAD:
            return INSTEAD[self.kind](self, route, provider, request)
        response = route.answer(request)
        response.records = ()
        SPOILED[self.kind](self, response)
        return response

    def _status(self, route: Route, request: Request) -> Response:
        response = route.refuse(int(self.kind), request)
        if "retry_after" in self.options:
            response.headers["Retry-After"] = str(self.options["retry_after"])
        return response

    def state(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {"kind": self.kind, "provider": self.provider, "endpoint": self.endpoint, "times": self.times}


def is_status(kind: str) -> bool:
    """Say whether a kind is an HTTP status."""
    return kind.isdecimal() and len(kind) == len("503")


def _fail(fault: Fault, route: Route, _provider: Provider[Any, Any], _request: Request) -> Response:
    return route.fail({name: str(value) for name, value in fault.options.items()})


def _html(_fault: Fault, _route: Route, _provider: Provider[Any, Any], _request: Request) -> Response:
    return Response(200, HTML, "text/html; charset=utf-8")


def _not_a_zip(_fault: Fault, _route: Route, _provider: Provider[Any, Any], _request: Request) -> Response:
    return Response(200, b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "application/zip")


def _bomb(fault: Fault, route: Route, _provider: Provider[Any, Any], _request: Request) -> Response:
    size = int(fault.number("size", 100 << 20))
    body = damage.gzip_bomb(size) if route.endpoint == "download" else damage.zip_bomb(size)
    return Response(200, body, "application/zip")


def _expired_link(_fault: Fault, route: Route, provider: Provider[Any, Any], request: Request) -> Response:
    provider.expire(request)
    return route.refuse(403, request)


def _reset(_fault: Fault, _route: Route, _provider: Provider[Any, Any], _request: Request) -> Response:
    return Response(reset=True)


def _cut_body(fault: Fault, response: Response) -> None:
    response.cut = min(int(fault.number("after", len(response.body) // 2)), len(response.body) - 1)


def _cut_archive(_fault: Fault, response: Response) -> None:
    response.body = damage.cut_half(response.body)


def _encrypted(_fault: Fault, response: Response) -> None:
    response.body = damage.encrypted(response.body)


def _lying_size(fault: Fault, response: Response) -> None:
    response.body = damage.lying(response.body, int(fault.number("size", 0xFFFFFFF0)))


INSTEAD: dict[str, Callable[[Fault, Route, Provider[Any, Any], Request], Response]] = {
    "fail": _fail,
    "html": _html,
    "not_a_zip": _not_a_zip,
    "bomb": _bomb,
    "expired_link": _expired_link,
    "reset": _reset,
}
SPOILED: dict[str, Callable[[Fault, Response], None]] = {
    "cut_body": _cut_body,
    "cut_archive": _cut_archive,
    "encrypted": _encrypted,
    "lying_size": _lying_size,
}
