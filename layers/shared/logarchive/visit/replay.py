"""A replay: a claim that rebuilds its window from `raw/`, without the provider.

mark -> claim -> rebuild from raw -> logs, rejects -> commit. The mark stays in the entry until the commit, so that
whoever claims the window after a killed worker replays it as well, and does not visit it.
"""

import tempfile
from pathlib import Path

from pydantic import BaseModel

from logarchive.errors import ArchiveError, LostClaimError, OutOfTimeError, ProviderError
from logarchive.ledger.entry import Entry, RejectsObject, State, StoredObject
from logarchive.ledger.ledger import REPLAYS_DUE
from logarchive.provider.source import Source
from logarchive.row import parquet, reject
from logarchive.store.bucket import ChangedError, sha256_of
from logarchive.store.place import visit_name
from logarchive.visit.attempt import MOST_ERROR_CHARACTERS, VisitFailedError
from logarchive.visit.claim import Claim
from logarchive.visit.context import VisitContext
from logarchive.visit.merger import Existing, Merger, Written, same_rows
from logarchive.visit.outcome import not_replayed, replayed, require_requested
from logarchive.visit.rebuild import Rebuilder, Rebuilt
from logarchive.visit.recovery import Recovery

#: After this many replays in a row that were killed, the window is left as it is.
MOST_KILLED = 3
_UNKNOWN = "the ledger does not know the object that a killed replay has written to logs/; replay the window again"


def replay[S: Source, K: BaseModel](context: VisitContext[S, K], claimed: Entry, *, late_start: bool = False) -> Entry:
    """Replay a claimed window; return the entry as committed, with `replay_error` if the window was left as it is.

    Raises LostClaimError, and VisitFailedError for an error that nobody foresaw. If the ledger does not know the object
    that was written, such an error is raised as it is and nothing is committed, as if the worker had been killed.
    """
    with tempfile.TemporaryDirectory(prefix="replay-") as directory:
        claim = Claim.of(context.ledger, claimed, context.invocation.clock)
        return Replay(context, claim, Path(directory), late_start=late_start).run()


class Replay[S: Source, K: BaseModel]:  # 10 attributes: a visit's, and what was made
    """One replay while it runs."""

    def __init__(self, context: VisitContext[S, K], claim: Claim, directory: Path, *, late_start: bool) -> None:
        self._context, self._claim, self._directory, self._late_start = context, claim, directory, late_start
        self._state: State = claim.entry.state
        window = claim.entry.window
        place, builder = context.place(window), context.builder(window)
        self._merger = Merger(context.store, place, builder, directory)
        own = visit_name(context.invocation.clock(), claim.entry.attempt)  # there is no such visit
        self._recovery = Recovery(context.store, claim, self._merger, own)
        self._rebuilder = Rebuilder(context.store, place, builder, directory)
        self._rebuilt: tuple[tuple[str, ...], Rebuilt] | None = None
        self._wrote = False

    def run(self) -> Entry:
        """Rebuild the window and commit; or leave it as it is, and say why."""
        killed = self._claim.entry.claims_without_commit - 1
        try:
            if killed >= MOST_KILLED:
                why = "see the function's log, or give it more memory"
                return self._leave(f"{killed} replays in a row were killed, or could not be committed: {why}")
            return self._claim.retry(self._publish)
        except LostClaimError:
            if self._wrote:
                self._context.ledger.replay_again(self._claim.entry, self._context.invocation.clock())
            raise
        except OutOfTimeError as error:
            if self._late_start:
                return self._claim.release(self._entry.replace(due_at=REPLAYS_DUE))
            return self._leave(f"{error}: give the function more time")
        except (ArchiveError, MemoryError, ProviderError) as error:
            return self._leave(str(error) or type(error).__name__)
        except Exception as error:
            if self._unknown_object():
                raise  # the mark stays, so that the next worker makes the ledger know what was written
            raise VisitFailedError(self._leave(f"unexpected {type(error).__name__}: {error}")) from error

    @property
    def _entry(self) -> Entry:
        """The entry as the ledger shows it, with what was recovered; recovery alone does not reopen a window."""
        return self._claim.entry.replace(state=self._state)

    def _publish(self) -> Entry:
        """Rebuild the window, write what has changed, and commit. Raises ChangedError if another worker changed it."""
        self._recovery.run()
        if self._recovery.unreadable:
            raise self._recovery.unreadable[0]
        rebuilt = self._rebuild(self._claim.entry.visits)
        existing, rejects = self._merger.copy(), self._merger.copy_rejects()
        # What is written below takes the place of what was just read. If the claim is held now, then nobody has added
        # anything to that: a later worker finds our object, or ours finds another ETag.
        self._claim.ensure_held()
        if self._claim.unmerged:
            raise ChangedError
        written = Written(self._write_object(existing, rebuilt), self._write_rejects(rejects, rebuilt))
        return self._claim.commit(replayed(self._entry, rebuilt, written))

    def _rebuild(self, visits: tuple[str, ...]) -> Rebuilt:
        if self._rebuilt is None or self._rebuilt[0] != visits:
            self._rebuilt = visits, self._rebuilder.rebuild(visits)
            require_requested(self._rebuilt[1].numbers)
        return self._rebuilt[1]

    def _write_object(self, existing: Existing | None, rebuilt: Rebuilt) -> StoredObject | None:
        """Write the object, unless the one that the ledger knows has the same rows: another one may be damaged."""
        path, known = rebuilt.path, self._claim.entry.object
        trusted = existing is not None and known is not None and known.sha256 == sha256_of(existing.path)
        if path is None and existing and not (trusted and not parquet.object_visits(existing.path)):
            path = self._directory / "empty.parquet"
            parquet.write(path, (), self._claim.entry.visits, rebuilt.mapping_version)
        self._wrote |= path is not None and not (existing and trusted and same_rows(existing.path, path))
        return self._merger.write_object(path, existing, trusted=trusted)

    def _write_rejects(self, existing: Existing | None, rebuilt: Rebuilt) -> RejectsObject | None:
        path = rebuilt.rejects_path
        if path is None and existing:
            path = self._directory / "empty.jsonl.gz"
            reject.write_none(path)
        if path is None:
            return None
        if existing and reject.same_lines(existing.path, path):
            return self._merger.rejects_object(existing.path)
        self._wrote = True
        return self._merger.write_rejects(path, existing)

    def _leave(self, reason: str) -> Entry:
        """Commit that the window was not replayed. Raises LostClaimError."""
        claim = self._claim
        error = self._context.session.redaction.brief(reason, MOST_ERROR_CHARACTERS)
        if self._unknown_object():
            error = f"{error}; {_UNKNOWN}"
        unmerged = self._unmerged()
        claim.unmerged = claim.unmerged if unmerged is None else unmerged
        entry = not_replayed(self._entry, error)
        if unmerged and entry.finished:
            entry = entry.replace(state="archived", due_at=self._context.invocation.clock())
        return claim.release(entry)

    def _unmerged(self) -> int | None:
        """Return how many visits are to be merged by a visit, now that the replay cannot; None if raw does not tell.

        Then they stay counted, for the next replay. To fail here would be to replay the window for ever.
        """
        try:
            return len(self._recovery.unmerged()) if self._claim.unmerged else 0
        except Exception:  # noqa: BLE001 (the window is left because of such an error)
            return None

    def _unknown_object(self) -> bool:
        """Return whether a replay has written another object than the ledger knows; so is one that cannot be read."""
        if not self._wrote and self._claim.entry.claims_without_commit <= 1:
            return False
        known = self._claim.entry.object
        try:
            existing = self._merger.copy()
            if existing is None or not parquet.object_visits(existing.path):
                return False
        except Exception:  # noqa: BLE001 (to fail here would be to replay the window for ever)
            return True
        return known is None or known.sha256 != sha256_of(existing.path)
