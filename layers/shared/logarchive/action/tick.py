"""The tick: plans every source, then dispatches a worker for every free slot of a source with something due."""

import math
from collections.abc import Collection

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Tick
from logarchive.action.lag import hours_to_loss, lag_seconds, quiet_seconds
from logarchive.action.result import Result, answer, shown
from logarchive.action.work import dispatch
from logarchive.errors import ConfigError
from logarchive.ledger.ledger import registered
from logarchive.provider.source import Source, SourceError


def tick[S: Source, K: BaseModel](archive: Archive[S, K], event: Tick) -> Result:
    """Plan all sources; dispatch workers, or with `inline` do the work here."""
    good, bad = archive.load()
    round_ = _Round(archive, inline=event.inline)
    # So that a provider without a source is not late: where there is no value, no tick has run.
    archive.invocation.count("LagSeconds", 0)
    failures = round_.measure_others([error.source for error in bad], good)
    for name, source in good.items():
        if source.enabled:
            try:
                round_.source(name, source)
            except ConfigError as error:
                bad.append(archive.complain(SourceError(name, str(error))))
            except Exception as error:  # noqa: BLE001 (raised below, once the other sources had their turn)
                archive.invocation.log("source.failed", source=name, error=repr(error))
                failures.append(error)
    if failures:
        raise ExceptionGroup(f"{archive.provider.name}: sources failed unexpectedly", failures)
    return answer(archive.provider.name, round_.windows, bad, planned=round_.planned, dispatched=round_.dispatched)


class _Round[S: Source, K: BaseModel]:
    """One tick's round over the sources."""

    def __init__(self, archive: Archive[S, K], *, inline: bool) -> None:
        self.archive, self.inline = archive, inline
        self.planned = self.dispatched = 0
        self.windows: list[Result] = []

    def source(self, name: str, source: S) -> None:
        try:
            self.planned += self.archive.planner(name, source).tick()
        finally:
            self.measure(name, source)  # whatever hinders planning must not hide how late the source is
        if self.inline:
            with self.archive.worker(name, source) as worker:
                self.windows += (shown(name, entry) for entry in worker.run())
        else:
            self.dispatched += dispatch(self.archive, name, source)

    def measure_others(self, bad: Collection[str], good: Collection[str]) -> list[Exception]:
        """Publish how sources stand that are wrong, or whose parameter is gone; return what failed unexpectedly."""
        failures: list[Exception] = []
        orphaned = {*registered(self.archive.table, self.archive.provider.name)} - {*good, *bad}
        for name in sorted({*bad, *orphaned}):
            try:
                self.measure(name, None)
            except Exception as error:  # noqa: BLE001 (raised by the tick, once the others had their turn)
                self.archive.invocation.log("source.failed", source=name, error=repr(error))
                failures.append(error)
        return failures

    def measure(self, name: str, source: S | None) -> None:
        """Publish how the source stands: before its secret is asked for, since a wrong one must not hide that."""
        count, now, ledger = self.archive.invocation.count, self.archive.invocation.clock(), self.archive.ledger(name)
        head, unfinished = ledger.head(), list(ledger.open())
        lag, left = (of(head, unfinished, source, now) for of in (lag_seconds, hours_to_loss))
        if lag is not None:
            count("LagSeconds", lag, name)
        if left is not None and (source is not None or left > 0):  # of a source that is gone, what is lost is lost
            count("HoursToLoss", left, name)
        if source is not None:
            quiet = quiet_seconds(head, unfinished)
            most = source.quiet_after.total_seconds() if source.quiet_after else math.inf
            count("QuietSeconds", quiet, name)
            count("QuietSources", int(quiet > most), name)
