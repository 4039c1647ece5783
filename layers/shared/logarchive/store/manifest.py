"""Raw: stores what was received, unchanged, with a manifest per visit that proves it; and reads it back."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from isal import isal_zlib
from pydantic import AwareDatetime, BaseModel, ValidationError

from logarchive.errors import ArchiveError, Issue, MalformedError
from logarchive.numbers import VisitNumbers
from logarchive.part import Part, Role
from logarchive.record.exact_json import fragment
from logarchive.record.zip_archive import CHUNK, GZIP, inflate
from logarchive.store.bucket import Store, sha256_of
from logarchive.store.place import Place
from logarchive.window import Span

#: Bodies of these kinds are stored gzip-compressed; everything else as it came.
_COMPRESSED = frozenset({".json", ".jsonl", ".csv", ".txt", ".html"})


@dataclass(frozen=True)
class Kept:
    """Where the bytes of a part are stored."""

    key: str
    object_sha256: str
    object_bytes: int


@dataclass
class RawVisit:
    """The raw side of one visit: keeps each part under the next number, unless the same bytes are stored already."""

    store: Store
    place: Place
    visit: str
    directory: Path
    #: Body's SHA-256 -> where an earlier visit of the window has kept it.
    earlier: Mapping[str, Kept]
    #: A hash of the source's fields that may decide what records become.
    configuration: str = ""
    kept: dict[str, Kept] = field(default_factory=dict[str, Kept])
    _count: int = 0

    def keep(self, part: Part) -> Part:
        """Store a part and return it with its key."""
        number, self._count = self._count, self._count + 1
        kept = self.earlier.get(part.sha256) or self._store(part, number)
        self.kept[kept.key] = kept
        return part.replace(key=kept.key)

    def close(
        self,
        parts: Iterable[Part],
        *,
        issue: Issue | None = None,
        error: str | None = None,
        numbers: VisitNumbers | None = None,
    ) -> str:
        """Write the manifest: the visit is complete in raw if `numbers` are given. Return its key."""
        parts = list(parts)
        used = {part.sha256 for part in parts}
        manifest = {
            "provider": self.place.provider,
            "source": self.place.source_name,
            "window": self.place.window.key,
            "visit": self.visit,
            "complete": numbers is not None,
            "issue": issue,
            "error": error,
            "numbers": numbers.model_dump() if numbers else None,
            "configuration": self.configuration,
            "parts": [self._described(part) for part in parts],
            "earlier": [
                {"sha256": sha256, **vars(kept)} for sha256, kept in sorted(self.earlier.items()) if sha256 not in used
            ],
        }
        key = self.place.manifest(self.visit)
        self.store.keep(key, orjson.dumps(manifest, fragment, orjson.OPT_INDENT_2))
        return key

    def _store(self, part: Part, number: int) -> Kept:
        compressed = part.suffix in _COMPRESSED
        key = self.place.part(self.visit, number, f"{part.suffix}.gz" if compressed else part.suffix)
        body = _gzip(part.path, self.directory / f"{number:05d}.up") if compressed else part.path
        sha256 = sha256_of(body) if compressed else part.sha256
        kept = Kept(key, sha256, body.stat().st_size)
        self.store.keep(key, body, sha256)
        if compressed:
            body.unlink()
        return kept

    def _described(self, part: Part) -> dict[str, Any]:
        kept = self.kept[part.key]
        described: dict[str, Any] = {
            "key": part.key,
            "role": part.role,
            "sha256": part.sha256,
            "bytes": part.bytes,
            "object_sha256": kept.object_sha256,
            "object_bytes": kept.object_bytes,
            "suffix": part.suffix,
            "request": part.request,
            "status": part.status,
            "headers": part.headers,
            "time": part.time,
            "asked": _pair(part.asked),
            "own": _pair(part.own),
            "announced": part.announced,
        }
        return {**described, **part.extra, **described}  # what a provider adds comes last, and overwrites nothing


class _Stored(BaseModel):
    """Where a manifest says that the bytes of a body are stored."""

    sha256: str
    key: str
    object_sha256: str
    object_bytes: int


class _Described(_Stored):  # 10 attributes: what a manifest says of a part
    """A part as a manifest describes it."""

    role: Role
    bytes: int
    suffix: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    time: AwareDatetime
    asked: tuple[AwareDatetime, AwareDatetime] | None
    own: tuple[AwareDatetime, AwareDatetime] | None
    announced: int | None


class Manifest(BaseModel):
    """A visit's manifest, read back."""

    #: The visit's name.
    visit: str
    #: Whether everything that the visit requested was received and could be read.
    complete: bool
    issue: Issue | None = None
    parts: tuple[_Described, ...]
    earlier: tuple[_Stored, ...]
    #: None: the visit is not complete, or an earlier version has written the manifest.
    numbers: dict[str, int | None] | None = None
    configuration: str | None = None

    @classmethod
    def read(cls, store: Store, key: str) -> "Manifest":
        """Read the manifest at `key`. Raises ArchiveError for what is none."""
        return _parsed(key, store.read(key))

    @classmethod
    def find(cls, store: Store, key: str | None) -> "Manifest | None":
        """Read the manifest at `key`; None if there is none any more, since raw may expire."""
        body = store.find(key) if key is not None else None
        return _parsed(str(key), body) if body is not None else None

    def known(self, since: str = "") -> dict[str, Kept]:
        """Return where each body is stored that a visit named `since` or later has received."""
        # Of equal bodies the first one, so that the next visit names it again for its first one.
        items = (item for item in (*self.earlier, *reversed(self.parts)) if _visit_in(item.key) >= since)
        return {item.sha256: Kept(item.key, item.object_sha256, item.object_bytes) for item in items}

    def recall(self, store: Store, directory: Path) -> Iterator[Part]:
        """Copy the `data` parts to local files, byte for byte as received."""
        for number, item in enumerate(self.parts):
            if item.role == "data":
                yield _recalled(store, item, directory / f"{number:05d}")


def manifests(store: Store, place: Place) -> Iterator[Manifest]:
    """Yield the manifests of all visits of a window, in order of time."""
    for key in store.keys(place.raw):
        if key.endswith("/manifest.json"):
            yield Manifest.read(store, key)


def _parsed(key: str, body: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ArchiveError(f"{key} is no manifest: {place or 'the document'}: {first['msg']}") from None


def _recalled(store: Store, item: _Described, path: Path) -> Part:
    if store.fetch(item.key, path) is None:
        raise ArchiveError(f"{item.key} is named by a manifest, but there is no such object")
    body = path if item.sha256 == item.object_sha256 else _gunzip(path, path.with_suffix(".body"))
    if body is None or sha256_of(body) != item.sha256:
        raise ArchiveError(f"{item.key} does not hold the bytes that its manifest names")
    return Part(
        path=body,
        sha256=item.sha256,
        bytes=item.bytes,
        suffix=item.suffix,
        request=item.request,
        status=item.status,
        headers=item.headers,
        time=item.time,
        asked=item.asked and Span(*item.asked),
        own=item.own and Span(*item.own),
        announced=item.announced,
        key=item.key,
    )


def _gzip(source: Path, target: Path) -> Path:
    """Compress a file so that the same bytes give the same object: no name, no time."""
    deflate = isal_zlib.compressobj(level=2, wbits=31)
    with source.open("rb") as body, target.open("wb") as file:
        for piece in iter(lambda: body.read(CHUNK), b""):
            file.write(deflate.compress(piece))
        file.write(deflate.flush())
    return target


def _gunzip(source: Path, target: Path) -> Path | None:
    """Undo `_gzip`; None for what is no gzip."""
    with source.open("rb") as body, target.open("wb") as file:
        try:
            for piece in inflate(iter(lambda: body.read(CHUNK), b""), b"", GZIP):
                file.write(piece)
        except MalformedError:
            return None
    return target


def _visit_in(key: str) -> str:
    """Return the name of the visit in the key of a part."""
    return key.rpartition("/")[0].rpartition("/")[2]


def _pair(span: Span | None) -> list[str] | None:
    return [span.start.isoformat(), span.end.isoformat()] if span else None
