"""What the coverage page shows: per source its hours, gaps, totals and late rows, made from the ledger. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from logarchive.coverage.gap import Cell, Expected, Gap, Leaf, gaps_of, promised_of
from logarchive.coverage.lateness import Arrived, arrivals
from logarchive.ledger.entry import Head
from logarchive.moment import DAY, HOUR, floor
from logarchive.window import Span

HOURS = DAY // HOUR


@dataclass(frozen=True)
class Hours:
    """Numbers of each hour, from midnight of the first day to that of the last; those of a window are of its first."""

    first: dt.datetime
    cells: Sequence[int]
    rows: Sequence[int]
    rejects: Sequence[int]
    late: Sequence[int]
    #: Bytes of the Parquet objects of each day.
    day_bytes: Sequence[int]


@dataclass(frozen=True)
class Totals:  # 9 attributes: columns of the page, and what one of them depends on
    """The windows of a source, and what they hold."""

    windows: int = 0
    sealed: int = 0
    verified: int = 0
    #: False where windows were visited and the provider gave no total of any: their share says nothing.
    comparable: bool = True
    closed: int = 0
    rows: int = 0
    bytes: int = 0
    rejects: int = 0
    late: int = 0


@dataclass(frozen=True)
class SourceCoverage:
    """One source, `elsa/checkout`."""

    name: str
    #: From when on, and until when, it has windows.
    planned: Span | None
    hours: Hours
    totals: Totals
    gaps: Sequence[Gap]
    curve: Sequence[Arrived]


@dataclass(frozen=True)
class Coverage:
    """The whole archive as it was read."""

    #: The name of the bucket.
    archive: str
    read_at: dt.datetime
    sources: Sequence[SourceCoverage]
    #: Sources that could not be read, and why.
    unread: Sequence[tuple[str, str]] = ()
    #: The newest checkpoint of the proof log; empty before the first.
    checkpoint: str = ""
    #: Sources that cannot be used, and why: nothing is archived of them.
    invalid: Mapping[str, str] = field(default_factory=dict[str, str])


def source_coverage(
    name: str, head: Head | None, leaves: Sequence[Leaf], span: Span, expected: Expected
) -> SourceCoverage:
    """Sum up a source in whole days; `leaves` are those that overlap `span`."""
    promised = promised_of(head, leaves, span)
    begin = floor(promised.start, DAY) if promised else span.start
    days = Span(min(max(begin, span.start), span.end), span.end)
    inside = [leaf for leaf in leaves if leaf.window.start >= span.start]
    gaps = gaps_of(name, promised, leaves, expected)
    return SourceCoverage(
        name=name,
        planned=Span(min(head.begin, promised.start), head.cursor) if head and promised else None,
        hours=_hours(days, leaves, gaps),
        totals=totals_of(inside),
        gaps=gaps,
        curve=arrivals(inside),
    )


def totals_of(leaves: Sequence[Leaf]) -> Totals:
    """Count windows, and what they hold."""
    entries = [leaf.entry for leaf in leaves]
    return Totals(
        windows=len(entries),
        sealed=sum(entry.state == "sealed" for entry in entries),
        verified=sum(entry.numbers.verification == "verified" for entry in entries),
        comparable=not any(entry.visits for entry in entries)
        or any(entry.numbers.announced is not None for entry in entries),
        closed=sum(entry.state == "closed" for entry in entries),
        rows=sum(entry.numbers.rows for entry in entries),
        bytes=sum(entry.object.bytes for entry in entries if entry.object),
        rejects=sum(entry.numbers.rejects for entry in entries),
        late=sum(entry.numbers.late for entry in entries),
    )


def _hours(days: Span, leaves: Sequence[Leaf], gaps: Sequence[Gap]) -> Hours:
    size = days.length // HOUR
    cells, rows, rejects, late = ([0] * size for _ in range(4))
    day_bytes = [0] * (size // HOURS)
    for leaf in leaves:
        _paint(cells, days, leaf.window, leaf.cell)
        entry, at = leaf.entry, (leaf.window.start - days.start) // HOUR
        if 0 <= at < size:
            rows[at] += entry.numbers.rows
            rejects[at] += entry.numbers.rejects
            late[at] += entry.numbers.late
            day_bytes[at // HOURS] += entry.object.bytes if entry.object else 0
    for gap in gaps:
        if gap.cell == Cell.MISSING:
            _paint(cells, days, gap.span, gap.cell)
    return Hours(days.start, cells, rows, rejects, late, day_bytes)


def _paint(cells: list[int], days: Span, span: Span, cell: Cell) -> None:
    """Mark the hours that overlap a span, where nothing worse is marked."""
    first = max(0, (span.start - days.start) // HOUR)
    last = min(len(cells), -((days.start - span.end) // HOUR))
    for at in range(first, last):
        cells[at] = max(cells[at], cell)
