"""Windows as the ledger states them, read from their items: what of their public attributes the console shows. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.failure import ConsoleError
from verifier.verify import bounds, seconds
from verifier.verify import instant as text_of

#: An issue that needs nobody: what an earlier visit has seen is kept.
NOTED = {"shrunk"}


@dataclass(frozen=True)
class Span:
    """A range of time, without its end."""

    start: dt.datetime
    end: dt.datetime

    @classmethod
    def between(cls, start: str, end: str) -> "Span":
        """Read a range of days or instants. Raises ConsoleError if it is none."""
        span = cls(_moment(start), _moment(end))
        if span.start >= span.end:
            raise ConsoleError(f"{start} is not before {end}")
        return span

    def event(self) -> dict[str, str]:
        """Return the range as events name it."""
        return {"start": instant(self.start), "end": instant(self.end)}


@dataclass(frozen=True)
class Window:  # 9 attributes: those of an item that are shown
    """One window of a source."""

    span: Span
    state: str
    due_at: dt.datetime | None = None
    #: Whether a worker's claim has not ended in a commit.
    claimed: bool = False
    issue: str | None = None
    error: str | None = None
    rows: int = 0
    #: Whether it is to be rebuilt from `raw/`, and why the last replay changed nothing.
    replaying: bool = False
    replay_error: str | None = None

    @classmethod
    def of_item(cls, item: Mapping[str, Any]) -> "Window":
        """Read a window from its item in the ledger."""
        start, end = (dt.datetime.fromtimestamp(moment, dt.UTC) for moment in bounds(item["window"]))
        return cls(
            span=Span(start, end),
            state=item["state"],
            due_at=_optional(item.get("due_at")),
            claimed=item.get("attempt", 0) > item.get("committed", 0),
            issue=item.get("issue"),
            error=item.get("error"),
            rows=int(item.get("rows", 0)),
            replaying=bool(item.get("replay")),
            replay_error=item.get("replay_error"),
        )

    def waits(self, now: dt.datetime) -> bool:
        """Return whether it is due, or a worker has it now."""
        return self.due_at is not None and (self.due_at <= now or self.claimed)

    @property
    def is_wrong(self) -> bool:
        """Whether it has an issue that somebody should look at."""
        return self.issue is not None and self.issue not in NOTED

    def data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**self.span.event(), "state": self.state, "rows": self.rows, "issue": self.issue, "error": self.error}


def leaves(windows: Iterable[Window]) -> list[Window]:
    """Return the windows that were not replaced by their halves, in the order of time."""
    return sorted((one for one in windows if one.state != "split"), key=lambda one: one.span.start)


def instant(moment: dt.datetime) -> str:
    """Write a moment as events and the ledger do."""
    return text_of(int(moment.timestamp()))


def _moment(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(seconds(text), dt.UTC)
    except (ValueError, OverflowError):
        raise ConsoleError(f"{text}: is no day and no time; for instance 2026-11-01 or 2026-11-01T09:00:00Z") from None


def _optional(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
