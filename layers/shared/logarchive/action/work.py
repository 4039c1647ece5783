"""The action `work`: the worker loop of one source; and how other invocations are started for it."""

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Work
from logarchive.action.result import Result, answer, shown
from logarchive.provider.source import Source


def dispatch[S: Source, K: BaseModel](archive: Archive[S, K], name: str, source: S, workers: int | None = None) -> int:
    """Start a worker for every free slot of a source, no more than it has windows due; return how many.

    `workers` stands in for the source's own number. A missing secret is said here, before anything is started.
    Raises ConfigError.
    """
    ledger, now = archive.ledger(name), archive.invocation.clock()
    slots = workers or source.workers
    due = len(ledger.due(now, slots))
    if not due:
        return 0
    archive.sources.secret(source)
    head = ledger.head()
    busy = sum(slot.until > now for slot in head.slots) if head else 0
    count = max(0, min(due, slots - busy))
    for _ in range(count):
        asked = Work(action="work", source=name, workers=workers, by=archive.invocation.name)
        archive.dispatch(asked.model_dump(exclude_none=True))
    archive.invocation.log("source.dispatched", source=name, due=due, workers=count)
    return count


def work[S: Source, K: BaseModel](archive: Archive[S, K], event: Work) -> Result:
    """Run the worker loop for one source."""
    source = archive.source(event.source)
    if event.workers:
        source = source.model_copy(update={"workers": event.workers})
    with archive.worker(event.source, source) as worker:
        windows = [shown(event.source, entry) for entry in worker.run()]
    return answer(archive.provider.name, windows, [])
