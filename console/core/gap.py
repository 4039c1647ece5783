"""Gaps: time of a source that is not archived, or not as it should be, and until when it can be fetched. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from console.core.window import Planned, Span, Window, instant
from verifier.verify import bounds

#: What a gap is.
NOT_ARCHIVED, NOT_PLANNED, FAILING, CLOSED = "not archived", "not planned", "revisit fails", "closed"
#: Why nothing was planned of late: its function does not, nobody knows why; it was told so; it has no source.
STOPPED, PAUSED, REMOVED = "nothing planned since", "paused since", "removed since"
STANDING = {STOPPED, PAUSED, REMOVED}
#: Ticks come at least so often: only after that time has nothing been planned.
_TICK = dt.timedelta(minutes=15)
#: The fields of a source that say when a window must be there, and what is meant if they are not readable.
_LENGTHS = {"window": dt.timedelta(hours=1), "delay": dt.timedelta(minutes=5)}
_EPOCH = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Gap:
    """Windows one after the other with the same trouble, or time without a window."""

    source: str
    span: Span
    what: str
    issue: str | None = None
    error: str | None = None
    lost_at: dt.datetime | None = None
    windows: int = 1

    def data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        lost_at = instant(self.lost_at) if self.lost_at else None
        return {
            "source": self.source, **self.span.event(), "what": self.what, "windows": self.windows,
            "issue": self.issue, "error": self.error, "lost_at": lost_at,
        }  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """Until when a source must be planned, and what it is if it is not."""

    until: dt.datetime
    what: str = STOPPED

    @classmethod
    def of(cls, document: Mapping[str, Any] | None, now: dt.datetime, *, exists: bool = True) -> "Expected":
        """Return it for a source's document; None if that is no JSON object. What is removed does not `exist`."""
        document = document or {}
        what = REMOVED if not exists else PAUSED if document.get("enabled") is False else STOPPED
        return cls(now - sum((_length(document, name) for name in _LENGTHS), dt.timedelta()), what)


def gaps(
    source: str,
    windows: Sequence[Window],
    planned: Planned | None,
    now: dt.datetime,
    expected: Expected | None = None,
) -> list[Gap]:
    """Return the gaps of a source, given its windows in the order of time, and what is planned, and must be."""
    found = [
        Gap(source, one.span, what, one.issue, one.error, one.lost_at) for one in windows if (what := _what(one, now))
    ]
    if planned:
        begin = min([planned.start, *(one.span.start for one in windows[:1])])  # a backfill may have begun earlier
        found += _uncovered(source, windows, begin, planned.end, NOT_PLANNED)
    if planned and expected and planned.end + _TICK < expected.until:
        found += _uncovered(source, windows, planned.end, expected.until, expected.what)
    return _joined(sorted(found, key=lambda gap: gap.span.start))


def by_loss(found: Iterable[Gap]) -> list[Gap]:
    """Return gaps, soonest loss first; then those whose loss is not known, then what is lost already."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(
        found, key=lambda gap: (gap.what in {CLOSED, REMOVED}, gap.lost_at or never, gap.source, gap.span.start)
    )


def _what(window: Window, now: dt.datetime) -> str | None:
    """Return what kind of a gap a window is; None if it is none, or simply not due yet."""
    if window.state == "closed":
        return CLOSED
    if window.state == "planned":
        late = window.due_at is not None and window.due_at <= now
        return NOT_ARCHIVED if late or window.failures else None
    return FAILING if window.is_wrong and window.state == "archived" else None


def _uncovered(
    source: str, windows: Sequence[Window], begin: dt.datetime, until: dt.datetime, what: str
) -> Iterator[Gap]:
    """Yield the time between two moments that no window covers."""
    # Records are lost as long after the start of their window as those of any other window of the source.
    kept = next((one.lost_at - one.span.start for one in reversed(windows) if one.lost_at), None)
    at = begin
    for span in (*(one.span for one in windows), Span(until, until)):
        end = min(span.start, until)
        if at < end:
            yield Gap(source, Span(at, end), what, lost_at=at + kept if kept else None, windows=0)
        at = max(at, span.end)


def _length(document: Mapping[str, Any], name: str) -> dt.timedelta:
    """Return a length of time that a source's document names; what is usual if it does not, or not readably."""
    try:
        begin, end = bounds(f"{_EPOCH}/{document[name]}")
    except (KeyError, ValueError):
        return dt.timedelta() if document.get(name) == "PT0S" else _LENGTHS[name]
    return dt.timedelta(seconds=end - begin)


def _joined(found: Sequence[Gap]) -> list[Gap]:
    joined: list[Gap] = []
    for gap in found:
        last = joined[-1] if joined else None
        same = last and (last.what, last.issue, last.error, last.span.end) == (
            gap.what, gap.issue, gap.error, gap.span.start,
        )  # fmt: skip
        if last and same:
            joined[-1] = replace(last, span=Span(last.span.start, gap.span.end), windows=last.windows + gap.windows)
        else:
            joined.append(gap)
    return joined
