"""What a visit means for its window: the next state, when it is due again, and why it is not complete. Pure."""

import datetime as dt
from dataclasses import dataclass

from logarchive.errors import Issue, MismatchError, OutOfTimeError, ProviderError, TooLargeError
from logarchive.ledger.entry import Entry, State
from logarchive.numbers import Verification, VisitNumbers, WindowNumbers
from logarchive.provider.source import Source
from logarchive.row.build import Built
from logarchive.visit.merger import Merged, Written
from logarchive.visit.rebuild import Rebuilt

BACK_OFF = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 360))
MINUTE = dt.timedelta(minutes=1)
#: Issues that a later visit may still end, but that are permanent after the last revisit.
_PERMANENT: frozenset[Issue] = frozenset({"truncated", "expired", "malformed"})


@dataclass(frozen=True)
class Visited:
    """What a good visit brought."""

    started: dt.datetime
    manifest: str
    merged: Merged
    written: Written
    issue: Issue | None
    requests: int
    seconds: int


@dataclass(frozen=True)
class Failure:
    """Why a visit failed."""

    issue: Issue
    error: str
    #: Too large for one visit: split it, or use the longest back-off.
    too_much: bool = False


def failure_of(error: Exception) -> Failure:
    """Return the failure that an error of a visit amounts to."""
    if isinstance(error, OutOfTimeError | MemoryError | TooLargeError):
        message = f"{str(error) or type(error).__name__}: give the function more time or memory; a smaller `window`"
        return Failure("too_large", f"{message} helps those planned after it", too_much=True)
    if isinstance(error, ProviderError):
        return Failure(error.issue, str(error))
    return Failure("unavailable", f"the visit ended with an unexpected {type(error).__name__}: {error}")


def require_requested(numbers: VisitNumbers) -> None:
    """Raise MismatchError if most records lie outside the requested time: the response is that of another request."""
    if numbers.strays * 2 > numbers.fetched:
        raise MismatchError(f"{numbers.strays} of {numbers.fetched} records lie outside the requested time")


def unreadable(numbers: VisitNumbers) -> Issue | None:
    """Return the issue of a visit of which not one record could be read; its rejects are kept all the same."""
    return "malformed" if numbers.rejects and numbers.rejects == numbers.fetched else None


def expired(entry: Entry, source: Source, now: dt.datetime) -> bool:
    """Return whether the provider holds nothing of the window any more."""
    return source.retention is not None and now >= entry.window.end + source.retention


def after_visit(entry: Entry, source: Source, visited: Visited) -> Entry:
    """Return the entry after a good visit: sealed at the last age, otherwise due at the next one."""
    built = visited.merged.built
    lost = source.lost_at(entry.window)
    losing = lost is not None and visited.started >= lost
    issue = visited.issue or ("expired" if losing else None) or ("shrunk" if built.kept else None)
    following = next_age(entry, source, visited.started)
    state, due = _state(issue, None if losing else following)
    verification: Verification = "verified" if built.numbers.verified else "unverified"
    return _merged(entry, visited.merged, visited.written, verification).replace(
        state=state,
        due_at=due,
        unmerged_claims=0,
        failures=0,
        issue=issue,
        error=_message(issue, built),
        manifest=visited.manifest,
        lost_at=lost,
        requests=visited.requests,
        seconds=visited.seconds,
    )


def _message(issue: Issue | None, built: Built) -> str | None:
    """Return what there is to say about the issue of a good visit."""
    if issue == "shrunk":
        return f"the provider no longer returns {built.kept} of {built.object_rows} records; their rows are kept"
    return f"not one of {built.numbers.fetched} records could be read" if issue == "malformed" else None


def after_failure(entry: Entry, source: Source, now: dt.datetime, failure: Failure, manifest: str | None) -> Entry:
    """Return the entry after a failed visit: due again after the back-off, with its issue."""
    wait = BACK_OFF[-1] if failure.too_much else BACK_OFF[min(entry.failures, len(BACK_OFF) - 1)]
    lost = source.lost_at(entry.window)
    return entry.replace(
        failures=entry.failures + 1,
        issue=failure.issue,
        error=failure.error,
        due_at=_back_off(lost, now, wait),
        lost_at=lost,
        manifest=manifest or entry.manifest,
    )


def after_retention(entry: Entry) -> Entry:
    """Return the entry of a window whose records the provider has dropped before the archive was complete."""
    error = entry.error or "the provider's retention passed before the window was complete"
    return entry.replace(state="closed", due_at=None, issue="expired", error=error)


def recovered(entry: Entry, merged: Merged, written: Written, manifest: str) -> Entry:
    """Return the entry with complete visits that their own claims never committed."""
    done = _merged(entry, merged, written, entry.numbers.verification)
    return done.replace(state="archived", manifest=manifest)


def _merged(entry: Entry, merged: Merged, written: Written, verification: Verification) -> Entry:
    built = merged.built
    # Rows and rejects of earlier visits may stay beside those of this one.
    mapping = min(entry.mapping, built.mapping_version) if entry.visits else built.mapping_version
    new = [name for name in merged.visits if name not in entry.visits]
    # Of several visits that are merged at once, the last one stands for all.
    late = [*(0 for _ in new[1:]), merged.late] if new else []
    return entry.replace(
        visits=(*entry.visits, *new),
        late_by_visit=(*entry.late_by_visit, *late),
        object=written.object,
        rejects_object=written.rejects,
        mapping=mapping,
        replayed=False,
        numbers=entry.numbers.after(built.numbers, rows=built.object_rows, late=merged.late, verification=verification),
    )


def replayed(entry: Entry, rebuilt: Rebuilt, written: Written) -> Entry:
    """Return the entry after a replay: what was made anew, and all else as it was."""
    verification: Verification = "verified" if rebuilt.numbers.verified else "unverified"
    numbers = WindowNumbers().after(
        rebuilt.numbers, rows=rebuilt.object_rows, late=rebuilt.late, verification=verification
    )
    return not_replayed(entry, None).replace(
        object=written.object,
        rejects_object=written.rejects,
        numbers=numbers,
        mapping=rebuilt.mapping_version,
        replayed=True,
        unmerged_claims=0,
    )


def not_replayed(entry: Entry, error: str | None) -> Entry:
    """Return the entry without its mark, due when it was, with why it was not replayed."""
    return entry.replace(replay=None, due_at=entry.visit_due_at, replay_error=error)


def next_age(entry: Entry, source: Source, visited_at: dt.datetime) -> dt.datetime | None:
    """Return when the window is due again after a good visit, or None when it was the last one."""
    return next((entry.window.end + age for age in source.revisit if entry.window.end + age > visited_at), None)


def _state(issue: Issue | None, following: dt.datetime | None) -> tuple[State, dt.datetime | None]:
    if following is not None:
        return "archived", following
    return ("closed" if issue in _PERMANENT else "sealed"), None


def _back_off(lost: dt.datetime | None, now: dt.datetime, wait: dt.timedelta) -> dt.datetime:
    """Never wait longer than half of what is left until the provider drops the records, nor less than a minute."""
    if lost is not None and lost > now:
        wait = max(MINUTE, min(wait, (lost - now) / 2))
    return now + wait
