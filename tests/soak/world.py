"""The world of one seed: two sources, what their provider holds at each moment, and what may go wrong with a call."""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fake_aws import FakeS3, FakeTable, refused
from tests.scenario import MINUTE, NEVER, START, Killed, Record, served

HOURS = 6
SOURCES = ("cafe", "shop")


@dataclass
class Faults:
    """Decides for each call to AWS whether it goes well; nothing goes wrong once `on` is False."""

    random: random.Random
    on: bool = True
    #: Every fault that was injected, for the report of a seed that fails.
    trail: list[str] = field(default_factory=list[str])

    def around[R](self, call: str, do: Callable[[], R], error: Exception) -> R:
        """Do a call: well, not at all, with its answer lost, or twice as the SDK does after a lost answer."""
        roll = self.random.random() if self.on else 1.0
        if roll >= 0.06:
            return do()
        kind = self.random.choice(("refused", "lost", "repeated", "killed before", "killed after"))
        self.trail.append(f"{kind}: {call}")
        if kind == "killed before":
            raise Killed(call)
        if kind == "refused":
            raise error
        do()
        if kind == "killed after":
            raise Killed(call)
        if kind == "lost":
            raise error
        return do()


class Faulty:
    """A stand-in whose calls go badly at times."""

    faults: Faults
    calls_with_faults: frozenset[str]
    #: Code and HTTP status of its errors.
    refusal: tuple[str, int]

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if name.startswith("_") or name not in super().__getattribute__("calls_with_faults"):
            return method

        def call(*args: Any, **options: Any) -> Any:
            if hasattr(options.get("Body"), "read"):
                options["Body"] = options["Body"].read()

            def do() -> Any:
                result = method(*args, **options)
                return iter(list(result)) if name == "query" else result

            return self.faults.around(f"{name} {options.get('Key', '')}", do, refused(*self.refusal))

        return call


class SoakTable(Faulty, FakeTable):
    """The ledger's table, with faults."""

    calls_with_faults = frozenset({"get", "get_many", "query", "first", "update", "transact"})
    refusal = ("ProvisionedThroughputExceededException", 400)


class SoakS3(Faulty, FakeS3):
    """The bucket, with faults; it notices a raw object that is written over."""

    calls_with_faults = frozenset({"put_object", "get_object", "head_object"})
    refusal = ("SlowDown", 503)

    def _store(self, key: str, body: bytes) -> dict[str, Any]:
        existing = self.objects.get(key)
        assert not key.startswith("raw/") or existing is None or existing.body == body, f"{key} was written over"
        return super()._store(key, body)


def records(rng: random.Random, source: str) -> list[Record]:
    """Make up what a source's provider holds: some records twice, some late, some gone after a while."""
    made: list[Record] = []
    for hour in range(HOURS):
        for number in range(rng.randrange(4)):
            second = hour * 3600 + rng.randrange(1, 3599)
            visible = START + dt.timedelta(seconds=second)
            if rng.random() < 0.3:
                visible += rng.randrange(1, 300) * MINUTE
            gone = visible + rng.randrange(5, 600) * MINUTE if rng.random() < 0.2 else NEVER
            twins = 2 if rng.random() < 0.2 else 1
            made += [Record(f"{source}-{hour}-{number}", second, visible, gone)] * twins
    return made


def badly_served(
    rng: random.Random | None, world: list[Record], asked: dict[str, int], now: dt.datetime
) -> httpx.Response:
    """Answer as ELSA would; with `rng`, badly at times."""
    roll = rng.random() if rng else 1.0
    if roll < 0.02:
        return httpx.Response(403, json={"error": {"errorCode": "210", "message": "no"}})
    if roll < 0.04:
        return httpx.Response(503, content=b"")
    if roll < 0.06:
        return httpx.Response(200, content=b"<html>maintenance</html>")
    if roll < 0.07:
        raise MemoryError
    return served(world, asked, now)
