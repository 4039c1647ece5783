"""The action `status`: where each source stands, computed from the ledger."""

import datetime as dt
from collections import Counter, deque
from collections.abc import Callable, Iterable

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Status
from logarchive.action.result import Result, source_errors
from logarchive.errors import ConfigError
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.lag import hours_to_loss, lag_seconds
from logarchive.ledger.registry import registered
from logarchive.moment import instant
from logarchive.provider.source import Source
from logarchive.runtime.source_loader import BadSource


def status[S: Source, K: BaseModel](archive: Archive[S, K], event: Status) -> Result:
    """Return where each source stands, and why a source cannot be used, its secret included.

    A source without a parameter is `orphaned`, a disabled one `paused`, one that cannot be used `invalid`. When
    the time is used up, `next` is the `start` to call again with.
    """
    sources, bad = archive.sources()
    names = {*sources, *(problem.name for problem in bad), *registered(archive.table, archive.provider.name)}
    if event.source is None:
        bad += archive.misplaced()
    elif event.source in names:
        names, bad = {event.source}, [problem for problem in bad if problem.name == event.source]
    else:
        raise ConfigError(f"no source {event.source!r}, neither configured nor in the ledger")
    left = deque(sorted(name for name in names if event.start is None or name >= event.start))
    statuses: list[Result] = []
    # At least one: whoever follows `next` gets on.
    while left and (not statuses or archive.invocation.enough_time()):
        name = left.popleft()
        statuses.append(_source(archive, name, sources.get(name), bad))
    following, errors = left[0] if left else None, source_errors(bad)
    return {"ok": True, "provider": archive.provider.name, "sources": statuses, "next": following, "errors": errors}


def _source[S: Source, K: BaseModel](
    archive: Archive[S, K], source_name: str, source: S | None, bad: list[BadSource]
) -> Result:
    """Return the state of one source; if its secret is wrong, or its name belongs to another one, add it to `bad`."""
    ledger = archive.ledger(source_name)
    head = ledger.head()
    if source and source.enabled:
        try:
            archive.planner(source_name, source).admit(head)
            archive.source_loader.secret(source)
        except ConfigError as error:
            bad.append(BadSource(source_name, str(error)))
            archive.report(bad[-1])
    leaves = [entry for entry in ledger.every() if entry.state != "split"]
    mapping = archive.provider.mapping_version
    replays = {
        "outdated": sum(1 for entry in leaves if entry.outdated(mapping)),
        "replaying": sum(1 for entry in leaves if entry.replay),
    }
    result = status_of(head, leaves, source, archive.invocation.clock()) | replays
    errors = [problem.error for problem in bad if problem.name == source_name]
    if errors:
        return {"source": source_name, "state": "invalid", **result, "last_error": errors[0]}
    state = "orphaned" if source is None else "active" if source.enabled else "paused"
    return {"source": source_name, "state": state, **result}


def status_of(head: Head | None, leaves: Iterable[Entry], source: Source | None, now: dt.datetime) -> Result:
    """Sum up the windows of one source. Pure."""
    entries = sorted(leaves, key=lambda entry: entry.window)
    unfinished = [entry for entry in entries if not entry.finished]
    errors = [entry.error for entry in entries if entry.error]
    return {
        "begin": instant(head.begin) if head else None,
        "begin_reason": head.begin_reason if head else None,
        "sealed_until": _until(entries, lambda entry: entry.state == "sealed"),
        "settled_until": _until(entries, lambda entry: entry.finished),
        "lag_seconds": lag_seconds(head, unfinished, source, now),
        "open": len(unfinished),
        "due": sum(1 for entry in unfinished if entry.visit_due_at and entry.visit_due_at <= now),
        "issues": dict(Counter(entry.issue for entry in entries if entry.issue)),
        "hours_to_loss": hours_to_loss(head, unfinished, source, now),
        "rows": sum(entry.numbers.rows for entry in entries),
        "kept": sum(entry.numbers.kept for entry in entries),
        "last_error": errors[-1] if errors else None,
    }


def _until(entries: Iterable[Entry], reached: Callable[[Entry], bool]) -> str | None:
    """Return the end of the windows that have `reached` a state, from the oldest on and without a gap."""
    until: dt.datetime | None = None
    for entry in entries:
        until = until or entry.window.start
        if until != entry.window.start or not reached(entry):
            break
        until = entry.window.end
    return instant(until) if until else None
