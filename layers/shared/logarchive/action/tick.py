"""The action `tick`: plans every source, then starts a worker for every free slot of a source with due windows.

The sources take turns, so that none of them delays the others: each tick begins with another one, and ends when too
little time is left; the next tick begins with the sources that are left.
"""

import math
from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Tick
from logarchive.action.result import Result, begun_result, window_result, windows_result
from logarchive.action.work import dispatch
from logarchive.errors import ConfigError
from logarchive.ledger.dynamodb import Item
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.head import MOST_HEADS, head_of, read_heads
from logarchive.ledger.lag import hours_to_loss, lag_seconds, quiet_seconds
from logarchive.ledger.registry import next_in_turn, registered, set_next_in_turn
from logarchive.provider.source import Source
from logarchive.runtime.source_loader import BadSource
from logarchive.warning.signal import write_active

if TYPE_CHECKING:
    from logarchive.visit.worker import Worker


def tick[S: Source, K: BaseModel](archive: Archive[S, K], event: Tick) -> Result:
    """Plan all sources; start workers, or with `inline` do their work here."""
    sources, bad = archive.sources()
    run = _TickRun(archive, bad)
    # Of a provider without sources too: by this count the notary sees that a tick has run.
    archive.invocation.count("LagSeconds", 0)
    broken = {problem.name for problem in bad}
    enabled = {name: source for name, source in sources.items() if source.enabled}
    planned = run.plan(enabled, start=not event.inline)
    run.measure_others({*broken, *registered(archive.table, archive.provider.name)} - {*sources})
    invalid = {f"{archive.provider.name}/{problem.name}": problem.error for problem in bad}
    invalid |= {problem.name: problem.error for problem in run.find_misplaced()}
    write_active(archive.table, archive.provider.name, {*enabled, *broken}, invalid)
    if event.inline:
        run.work(planned)
    if run.failures:
        raise ExceptionGroup(f"{archive.provider.name}: sources failed unexpectedly", run.failures)
    return windows_result(
        archive.provider.name, run.windows, bad, planned=run.planned, begun=run.begun, dispatched=run.dispatched
    )


class _TickRun[S: Source, K: BaseModel]:
    """One tick over all sources, and what it has done so far."""

    def __init__(self, archive: Archive[S, K], bad: list[BadSource]) -> None:
        self.archive, self.bad = archive, bad
        self.planned = self.dispatched = 0
        #: Sources with a window that is due.
        self.due: set[str] = set()
        self.windows: list[Result] = []
        #: Sources that were planned for the first time.
        self.begun: list[Result] = []
        self.failures: list[Exception] = []

    def plan(self, sources: Mapping[str, S], *, start: bool) -> dict[str, S]:
        """Plan and measure sources while there is time, and start their workers; return those that were planned."""
        planned: dict[str, S] = {}
        for name, items in self._in_turn(sources):
            with self._errors_of(name):
                head, due = self._plan(name, sources[name], items)
                planned[name] = sources[name]
                if start:
                    self.dispatched += dispatch(self.archive, name, sources[name], due, head)
        return planned

    def work(self, sources: Mapping[str, S]) -> None:
        """Visit one due window of each source after the other, so that the sources share the time."""
        begun = False
        with ExitStack() as opened:
            turns: deque[tuple[str, Worker[S, K], Iterator[Entry]]] = deque()
            for name, source in sources.items():
                with self._errors_of(name):
                    self.archive.source_loader.secret(source)  # a wrong one is reported before anything is due
                    if name in self.due:
                        worker = opened.enter_context(self.archive.worker(name, source))
                        turns.append((name, worker, opened.enter_context(closing(worker.run()))))
            while turns:
                name, worker, visits = turns.popleft()
                worker.begun = begun
                with self._errors_of(name):
                    for entry in islice(visits, 1):
                        self.windows.append(window_result(name, entry))
                        turns.append((name, worker, visits))
                begun = worker.begun

    def measure_others(self, names: Collection[str]) -> None:
        """Measure sources that cannot be planned while there is time."""
        for name in sorted(names):
            if not self.archive.invocation.enough_time():
                return
            with self._errors_of(name):
                self._measure(name, None, None)

    def find_misplaced(self) -> list[BadSource]:
        """Report and return parameters that no function reads, if there is time."""
        if self.archive.invocation.enough_time():
            with self._errors_of("*"):
                misplaced = self.archive.misplaced()
                self.bad += misplaced
                return misplaced
        return []

    def _in_turn(self, names: Collection[str]) -> Iterator[tuple[str, Sequence[Item]]]:
        """Yield the names while there is time, with the items of their heads; save where the next tick begins."""
        table, provider = self.archive.table, self.archive.provider.name
        first = next_in_turn(table, provider) if len(names) > 1 else ""
        ordered = sorted(names, key=lambda name: (name < first, name))
        if len(ordered) > 1:
            # Saved first: if a source ends the function, the next tick begins with another one.
            set_next_in_turn(table, provider, ordered[1])
        heads: Mapping[str, Sequence[Item]] = {}
        for place, name in enumerate(ordered):
            if not self.archive.invocation.enough_time():
                set_next_in_turn(table, provider, name)
                self.archive.invocation.log("tick.unfinished", left=len(ordered) - place)
                return
            if name not in heads:
                batch = ordered[place : place + MOST_HEADS]
                heads = dict.fromkeys(batch, ())  # if they cannot be read together, each source reads its own
                with self._errors_of("*"):
                    heads = read_heads(table, provider, batch)
            yield name, heads[name]

    def _plan(self, source_name: str, source: S, items: Sequence[Item]) -> tuple[Head | None, int]:
        """Plan and measure a source; return its head, and how many of its windows are due.

        `items` are those of its head, as far as they were read together with those of other sources.
        """
        head: Head | None = None
        try:
            planner = self.archive.planner(
                source_name, source, lambda head: self.begun.append(begun_result(source_name, head))
            )
            read = head_of(items)
            planner.admit(read)
            if read and planner.up_to_date(read):
                head = read
            else:
                self.planned += planner.tick()
        finally:  # if planning fails, the metrics must still show how late the source is
            measured = self._measure(source_name, source, head)
        return measured

    @contextmanager
    def _errors_of(self, source_name: str) -> Generator[None]:
        """Note what is wrong with one source, and go on with the others; the tick raises the unexpected at its end."""
        try:
            yield
        except ConfigError as error:
            self.bad.append(BadSource(source_name, str(error)))
            self.archive.report(self.bad[-1])
        except Exception as error:  # noqa: BLE001 (raised by the tick, after the other sources)
            self.archive.invocation.log("source.failed", source=source_name, error=repr(error))
            self.failures.append(error)

    def _measure(self, source_name: str, source: S | None, read: Head | None) -> tuple[Head | None, int]:
        """Publish how late a source is; return its head, and how many of its windows are due.

        `read` is its head with the first slot only; None: it was not read, or has changed.
        This needs no secret, so a wrong secret does not hide it.
        """
        ledger, now = self.archive.ledger(source_name), self.archive.invocation.clock()
        count = self.archive.invocation.count
        head, entries = read or ledger.head(), list(ledger.open())
        due = sum(1 for entry in entries if entry.due_at and entry.due_at <= now)
        unfinished = [entry for entry in entries if not entry.finished]  # some are only to be replayed
        if due:
            self.due.add(source_name)
        lag, hours = (measured(head, unfinished, source, now) for measured in (lag_seconds, hours_to_loss))
        if lag is not None:
            count("LagSeconds", lag, source_name)
        # Without its parameter a source cannot be rescued: once its records are lost, the warning must end.
        if hours is not None and (source is not None or hours > 0):
            count("HoursToLoss", hours, source_name)
        if read and (due or quiet_seconds(read, unfinished)):
            head = ledger.head()  # another slot may be taken, or have seen newer rows
        if source is not None:
            quiet = quiet_seconds(head, unfinished)
            longest = source.quiet_after.total_seconds() if source.quiet_after else math.inf
            count("QuietSeconds", quiet, source_name)
            count("QuietSources", int(quiet > longest), source_name)
        return head, due
