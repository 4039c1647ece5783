"""One invocation of a function: its id, its clock, its remaining time, its log and its metrics."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from logarchive.errors import OutOfTimeError
from logarchive.ledger.entry import Entry
from logarchive.moment import Clock
from logarchive.runtime.metric import Count, issue_metric


class Log(Protocol):
    """Writes a log line: a constant dotted name, and keys."""

    def __call__(self, event: str, **keys: Any) -> None:  # noqa: ANN401 (any value that a log line can hold)
        """Write one line."""


def _ignore(name: str, value: float, source: str | None = None) -> None:
    """Record nothing."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What an action needs to know of the invocation that it runs in."""

    name: str
    started: dt.datetime
    deadline: dt.datetime
    clock: Clock
    sleep: Callable[[float], None]
    log: Log
    count: Count = _ignore

    @property
    def _whole(self) -> dt.timedelta:
        return self.deadline - self.started

    def left(self) -> dt.timedelta:
        """Return how much time is left."""
        return self.deadline - self.clock()

    def enough_time(self) -> bool:
        """Return whether another visit may begin: two minutes are left, or a quarter of a shorter time-out."""
        return self.left() >= min(dt.timedelta(minutes=2), self._whole / 4)

    def ensure_time(self) -> None:
        """Raise OutOfTimeError when only the time to publish and commit is left."""
        if self.seconds_to_work() <= 0:
            raise OutOfTimeError("the function's time is used up")

    def seconds_to_work(self) -> float:
        """Return how long a visit may still fetch and build; the time to publish and commit is kept back."""
        return (self.left() - min(dt.timedelta(seconds=20), self._whole / 10)).total_seconds()

    def report_visit(self, source_name: str, before: Entry, entry: Entry) -> None:
        """Log and count the outcome of a visit; `before` is the entry as it was claimed."""
        numbers = entry.numbers
        rows = {"rows": numbers.rows, "rejects": numbers.rejects, "late": numbers.late - before.numbers.late}
        kind = "issue" if entry.issue else entry.state
        keys = {"issue": entry.issue, "error": entry.error, "due_at": str(entry.due_at), "visits": len(entry.visits)}
        self.log(f"window.{kind}", source=source_name, window=entry.window_key, state=entry.state, **rows, **keys)
        for name, value in _counts(before, entry):
            if value:
                self.count(name, value, source_name)

    def report_replay(self, source_name: str, before: Entry, entry: Entry) -> None:
        """Log and count the outcome of a replay, unless the window was put back."""
        where = {"source": source_name, "window": entry.window_key}
        if entry.replay_error:
            self.log("replay.failed", **where, error=entry.replay_error)
            self.count("ReplayErrors", 1, source_name)
        elif entry.replay is None:
            counts = {"rows": entry.numbers.rows, "before": before.numbers.rows, "rejects": entry.numbers.rejects}
            self.log("window.replayed", **where, mapping=entry.mapping, **counts)
            self.count("WindowsReplayed", 1, source_name)


def _counts(before: Entry, entry: Entry) -> Iterator[tuple[str, int]]:
    yield ("WindowsSealed", int(entry.state == "sealed"))
    yield ("WindowsWithIssue", int(entry.issue is not None))
    yield ("Rows", max(0, entry.numbers.rows - before.numbers.rows))
    yield ("Rejects", entry.numbers.rejects)
    yield ("LateRows", entry.numbers.late - before.numbers.late)
    if entry.issue:
        yield (issue_metric(entry.issue), 1)
