"""A visit: one attempt to archive a window that is claimed.

fetch parts -> raw -> rows -> manifest -> logs -> commit. The manifest makes the visit complete in raw, the commit makes
it count. What was killed in between is taken up first by the next claim, whatever becomes of its own visit.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import BaseModel

from logarchive.errors import ArchiveError, Issue, LostClaimError, OutOfTimeError, ProviderError, TooLargeError
from logarchive.ledger.entry import Entry
from logarchive.ledger.ledger import Ledger
from logarchive.ledger.planner import planned
from logarchive.moment import Clock
from logarchive.net.exchange import Exchange
from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.row.build import build
from logarchive.row.built import Built
from logarchive.store.bucket import ChangedError, Store
from logarchive.store.manifest import Manifest, RawVisit, manifests
from logarchive.store.place import Place, visit_name
from logarchive.visit.collection import Collection
from logarchive.visit.merger import PUBLISH_TRIES, Merged, Merger
from logarchive.visit.outcome import Visited, after_failure, after_retention, after_visit, expired, put_back, taken_up
from logarchive.window import Window

#: After so many claims in a row without any commit, the next one splits before it fetches.
KILLED_BEFORE_SPLIT = 2


@dataclass(frozen=True, kw_only=True)
class Visitor[S: Source, K: BaseModel]:
    """Visits windows of one source."""

    provider: Provider[S, K]
    source: S
    ledger: Ledger
    store: Store
    #: Opens the HTTP of a visit, which spools into the given directory.
    open_exchange: Callable[[Path], Exchange]
    clock: Clock
    #: Raises OutOfTimeError when the invocation's time is used up.
    alive: Callable[[], None]

    def visit(self, held: Entry, *, late_start: bool = False) -> Entry:
        """Visit a claimed window and commit what became of it; return the entry as committed.

        `late_start`: the invocation has done other work before, so running out of time is no reason to split.
        Raises LostClaimError when another worker holds the window by now.
        """
        with tempfile.TemporaryDirectory(prefix="visit-") as directory:
            attempt = Attempt(self, held, Path(directory))
            try:
                return attempt.run(late_start=late_start)
            except Exception:
                attempt.tell()
                raise


class Attempt[S: Source, K: BaseModel]:
    """One visit while it runs."""

    def __init__(self, visitor: Visitor[S, K], held: Entry, directory: Path) -> None:
        """Prepare the visit of a claimed window, with a directory for its files."""
        self._by, self._directory = visitor, directory
        #: The claim as the ledger shows it, and the window with what this attempt has taken up.
        self._held = self._entry = held
        #: Complete visits in raw that the object may lack.
        self._loose = held.loose - 1
        self._started = visitor.clock()
        self._place = Place(visitor.ledger.provider, visitor.ledger.name, held.window)
        self._name = visit_name(self._started, held.attempt)
        self._merger = Merger(visitor.store, self._place, self._build, directory)
        self._raw: RawVisit | None = None
        self._collection: Collection[S, K] | None = None
        self._manifest: str | None = None

    def run(self, *, late_start: bool) -> Entry:
        """Visit, or say in the ledger why not."""
        try:
            return self._visit()
        except OutOfTimeError as error:
            return self._commit(put_back(self._entry, self._by.clock())) if late_start else self._give_way(error)
        except (MemoryError, TooLargeError) as error:
            return self._give_way(error)
        except ProviderError as error:
            return self._fail(error.issue, str(error), self._keep(error.issue, str(error)))

    def tell(self) -> None:
        """Say that this attempt has left a complete visit in raw, if its claim is lost; else the next claim looks."""
        if self._manifest is not None and self._by.ledger.held(self._held) is None:
            self._by.ledger.disturb(self._held, self._by.clock())

    def _visit(self) -> Entry:
        """Fetch, keep, normalise, publish and commit."""
        self._take_up()
        if expired(self._entry, self._by.source, self._started):
            return self._commit(after_retention(self._entry))
        if self._held.killed > KILLED_BEFORE_SPLIT:
            before = self._held.killed - 1
            error = f"{before} visits in a row ended without a word (killed, or out of memory)"
            return self._split() or self._fail("unavailable", error, longest=True)
        collection = self._open()
        collection.gather(self._entry.window)
        return self._publish(collection)

    def _take_up(self) -> None:
        """Merge the complete visits that the ledger does not know: those of claims that never committed."""
        complete = self._unknown() if self._loose > 0 else []
        for _ in range(PUBLISH_TRIES):
            if not complete:
                break
            merged = self._merger.take_up(self._entry, complete)
            try:
                written = self._merger.write(self._entry, merged, self._hold)
            except ChangedError:
                self._hold()
                continue
            manifest = self._place.manifest(complete[-1].visit)
            self._entry = taken_up(self._entry, merged.built, written, merged.visits, merged.late, manifest)
            complete = []
        if complete:
            raise ArchiveError(
                f"{self._held.window_key}: the object changed {PUBLISH_TRIES} times while it was written"
            )
        self._loose = 0

    def _unknown(self) -> list[Manifest]:
        known = {*self._entry.visits, self._name}
        return [item for item in manifests(self._by.store, self._place) if item.complete and item.visit not in known]

    def _open(self) -> Collection[S, K]:
        by = self._by
        before = Manifest.find(by.store, self._entry.manifest)
        earlier = before.known() if before else {}
        self._raw = RawVisit(by.store, self._place, self._name, self._directory, earlier)
        self._collection = Collection(
            by.provider, by.source, by.open_exchange(self._directory), by.ledger.remember, self._raw.keep
        )
        return self._collection

    def _publish(self, collection: Collection[S, K]) -> Entry:
        """Merge with what stands and write it until nobody comes between; then commit."""
        for _ in range(PUBLISH_TRIES):
            merged = self._merger.merge(self._entry, self._name, collection.data)
            self._complete(collection, merged.built)
            try:
                visited = self._visited(collection, merged)
            except ChangedError:
                self._hold()
                continue
            done = self._by.ledger.commit(self._held, after_visit(self._entry, self._by.source, visited))
            if done:
                return done
            self._held = self._hold()
            # Its own visit is loose as well by now, but known here.
            self._loose = self._held.loose - 1
            self._take_up()
        raise ArchiveError(f"{self._held.window_key}: the object changed {PUBLISH_TRIES} times while it was written")

    def _complete(self, collection: Collection[S, K], built: Built) -> None:
        """Write the manifest, once: from here on the visit is complete in raw."""
        if self._raw is not None and self._manifest is None:
            self._manifest = self._raw.close(collection.parts, self._issue(collection), None, asdict(built.numbers))

    @staticmethod
    def _issue(collection: Collection[S, K]) -> Issue | None:
        return "truncated" if collection.truncated else None

    def _visited(self, collection: Collection[S, K], merged: Merged) -> Visited:
        return Visited(
            started=self._started,
            manifest=self._manifest or "",
            built=merged.built,
            object=self._merger.write(self._entry, merged, self._hold),
            merged=merged.visits,
            late=merged.late,
            issue=self._issue(collection),
            requests=collection.exchange.requests,
            seconds=round((self._by.clock() - self._started).total_seconds()),
        )

    def _keep(self, issue: Issue, error: str) -> str | None:
        """Write the manifest of a visit that failed while it fetched or built."""
        if self._collection is None or self._raw is None or self._manifest is not None:
            return None
        return self._raw.close(self._collection.parts, issue, error, None)

    def _give_way(self, error: Exception) -> Entry:
        """Split a window that one visit cannot carry; where it cannot be split, say so and come back."""
        message = f"{str(error) or type(error).__name__}: give the function more time or memory; a smaller `window`"
        message = f"{message} helps those planned after it"
        manifest = self._keep("too_large", message)
        return self._split() or self._fail("too_large", message, manifest, longest=True)

    def _split(self) -> Entry | None:
        """Replace the window by its halves; None if a visit of it is complete, or it is as small as it can be."""
        by, entry = self._by, self._entry
        halves = entry.window.halves(by.provider.smallest_window)
        if entry.object or entry.visits or self._loose or self._manifest or halves is None:
            return None
        if self._held.attempt > 1:
            # An earlier worker may live on. It writes its manifest before its object: once that is barred, look again.
            self._merger.bar()
            self._loose = len(self._unknown())
            if self._loose:
                return None
        parts = [planned(Window(half.start, half.end), by.source) for half in halves]
        if not by.ledger.split(self._held, parts):
            raise LostClaimError(entry.window_key)
        return entry.model_copy(update={"state": "split", "due_at": None})

    def _fail(self, issue: Issue, error: str, manifest: str | None = None, *, longest: bool = False) -> Entry:
        now = self._by.clock()
        return self._commit(after_failure(self._entry, self._by.source, now, issue, error, manifest, longest=longest))

    def _commit(self, result: Entry) -> Entry:
        """Commit what is no good visit; complete visits that were not merged stay to be looked for."""
        loose = self._loose + (self._manifest is not None)
        done = self._by.ledger.commit(self._held, result.model_copy(update={"loose": loose}))
        if done is None:
            raise LostClaimError(self._held.window_key)
        return done

    def _hold(self) -> Entry:
        """Return the claim as it stands, if it is still ours."""
        held = self._by.ledger.held(self._held)
        if held is None:
            raise LostClaimError(self._held.window_key)
        return held

    def _build(self, visit: str, parts: Sequence[Part], standing: Path | None, directory: Path) -> Built:
        by = self._by
        return build(
            records=by.provider.record_format(by.source),
            source_name=by.ledger.name,
            window=self._place.window,
            visit=visit,
            parts=parts,
            standing=standing,
            directory=directory,
            alive=by.alive,
        )
