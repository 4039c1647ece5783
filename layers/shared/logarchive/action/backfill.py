"""The backfill: plans the gaps of a range, makes what stands there due again, and has it visited."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Backfill
from logarchive.action.result import MOST_WINDOWS, Result, answer, shown
from logarchive.action.work import dispatch
from logarchive.errors import ConfigError
from logarchive.ledger.entry import Entry
from logarchive.moment import duration, floor, instant
from logarchive.provider.source import Source
from logarchive.visit.worker import Worker
from logarchive.window import Span

#: Before any visit has told: what one window takes.
_REQUESTS, _SECONDS = 1.0, 5.0
#: An order of magnitude, at list prices of 2026: Lambda at 1769 MB, S3 PUTs, DynamoDB writes and reads of one window.
_USD_PER_SECOND = 1.769 / 1.024 * 0.0000166667
_USD_PER_WINDOW = 4 * 0.000005 + 6 * 0.000000625 + 4 * 0.000000125


def backfill[S: Source, K: BaseModel](archive: Archive[S, K], event: Backfill) -> Result:
    """Plan and visit a range. Raises ConfigError for an unknown source, or a range that may not be."""
    source = archive.source(event.source)
    if event.end > archive.invocation.clock():
        raise ConfigError(f"end: {instant(event.end)} lies in the future; only what has ended can be archived")
    grain = archive.provider.smallest_window
    if floor(event.start, grain) != event.start or floor(event.end, grain) != event.end:
        raise ConfigError(f"start, end: must be multiples of {duration(grain)} in UTC")
    archive.sources.admit_start(event.start)
    job = _Job(archive, event, source)
    if event.dry_run:
        return job.estimate()
    archive.sources.secret(source)
    return job.inline() if event.inline else job.background()


@dataclass(frozen=True)
class _Job[S: Source, K: BaseModel]:
    archive: Archive[S, K]
    event: Backfill
    source: S

    def estimate(self) -> Result:
        planner = self.archive.planner(self.event.source, self.source)
        planner.admit(planner.ledger.head())
        standing = planner.ledger.covering(self.event.span)
        new = sum(1 for _ in planner.missing(self.event.span))
        again = [entry for entry in standing if self._wanted(entry)]
        return answer(
            self.archive.provider.name,
            [],
            [],
            estimate=_estimate(new + len(again), standing),
            new=new,
            again=len(again),
        )

    def background(self) -> Result:
        entries, following = self._plan()
        shown_windows = [self._ready(entry) for entry in entries]
        started = dispatch(self.archive, self.event.source, self.source, self.event.workers)
        return answer(self.archive.provider.name, shown_windows, [], following, dispatched=started)

    def inline(self) -> Result:
        entries, following = self._plan()
        windows: list[Result] = []
        with self.archive.worker(self.event.source, self.source) as worker:
            for entry in entries:
                if not self.archive.invocation.enough_time():
                    following = entry.window.start
                    break
                windows.append(self._visited(worker, entry))
        return answer(self.archive.provider.name, windows, [], following)

    def _visited(self, worker: Worker[S, K], entry: Entry) -> Result:
        if not self._wanted(entry):
            return shown(self.event.source, entry)
        due = self._make_due(entry)
        done = worker.visit(due) if due else None
        return shown(self.event.source, done or entry, busy=done is None)

    def _plan(self) -> tuple[list[Entry], dt.datetime | None]:
        """Plan the first windows of the range; return what stands there, and where the next call goes on."""
        planner = self.archive.planner(self.event.source, self.source)
        planner.head()
        first = list(islice(planner.missing(self.event.span), MOST_WINDOWS + 1))
        end = first[MOST_WINDOWS].start if len(first) > MOST_WINDOWS else self.event.end
        planner.fill(Span(self.event.start, end), MOST_WINDOWS)
        entries = planner.ledger.covering(Span(self.event.start, end))
        following = end if end < self.event.end else None
        return entries[:MOST_WINDOWS], entries[MOST_WINDOWS].window.start if len(entries) > MOST_WINDOWS else following

    def _wanted(self, entry: Entry) -> bool:
        return self.event.reopen or not entry.finished

    def _ready(self, entry: Entry) -> Result:
        if not self._wanted(entry):
            return shown(self.event.source, entry)
        due = self._make_due(entry)
        return shown(self.event.source, due or entry, busy=due is None)

    def _make_due(self, entry: Entry) -> Entry | None:
        now = self.archive.invocation.clock()
        return None if entry.leased(now) else self.archive.ledger(self.event.source).make_due(entry, now)


def _estimate(windows: int, like: Sequence[Entry]) -> dict[str, Any]:
    """Say what visiting `windows` once takes, judged by windows of the range that were visited before."""
    known = [entry for entry in like if entry.visits]
    requests = sum(entry.requests for entry in known) / len(known) if known else _REQUESTS
    seconds = sum(entry.seconds for entry in known) / len(known) if known else _SECONDS
    return {
        "windows": windows,
        "requests": round(windows * requests),
        "minutes": round(windows * seconds / 60, 1),
        "usd": round(windows * (seconds * _USD_PER_SECOND + _USD_PER_WINDOW), 4),
    }
