"""The action `status`: where each source stands, computed from the ledger."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Status
from logarchive.action.lag import hours_to_loss, lag_seconds
from logarchive.action.result import Result, source_errors
from logarchive.errors import ConfigError
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.ledger import registered
from logarchive.moment import instant
from logarchive.provider.source import Source


def status[S: Source, K: BaseModel](archive: Archive[S, K], event: Status) -> Result:
    """Return where each source stands; a source without a parameter is `orphaned`, a disabled one `paused`."""
    sources, bad = archive.sources()
    bad_names = {problem.name for problem in bad}
    names = sorted({*sources, *registered(archive.table, archive.provider.name)})
    if event.source is not None:
        if event.source not in {*names, *bad_names}:
            raise ConfigError(f"no source {event.source!r}, neither configured nor in the ledger")
        names = [name for name in names if name == event.source]
    return {
        "ok": True,
        "provider": archive.provider.name,
        "sources": [_source(archive, name, sources.get(name), bad=name in bad_names) for name in names],
        "errors": source_errors([problem for problem in bad if event.source in {None, problem.name}]),
    }


def _source[S: Source, K: BaseModel](
    archive: Archive[S, K], source_name: str, source: S | None, *, bad: bool
) -> Result:
    now, ledger = archive.invocation.clock(), archive.ledger(source_name)
    head = ledger.head()
    leaves = [entry for entry in ledger.every() if entry.state != "split"]
    state = "active" if source and source.enabled else "paused" if source or bad else "orphaned"
    return {"source": source_name, "state": state, **standing(head, leaves, source, now)}


def standing(head: Head | None, leaves: Iterable[Entry], source: Source | None, now: dt.datetime) -> Result:
    """Sum up the windows of one source. Pure."""
    entries = sorted(leaves, key=lambda entry: entry.window)
    unfinished = [entry for entry in entries if not entry.finished]
    cursor = head.cursor if head else None
    errors = [entry.error for entry in entries if entry.error]
    return {
        "sealed_until": _until(cursor, entries, lambda entry: entry.state == "sealed"),
        "settled_until": _until(cursor, entries, lambda entry: entry.finished),
        "lag_seconds": lag_seconds(head, unfinished, source, now),
        "open": len(unfinished),
        "due": sum(1 for entry in unfinished if entry.due_at and entry.due_at <= now),
        "issues": dict(Counter(entry.issue for entry in entries if entry.issue)),
        "hours_to_loss": hours_to_loss(head, unfinished, source, now),
        "rows": sum(entry.numbers.rows for entry in entries),
        "last_error": errors[-1] if errors else None,
    }


def _until(cursor: dt.datetime | None, entries: Iterable[Entry], reached: Callable[[Entry], bool]) -> str | None:
    """Return the end of the windows that have `reached` a state, from the oldest on and without a gap."""
    until: dt.datetime | None = None
    for entry in entries:
        if until not in {None, entry.window.start} or not reached(entry):
            return instant(until or entry.window.start)
        until = entry.window.end
    until = until or cursor
    return instant(until) if until else None
