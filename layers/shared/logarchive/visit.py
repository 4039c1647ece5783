"""A visit: one attempt to archive a window that is claimed.

fetch parts -> raw -> rows -> manifest -> logs -> commit. The manifest makes the visit complete in raw, the commit makes
it count. Whatever is killed in between is taken up by the next visit: it merges with the object that stands and with
every complete visit that the ledger does not know yet.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import BaseModel

from logarchive.collect import Collection
from logarchive.entry import Entry
from logarchive.errors import ArchiveError, Issue, LostClaimError, OutOfTimeError, ProviderError, TooLargeError
from logarchive.key import Place, visit_name
from logarchive.ledger import Ledger
from logarchive.merge import Merged, Merger
from logarchive.outcome import Visited, after_failure, after_retention, after_visit, expired, put_back
from logarchive.part import Part
from logarchive.plan import Planner
from logarchive.provider import Api, Clock, Provider
from logarchive.raw import Manifest, RawVisit, manifests
from logarchive.rows import Built, build
from logarchive.source import Source
from logarchive.store import ChangedError, Store
from logarchive.window import Window

#: After so many claims in a row without any commit, the next one splits before it fetches.
KILLED_BEFORE_SPLIT = 2
_PUBLISH_TRIES = 20


@dataclass(frozen=True, kw_only=True)
class Visitor[S: Source, K: BaseModel]:
    """Visits windows of one source."""

    provider: Provider[S, K]
    settings: S
    ledger: Ledger
    store: Store
    #: Opens the provider's API, spooling to the given directory.
    open_api: Callable[[Path], Api]
    clock: Clock
    #: Raises OutOfTimeError when the invocation's time is used up.
    alive: Callable[[], None]

    def visit(self, entry: Entry, *, late_start: bool = False) -> Entry:
        """Visit a claimed window and commit what became of it; return the entry as committed.

        `late_start`: the invocation has done other work before, so running out of time is no reason to split.
        Raises LostClaimError when another worker holds the window by now.
        """
        with tempfile.TemporaryDirectory(prefix="visit-") as directory:
            attempt = Attempt(self, entry, Path(directory))
            try:
                return attempt.run()
            except OutOfTimeError as error:
                return self._put_back(entry) if late_start else self._give_way(entry, error)
            except (MemoryError, TooLargeError) as error:
                return self._give_way(entry, error)
            except ProviderError as error:
                return self.commit(entry, attempt.failed(error))

    def split(self, entry: Entry) -> Entry | None:
        """Replace the window by its halves; None if it has an object, or is as small as it can be."""
        halves = entry.window.halves(self.provider.smallest_window)
        if entry.object is not None or entry.visits or halves is None:
            return None
        planner = Planner(self.ledger, self.settings, self.provider.feed(self.settings), self.clock())
        if not self.ledger.split(entry, [planner.entry(Window(half.start, half.end)) for half in halves]):
            raise LostClaimError(entry.window_key)
        return entry.model_copy(update={"state": "split", "due_at": None})

    def commit(self, entry: Entry, result: Entry) -> Entry:
        """Commit a result for a claim; raise LostClaimError if the claim is not ours any more."""
        done = self.ledger.commit(entry, result)
        if done is None:
            raise LostClaimError(entry.window_key)
        return done

    def _put_back(self, entry: Entry) -> Entry:
        return self.commit(entry, put_back(entry, self.clock()))

    def _give_way(self, entry: Entry, error: Exception) -> Entry:
        """Split a window that one visit cannot carry; where it cannot be split, say so and come back."""
        message = (
            f"{str(error) or type(error).__name__}: set a smaller `window`, or give the function more time or memory"
        )
        now = self.clock()
        return self.split(entry) or self.commit(
            entry, after_failure(entry, now, "too_large", message, None, longest=True)
        )


class Attempt[S: Source, K: BaseModel]:
    """One visit while it runs."""

    def __init__(self, visitor: Visitor[S, K], entry: Entry, directory: Path) -> None:
        """Prepare the visit of a claimed entry, with a directory for its files."""
        self._by, self._entry, self._directory = visitor, entry, directory
        self._started = visitor.clock()
        self._place = Place(visitor.ledger.provider, visitor.ledger.name, entry.window)
        self._name = visit_name(self._started, entry.attempt)
        self._raw: RawVisit | None = None
        self._collection: Collection[S, K] | None = None
        self._manifest: str | None = None

    def run(self) -> Entry:
        """Fetch, keep, normalise, publish and commit."""
        by, entry = self._by, self._entry
        if expired(entry, by.settings, self._started):
            return by.commit(entry, after_retention(entry))
        loose = self._loose(entry)
        if entry.killed > KILLED_BEFORE_SPLIT and not loose:
            return by.split(entry) or by.commit(entry, self._killed())
        collection = self._open()
        collection.gather(entry.window)
        try:
            return self._publish(collection, loose)
        except LostClaimError:
            if self._manifest:
                by.ledger.disturb(entry, by.clock())
            raise

    def failed(self, error: ProviderError) -> Entry:
        """Keep what a failed visit received, and return what it means for the window."""
        manifest = None
        if self._collection and self._raw:
            manifest = self._raw.close(self._collection.parts, error.issue, str(error), None)
        return after_failure(self._entry, self._by.clock(), error.issue, str(error), manifest)

    def _open(self) -> Collection[S, K]:
        by = self._by
        earlier = Manifest.read(by.store, self._entry.manifest).known() if self._entry.manifest else {}
        self._raw = RawVisit(by.store, self._place, self._name, self._directory, earlier)
        api = by.open_api(self._directory)
        self._collection = Collection(by.provider, by.settings, api, self._raw.keep)
        return self._collection

    def _loose(self, entry: Entry) -> list[Manifest]:
        """Return the complete visits in raw that the ledger does not know: those of claims that never committed."""
        if entry.loose <= 1:
            return []
        known = {*entry.visits, self._name}
        return [item for item in manifests(self._by.store, self._place) if item.complete and item.visit not in known]

    def _killed(self) -> Entry:
        error = f"{self._entry.killed - 1} visits in a row ended without a word (killed, or out of memory)"
        now = self._by.clock()
        return after_failure(self._entry, now, "unavailable", error, None, longest=True)

    def _publish(self, collection: Collection[S, K], loose: Sequence[Manifest]) -> Entry:
        """Merge with what stands and write it until nobody comes between; then commit."""
        by, entry = self._by, self._entry
        merger = Merger(by.store, self._place, self._build, self._directory)
        for number in range(_PUBLISH_TRIES):
            merged = merger.merge(entry, self._name, collection.data, loose, number)
            self._close(collection, merged.built)
            try:
                visited = self._visited(collection, merger, merged)
            except ChangedError:
                self._hold(entry)
                continue
            done = by.ledger.commit(entry, after_visit(entry, by.settings, visited))
            if done:
                return done
            entry = self._hold(entry)
            loose = self._loose(entry)
        raise ArchiveError(f"{entry.window_key}: the object changed {_PUBLISH_TRIES} times while it was written")

    def _hold(self, entry: Entry) -> Entry:
        """Return the entry as it stands, if the claim is still ours."""
        held = self._by.ledger.held(entry)
        if held is None:
            raise LostClaimError(entry.window_key)
        return held

    def _close(self, collection: Collection[S, K], built: Built) -> None:
        """Write the manifest, once: from here on the visit is complete in raw."""
        if self._raw is not None and self._manifest is None:
            self._manifest = self._raw.close(collection.parts, self._issue(collection), None, asdict(built.numbers))

    @staticmethod
    def _issue(collection: Collection[S, K]) -> Issue | None:
        return "truncated" if collection.truncated else None

    def _visited(self, collection: Collection[S, K], merger: Merger, merged: Merged) -> Visited:
        return Visited(
            started=self._started,
            manifest=self._manifest or "",
            built=merged.built,
            object=merger.write(self._entry, merged),
            merged=merged.visits,
            late=merged.late,
            issue=self._issue(collection),
            requests=collection.api.requests,
            seconds=round((self._by.clock() - self._started).total_seconds()),
        )

    def _build(self, visit: str, parts: Sequence[Part], standing: Path | None, directory: Path) -> Built:
        by = self._by
        return build(
            provider=by.provider,
            settings=by.settings,
            source=by.ledger.name,
            window=self._place.window,
            visit=visit,
            parts=parts,
            standing=standing,
            directory=directory,
            alive=by.alive,
        )
