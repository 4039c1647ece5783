"""The action `replay`: marks the windows of a range to be rebuilt from `raw/`, and has workers do so."""

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.dry_run import DryRun
from logarchive.action.event import Replay
from logarchive.action.result import MOST_WINDOWS, Result
from logarchive.action.work import RangeRun
from logarchive.ledger.entry import Entry
from logarchive.provider.source import Source


def replay[S: Source, K: BaseModel](archive: Archive[S, K], event: Replay) -> Result:
    """Replay a range. Raises ConfigError for a source that is unknown, not enabled or wrong."""
    source = archive.source(event.source, event.workers)
    ledger = archive.ledger(event.source)
    archive.planner(event.source, source).admit(ledger.head())
    archive.source_loader.secret(source)

    def included(entry: Entry) -> bool:
        return entry.outdated(archive.provider.mapping_version) if event.outdated else bool(entry.visits)

    def mark(entry: Entry) -> Entry | None:
        if entry.replay:
            return entry
        return None if entry.claimed else ledger.mark_replay(entry, archive.invocation.clock())

    every = ledger.covering(event.span, MOST_WINDOWS + 1)
    entries = [entry for entry in every[:MOST_WINDOWS] if included(entry)]
    following = every[MOST_WINDOWS].window.start if len(every) > MOST_WINDOWS else None
    if event.dry_run:
        return DryRun(archive, event.source).compare(source, entries, following)
    return RangeRun(archive, event, source, included, mark).visit(entries, following)
