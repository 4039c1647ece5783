"""What an hour of a source is like, and which time of it is not complete: made from entries of the ledger. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import chain

from logarchive.ledger.entry import Entry, Head
from logarchive.moment import DAY, HOUR
from logarchive.window import Span, Window, gaps

#: A window that has been due for so long is overdue.
OVERDUE = HOUR
#: Each tick plans the time up to now. If it has not for so long, the source is not archived.
STALLED = DAY
_NOT_PLANNED = "no window is planned: the source was paused or ended, its parameter is wrong, or no tick runs"


class Cell(IntEnum):
    """What a window, and so an hour, is like; of several windows in one hour the highest counts."""

    NONE = 0
    VERIFIED = 1
    #: Sealed, where the provider gives no total to compare with.
    SEALED = 2
    ARCHIVED = 3
    WAITING = 4
    #: Complete, but the provider no longer returns all of it.
    SHRUNK = 5
    TROUBLED = 6
    #: Not complete, and no visit can help.
    CLOSED = 7
    #: Time that the source's head promises, and no window has.
    MISSING = 8


@dataclass(frozen=True)
class Gap:
    """Neighbouring windows of a source that have the same to say about why they are not complete."""

    source: str
    span: Span
    cell: Cell
    windows: int
    issue: str | None = None
    #: The message of the newest window of them.
    error: str | None = None
    #: When the provider begins to drop the oldest of it; None if that is not known.
    lost_at: dt.datetime | None = None

    def joined(self, following: "Gap") -> "Gap | None":
        """Return this gap with the one that follows, if they are the same; None otherwise."""
        if (self.span.end, self.cell, self.issue) != (following.span.start, following.cell, following.issue):
            return None
        lost = min(filter(None, [self.lost_at, following.lost_at]), default=None)
        return replace(
            self,
            span=Span(self.span.start, following.span.end),
            windows=self.windows + following.windows,
            error=following.error,
            lost_at=lost,
        )


@dataclass(frozen=True)
class Expected:
    """Until when a source must be planned, and by how much its planning may be behind that."""

    until: dt.datetime
    tolerated: dt.timedelta = STALLED


@dataclass(frozen=True, slots=True)
class Leaf:
    """A window that is not split, with what is asked of it often: to read its key costs more than all else."""

    entry: Entry
    window: Window
    cell: Cell


def leaves_of(entries: Iterable[Entry], now: dt.datetime, tolerated: dt.timedelta = OVERDUE) -> list[Leaf]:
    """Return the leaves of entries, of which none is split."""
    return [Leaf(entry, entry.window, cell_of(entry, now, tolerated)) for entry in entries]


def cell_of(entry: Entry, now: dt.datetime, tolerated: dt.timedelta = OVERDUE) -> Cell:
    """Return what a window is like; `tolerated` is for how long its first visit may be due."""
    match entry.state:
        case "sealed":
            verified = Cell.VERIFIED if entry.numbers.verification == "verified" else Cell.SEALED
            return Cell.SHRUNK if entry.issue else verified
        case "closed":
            return Cell.CLOSED
        case _:
            patience = tolerated if entry.state == "planned" else OVERDUE
            overdue = entry.visit_due_at is not None and entry.visit_due_at <= now - patience
            troubled = overdue or entry.issue not in {None, "shrunk"}
            waiting = Cell.ARCHIVED if entry.state == "archived" else Cell.WAITING
            return Cell.TROUBLED if troubled else waiting


def promised_of(head: Head | None, leaves: Sequence[Leaf], within: Span) -> Span | None:
    """Return the time of a span that a source's windows must cover: from the earliest one to where planning has come.

    `leaves` are those that overlap the span. None without a head.
    """
    if head is None:
        return None
    begin = min([head.begin, *(leaf.window.start for leaf in leaves)])
    start, end = max(begin, within.start), min(head.cursor, within.end)
    return Span(start, max(start, end))


def gaps_of(source: str, promised: Span | None, leaves: Sequence[Leaf], expected: Expected) -> list[Gap]:
    """Return what is not complete of a source, oldest first; `promised` is the time for which it must have windows.

    If that ends too early, a gap reaches from its end to where the source must be planned.
    """
    windows = (_gap(source, leaf) for leaf in leaves if leaf.cell >= Cell.SHRUNK)
    covered = (leaf.window for leaf in leaves)
    kept = _kept(leaves)
    missing = (_missing(source, span, kept) for span in gaps(promised, covered)) if promised else ()
    stalled = (
        [replace(_missing(source, Span(promised.end, expected.until), kept), error=_NOT_PLANNED)]
        if promised and expected.until - promised.end > expected.tolerated
        else []
    )
    return [*_joined(sorted(chain(windows, missing), key=lambda gap: gap.span)), *stalled]


def soonest_loss_first(found: Iterable[Gap]) -> list[Gap]:
    """Return gaps in the order in which they need somebody: open ones by their loss, then what nobody can mend."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    rank = {Cell.TROUBLED: 0, Cell.MISSING: 0, Cell.CLOSED: 1, Cell.SHRUNK: 2}
    return sorted(found, key=lambda gap: (rank[gap.cell], gap.lost_at or never, gap.source, gap.span))


def _kept(leaves: Sequence[Leaf]) -> dt.timedelta | None:
    """Return how long after the start of a window its records are lost, as far as the newest windows tell."""
    return next((leaf.entry.lost_at - leaf.window.start for leaf in reversed(leaves) if leaf.entry.lost_at), None)


def _missing(source: str, span: Span, kept: dt.timedelta | None) -> Gap:
    """Return time without a window; its records are lost like those of its neighbours."""
    return Gap(source, span, Cell.MISSING, 0, lost_at=span.start + kept if kept else None)


def _gap(source: str, leaf: Leaf) -> Gap:
    entry = leaf.entry
    return Gap(
        source=source,
        span=Span(leaf.window.start, leaf.window.end),
        cell=leaf.cell,
        windows=1,
        issue=entry.issue,
        error=entry.error,
        lost_at=None if entry.finished else entry.lost_at,
    )


def _joined(found: Iterable[Gap]) -> Iterator[Gap]:
    last: Gap | None = None
    for gap in found:
        both = last.joined(gap) if last else None
        if last and both is None:
            yield last
        last = both or gap
    if last:
        yield last
