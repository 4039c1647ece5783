"""Windows of all providers, visited as the layer does, in the copy of an archive with its proof log."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from logarchive.errors import Issue
from logarchive.ledger.entry import Entry, Head, State, StoredObject
from logarchive.numbers import WindowNumbers
from logarchive.part import Part
from logarchive.proof.statement import Hashed, HashedRows, source_statement, window_statement
from logarchive.store.bucket import Store, sha256_of
from logarchive.store.manifest import Kept, RawVisit
from logarchive.store.place import Place
from logarchive.window import Window
from tests.fake_aws import FakeS3
from tests.unit import small_archive, visit
from tests.unit.exchange import source
from tests.verifier.archive import Archive
from tools.registry import providers


@dataclass
class VisitedWindow:
    """One window of the archive, visited again and again."""

    archive: Archive
    provider: str
    source_name: str
    window: Window
    wrap: Callable[[str, Sequence[object]], bytes] = small_archive.body
    suffix: str = ""
    entry: Entry = field(init=False)
    existing: Any = None
    #: Bodies that are stored already, as the next visit knows them.
    kept: dict[str, Kept] = field(default_factory=dict[str, Kept])

    def __post_init__(self) -> None:
        self.entry = Entry(window_key=self.window.key, state="planned")
        self.place = Place(self.provider, self.source_name, self.window)

    def source(self) -> bytes:
        """Return the entry that promises the source."""
        head = Head(begin=self.window.start, cursor=self.window.end, feed_id="feed")
        return source_statement(self.provider, self.source_name, head)

    def state(self, state: State = "planned", issue: Issue | None = None, *manifests: Hashed) -> bytes:
        """Return an entry without a visit."""
        entry = self.entry.replace(state=state, issue=issue)
        return self._state(entry, "2026-11-22T14:00:09Z", *manifests)

    def visit(self, records: Sequence[object], state: State = "archived", issue: Issue | None = None) -> bytes:
        """Archive what a visit has received, and return the entry that states it."""
        number = self.entry.attempt + 1
        name = f"20261122T1{number + 4}0000Z-{number:04d}"
        s3 = FakeS3()
        raw = RawVisit(Store(s3, "bucket"), self.place, name, visit.directory(), self.kept)  # type: ignore[arg-type] # a stand-in
        part = raw.keep(self._part(self.wrap(self.provider, records)))
        how: Any = {"of": providers()[self.provider], "source": source(self.provider), "window": self.window}
        built = visit.visit(part, name=name, existing=self.existing, source_name=self.source_name, **how)
        manifest = raw.close([part], numbers=built.numbers)
        hashed = {key: self.archive.put(key, one.body) for key, one in s3.objects.items()}
        self.existing, self.kept = built, {**self.kept, part.sha256: raw.kept[part.key]}
        self.entry = self.entry.replace(
            attempt=number,
            manifest=manifest,
            visits=(*self.entry.visits, name),
            object=self._object(built),
            numbers=WindowNumbers().after(built.numbers, rows=built.object_rows, late=0),
            state=state,
            issue=issue,
        )
        return self._state(self.entry, f"2026-11-22T1{number + 4}:00:09Z", hashed[manifest])

    def _state(self, entry: Entry, at: str, *manifests: Hashed) -> bytes:
        stored = entry.object
        held: HashedRows | None = (
            {"key": stored.key, "sha256": stored.sha256, "bytes": stored.bytes} if stored else None
        )
        return window_statement(
            self.provider, self.source_name, entry, at, manifests=manifests, object=held, rejects=None
        )

    def _part(self, body: bytes) -> Part:
        part = visit.part(body, suffix=self.suffix or (".txt" if self.provider == "dsa" else ".json"))
        return replace(part, sha256=sha256_of(part.path))

    def _object(self, built: Any) -> StoredObject:
        self.archive.put(self.place.logs, built.path.read_bytes())
        sha256, size = sha256_of(built.path), built.path.stat().st_size
        return StoredObject(key=self.place.logs, etag="", sha256=sha256, bytes=size, visits=())


def windows(archive: Archive) -> Iterator[tuple[VisitedWindow, Sequence[object]]]:
    """Yield the windows of the small archive, with the records of each."""
    for provider, source_name, start, records in small_archive.WINDOWS:
        begin = dt.datetime.fromisoformat(f"{start}+00:00")
        yield VisitedWindow(archive, provider, source_name, Window(begin, begin + small_archive.HOUR)), records
