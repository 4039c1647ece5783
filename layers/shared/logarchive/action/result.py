"""Results: what an action returns. Issues are data; an invocation fails only for the unexpected."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from logarchive.ledger.entry import Entry, Head
from logarchive.moment import instant
from logarchive.runtime.source_loader import BadSource

type Result = dict[str, Any]

#: The most windows that a result lists.
MOST_WINDOWS = 1000


class Details(TypedDict, total=False):
    """What only some actions return beside their windows."""

    planned: int
    begun: list[dict[str, Any]]
    dispatched: int
    estimate: dict[str, float]
    new: int
    again: int
    difference: dict[str, Any]


def window_result(source_name: str, entry: Entry, *, busy: bool = False) -> Result:
    """Return what a result says of one window; `busy`: another worker holds it."""
    return {
        "source": source_name,
        "start": instant(entry.window.start),
        "end": instant(entry.window.end),
        "state": "busy" if busy else entry.state,
        **entry.numbers.model_dump(exclude={"verification"}),
        "visits": len(entry.visits),
        "verification": entry.numbers.verification,
        "issue": entry.issue,
        "error": entry.error,
        "due_at": instant(entry.visit_due_at) if entry.visit_due_at else None,
        **({"replay_error": entry.replay_error} if entry.replay_error else {}),
    }


def windows_result(
    provider: str,
    windows: Sequence[Result],
    bad: Sequence[BadSource] = (),
    following: dt.datetime | None = None,
    **details: Unpack[Details],
) -> Result:
    """Return windows, their totals, and what is wrong with sources; `following`: where to call again from."""
    return {
        "ok": True,
        "provider": provider,
        "windows": list(windows[:MOST_WINDOWS]),
        "totals": {"windows": len(windows), "rows": sum(window["rows"] for window in windows)},
        **details,
        "next": instant(following) if following else None,
        "errors": source_errors(bad),
    }


def begun_result(source_name: str, head: Head) -> Result:
    """Return what a result says of a source that was planned for the first time."""
    return {"source": source_name, "begin": instant(head.begin), "reason": head.begin_reason}


def refusal(provider: str, error: str, source_name: str | None = None) -> Result:
    """Return that the event, or the source it names, is wrong; nothing was changed."""
    return {"ok": False, "provider": provider, "errors": [{"source": source_name, "error": error}]}


def source_errors(bad: Sequence[BadSource]) -> list[Result]:
    """Return what a result says of sources that cannot be used."""
    return [{"source": source.name, "error": source.error} for source in bad]
