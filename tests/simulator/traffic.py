"""How records come in: more by day than by night, some of them late, some only for a while."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from random import Random

from tests.simulator.record import Record, quiet, whole
from tests.simulator.world import HOUR_MS, World

EDGE_MS = 120_000  # no fleeting record so near to an hour, where a neighbour's margin might see it first


@dataclass(slots=True)
class Habits:
    """The switches of a provider that say how its records come in: set them before their hour is first touched."""

    quiet: list[int | str] = field(default_factory=lambda: [3])
    records_an_hour: float = 600
    late_fraction: float = 0.01
    late_max_seconds: float = 14_400
    fleeting_fraction: float = 0.0005
    gone_after_seconds: float = 1800
    duplicate_fraction: float = 0.003
    odd_fraction: float = 0.01
    unreadable_times: int = 0  # an hour, or a file
    unparsable: int = 0  # likewise

    @property
    def gone_after_ms(self) -> int:
        """How long after it was first served a fleeting record goes."""
        return int(self.gone_after_seconds * 1000)


class Maker[S: Habits, R: Record = Record](ABC):
    """Makes the records of one hour from the seed, the hour and the switches alone."""

    def __init__(self, name: str, world: World, switches: S) -> None:
        self.name = name
        self.world = world
        self.switches = switches

    def __call__(self, hour_ms: int, host: str = "") -> list[R]:
        """Return the records of the hour."""
        if quiet(hour_ms, self.switches.quiet):
            return []
        return self.made(self.random(hour_ms, host), hour_ms, host)

    def random(self, hour_ms: int, host: str) -> Random:
        """Return the random numbers of an hour."""
        return self.world.random(self.name, hour_ms, *([host] if host else []))

    @abstractmethod
    def made(self, rng: Random, hour_ms: int, host: str) -> list[R]:
        """Return the records of an hour with traffic."""

    def held(self, rng: Random, hour_ms: int, time_ms: int, text: str, kind: str, host: str = "") -> Record:
        """Return a record, with the moment from which it is shown."""
        visible_ms, fleeting = visibility(rng, hour_ms, time_ms, self.switches)
        return Record(time_ms, visible_ms, text.encode(), hour_ms, kind, fleeting, host)


def offsets(rng: Random, hour_ms: int, habits: Habits, scale: float, step_ms: int = 1) -> list[int]:
    """Return the moments of an hour's records as milliseconds from its start, whole steps, both ends among them."""
    curve = 1 + 0.6 * math.sin(hour_ms // HOUR_MS % 24 / 24 * 2 * math.pi)
    count = whole(rng, habits.records_an_hour * curve * scale)
    found = [int(rng.random() * HOUR_MS) // step_ms * step_ms for _ in range(count)]
    return sorted(found + ([0, HOUR_MS - step_ms] if count > 1 else []))


def visibility(rng: Random, hour_ms: int, time_ms: int, habits: Habits) -> tuple[int, bool]:
    """Return the moment from which a record is shown, and whether it is fleeting."""
    chance = rng.random()
    if chance < habits.late_fraction:
        return time_ms + 120_000 + int(rng.random() * (habits.late_max_seconds - 120) * 1000), False
    fleeting = chance > 1 - habits.fleeting_fraction and EDGE_MS < time_ms - hour_ms < HOUR_MS - EDGE_MS
    return time_ms + 500 + int(chance * 20_000), fleeting
