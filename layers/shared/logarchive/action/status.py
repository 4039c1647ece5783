"""The actions `status` and `gaps`: where each source stands, and what of it is missing, computed from the ledger."""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import batched

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Gaps, Status
from logarchive.action.result import Result, source_errors
from logarchive.coverage.gap import Cell, Expected, Gap, Leaf, gaps_of, leaves_of, promised_of, soonest_loss_first
from logarchive.coverage.model import HOURS, source_coverage
from logarchive.errors import ConfigError
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.lag import hours_to_loss, lag_seconds
from logarchive.ledger.past import Sums, read_past, write_past
from logarchive.ledger.registry import registered
from logarchive.moment import DAY, EPOCH, HOUR, MINUTE, floor, instant
from logarchive.provider.source import Source
from logarchive.runtime.source_loader import BadSource
from logarchive.window import Span

#: Of a source at most so many gaps are listed; behind so many gaps or sources, `next` says where to go on.
MOST_GAPS, ENOUGH_GAPS, ENOUGH_SOURCES = 500, 2000, 100
#: A tick plans each window that has ended, at least so often.
TICK = 15 * MINUTE
#: What is due, and not archived, is a gap from then on: the coverage page, which is made once a day, waits an hour.
_AT_ONCE = dt.timedelta(0)


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
    past = read_past(ledger, head)
    following = sorted(
        (entry for entry in ledger.every(past.before) if entry.state != "split"), key=lambda entry: entry.window
    )
    write_past(ledger, head, past, following)
    sums = past.sums.plus(following)
    replays = {
        "outdated": sums.outdated(archive.provider.mapping_version),
        "replaying": sum(1 for entry in following if entry.replay),
    }
    result = status_of(head, sums, following, source, archive.invocation.clock()) | replays
    errors = [problem.error for problem in bad if problem.name == source_name]
    if errors:
        return {"source": source_name, "state": "invalid", **result, "last_error": errors[0]}
    return {"source": source_name, "state": _state(source), **result}


def _state(source: Source | None) -> str:
    return "orphaned" if source is None else "active" if source.enabled else "paused"


def status_of(
    head: Head | None, sums: Sums, entries: Iterable[Entry], source: Source | None, now: dt.datetime
) -> Result:
    """Say where one source stands, from the sums of its windows and from those that are not finished. Pure."""
    unfinished = [entry for entry in entries if not entry.finished]
    return {
        "begin": instant(head.begin) if head else None,
        "begin_reason": head.begin_reason if head else None,
        "sealed_until": instant(sums.sealed.until) if sums.sealed.until else None,
        "settled_until": instant(sums.settled.until) if sums.settled.until else None,
        "lag_seconds": lag_seconds(head, unfinished, source, now),
        "open": len(unfinished),
        "due": sum(1 for entry in unfinished if entry.visit_due_at and entry.visit_due_at <= now),
        "issues": dict(sums.issues),
        "hours_to_loss": hours_to_loss(head, unfinished, source, now),
        "rows": sums.rows,
        "kept": sums.kept,
        "last_error": sums.last_error,
    }


def gaps[S: Source, K: BaseModel](archive: Archive[S, K], event: Gaps) -> Result:
    """Return what is not complete of each source; nothing is counted, since `status` and the ticks report it."""
    sources, bad = archive.source_loader.load()
    wrong = {problem.name for problem in bad}
    names = {*sources, *wrong, *registered(archive.table, archive.provider.name)}
    if event.source is not None and event.source not in names:
        raise ConfigError(f"no source {event.source!r}, neither configured nor in the ledger")
    left = deque(sorted(name for name in names if name >= (event.start or "") and event.source in {None, name}))
    found: list[Result] = []
    # At least one: whoever follows `next` gets on.
    while left and (not found or (archive.invocation.enough_time() and _is_small(found))):
        name = left.popleft()
        state = "invalid" if name in wrong else _state(sources.get(name))
        found.append({"source": name, "state": state, **_incomplete(archive, name, sources.get(name), event.days)})
    return {"ok": True, "provider": archive.provider.name, "sources": found, "next": left[0] if left else None}


def _is_small(found: Sequence[Result]) -> bool:
    """Return whether a result may have one source more: Lambda returns at most 6 MB."""
    return len(found) < ENOUGH_SOURCES and sum(len(source["gaps"]) for source in found) < ENOUGH_GAPS


def _incomplete[S: Source, K: BaseModel](
    archive: Archive[S, K], source_name: str, source: S | None, days: int | None
) -> Result:
    now, ledger = archive.invocation.clock(), archive.ledger(source_name)
    today = floor(now, DAY)
    span = Span(today - (days - 1) * DAY if days else EPOCH, today + DAY)
    # The head first: what a tick plans meanwhile has windows, and is not expected yet.
    head = ledger.head()
    entries = ledger.covering(span) if days else [entry for entry in ledger.every() if entry.state != "split"]
    leaves = sorted(leaves_of(entries, now, _AT_ONCE), key=lambda leaf: leaf.window)
    expected = Expected(floor(now - TICK, source.window if source else HOUR), _AT_ONCE)
    return incomplete(head, leaves, span, expected) | ({"hours": _hours(head, leaves, span, expected)} if days else {})


def incomplete(head: Head | None, leaves: Sequence[Leaf], span: Span, expected: Expected) -> Result:
    """Return the gaps of one source in a span, soonest loss first. What is complete but `shrunk` is none. Pure."""
    promised = promised_of(head, leaves, span)
    found = soonest_loss_first(gap for gap in gaps_of("", promised, leaves, expected) if gap.cell != Cell.SHRUNK)
    planned = [instant(promised.start), instant(promised.end)] if promised else None
    gaps = [_gap_result(gap, stopped=bool(promised and gap.span.start >= promised.end)) for gap in found[:MOST_GAPS]]
    return {"planned": planned, "gaps": gaps, "gaps_left": len(found[MOST_GAPS:])}


def _gap_result(gap: Gap, *, stopped: bool) -> Result:
    return {
        "start": instant(gap.span.start),
        "end": instant(gap.span.end),
        "state": "stopped" if stopped and gap.cell == Cell.MISSING else gap.cell.name.lower(),
        "windows": gap.windows,
        "issue": gap.issue,
        "error": gap.error,
        "lost_at": instant(gap.lost_at) if gap.lost_at else None,
    }


def _hours(head: Head | None, leaves: Sequence[Leaf], span: Span, expected: Expected) -> dict[str, list[str]]:
    """Return the state of each hour by its day."""
    hours = source_coverage("", head, leaves, span, expected).hours
    days = enumerate(batched(hours.cells, HOURS, strict=True))
    return {f"{hours.first + day * DAY:%Y-%m-%d}": [Cell(cell).name.lower() for cell in cells] for day, cells in days}
