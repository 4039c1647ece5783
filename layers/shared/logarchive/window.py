"""Windows of time: half-open UTC intervals, their keys, and how a range is cut into windows. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from logarchive.moment import duration, floor, instant, parse_duration, parse_instant


@dataclass(frozen=True, order=True)
class Span:
    """A half-open interval `[start, end)` of aware UTC datetimes."""

    start: dt.datetime
    end: dt.datetime

    @property
    def length(self) -> dt.timedelta:
        """The time between both ends."""
        return self.end - self.start

    def widened(self, margin: dt.timedelta) -> "Span":
        """Return this span with `margin` more at both ends."""
        return Span(self.start - margin, self.end + margin)

    def pieces(self, length: dt.timedelta) -> "Iterator[Span]":
        """Yield this span in pieces of `length`; the last one may be shorter."""
        start = self.start
        while start < self.end:
            end = min(start + length, self.end)
            yield Span(start, end)
            start = end

    def halves(self, grain: dt.timedelta) -> "tuple[Span, Span] | None":
        """Return both halves, cut at a multiple of `grain` from the start; None when it is no longer than `grain`."""
        if self.length <= grain:
            return None
        middle = self.start + max(grain, (self.length / 2) // grain * grain)
        return Span(self.start, middle), Span(middle, self.end)


@dataclass(frozen=True, order=True)
class Window(Span):
    """A span at whole seconds: the unit of work, of storage and of proof."""

    @property
    def key(self) -> str:
        """The ledger's sort key, `2026-11-22T13:00:00Z/PT1H`."""
        return f"{instant(self.start)}/{duration(self.length)}"

    @property
    def slug(self) -> str:
        """The window in an S3 key, `20261122T130000Z-PT1H`."""
        return f"{self.start:%Y%m%dT%H%M%SZ}-{duration(self.length)}"

    @property
    def date(self) -> str:
        """The UTC date of its start: its partition in S3 and Athena."""
        return f"{self.start:%Y-%m-%d}"

    @classmethod
    def parse(cls, key: str) -> "Window":
        """Read a window from its ledger key."""
        start, _, length = key.partition("/")
        begin = parse_instant(start)
        return cls(begin, begin + parse_duration(length))


def gaps(whole: Span, covered: Iterable[Span]) -> Iterator[Span]:
    """Yield the parts of `whole` that no span of `covered` covers, oldest first."""
    reached = whole.start
    for span in sorted(covered):
        if span.start >= whole.end:
            break
        if span.start > reached:
            yield Span(reached, span.start)
        reached = max(reached, span.end)
    if reached < whole.end:
        yield Span(reached, whole.end)


def tiles(gap: Span, length: dt.timedelta) -> Iterator[Window]:
    """Cut a gap at the UTC-aligned multiples of `length`; the first and last window may be shorter."""
    start = gap.start
    while start < gap.end:
        end = min(floor(start, length) + length, gap.end)
        yield Window(start, end)
        start = end
