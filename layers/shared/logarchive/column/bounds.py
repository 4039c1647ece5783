"""Which records belong to a part, by their own time."""

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
    """Ranges in ms since the epoch, for the records of one part.

    `own` is half-open; None: all are inside. A record in a range of `elsewhere` (inclusive) belongs to another part.
    """

    own: tuple[int, int] | None
    elsewhere: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, part: Part, window: Window, *, bounded: bool) -> "Bounds":
        """Return the bounds of a part of a window's visit; without `bounded` every record is inside."""
        if not bounded:
            return cls(None)
        start, end = _ms(window)
        elsewhere = [(start, end - 1)] + ([_ms(part.asked)] if part.asked else [])
        return cls(_ms(part.own or window), tuple(elsewhere))

    def verdicts(self, times: Sequence[int]) -> list[Verdict] | None:
        """Return a verdict for each time; None: all are inside."""
        if self.own is None or not times:
            return None
        start, end = self.own
        if start <= min(times) and max(times) < end:
            return None
        return [self._verdict(time) for time in times]

    def _verdict(self, time: int) -> Verdict:
        if self.own is None or self.own[0] <= time < self.own[1]:
            return "inside"
        return "outside" if any(first <= time <= last for first, last in self.elsewhere) else "stray"
