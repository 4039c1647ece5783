"""The simulator: all providers behind one port, their clock, their faults, and the truth about what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Self

from tests.simulator.apigateway import Apigateway
from tests.simulator.dsa import Dsa
from tests.simulator.elsa import Elsa
from tests.simulator.fault import Fault, Option
from tests.simulator.message import Asked, Request, Response, reply
from tests.simulator.multidrm import Multidrm
from tests.simulator.provider import Provider
from tests.simulator.record import Record
from tests.simulator.security365 import Security365
from tests.simulator.server import Server
from tests.simulator.world import HOUR_MS, World, to_ms, utc_now


class Played(dict[str, Provider[Any, Any]]):
    """The providers that are played, by name."""

    def __missing__(self, name: str) -> Provider[Any, Any]:
        raise ValueError(f"the simulator does not play {name!r}; it plays {', '.join(self)}: see simulator.py")


class Simulator:
    """Plays the providers; a context manager that serves on a free port in a thread.

    `clock` returns the time as the providers see it; assign `sim.clock`, or move it with `sim.advance`.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        scale: float = 1.0,
        clock: Callable[[], datetime] = utc_now,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.world = World(seed, scale, clock)
        self.elsa, self.multidrm, self.security365 = Elsa(self.world), Multidrm(self.world), Security365(self.world)
        played = (self.elsa, Apigateway(self.world), self.multidrm, self.security365, Dsa(self.world))
        self.providers = Played({one.name: one for one in played})
        self.faults: list[Fault] = []
        self.requests: list[dict[str, object]] = []
        self.lock = RLock()
        self._routes = [(provider, route) for provider in self.providers.values() for route in provider.routes()]
        self._address = (host, port)
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """The base URL of the process; each provider's path stands below its name (`/elsa`, `/dsa`, `/cdn/`, …)."""
        if self._server is None:
            raise RuntimeError("it serves only inside its with block")
        return self._server.url

    @property
    def clock(self) -> Callable[[], datetime]:
        """The clock of the providers."""
        return self.world.clock

    @clock.setter
    def clock(self, clock: Callable[[], datetime]) -> None:
        self.world.clock = clock

    def now(self) -> datetime:
        """Return the time as the providers see it."""
        return self.world.now()

    def advance(self, step: timedelta) -> None:
        """Move the clock by a step."""
        self.world.offset += step

    def __enter__(self) -> Self:
        """Serve in a thread."""
        self._server = Server(self, *self._address)
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.stop()
        self._server = None

    def set(self, provider: str, **switches: object) -> None:
        """Set switches of a provider by name; an unknown name is an error."""
        held = self.providers[provider].switches
        known = {field.name for field in fields(held)}
        if switches.keys() - known:
            raise ValueError(f"{provider} has no switch {sorted(switches.keys() - known)}; there are {sorted(known)}")
        for name, value in switches.items():
            setattr(held, name, value)

    def fault(
        self,
        kind: str,
        provider: str,
        endpoint: str | None = None,
        *,
        times: int | None = 1,
        when: Callable[[Asked], bool] | None = None,
        **options: Option,
    ) -> Fault:
        """Make something go wrong for the next requests (`times=None`: for all) of an endpoint."""
        fault = Fault(kind, provider, endpoint, times, when, options)
        self.faults.append(fault)
        return fault

    def mend(self, provider: str) -> None:
        """Remove the faults of a provider."""
        name = self.providers[provider].name
        self.faults = [fault for fault in self.faults if fault.provider != name]

    def add(
        self,
        provider: str,
        time: datetime,
        text: str | bytes,
        *,
        visible_from: datetime | None = None,
        fleeting: bool = False,
        host: str = "",
    ) -> Record:
        """Put one more record at the provider, visible from its time on unless told otherwise."""
        ms = to_ms(time)
        data = text.encode() if isinstance(text, str) else text
        visible_ms = to_ms(visible_from) if visible_from else ms
        record = Record(ms, visible_ms, data, ms // HOUR_MS * HOUR_MS, "added", fleeting, host)
        with self.lock:
            return self.providers[provider].add(record)

    def truth(self, provider: str, start: datetime, end: datetime) -> Iterator[Record]:
        """Yield every record of a half-open range, served or not, visible or not (see `Record`)."""
        return self.providers[provider].truth(start, end)

    def count(self, provider: str, endpoint: str | None = None) -> int:
        """Return how many requests an endpoint of a provider has seen."""
        return sum(seen["provider"] == provider and endpoint in (None, seen["endpoint"]) for seen in self.requests)

    def answer(self, request: Request) -> Response:
        """Return the response to a provider's client, faults included."""
        with self.lock:
            found = next(((one, route) for one, route in self._routes if route.matches(request)), None)
            if found is None:
                return reply({"error": {"errorCode": "300", "message": "Not Found Exception"}}, 404)
            provider, route = found
            asked = route.asked(request)
            fault = next((fault for fault in self.faults if fault.takes(asked)), None)
            response = fault.play(route, provider, request) if fault else route.answer(request)
            self._note(request, asked, fault, response)
            return response

    def _note(self, request: Request, asked: Asked, fault: Fault | None, response: Response) -> None:
        start, end = (moment and moment.isoformat() for moment in (asked.start, asked.end))
        seen = {"time": self.now().isoformat(), "method": request.method, "path": request.path}
        asks = {"provider": asked.provider, "endpoint": asked.endpoint, "start": start, "end": end}
        answered = {"status": response.status, "bytes": len(response.body), "records": len(response.records)}
        self.requests.append(
            {**seen, **asks, "hosts": list(asked.hosts), "fault": fault.kind if fault else None, **answered}
        )

    def served(self, response: Response) -> None:
        """Note that a response is about to be complete: its records have been seen."""
        with self.lock:
            now = self.world.now_ms()
            for record in response.records:
                if record.served_ms is None:
                    record.served_ms = now
