"""How late records arrive at a provider: what share of a window's rows was there at which age. Pure.

A window's last visit is not counted: by that alone nobody knows what came after it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from logarchive.coverage.gap import Leaf
from logarchive.moment import DAY, HOUR

#: The ages at which visits are put together: each visit counts for the first age that it is not older than.
AGES = (
    *(dt.timedelta(minutes=minutes) for minutes in (5, 10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * DAY for days in (1, 2, 7, 40)),
)
#: A delay is suggested if at that age at most this share of the rows was still to come.
TOLERATED = 0.001
#: Fewer rows suggest nothing.
LEAST_ROWS = 1000
#: So much of a visit's name is when it began.
_MOMENT = len("20261122T150002Z")


@dataclass(frozen=True)
class Arrived:
    """The visits up to one age: the rows that their windows have now, and how many of them came later."""

    age: dt.timedelta
    visits: int = 0
    rows: int = 0
    later: int = 0

    def plus(self, rows: int, later: int) -> "Arrived":
        """Return this with one visit more."""
        return Arrived(self.age, self.visits + 1, self.rows + rows, self.later + later)


def arrivals(leaves: Iterable[Leaf]) -> tuple[Arrived, ...]:
    """Return the late-arrival curve of finished windows, the earliest age first; ages without a visit are left out."""
    curve: dict[dt.timedelta, Arrived] = {}
    for leaf in leaves:
        for age, later in _visits(leaf):
            step = next((step for step in AGES if age <= step), AGES[-1])
            curve[step] = curve.get(step, Arrived(step)).plus(leaf.entry.numbers.rows, later)
    return tuple(curve[age] for age in sorted(curve))


def suggested_delay(curve: Sequence[Arrived]) -> dt.timedelta | None:
    """Return the earliest age at which nearly all rows had arrived; None if no visit has shown one."""
    enough = (one for one in curve if one.rows >= LEAST_ROWS)
    return next((one.age for one in enough if one.later <= one.rows * TOLERATED), None)


def _visits(leaf: Leaf) -> Iterator[tuple[dt.timedelta, int]]:
    """Yield the age of each visit but the last, and how many rows came later."""
    entry = leaf.entry
    numbers, late = entry.numbers, entry.late_by_visit
    if not entry.finished or not numbers.rows:
        return
    if len(late) != len(entry.visits) or sum(late) != numbers.late:
        late = (0, numbers.late)  # an earlier version, or a replay: what is known is of the first visit
    for number, visit in enumerate(entry.visits[: len(late)][:-1], 1):
        yield dt.datetime.fromisoformat(visit[:_MOMENT]) - leaf.window.end, sum(late[number:])
