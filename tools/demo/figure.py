"""The figures of the demo's tables and moving lines. Pure."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.demo.progress import Standing, due_at
from tools.demo.proof import Proof

type Row = Sequence[object]

ARCHIVED = ("source", "windows", "sealed", "archived", "not due yet", "records", "rejects", "empty")
REVISITED = ("source", "revisited", "came late", "gone, kept here", "next visit (UTC)", "sealed by (UTC)")
STATUS = ("source", "state", "settled until", "lag (s)", "open", "due", "rows", "hours to first loss", "issues")
PROOF = ("source", "windows", "records", "rows", "rejects", "differ", "led back", "parts", "hashes wrong")


def progress(standings: Sequence[Standing], until: dt.datetime) -> str:
    """Return the line that moves while windows are archived."""
    rows = sum(standing.total("rows") for standing in standings)
    left = {standing.source.name: _left(standing, until) for standing in standings}
    visited = sum(len(standing.visited) for standing in standings)
    waiting = ", ".join(f"{name} {count}" for name, count in left.items() if count)
    said = f"{visited}/{visited + sum(left.values())} windows, {rows:,} rows"
    return f"{said}; left: {waiting}" if waiting else said


def _left(standing: Standing, until: dt.datetime) -> int:
    """Return how many windows are due that were never visited."""
    visited = {window.key for window in standing.visited}
    return len({window.key for window in standing.under_way(until)} - visited)


def revisits(before: Sequence[Standing]) -> Callable[[Sequence[Standing], dt.datetime], str]:
    """Return what says how many windows were visited again."""
    visits = sum(standing.visits for standing in before)
    windows = sum(len(standing.open) for standing in before)

    def describe(standings: Sequence[Standing], _until: dt.datetime) -> str:
        again = sum(standing.visits for standing in standings) - visits
        return f"{again} of {windows} windows visited again"

    return describe


def archived(standing: Standing) -> Row:
    """Return the row of a source after its first visits."""
    empty = sum(not window.item.get("rows") for window in standing.visited)
    waiting = len(standing.windows) - len(standing.visited)
    states = (len(standing.state("sealed")), len(standing.open), waiting)
    return (
        standing.source.path,
        len(standing.windows),
        *states,
        standing.total("rows"),
        standing.total("rejects"),
        empty,
    )


def revisited(before: Standing, after: Standing) -> Row:
    """Return the row of a source after its open windows were visited again."""
    late = after.total("late") - before.total("late")
    due = sorted(moment for window in after.open if (moment := due_at(window)))
    sealed = max((window.end + after.source.last_age for window in after.open), default=None)
    return (
        after.source.path,
        after.visits - before.visits,
        late,
        after.total("kept"),
        _moment(due[0] if due else None),
        _moment(sealed),
    )


def status(provider: str, source: Mapping[str, Any]) -> Row:
    """Return the row of a source from the result of `status`."""
    issues = ", ".join(f"{count} {issue}" for issue, count in source["issues"].items()) or "none"
    until = _moment(dt.datetime.fromisoformat(source["settled_until"])) if source["settled_until"] else "-"
    numbers = (source["lag_seconds"], source["open"], source["due"], source["rows"], source["hours_to_loss"])
    return f"{provider}/{source['source']}", source["state"], until, *numbers, issues


def proof(one: Proof) -> Row:
    """Return the row of a source's proof."""
    wrong = len(one.raw.differences)
    differ = len(one.differences) - wrong
    counts = (one.truth.counts[name] for name in ("windows", "records", "rows", "rejects"))
    return one.source.path, *counts, differ, one.way_back.counts["rows"], one.raw.counts["parts"], wrong


def _moment(moment: dt.datetime | None) -> str:
    return f"{moment:%m-%d %H:%M}" if moment else "-"
