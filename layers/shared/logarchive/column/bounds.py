"""Which records a part answers for, by their own time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from logarchive.moment import to_epoch_ms
from logarchive.part import Part
from logarchive.window import Span, Window

type Verdict = Literal["inside", "outside", "stray"]


def _ms(span: Span) -> tuple[int, int]:
    return to_epoch_ms(span.start), to_epoch_ms(span.end)


@dataclass(frozen=True)
class Bounds:
    """Milliseconds since the epoch: `own` is half-open; within one of `others` (inclusive) another answers."""

    own: tuple[int, int] | None
    others: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, part: Part, window: Window, *, bounded: bool) -> "Bounds":
        """Return what a part of a window's visit answers for; everything where the file is the unit."""
        if not bounded:
            return cls(None)
        start, end = _ms(window)
        others = [(start, end - 1)] + ([_ms(part.asked)] if part.asked else [])
        return cls(_ms(part.own or window), tuple(others))

    def verdicts(self, times: Sequence[int]) -> list[Verdict] | None:
        """Judge records by their times; None: all are inside."""
        if self.own is None or not times:
            return None
        start, end = self.own
        if start <= min(times) and max(times) < end:
            return None
        return [self._verdict(time) for time in times]

    def _verdict(self, time: int) -> Verdict:
        if self.own is None or self.own[0] <= time < self.own[1]:
            return "inside"
        return "outside" if any(first <= time <= last for first, last in self.others) else "stray"
