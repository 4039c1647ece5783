"""The pulse of a source: how late it is, when its first record is lost, how long it has been quiet. Pure.

It needs only the source's head and what is not finished, so that a tick costs what is open, never what is kept.
"""

import datetime as dt
from collections.abc import Sequence

from logarchive.ledger.entry import Entry, Head
from logarchive.moment import HOUR
from logarchive.provider.source import Source

NEVER = dt.timedelta(0)


def lag_seconds(head: Head | None, unfinished: Sequence[Entry], source: Source | None, now: dt.datetime) -> int | None:
    """Return how long the oldest window that was never archived has been due; None where that cannot be known."""
    if head is None or source is None:
        return None
    never = [entry.window.end for entry in unfinished if not entry.visits]
    oldest = min([*never, head.cursor + source.window])
    return round(max(NEVER, now - source.delay - oldest).total_seconds())


def hours_to_loss(
    head: Head | None, unfinished: Sequence[Entry], source: Source | None, now: dt.datetime
) -> float | None:
    """Return the hours until the provider begins to drop what is not archived yet; None without `retention`.

    A window that was archived well, and is only to be looked at again, is not about to be lost.
    """
    waiting = [entry for entry in unfinished if not entry.visits or entry.issue not in {None, "shrunk"}]
    lost = [entry.lost_at for entry in waiting if entry.lost_at]
    if source:
        # As the source says today, whatever it said when the windows were planned.
        starts = [entry.window.start for entry in waiting] + ([head.cursor] if head else [])
        lost = [start + source.retention for start in starts] if source.retention else []
    return round((min(lost) - now) / HOUR, 2) if lost else None


def quiet_seconds(head: Head | None, unfinished: Sequence[Entry]) -> int:
    """Return how much archived time has passed without a record since the newest window that had rows.

    Only what was looked at counts: a source that is late, or refused, is not quiet.
    """
    if head is None:
        return 0
    heard = head.heard_until or head.begin
    unseen = [entry.window.start for entry in unfinished if not entry.visits and entry.window.start >= heard]
    return round(max(NEVER, min([*unseen, head.cursor]) - heard).total_seconds())
