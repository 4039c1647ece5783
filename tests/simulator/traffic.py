"""How records come in: more by day than by night, some of them late, some only for a while."""

from __future__ import annotations

import math
from random import Random
from typing import Protocol

from tests.simulator.record import HOUR_MS, whole

EDGE_MS = 120_000  # no fleeting record so near to an hour, where a neighbour's margin might see it first


class Habits(Protocol):
    """The switches of a provider that say how its records come in."""

    records_an_hour: float
    late_fraction: float
    late_max_seconds: float
    fleeting_fraction: float


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
