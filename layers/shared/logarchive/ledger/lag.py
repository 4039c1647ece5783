"""The lag of a source, when the provider drops its next record, how long it has had no records. Pure.

It needs only the source's head and its unfinished windows, so a tick reads what is open, not all that is kept.
"""

import datetime as dt
from collections.abc import Sequence

from logarchive.ledger.entry import Entry, Head
from logarchive.moment import HOUR
from logarchive.provider.source import Source

_ZERO = dt.timedelta(0)
#: So long before records are lost that are not archived, `doctor` and the condition `loss_soon` say so.
LOSS_NOTICE = 12 * HOUR


def lag_seconds(head: Head | None, unfinished: Sequence[Entry], source: Source | None, now: dt.datetime) -> int | None:
    """Return how long the oldest window without a good visit has been due; None if that cannot be known."""
    if head is None or source is None:
        return None
    unvisited = [entry.window.end for entry in unfinished if not entry.visits]
    oldest = min([*unvisited, head.cursor + source.window])
    return round(max(_ZERO, now - source.delay - oldest).total_seconds())


def hours_to_loss(
    head: Head | None, unfinished: Sequence[Entry], source: Source | None, now: dt.datetime
) -> float | None:
    """Return the hours until the provider begins to drop records that are not archived yet; None without `retention`.

    A window with a good visit does not count: its next visit only looks for late records.
    """
    waiting = [entry for entry in unfinished if not entry.visits or entry.issue not in {None, "shrunk"}]
    lost = [entry.lost_at for entry in waiting if entry.lost_at]
    if source:
        # The retention of today, not the one with which the windows were planned.
        starts = [entry.window.start for entry in waiting] + ([head.cursor] if head else [])
        lost = [start + source.retention for start in starts] if source.retention else []
    return round((min(lost) - now) / HOUR, 2) if lost else None


def quiet_seconds(head: Head | None, unfinished: Sequence[Entry]) -> int:
    """Return how much archived time has passed since the newest window that had rows.

    Only archived time counts: a source that is late or refused is not quiet.
    """
    if head is None:
        return 0
    last_rows_until = head.last_rows_until or head.begin
    unvisited = [entry.window.start for entry in unfinished if not entry.visits]
    archived_until = min([*(start for start in unvisited if start >= last_rows_until), head.cursor])
    return round(max(_ZERO, archived_until - last_rows_until).total_seconds())
