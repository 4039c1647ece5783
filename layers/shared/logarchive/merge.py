"""Merging: the object of a window out of the newest visit, visits that never committed, and the object that stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

from logarchive.entry import Entry, StoredObject
from logarchive.key import Place
from logarchive.part import Part
from logarchive.raw import Manifest
from logarchive.rows import Built, object_visits
from logarchive.store import ChangedError, Store, Stored, sha256_of

_PIECE = 1024 * 1024

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

    built: Built
    standing: Standing | None
    #: Every visit whose records are in it or were found in it, oldest first.
    visits: tuple[str, ...]
    #: Rows that came after the window's first visit.
    late: int


@dataclass(frozen=True)
class Merger:
    """Builds and writes the objects of one window."""

    store: Store
    place: Place
    build: Build
    directory: Path

    def standing(self, entry: Entry, number: int) -> Standing | None:
        """Copy the object that stands, committed or not. A window claimed for the first time needs no look."""
        if number == 0 and entry.object is None and not entry.visits and entry.loose <= 1:
            return None
        path = self.directory / f"standing-{number}.parquet"
        stored = self.store.fetch(self.place.logs, path)
        return Standing(path, stored) if stored else None

    def merge(self, entry: Entry, newest: str, parts: Sequence[Part], loose: Sequence[Manifest], number: int) -> Merged:
        """Build the object out of what stands, the `loose` visits in order of time, and the newest visit."""
        standing = self.standing(entry, number)
        path = standing.path if standing else None
        visits = list(object_visits(path)) if path else []
        first = not entry.visits and path is None
        late = 0
        for step, manifest in enumerate(loose):
            if manifest.visit in visits:
                continue
            where = self._folder(f"{number}-{step}")
            older = self.build(manifest.visit, list(manifest.recall(self.store, where)), path, where)
            late, first = late + (0 if first else older.added), False
            visits.append(manifest.visit)
            path = older.path if older.added else path
        built = self.build(newest, parts, path, self._folder(f"{number}-newest"))
        return Merged(built, standing, (*visits, newest), late + (0 if first else built.added))

    def write(self, entry: Entry, merged: Merged) -> StoredObject | None:
        """Write the object and its rejects over what was seen. Raises ChangedError if something else stands there."""
        built, standing = merged.built, merged.standing
        if built.rejects_path is not None or entry.rejects:
            self._write_rejects(built.rejects_path)
        if built.path is None:
            return None
        if standing and same_rows(standing.path, built.path):
            return self._stored(standing.stored, standing.path)
        etag = standing.stored.etag if standing else None
        return self._stored(self.store.replace(self.place.logs, built.path, built.sha256, etag), built.path)

    def _stored(self, stored: Stored, path: Path) -> StoredObject:
        return StoredObject(
            key=self.place.logs,
            etag=stored.etag,
            version=stored.version,
            sha256=sha256_of(path),
            bytes=path.stat().st_size,
            visits=object_visits(path),
        )

    def _write_rejects(self, path: Path | None) -> None:
        if path is None:
            path = self.directory / "no-rejects.jsonl.gz"
            path.write_bytes(igzip.compress(b"", mtime=0))
        sha256 = sha256_of(path)
        try:
            self.store.replace(self.place.rejects, path, sha256, None)
        except ChangedError:
            found = self.store.look(self.place.rejects)
            self.store.replace(self.place.rejects, path, sha256, found.etag if found else None)

    def _folder(self, name: str) -> Path:
        folder = self.directory / name
        folder.mkdir()
        return folder


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
