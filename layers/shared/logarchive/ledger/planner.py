"""Planning: fills the uncovered gaps of a source's time with windows, and updates the ledger's head."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import batched, chain, islice

from logarchive.errors import ArchiveError, ConfigError
from logarchive.ledger.entry import BeginReason, Entry, Head
from logarchive.ledger.ledger import BATCH, Ledger
from logarchive.moment import floor
from logarchive.provider.source import Source
from logarchive.window import Span, Window, gaps, tiles

#: The most windows of a source that one tick plans; the next tick goes on.
TICK_WINDOWS = 500
_TRIES = 5


def planned(window: Window, source: Source) -> Entry:
    """Return the entry of a window to be visited: due `delay` after its end."""
    due, lost = window.end + source.delay, source.lost_at(window)
    return Entry(window_key=window.key, state="planned", due_at=due, lost_at=lost)


def beginning(
    source: Source, now: dt.datetime, archive_from: dt.datetime | None = None
) -> tuple[dt.datetime, BeginReason]:
    """Return from when on a new source is archived, and why from there. Pure.

    Without `start`: from the first window whose records the provider still holds, if it is known how long it keeps
    them, otherwise from the window that is open; but never before the first day of the table `logs`.
    """
    reason: BeginReason = "first_tick"
    if source.start:
        return source.start, "start"
    begin = floor(now, source.window)
    if source.retention:
        oldest = floor(now - source.retention, source.window) + source.window
        begin, reason = min(begin, oldest), "retention"
    if archive_from and begin < archive_from:
        begin, reason = archive_from, "archive_from"
    return begin, reason


@dataclass(frozen=True)
class Planner:
    """Plans the windows of one source."""

    ledger: Ledger
    source: Source
    #: What may not change under the source's name.
    feed_id: str
    now: dt.datetime
    archive_from: dt.datetime | None = None
    #: Called with the head of a source that is planned for the first time.
    begun: Callable[[Head], None] = lambda _head: None

    def head(self) -> Head:
        """Return the source's head, writing it when the source is seen for the first time.

        Raises ConfigError if the name belongs to another project, account or address.
        """
        begin, reason = beginning(self.source, self.now, self.archive_from)
        new = Head(begin=begin, cursor=begin, begin_reason=reason, feed_id=self.feed_id)
        for _ in range(_TRIES):
            if head := self.ledger.head():
                self.admit(head)
                return head
            if self.ledger.create(new, self.now):
                self.begun(new)
        raise ArchiveError(f"{self.ledger.partition}: the source's head could not be written to the ledger")

    def admit(self, head: Head | None) -> None:
        """Raise ConfigError if the name belongs to another project, account or address."""
        if head is not None and head.feed_id != self.feed_id:
            raise ConfigError(
                f'this name already archives "{head.feed_id}"; use a new source name for another project, account or '
                "address"
            )

    def up_to_date(self, head: Head) -> bool:
        """Return whether there is nothing to plan: neither what has ended, nor the past before an earlier `start`."""
        start = self.source.start
        return floor(self.now, self.source.window) <= head.cursor and (start is None or start >= head.begin)

    def tick(self) -> int:
        """Plan what has ended since the last tick, and the past that an earlier `start` asks for; return how many."""
        for _ in range(_TRIES):
            head = self.head()
            past = self._past(head, TICK_WINDOWS)
            if past is not None:
                ahead = self._ahead(self.head() if past else head, TICK_WINDOWS - past)
                if ahead is not None:
                    return past + ahead
        return 0  # other planners were faster each time; what they left is planned by the next tick

    def fill(self, span: Span, limit: int) -> int:
        """Plan the uncovered gaps of `span` without touching the cursor; return how many windows were added."""
        for _ in range(_TRIES):
            head = self.head()
            written = self._write(head, self.missing(span), limit)
            if written is not None:
                return written[0]
        raise ArchiveError(f"{self.ledger.partition}: another planner changed the head {_TRIES} times; call again")

    def missing(self, span: Span) -> Iterator[Window]:
        """Yield the windows that would fill the uncovered gaps of `span`, in order of time."""
        return self.uncovered(span, self.ledger.covering(span))

    def uncovered(self, span: Span, entries: Iterable[Entry]) -> Iterator[Window]:
        """Yield the windows that would fill the gaps that `entries` leave in `span`, in order of time."""
        covered = [entry.window for entry in entries]
        return chain.from_iterable(tiles(gap, self.source.window) for gap in gaps(span, covered))

    def _ahead(self, head: Head, limit: int) -> int | None:
        end = floor(self.now, self.source.window)
        if end <= head.cursor or limit <= 0:
            return 0
        written = self._write(head, self.missing(Span(head.cursor, end)), limit, cursor=end)
        return None if written is None else written[0]

    def _past(self, head: Head, limit: int) -> int | None:
        start = self.source.start
        if start is None or start >= head.begin:
            return 0
        count, complete = self._write(head, self.missing(Span(start, head.begin)), limit) or (None, False)
        if complete and count is not None:
            return count if self.ledger.plan(self.head(), [], self.now, begin=start) else None
        return count

    def _write(
        self, head: Head, windows: Iterator[Window], limit: int, *, cursor: dt.datetime | None = None
    ) -> tuple[int, bool] | None:
        """Write up to `limit` windows, a transaction each BATCH; None if another planner came between.

        Return how many, and whether these were all. With `cursor`, the head's cursor follows the ends of the windows,
        and is moved to `cursor` when there are no more.
        """
        count, chosen = 0, list(islice(windows, limit))
        complete = len(chosen) < limit
        for batch in batched(chosen, BATCH, strict=False):
            entries = [planned(window, self.source) for window in batch]
            moved = self.ledger.plan(head, entries, self.now, cursor=batch[-1].end if cursor else None)
            if moved is None:
                return None
            head, count = moved, count + len(batch)
        if cursor and complete and (not chosen or chosen[-1].end != cursor):
            self.ledger.plan(head, [], self.now, cursor=cursor)
        return count, complete
