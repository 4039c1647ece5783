"""The simulator's own endpoints: `POST /_control`, `GET /_truth/{provider}`, `GET /_requests`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from tests.simulator.message import Asked, Request, Response, reply

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator

OPTIONS = ("kind", "provider", "endpoint", "times", "between", "host")


def answer(simulator: Simulator, request: Request) -> Response:
    """Answer one of the simulator's own requests; what is wrong with it comes back as 400."""
    try:
        with simulator.lock:
            return _answer(simulator, request)
    except (ValueError, KeyError, TypeError) as error:
        return reply({"error": f"{type(error).__name__}: {error}"}, 400)


def _answer(simulator: Simulator, request: Request) -> Response:
    if request.path == "/_control":
        if request.method == "POST":
            control(simulator, orjson.loads(request.body))
        return reply(state(simulator))
    if request.path == "/_requests":
        return reply(_requests(simulator, int(request.query.get("since", "0"))))
    if request.path.startswith("/_truth/"):
        return _truth(simulator, request)
    return reply({"error": "there are /_control, /_truth/{provider} and /_requests"}, 404)


def control(simulator: Simulator, orders: Mapping[str, Any]) -> None:
    """Carry out orders: clock, switches, providers to mend, faults, records to add."""
    unknown = orders.keys() - ORDERS.keys()
    if unknown:
        raise ValueError(f"no such order: {sorted(unknown)}; there are {list(ORDERS)}")
    for name, carry_out in ORDERS.items():
        if name in orders:
            carry_out(simulator, orders[name])


def state(simulator: Simulator) -> dict[str, object]:
    """Return clock, switches and faults."""
    switches = {name: asdict(provider.switches) for name, provider in simulator.providers.items()}
    faults = [fault.state() for fault in simulator.faults if fault.times != 0]
    return {"now": simulator.now().isoformat(), "url": simulator.url, "switches": switches, "faults": faults}


def moment(text: str) -> datetime:
    """Return an ISO 8601 time with a zone as an aware datetime."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(f"{text}: without a zone")
    return value.astimezone(UTC)


def _set_clock(simulator: Simulator, text: str) -> None:
    simulator.world.offset += moment(text) - simulator.now()


def _switch(simulator: Simulator, switches: Mapping[str, Mapping[str, object]]) -> None:
    for provider, values in switches.items():
        simulator.set(provider, **values)


def _mend(simulator: Simulator, providers: list[str]) -> None:
    for provider in providers:
        simulator.mend(provider)


def _faults(simulator: Simulator, faults: list[dict[str, Any]]) -> None:
    for order in faults:
        options = {name: value for name, value in order.items() if name not in OPTIONS}
        when, times = predicate(order), order.get("times", 1)
        simulator.fault(order["kind"], order["provider"], order.get("endpoint"), times=times, when=when, **options)


def predicate(order: Mapping[str, Any]) -> Callable[[Asked], bool]:
    """Return the test on what is asked for: `between` two times, a `host`."""
    low, high = (moment(text) for text in order.get("between", ("1970-01-01T00:00Z", "9999-01-01T00:00Z")))

    def holds(asked: Asked) -> bool:
        if "host" in order and order["host"] not in asked.hosts:
            return False
        if asked.start is None or asked.end is None:
            return "between" not in order
        return asked.start < high and asked.end > low

    return holds


def _add(simulator: Simulator, records: list[dict[str, Any]]) -> None:
    for order in records:
        times: dict[str, Any] = {name: moment(order[name]) for name in ("time", "visible_from") if name in order}
        simulator.add(**(order | times))


ORDERS: dict[str, Callable[[Simulator, Any], None]] = {
    "clock": _set_clock,
    "switches": _switch,
    "mend": _mend,
    "faults": _faults,
    "add": _add,
}


def _requests(simulator: Simulator, since: int) -> dict[str, object]:
    seen = simulator.requests[since:]
    counts = Counter(f"{one['provider']}/{one['endpoint']}" for one in seen)
    return {"total": len(simulator.requests), "counts": counts, "requests": seen}


def _truth(simulator: Simulator, request: Request) -> Response:
    provider = request.path.removeprefix("/_truth/")
    # A "+" of a zone that was not encoded arrives as a space.
    start, end = (moment(request.query[name].replace(" ", "+")) for name in ("start", "end"))
    lines = (orjson.dumps(record.state()) + b"\n" for record in simulator.truth(provider, start, end))
    return Response(200, b"".join(lines), "application/x-ndjson")
