"""Status: where each source stands, read off the ledger."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Status
from logarchive.action.lag import hours_to_loss, lag_seconds
from logarchive.action.result import Result
from logarchive.errors import ConfigError
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.ledger import registered
from logarchive.moment import instant
from logarchive.provider.source import Source


def status[S: Source, K: BaseModel](archive: Archive[S, K], event: Status) -> Result:
    """Return where each source stands; a source without configuration is `orphaned`, a disabled one `paused`."""
    good, bad = archive.load()
    broken = {error.source for error in bad}
    names = sorted({*good, *registered(archive.table, archive.provider.name)})
    if event.source is not None:
        if event.source not in names and event.source not in broken:
            raise ConfigError(f"no source {event.source!r}, neither configured nor in the ledger")
        names = [name for name in names if name == event.source]
    return {
        "ok": True,
        "provider": archive.provider.name,
        "sources": [_source(archive, name, good.get(name), known=name in broken) for name in names],
        "errors": [vars(error) for error in bad if event.source in {None, error.source}],
    }


def _source[S: Source, K: BaseModel](archive: Archive[S, K], name: str, source: S | None, *, known: bool) -> Result:
    now, ledger = archive.invocation.clock(), archive.ledger(name)
    head = ledger.head()
    leaves = [entry for entry in ledger.every() if entry.state != "split"]
    state = "active" if source and source.enabled else "paused" if source or known else "orphaned"
    return {"source": name, "state": state, **standing(head, leaves, source, now)}


def standing(head: Head | None, leaves: Iterable[Entry], source: Source | None, now: dt.datetime) -> dict[str, Any]:
    """Sum up the windows of one source. Pure."""
    entries = sorted(leaves, key=lambda entry: entry.window)
    unfinished = [entry for entry in entries if not entry.finished]
    cursor = head.cursor if head else None
    failed = [entry.error for entry in entries if entry.error]
    return {
        "sealed_until": _until(cursor, entries, lambda entry: entry.state == "sealed"),
        "settled_until": _until(cursor, entries, lambda entry: entry.finished),
        "lag_seconds": lag_seconds(head, unfinished, source, now),
        "open": len(unfinished),
        "due": sum(1 for entry in unfinished if entry.due_at and entry.due_at <= now),
        "issues": dict(Counter(entry.issue for entry in entries if entry.issue)),
        "hours_to_loss": hours_to_loss(head, unfinished, source, now),
        "rows": sum(entry.rows for entry in entries),
        "last_error": failed[-1] if failed else None,
    }


def _until(cursor: dt.datetime | None, entries: Iterable[Entry], reached: Callable[[Entry], bool]) -> str | None:
    """Return up to where, from the oldest window on, every one is as wanted and no time lies between two of them."""
    until: dt.datetime | None = None
    for entry in entries:
        if until not in {None, entry.window.start} or not reached(entry):
            return instant(until or entry.window.start)
        until = entry.window.end
    until = until or cursor
    return instant(until) if until else None
