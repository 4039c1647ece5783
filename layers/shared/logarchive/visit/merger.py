"""Merging: the object of a window out of the newest visit, visits that never committed, and the existing object."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logarchive.errors import ProviderError
from logarchive.ledger.entry import Entry, RejectsObject, StoredObject
from logarchive.part import Part
from logarchive.row import parquet
from logarchive.row.build import Builder, Built
from logarchive.row.parquet import object_visits
from logarchive.row.reject import merge_rejects
from logarchive.store.bucket import Store, Stored, sha256_of
from logarchive.store.manifest import Manifest
from logarchive.store.place import Place

_PIECE = 1024 * 1024


@dataclass(frozen=True)
class Existing:
    """An object as it is in S3, copied to a local file."""

    path: Path
    stored: Stored


@dataclass(frozen=True)
class Merged:
    """What the window's object becomes."""

    #: The object's file; None where no visit has brought a row.
    path: Path | None
    #: What the last visit that was merged brought.
    built: Built
    existing: Existing | None
    #: Every visit whose records are in it or were found in it, oldest first.
    visits: tuple[str, ...]
    #: Rows that came after the window's first visit.
    late: int
    #: The rejects of each visit that was merged.
    rejects: tuple[Path, ...] = ()
    #: The existing object, if it is known to stay as it is; then it was not read.
    left: StoredObject | None = None

    @property
    def replaces_placeholder(self) -> bool:
        """Whether the existing object was made of no visit."""
        return self.existing is not None and not object_visits(self.existing.path)


@dataclass(frozen=True)
class Written:
    """The objects of a window as they are now; None where no visit has brought a row, or a reject."""

    object: StoredObject | None
    rejects: RejectsObject | None


@dataclass
class Merger:
    """Builds and writes the objects of one window. Each write raises ChangedError if what it has read has changed."""

    store: Store
    place: Place
    builder: Builder
    directory: Path
    _rounds: int = 0
    _late: int = 0
    _rejects_tried: bool = False

    def merge(self, entry: Entry, newest: str, parts: Sequence[Part]) -> Merged:
        """Build the object out of the existing one and the newest visit."""
        existing = self._existing(entry)
        path = existing.path if existing else None
        visits = object_visits(path) if path else ()
        built = self.builder.build(newest, parts, path, self._folder())
        if newest not in visits:
            # Otherwise this visit's own object is there: it was written, but the response was lost. It adds nothing.
            self._late = built.added if entry.visits or path else 0
        others = tuple(visit for visit in visits if visit != newest)
        rejects = (built.rejects_path,) if built.rejects_path else ()
        return Merged(built.path, built, existing, (*others, newest), self._late, rejects)

    def recover(self, entry: Entry, complete: Sequence[Manifest], unreadable: list[Exception]) -> Merged | None:
        """Build the object out of the existing one and complete visits from raw, by time; None if none is readable.

        A visit that cannot be read goes to `unreadable`.
        """
        existing = self._existing(entry)
        path = existing.path if existing else None
        visits, late = list(object_visits(path)) if path else [], 0
        built: Built | None = None
        rejects: list[Path] = []
        for manifest in complete:
            folder = self._folder()
            try:
                built = self.builder.build(manifest.visit, list(manifest.recall(self.store, folder)), path, folder)
            except ProviderError as error:
                error.args = (f"{manifest.visit}: {error}",)
                unreadable.append(error)
                continue
            late += built.added if entry.visits or visits else 0
            visits = [*(visit for visit in visits if visit != manifest.visit), manifest.visit]
            rejects += [built.rejects_path] if built.rejects_path else []
            path = built.path
        return Merged(path, built, existing, tuple(visits), late, tuple(rejects)) if built else None

    def write(self, entry: Entry, merged: Merged) -> Written:
        """Write the object and its rejects over what was read."""
        rejects = entry.rejects_object
        for path in merged.rejects:
            rejects = self._write_rejects(path, existing=bool(entry.visits))
        return Written(merged.left or self.write_object(merged.path, merged.existing), rejects)

    def write_object(
        self, path: Path | None, existing: Existing | None, *, trusted: bool = True
    ) -> StoredObject | None:
        """Write an object over the one that was read, or leave that if it is `trusted` and has the same rows."""
        if path is None:
            return None
        if existing and trusted and same_rows(existing.path, path):
            return self._stored(existing.stored, existing.path, sha256_of(existing.path))
        sha256 = sha256_of(path)
        etag = existing.stored.etag if existing else None
        return self._stored(self.store.replace(self.place.logs, path, sha256, etag), path, sha256)

    def write_placeholder(self, claim: str) -> StoredObject | None:
        """Write an empty object, so that a write of an older worker fails, be it with `If-None-Match` or `If-Match`.

        A placeholder of an earlier claim is replaced, since an older worker may have seen its ETag. Return None if the
        object of a visit is there. Raises ChangedError.
        """
        path = self._folder() / "placeholder.parquet"
        parquet.write_placeholder(path, claim)
        sha256, existing = sha256_of(path), self.copy()
        if existing and object_visits(existing.path):
            return None
        if existing and sha256_of(existing.path) == sha256:
            return self._stored(existing.stored, path, sha256)
        etag = existing.stored.etag if existing else None
        return self._stored(self.store.replace(self.place.logs, path, sha256, etag), path, sha256)

    def _existing(self, entry: Entry) -> Existing | None:
        """Copy the existing object, committed or not.

        At a window's first claim there can be none. Its worker does not even look, and writes with `If-None-Match`:
        if it is overtaken, it must not merge with what a later claim has written, above all not with a placeholder.
        """
        self._rounds += 1
        if self._rounds == 1 and entry.object is None and not entry.visits and entry.unmerged_claims <= 1:
            return None
        return self.copy()

    def copy(self) -> Existing | None:
        """Copy the object in S3, whoever has written it."""
        return self._fetch(self.place.logs, "existing.parquet")

    def copy_rejects(self) -> Existing | None:
        """Copy the rejects in S3."""
        return self._fetch(self.place.rejects, "existing.jsonl.gz")

    def write_rejects(self, path: Path, existing: Existing | None) -> RejectsObject:
        """Write rejects over those that were read."""
        written = self.rejects_object(path)
        etag = existing.stored.etag if existing else None
        self.store.replace(self.place.rejects, path, written.sha256, etag)
        return written

    def rejects_object(self, path: Path) -> RejectsObject:
        """Return what the ledger says of rejects that are in S3 as they are at `path`."""
        return RejectsObject(key=self.place.rejects, sha256=sha256_of(path))

    def _stored(self, stored: Stored, path: Path, sha256: str) -> StoredObject:
        return StoredObject(
            key=self.place.logs,
            etag=stored.etag,
            version=stored.version,
            sha256=sha256,
            bytes=path.stat().st_size,
            visits=object_visits(path),
        )

    def _write_rejects(self, path: Path, *, existing: bool) -> RejectsObject:
        """Write the rejects, merged with the existing ones. Look first if a write was tried before."""
        before = self.copy_rejects() if existing or self._rejects_tried else None
        if before:
            merged = self._folder() / "merged.jsonl.gz"
            if not merge_rejects(before.path, path, merged, self.builder.ensure_time):
                return self.rejects_object(before.path)
            path = merged
        self._rejects_tried = True
        return self.write_rejects(path, before)

    def _fetch(self, key: str, name: str) -> Existing | None:
        path = self._folder() / name
        stored = self.store.fetch(key, path)
        return Existing(path, stored) if stored else None

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.directory))


def same_rows(left: Path, right: Path) -> bool:
    """Say whether two objects hold the same rows in the same order: all but their footers is equal."""
    length = _before_footer(left)
    if length != _before_footer(right):
        return False
    with left.open("rb") as one, right.open("rb") as other:
        while piece := one.read(min(length, _PIECE)):
            if piece != other.read(len(piece)):
                return False
            length -= len(piece)
    return True


def _before_footer(path: Path) -> int:
    """Return how many bytes come before the footer, whose length comes before the closing magic number."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(size - 8)
        return size - 8 - int.from_bytes(file.read(4), "little")
