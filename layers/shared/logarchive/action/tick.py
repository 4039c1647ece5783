"""The action `tick`: plans every source, then starts a worker for every free slot of a source with due windows."""

import math
from collections.abc import Collection

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Tick
from logarchive.action.lag import hours_to_loss, lag_seconds, quiet_seconds
from logarchive.action.result import Result, window_result, windows_result
from logarchive.action.work import dispatch
from logarchive.errors import ConfigError
from logarchive.ledger.ledger import registered
from logarchive.provider.source import Source
from logarchive.runtime.source_loader import BadSource


def tick[S: Source, K: BaseModel](archive: Archive[S, K], event: Tick) -> Result:
    """Plan all sources; start workers, or with `inline` do their work here."""
    sources, bad = archive.sources()
    run = _TickRun(archive, inline=event.inline)
    # A provider without sources is not late. Without any value the alarm would say that no tick has run.
    archive.invocation.count("LagSeconds", 0)
    failures = run.measure_others([problem.name for problem in bad], sources)
    for name, source in sources.items():
        if source.enabled:
            try:
                run.handle(name, source)
            except ConfigError as error:
                bad.append(BadSource(name, str(error)))
                archive.report(bad[-1])
            except Exception as error:  # noqa: BLE001 (raised below, after the other sources)
                archive.invocation.log("source.failed", source=name, error=repr(error))
                failures.append(error)
    if failures:
        raise ExceptionGroup(f"{archive.provider.name}: sources failed unexpectedly", failures)
    return windows_result(archive.provider.name, run.windows, bad, planned=run.planned, dispatched=run.dispatched)


class _TickRun[S: Source, K: BaseModel]:
    """One tick over all sources, and what it has done so far."""

    def __init__(self, archive: Archive[S, K], *, inline: bool) -> None:
        self.archive, self.inline = archive, inline
        self.planned = self.dispatched = 0
        self.windows: list[Result] = []

    def handle(self, source_name: str, source: S) -> None:
        """Plan and measure one source, then start its workers or do their work."""
        try:
            self.planned += self.archive.planner(source_name, source).tick()
        finally:
            self.measure(source_name, source)  # if planning fails, the metrics must still show how late the source is
        if self.inline:
            with self.archive.worker(source_name, source) as worker:
                self.windows += (window_result(source_name, entry) for entry in worker.run())
        else:
            self.dispatched += dispatch(self.archive, source_name, source)

    def measure_others(self, bad: Collection[str], good: Collection[str]) -> list[Exception]:
        """Measure the bad sources, and those whose parameter is gone; return what failed unexpectedly."""
        failures: list[Exception] = []
        orphaned = {*registered(self.archive.table, self.archive.provider.name)} - {*good, *bad}
        for name in sorted({*bad, *orphaned}):
            try:
                self.measure(name, None)
            except Exception as error:  # noqa: BLE001 (raised by the tick, after the other sources)
                self.archive.invocation.log("source.failed", source=name, error=repr(error))
                failures.append(error)
        return failures

    def measure(self, source_name: str, source: S | None) -> None:
        """Publish how late a source is. This needs no secret, so a wrong secret does not hide it."""
        ledger, now = self.archive.ledger(source_name), self.archive.invocation.clock()
        count = self.archive.invocation.count
        head, unfinished = ledger.head(), list(ledger.open())
        lag, hours = (measured(head, unfinished, source, now) for measured in (lag_seconds, hours_to_loss))
        if lag is not None:
            count("LagSeconds", lag, source_name)
        # Without its parameter a source cannot be rescued: once its records are lost, the alarm must end.
        if hours is not None and (source is not None or hours > 0):
            count("HoursToLoss", hours, source_name)
        if source is not None:
            quiet = quiet_seconds(head, unfinished)
            longest = source.quiet_after.total_seconds() if source.quiet_after else math.inf
            count("QuietSeconds", quiet, source_name)
            count("QuietSources", int(quiet > longest), source_name)
