"""Rebuilding: what a window's object and rejects are when its visits are merged anew, in order, from `raw/` alone."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logarchive.errors import ArchiveError
from logarchive.numbers import VisitNumbers
from logarchive.row.build import Builder
from logarchive.row.reject import merge_rejects
from logarchive.store.bucket import Store
from logarchive.store.manifest import Manifest
from logarchive.store.place import Place


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """A window as its visits make it with the mapping of today."""

    #: The object; None without a row.
    path: Path | None
    rejects_path: Path | None
    #: Those of the newest visit.
    numbers: VisitNumbers
    object_rows: int
    #: Rows that came after the first visit.
    late: int
    mapping_version: int


@dataclass(frozen=True)
class Rebuilder:
    """Rebuilds one window."""

    store: Store
    place: Place
    builder: Builder
    directory: Path

    def rebuild(self, visits: Sequence[str]) -> Rebuilt:
        """Merge visits in the order in which they were merged first.

        Raises ArchiveError for a manifest or a part that is missing or not what it was, and ProviderError for a body
        that cannot be read with the mapping of today.
        """
        rebuilt = Rebuilt(
            path=None,
            rejects_path=None,
            numbers=VisitNumbers(),
            object_rows=0,
            late=0,
            mapping_version=self.builder.records.mapping_version,
        )
        for visit in visits:
            rebuilt = self._with(rebuilt, visit, first=visit == visits[0])
        return rebuilt

    def _with(self, before: Rebuilt, visit: str, *, first: bool) -> Rebuilt:
        """Merge one more visit, whose parts are needed on disk only meanwhile."""
        with tempfile.TemporaryDirectory(dir=self.directory) as name:
            folder = Path(name)
            key = self.place.manifest(visit)
            manifest = Manifest.find(self.store, key)
            if manifest is None:
                raise ArchiveError(f"{key} is needed to replay the window, but there is no such object")
            built = self.builder.build(visit, list(manifest.recall(self.store, folder)), before.path, folder)
            path = self._kept(built.path, "object.parquet") if built.path else None
            rejects = self._rejects(before.rejects_path, built.rejects_path, folder)
        return Rebuilt(
            path=path,
            rejects_path=rejects,
            numbers=built.numbers,
            object_rows=built.object_rows,
            late=before.late + (0 if first else built.added),
            mapping_version=built.mapping_version,
        )

    def _rejects(self, before: Path | None, own: Path | None, folder: Path) -> Path | None:
        if own is None:
            return before
        merged = folder / "merged.jsonl.gz"
        if before:
            merge_rejects(before, own, merged, self.builder.ensure_time)
        return self._kept(merged if before else own, "rejects.jsonl.gz")

    def _kept(self, path: Path, name: str) -> Path:
        return Path(shutil.move(path, self.directory / name))
