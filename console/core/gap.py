"""Gaps: time of a source that is not archived, or not as it should be, and until when it can be fetched. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from console.core.window import Span, Window, instant

#: What a gap is.
NOT_ARCHIVED, NOT_PLANNED, FAILING, CLOSED = "not archived", "not planned", "revisit fails", "closed"


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


def gaps(source: str, windows: Sequence[Window], planned: Span | None, now: dt.datetime) -> list[Gap]:
    """Return the gaps of a source, given its windows in the order of time and the time that must be planned."""
    found = [
        Gap(source, one.span, what, one.issue, one.error, one.lost_at) for one in windows if (what := _what(one, now))
    ]
    found += _unplanned(source, windows, planned) if planned else []
    return _joined(sorted(found, key=lambda gap: gap.span.start))


def by_loss(found: Iterable[Gap]) -> list[Gap]:
    """Return gaps, soonest loss first; then those whose loss is not known, then what is lost already."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda gap: (gap.what == CLOSED, gap.lost_at or never, gap.source, gap.span.start))


def _what(window: Window, now: dt.datetime) -> str | None:
    """Return what kind of a gap a window is; None if it is none, or simply not due yet."""
    if window.state == "closed":
        return CLOSED
    if window.state == "planned":
        late = window.due_at is not None and window.due_at <= now
        return NOT_ARCHIVED if late or window.failures else None
    return FAILING if window.is_wrong and window.state == "archived" else None


def _unplanned(source: str, windows: Sequence[Window], planned: Span) -> Iterator[Gap]:
    # Records are lost as long after the start of their window as those of any other window of the source.
    kept = next((one.lost_at - one.span.start for one in reversed(windows) if one.lost_at), None)
    at = min([planned.start, *(one.span.start for one in windows[:1])])  # a backfill may have begun earlier
    for span in (*(one.span for one in windows), Span(planned.end, planned.end)):
        end = min(span.start, planned.end)
        if at < end:
            yield Gap(source, Span(at, end), NOT_PLANNED, lost_at=at + kept if kept else None, windows=0)
        at = max(at, span.end)


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
