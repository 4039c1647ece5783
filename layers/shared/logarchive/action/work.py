"""The action `work`: the worker loop of one source. Also how other invocations are started for it."""

from pydantic import BaseModel

from logarchive.action.archive import Archive
from logarchive.action.event import Work
from logarchive.action.result import Result, window_result, windows_result
from logarchive.ledger.entry import Head
from logarchive.provider.source import Source


def dispatch[S: Source, K: BaseModel](
    archive: Archive[S, K], source_name: str, source: S, due: int, head: Head | None, workers: int | None = None
) -> int:
    """Start a worker for every free slot of a source, at most one per due window; return how many were started.

    `workers` replaces the source's own number. Raises ConfigError for a bad secret, before anything is started.
    """
    if not due:
        return 0
    archive.source_loader.secret(source)
    slots, now = workers or source.workers, archive.invocation.clock()
    busy = sum(slot.until > now for slot in head.slots) if head else 0
    count = max(0, min(due, slots - busy))
    for _ in range(count):
        event = Work(action="work", source=source_name, workers=workers, by=archive.invocation.name)
        archive.dispatch(event.model_dump(exclude_none=True))
    archive.invocation.log("source.dispatched", source=source_name, due=min(due, slots), workers=count)
    return count


def work[S: Source, K: BaseModel](archive: Archive[S, K], event: Work) -> Result:
    """Run the worker loop for one source."""
    source = archive.source(event.source)
    if event.workers:
        source = source.model_copy(update={"workers": event.workers})
    with archive.worker(event.source, source) as worker:
        windows = [window_result(event.source, entry) for entry in worker.run()]
    return windows_result(archive.provider.name, windows)
