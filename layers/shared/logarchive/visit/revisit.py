"""A revisit: what the last merged visit knows of the bytes that come, and whether they are all the same once more.

If they are, their numbers and the object are known: nothing is parsed, and the object is neither read nor written.
Where that is not certain, the merger builds the rows, and a line of the log says why.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from pydantic import BaseModel, ValidationError

from logarchive.ledger.entry import Entry, StoredObject
from logarchive.numbers import VisitNumbers
from logarchive.part import Part
from logarchive.provider.source import Source
from logarchive.row.build import Built
from logarchive.store.bucket import Stored
from logarchive.store.manifest import Kept, Manifest
from logarchive.store.place import Place
from logarchive.visit.context import VisitContext
from logarchive.visit.merger import Merged
from logarchive.window import Span

_MOST_REASON_CHARACTERS = 500

type _Ends = tuple[dt.datetime, dt.datetime] | None
#: All that a build is given of a part, besides its key.
type _Read = tuple[str, str, _Ends, _Ends, int | None]


class _UnclearError(Exception):
    """The bytes are the same, or may be; the message says why the rows are built all the same."""


@dataclass(frozen=True)
class Revisit[S: Source, K: BaseModel]:
    """What a visit is compared with."""

    context: VisitContext[S, K]
    place: Place
    #: The window when the visit began.
    entry: Entry
    #: Manifests by key; in place of one that cannot be read, why.
    _manifests: dict[str, Manifest | str] = field(default_factory=dict[str, Manifest | str])

    @property
    def configuration(self) -> str:
        """Hash what of a source may decide, beside the bytes, what a part is and what its records become."""
        own = self.context.source.model_dump(mode="json", exclude=set(Source.model_fields))
        decisive = own, self.context.provider.cap(self.context.source)
        return hashlib.sha256(orjson.dumps(decisive, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def stored(self, since: str) -> dict[str, Kept]:
        """Return where each body is stored that a visit named `since` or later has received, if it still is there."""
        manifest = self._manifest(self.entry.manifest) if self.entry.manifest else ""
        known = manifest.known(since) if isinstance(manifest, Manifest) else {}
        there = set(self.context.store.keys(self.place.raw)) if known else set[str]()
        return {sha256: kept for sha256, kept in known.items() if kept.key in there}

    def below_cap(self, parts: Sequence[Part]) -> bool:
        """Return whether the last merged visit had the same `data` parts of a range, and no more were to be had."""
        if self.context.always_merges or not self.entry.visits:
            return False
        manifest = self._manifest(self.place.manifest(self.entry.visits[-1]))
        if isinstance(manifest, str) or manifest.configuration != self.configuration or manifest.issue == "truncated":
            return False
        own = {_ends(part.own) for part in parts}
        return [one for one in _data(manifest) if one[3] in own] == [*map(_read, parts)]

    def unchanged(self, entry: Entry, newest: str, parts: Sequence[Part]) -> Merged | None:
        """Return what merging the `data` parts would give, if they are those of the last merged visit; None otherwise.

        `entry` is the window as it is now. Only for a visit that has written no object yet.
        """
        if self.context.always_merges or not entry.visits or entry.object is None:
            return None
        try:
            numbers = self._numbers(entry, parts)
            return self._merged(entry, entry.object, newest, numbers) if numbers else None
        except (_UnclearError, ValidationError) as unclear:  # numbers that this version does not know
            where = {"source": self.place.source_name, "window": entry.window_key}
            self.context.invocation.log("revisit.full", **where, reason=str(unclear)[:_MOST_REASON_CHARACTERS])
            return None

    def _numbers(self, entry: Entry, parts: Sequence[Part]) -> VisitNumbers | None:
        """Return the numbers of the last merged visit, which has built the same rows; None if it had other bytes."""
        key = self.place.manifest(entry.visits[-1])
        manifest = self._manifest(key)
        if isinstance(manifest, str):
            raise _UnclearError(f"{key} {manifest}")
        if _data(manifest) != [*map(_read, parts)]:
            return None
        if [item.key for item in manifest.parts if item.role == "data"] != [part.key for part in parts]:
            raise _UnclearError("the same bytes have other keys in raw/ than before: those parts are gone, or too old")
        if entry.mapping != self.context.provider.mapping_version or entry.replayed:
            raise _UnclearError("another version has made the object, or a replay")
        if not manifest.complete or manifest.numbers is None or manifest.configuration != self.configuration:
            raise _UnclearError("the source is configured in another way now, or another version has written raw/")
        return VisitNumbers.model_validate(manifest.numbers)

    def _merged(self, entry: Entry, known: StoredObject, newest: str, numbers: VisitNumbers) -> Merged:
        """Return how the object is left as it is, if it is the one that the ledger knows."""
        if numbers.rejects:
            raise _UnclearError("there are rejects, of which the ledger does not know whether they were changed")
        existing = self.context.store.head(known.key)
        if existing != Stored(known.etag, known.version):
            raise _UnclearError(f"{known.key} is {'not the object that the ledger knows' if existing else 'gone'}")
        built = Built(
            numbers=numbers,
            path=None,
            object_rows=entry.numbers.rows,
            kept=entry.numbers.rows - numbers.rows,
            added=0,
            rejects_path=None,
            mapping_version=entry.mapping,
        )
        return Merged(None, built, None, (*known.visits, newest), late=0, left=known)

    def _manifest(self, key: str) -> Manifest | str:
        """Read a manifest once; what keeps it from being read is no reason for a visit to fail."""
        if key not in self._manifests:
            try:
                self._manifests[key] = Manifest.find(self.context.store, key) or "is gone"
            except Exception as error:  # noqa: BLE001 (it may be locked, archived or damaged: the rows are built then)
                self._manifests[key] = f"cannot be read: {error}"
        return self._manifests[key]


def _data(manifest: Manifest) -> list[_Read]:
    data = (item for item in manifest.parts if item.role == "data")
    return [(item.sha256, item.suffix, item.asked, item.own, item.announced) for item in data]


def _read(part: Part) -> _Read:
    return part.sha256, part.suffix, _ends(part.asked), _ends(part.own), part.announced


def _ends(span: Span | None) -> _Ends:
    return (span.start, span.end) if span else None
