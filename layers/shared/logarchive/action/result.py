"""Results: what an action answers. Issues are data, an invocation fails only for the unexpected."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from logarchive.ledger.entry import Entry
from logarchive.moment import instant
from logarchive.provider.source import SourceError

type Result = dict[str, Any]

#: A result lists at most so many windows.
MOST_WINDOWS = 1000

_NUMBERS = ("announced", "fetched", "rows", "rejects", "outside", "duplicates", "strays", "late")


def shown(source: str, entry: Entry, *, busy: bool = False) -> Result:
    """Show one window."""
    return {
        "source": source,
        "start": instant(entry.window.start),
        "end": instant(entry.window.end),
        "state": "busy" if busy else entry.state,
        **{name: getattr(entry, name) for name in _NUMBERS},
        "visits": len(entry.visits),
        "verification": entry.verification,
        "issue": entry.issue,
        "error": entry.error,
        "due_at": instant(entry.due_at) if entry.due_at else None,
    }


def answer(
    provider: str,
    windows: Sequence[Result],
    errors: Sequence[SourceError],
    following: dt.datetime | None = None,
    **more: Any,  # noqa: ANN401
) -> Result:
    """Answer with windows, their totals and what is wrong with sources; `following` is where to call again from."""
    return {
        "ok": True,
        "provider": provider,
        "windows": list(windows[:MOST_WINDOWS]),
        "totals": {"windows": len(windows), "rows": sum(window["rows"] for window in windows)},
        **more,
        "next": instant(following) if following else None,
        "errors": [vars(error) for error in errors],
    }


def refused(provider: str, error: str, source: str | None = None) -> Result:
    """Answer that the event or the source it names is wrong; nothing was changed."""
    return {"ok": False, "provider": provider, "errors": [{"source": source, "error": error}]}
