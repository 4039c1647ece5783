"""What a visit means for its window: the next state, when it is due again, and why it is not complete. Pure."""

import datetime as dt
from dataclasses import dataclass

from logarchive.errors import Issue
from logarchive.ledger.entry import Entry, StoredObject
from logarchive.provider.source import Source
from logarchive.row.built import Built

BACK_OFF = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 360))
MINUTE = dt.timedelta(minutes=1)
#: Issues that another visit before the last revisit may mend, and that are permanent after it.
_PERMANENT: frozenset[Issue] = frozenset({"truncated", "expired"})


@dataclass(frozen=True)
class Visited:
    """What a good visit brought."""

    started: dt.datetime
    manifest: str
    built: Built
    object: StoredObject | None
    #: The visits merged by it, its own last.
    merged: tuple[str, ...]
    late: int
    issue: Issue | None
    requests: int
    seconds: int


def expired(entry: Entry, source: Source, now: dt.datetime) -> bool:
    """Say whether the provider holds nothing of the window any more."""
    return source.retention is not None and now >= entry.window.end + source.retention


def after_visit(entry: Entry, source: Source, visited: Visited) -> Entry:
    """Return the entry after a good visit: sealed at the last age, otherwise due at the next one."""
    numbers = visited.built.numbers
    lost = source.lost_at(entry.window)
    losing = lost is not None and visited.started >= lost
    issue = visited.issue or ("expired" if losing else None) or ("shrunk" if visited.built.kept else None)
    following = next_age(entry, source, visited.started)
    state, due = _state(issue, None if losing else following)
    verified = numbers.announced is not None and numbers.announced == numbers.fetched and not numbers.strays
    return entry.model_copy(
        update={
            "state": state,
            "due_at": due,
            "loose": 0,
            "failures": 0,
            "visits": (*entry.visits, *(name for name in visited.merged if name not in entry.visits)),
            "issue": issue,
            "error": None,
            "manifest": visited.manifest,
            "object": visited.object,
            "lost_at": lost,
            "rows": visited.built.object_rows,
            **_counted(visited.built),
            "late": entry.late + visited.late,
            "verification": "verified" if verified else "unverified",
            "requests": visited.requests,
            "seconds": visited.seconds,
        }
    )


def after_failure(
    entry: Entry,
    source: Source,
    now: dt.datetime,
    issue: Issue,
    error: str,
    manifest: str | None,
    *,
    longest: bool = False,
) -> Entry:
    """Return the entry after a failed visit: due again after the back-off, with its issue."""
    wait = BACK_OFF[-1] if longest else BACK_OFF[min(entry.failures, len(BACK_OFF) - 1)]
    lost = source.lost_at(entry.window)
    changes = {
        "failures": entry.failures + 1,
        "issue": issue,
        "error": error,
        "due_at": _back_off(lost, now, wait),
        "lost_at": lost,
        "manifest": manifest or entry.manifest,
    }
    return entry.model_copy(update=changes)


def after_retention(entry: Entry) -> Entry:
    """Return the entry of a window whose records the provider has dropped before the archive was complete."""
    error = entry.error or "the provider's retention passed before the window was complete"
    return entry.model_copy(update={"state": "closed", "due_at": None, "issue": "expired", "error": error})


def put_back(entry: Entry, now: dt.datetime) -> Entry:
    """Return the entry of a visit that was begun too late to end: due at once, nothing else changed."""
    return entry.model_copy(update={"due_at": now})


def taken_up(
    entry: Entry, built: Built, written: StoredObject | None, visits: tuple[str, ...], late: int, manifest: str
) -> Entry:
    """Return the entry with complete visits that their own claims never committed."""
    changes = {
        "state": "archived",
        "visits": (*entry.visits, *(name for name in visits if name not in entry.visits)),
        "manifest": manifest,
        "object": written,
        "rows": built.object_rows,
        "late": entry.late + late,
        **_counted(built),
    }
    return entry.model_copy(update=changes)


def next_age(entry: Entry, source: Source, visited_at: dt.datetime) -> dt.datetime | None:
    """Return when the window is due again after a good visit, or None when it was the last one."""
    return next((entry.window.end + age for age in source.revisit if entry.window.end + age > visited_at), None)


def _counted(built: Built) -> dict[str, int | None]:
    numbers = built.numbers
    return {
        "announced": numbers.announced,
        "fetched": numbers.fetched,
        "rejects": numbers.rejects,
        "outside": numbers.outside,
        "duplicates": numbers.duplicates,
        "strays": numbers.strays,
    }


def _state(issue: Issue | None, following: dt.datetime | None) -> tuple[str, dt.datetime | None]:
    if following is not None:
        return "archived", following
    return ("closed" if issue in _PERMANENT else "sealed"), None


def _back_off(lost: dt.datetime | None, now: dt.datetime, wait: dt.timedelta) -> dt.datetime:
    """Never wait longer than half of what is left until the provider drops the records, nor less than a minute."""
    if lost is not None and lost > now:
        wait = max(MINUTE, min(wait, (lost - now) / 2))
    return now + wait
