"""A visit: one attempt to archive a window that is claimed.

fetch parts -> raw -> rows -> manifest -> logs -> commit. The manifest makes the visit complete in raw, the commit makes
it count. What earlier claims left complete in raw is recovered first, whatever becomes of this visit.
"""

import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from logarchive.errors import ArchiveFailure, Issue, LostClaimError, OutOfTimeError, ProviderError
from logarchive.ledger.entry import Entry
from logarchive.ledger.planner import planned
from logarchive.moment import DAY
from logarchive.net.exchange import Exchange
from logarchive.numbers import VisitNumbers
from logarchive.provider.source import Source
from logarchive.store.bucket import ChangedError
from logarchive.store.manifest import RawVisit
from logarchive.store.place import visit_name
from logarchive.visit.claim import Claim
from logarchive.visit.collection import Collection
from logarchive.visit.context import VisitContext
from logarchive.visit.merger import Merged, Merger
from logarchive.visit.outcome import (
    Failure,
    Visited,
    after_failure,
    after_retention,
    after_visit,
    expired,
    failure_of,
    require_requested,
    unreadable,
)
from logarchive.visit.recovery import Recovery
from logarchive.visit.revisit import Revisit
from logarchive.window import Window

#: After this many claims in a row without a commit, the next one splits before it fetches.
CLAIMS_BEFORE_SPLIT = 2
#: Parts that are older are stored again: the earlier ones may be about to expire (`RawExpirationDays` is at least 90).
REUSED = 35 * DAY
#: An item of the ledger holds 400 KB at most, and a reader of an error needs less.
MOST_ERROR_CHARACTERS = 1000


class VisitFailedError(ArchiveFailure):
    """An error that nobody foresaw, its `__cause__`, has ended a visit; `entry` says so in the ledger already."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(f"{entry.window_key}: {entry.error}")
        self.entry = entry


def visit[S: Source, K: BaseModel](context: VisitContext[S, K], claimed: Entry, *, late_start: bool = False) -> Entry:
    """Visit a claimed window and commit what became of it; return the entry as committed.

    `late_start`: the invocation has done other work before, so running out of time is no reason to split.
    Raises LostClaimError when another worker holds the window by now.
    """
    claim = Claim.of(context.ledger, claimed, context.invocation.clock)
    with tempfile.TemporaryDirectory(prefix="visit-") as directory:
        try:
            return Attempt(context, claim, Path(directory), late_start=late_start).run()
        except VisitFailedError:
            raise  # the ledger says so already
        except Exception:
            claim.report_unmerged()
            raise


@dataclass(frozen=True)
class Fetch[S: Source, K: BaseModel]:
    """What a visit fetches, and where it is stored in raw."""

    raw: RawVisit
    collection: Collection[S, K]
    revisit: Revisit[S, K]

    @property
    def issue(self) -> Issue | None:
        """Why the window is not complete although everything was fetched."""
        return "truncated" if self.collection.truncated else None


class Attempt[S: Source, K: BaseModel]:
    """One visit while it runs."""

    def __init__(self, context: VisitContext[S, K], claim: Claim, directory: Path, *, late_start: bool) -> None:
        self._context, self._claim, self._directory, self._late_start = context, claim, directory, late_start
        self._started = context.invocation.clock()
        self._name = visit_name(self._started, claim.entry.attempt)
        window = claim.entry.window
        self._merger = Merger(context.store, context.place(window), context.builder(window), directory)
        self._recovery = Recovery(context.store, claim, self._merger, self._name)

    def run(self) -> Entry:
        """Visit the window, or say in the ledger why it could not be done.

        Raises VisitFailedError for an error that nobody foresaw, once the ledger says so, and LostClaimError.
        """
        try:
            entry = self._visit()
        except (LostClaimError, VisitFailedError):
            raise
        except Exception as error:  # AWS refused even the manifest
            with suppress(LostClaimError):  # then another worker says what becomes of the window
                raise VisitFailedError(self._split_or_back_off(self._failure(error), None)) from error
            raise
        if self._recovery.unreadable:
            raise VisitFailedError(entry) from self._recovery.unreadable[0]
        return entry

    def _visit(self) -> Entry:
        fetch: Fetch[S, K] | None = None
        try:
            self._claim.retry(self._recovery.run)
            if ended := self._without_fetch():
                return ended
            fetch = opened = self._open()
            fetch.collection.gather(self._claim.entry.window)
            return self._claim.retry(lambda: self._publish(opened))
        except LostClaimError:
            raise
        except OutOfTimeError as error:
            if self._late_start:
                return self._claim.release(self._claim.entry.replace(due_at=self._context.invocation.clock()))
            return self._stopped(self._failure(error), fetch)
        except (MemoryError, ProviderError) as error:
            return self._stopped(self._failure(error), fetch)
        except Exception as error:
            with suppress(LostClaimError):
                raise VisitFailedError(self._stopped(self._failure(error), fetch)) from error
            raise

    def _without_fetch(self) -> Entry | None:
        """Commit what needs no response of the provider; None if it has to be asked."""
        if expired(self._claim.entry, self._context.source, self._started):
            return self._claim.release(after_retention(self._claim.entry))
        before = self._claim.entry.claims_without_commit - 1
        if before < CLAIMS_BEFORE_SPLIT:
            return None
        error = f"{before} visits in a row were killed, or out of memory, and left no message"
        return self._split_or_back_off(Failure("unavailable", error, too_much=True), None)

    def _failure(self, error: Exception) -> Failure:
        """Return what an error amounts to, in words that may be written down."""
        failure = failure_of(error)
        return replace(failure, error=self._context.session.redaction.text(failure.error)[:MOST_ERROR_CHARACTERS])

    def _open(self) -> Fetch[S, K]:
        """Open the provider's API, and a place in raw for what it will send."""
        context = self._context
        place = self._merger.place
        revisit = Revisit(context, place, self._claim.entry)
        earlier = revisit.stored(since=visit_name(self._started - REUSED, 0))
        raw = RawVisit(context.store, place, self._name, self._directory, earlier, revisit.configuration)
        exchange = Exchange(context.session, self._directory, context.ledger.remember)
        ensure_time = context.invocation.ensure_time
        collection = Collection(
            context.provider, context.source, exchange, raw.keep, ensure_time, below_cap=revisit.below_cap
        )
        return Fetch(raw, collection, revisit)

    def _publish(self, fetch: Fetch[S, K]) -> Entry:
        """Merge with the existing object, write it and commit. Raises ChangedError if another worker changed it."""
        self._recovery.run()
        merged = self._merge(fetch)
        require_requested(merged.built.numbers)
        if merged.replaces_placeholder:
            # Whoever has written it may be about to split. Then its claim is newer than ours, which is lost.
            self._claim.ensure_held()
            if self._claim.unmerged:
                raise ChangedError  # a visit was reported since: it is merged first
        self._complete(fetch, merged.built.numbers)
        visited = Visited(
            started=self._started,
            manifest=self._merger.place.manifest(self._name),
            merged=merged,
            written=self._merger.write(self._claim.entry, merged),
            issue=fetch.issue or unreadable(merged.built.numbers),
            requests=fetch.collection.exchange.requests,
            seconds=round((self._context.invocation.clock() - self._started).total_seconds()),
        )
        return self._claim.commit(after_visit(self._claim.entry, self._context.source, visited))

    def _merge(self, fetch: Fetch[S, K]) -> Merged:
        """Merge the visit with the existing object, or leave that unread if nothing has changed."""
        entry, data = self._claim.entry, fetch.collection.data
        # Once this visit has been complete, its object may have been written: what it adds is told by comparison.
        unchanged = None if self._claim.complete else fetch.revisit.unchanged(entry, self._name, data)
        return unchanged or self._merger.merge(entry, self._name, data)

    def _complete(self, fetch: Fetch[S, K], numbers: VisitNumbers) -> None:
        """Write the manifest, once: from here on the visit is complete in raw."""
        if not self._claim.complete:
            self._claim.complete = True  # before the call: it may succeed and its response be lost
            fetch.raw.close(fetch.collection.parts, issue=fetch.issue or unreadable(numbers), numbers=numbers)

    def _stopped(self, failure: Failure, fetch: Fetch[S, K] | None) -> Entry:
        """Commit that the visit was ended by a failure, with a manifest of what was stored."""
        manifest = None
        if fetch and not self._claim.complete:
            manifest = fetch.raw.close(fetch.collection.parts, issue=failure.issue, error=failure.error)
        return self._split_or_back_off(failure, manifest)

    def _split_or_back_off(self, failure: Failure, manifest: str | None) -> Entry:
        """Split a window that is too much for one visit; otherwise, or where it cannot be split, come back later."""
        parts = self._parts() if failure.too_much else []
        if parts:
            return self._claim.split(parts)
        now = self._context.invocation.clock()
        return self._claim.release(after_failure(self._claim.entry, self._context.source, now, failure, manifest))

    def _parts(self) -> list[Entry]:
        """Return the halves that may replace the window; none if a visit is complete, or the window at its smallest."""
        claim, entry = self._claim, self._claim.entry
        halves = entry.window.halves(self._context.provider.smallest_window)
        if entry.object or entry.visits or claim.unmerged or claim.complete or halves is None:
            return []
        if entry.attempt > 1 and not self._recovery.shut_out_earlier_workers():
            return []
        return [planned(Window(half.start, half.end), self._context.source) for half in halves]
