"""Merging: the object of a window out of the newest visit, visits that never committed, and the object that stands."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

from logarchive.errors import ArchiveError, LostClaimError
from logarchive.ledger.entry import Entry, StoredObject
from logarchive.part import Part
from logarchive.row import parquet
from logarchive.row.built import Built
from logarchive.row.parquet import object_visits
from logarchive.store.bucket import ChangedError, Store, Stored, sha256_of
from logarchive.store.manifest import Manifest
from logarchive.store.place import Place

_PIECE = 1024 * 1024
#: How often a write is tried again when something else came to stand there.
PUBLISH_TRIES = 20

#: (visit, its data parts, the object to merge with, where to build) -> what was built.
type Build = Callable[[str, Sequence[Part], Path | None, Path], Built]


@dataclass(frozen=True)
class Standing:
    """The object that stands in the bucket, copied to a local file."""

    path: Path
    stored: Stored


@dataclass(frozen=True)
class Merged:
    """What the window's object becomes."""

    #: The object's file; None where no visit has brought a row.
    path: Path | None
    #: What the last visit that was merged brought.
    built: Built
    standing: Standing | None
    #: Every visit whose records are in it or were found in it, oldest first.
    visits: tuple[str, ...]
    #: Rows that came after the window's first visit.
    late: int


@dataclass
class Merger:
    """Builds and writes the objects of one window."""

    store: Store
    place: Place
    build: Build
    directory: Path
    _rounds: int = 0
    _late: int = 0

    def merge(self, entry: Entry, newest: str, parts: Sequence[Part]) -> Merged:
        """Build the object out of what stands and the newest visit."""
        standing = self._standing(entry)
        path = standing.path if standing else None
        visits = object_visits(path) if path else ()
        built = self.build(newest, parts, path, self._folder())
        if newest not in visits:
            # Otherwise what stands is this visit's own object, written before the answer was lost.
            self._late = built.added if entry.visits or path else 0
        others = tuple(visit for visit in visits if visit != newest)
        return Merged(built.path, built, standing, (*others, newest), self._late)

    def take_up(self, entry: Entry, complete: Sequence[Manifest]) -> Merged:
        """Build the object out of what stands and visits that were killed once complete in raw, in order of time.

        A visit that adds nothing leaves the object as it is.
        """
        standing = self._standing(entry)
        path = standing.path if standing else None
        visits, late = list(object_visits(path)) if path else [], 0
        built: Built | None = None
        for manifest in complete:
            folder = self._folder()
            built = self.build(manifest.visit, list(manifest.recall(self.store, folder)), path, folder)
            late += built.added if entry.visits or visits else 0
            visits += [] if manifest.visit in visits else [manifest.visit]
            path = built.path if built.added else path
        if built is None:
            raise ValueError("nothing to take up")
        return Merged(path, built, standing, tuple(visits), late)

    def write(self, entry: Entry, merged: Merged, hold: Callable[[], object]) -> StoredObject | None:
        """Write the object and its rejects over what was seen.

        Raises ChangedError if another object stands there by now. `hold` raises LostClaimError when the claim is lost.
        """
        if merged.built.rejects_path is not None or entry.rejects:
            self._write_rejects(merged.built.rejects_path or self._no_rejects(), hold, look=entry.rejects > 0)
        path, standing = merged.path, merged.standing
        if path is None:
            return None
        if standing and same_rows(standing.path, path):
            return self._stored(standing.stored, standing.path)
        etag = standing.stored.etag if standing else None
        return self._stored(self.store.replace(self.place.logs, path, sha256_of(path), etag), path)

    def bar(self) -> None:
        """Let an empty object stand, so that a worker of an earlier claim finds it and does not write its own.

        Raises LostClaimError if an object stands already: the next claim takes up what made it.
        """
        path = self._folder() / "barred.parquet"
        parquet.write(path, [], ())
        try:
            self.store.replace(self.place.logs, path, sha256_of(path), None)
        except ChangedError:
            raise LostClaimError(self.place.window.key) from None

    def _standing(self, entry: Entry) -> Standing | None:
        """Copy the object that stands, committed or not. A window claimed for the first time needs no look at first."""
        self._rounds += 1
        if self._rounds == 1 and entry.object is None and not entry.visits and entry.loose <= 1:
            return None
        path = self.directory / f"standing-{self._rounds}.parquet"
        stored = self.store.fetch(self.place.logs, path)
        return Standing(path, stored) if stored else None

    def _stored(self, stored: Stored, path: Path) -> StoredObject:
        return StoredObject(
            key=self.place.logs,
            etag=stored.etag,
            version=stored.version,
            sha256=sha256_of(path),
            bytes=path.stat().st_size,
            visits=object_visits(path),
        )

    def _write_rejects(self, path: Path, hold: Callable[[], object], *, look: bool) -> None:
        """Write the rejects over what stands, unless it is the same; `look` first where something is known to stand."""
        standing, etag = self.directory / "rejects-standing", None
        for _ in range(PUBLISH_TRIES):
            if look:
                # Looked at before the claim is: who takes it after that finds our ETag, or we find theirs.
                found = self.store.fetch(self.place.rejects, standing)
                if found and sha256_of(standing) == sha256_of(path):
                    return
                etag = found.etag if found else None
            try:
                self.store.replace(self.place.rejects, path, sha256_of(path), etag)
            except ChangedError:
                hold()
                look = True
            else:
                return
        raise ArchiveError(f"{self.place.rejects} changed {PUBLISH_TRIES} times while it was written")

    def _no_rejects(self) -> Path:
        path = self.directory / "no-rejects.jsonl.gz"
        path.write_bytes(igzip.compress(b"", mtime=0))
        return path

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.directory))


def same_rows(one: Path, other: Path) -> bool:
    """Say whether two objects hold the same rows in the same order: all but their footers is equal."""
    length = _before_footer(one)
    if length != _before_footer(other):
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while length > 0:
            piece = left.read(min(length, _PIECE))
            if piece != right.read(len(piece)):
                return False
            length -= len(piece)
    return True


def _before_footer(path: Path) -> int:
    """Return how many bytes come before the footer, whose length stands in front of the closing magic number."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(size - 8)
        return size - 8 - int.from_bytes(file.read(4), "little")
