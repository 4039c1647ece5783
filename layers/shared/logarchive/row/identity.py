"""What identifies a record: the provider's own id, or a hash of its canonical form with its ordinal among equals."""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from logarchive.window import Span

_DIGEST_BYTES = 16
_TEXT_LENGTH = 2 * _DIGEST_BYTES
#: 80 bits: a collision in five million records is expected once in 10^11 archives.
_KEY_BYTES = 10
_FIRST_BITS = 12
_PREFIX = struct.Struct(">I6x")
#: Buckets split in four when they hold this many keys on average, so that they cost 1 to 3 bytes a key.
_BUCKET_KEYS = 128
#: Equals beyond this many are counted in a dict; before, each has a key of its own.
_CHAINED = 8


def digest(canonical: bytes | memoryview) -> bytes:
    """Hash a record's canonical form: 128 bits. SHA-1 is the cheapest in OpenSSL; security does not need it."""
    return hashlib.sha1(canonical).digest()[:_DIGEST_BYTES]  # noqa: S324 (16 % of the record's CPU less than SHA-256)


class Seen:
    """A set of digests in at most 16 bytes each: keys side by side, in buckets chosen by their first `bits`."""

    def __init__(self, bits: int = _FIRST_BITS) -> None:
        self._shift = 32 - bits
        self._buckets: list[bytearray] = [bytearray() for _ in range(1 << bits)]
        self._room = _BUCKET_KEYS << bits

    def add(self, digests: Sequence[bytes]) -> list[int]:
        """Add digests; return the positions of those that the set had already."""
        repeated: list[int] = []
        buckets, shift = self._buckets, self._shift
        keys = [whole[:_KEY_BYTES] for whole in digests]
        prefixes = cast("Iterator[tuple[int]]", _PREFIX.iter_unpack(b"".join(keys)))
        for position, (key, (prefix,)) in enumerate(zip(keys, prefixes, strict=True)):
            bucket = buckets[prefix >> shift]
            at = bucket.find(key)
            while at > 0 and at % _KEY_BYTES:
                at = bucket.find(key, at + 1)
            if at < 0:
                bucket += key
            else:
                repeated.append(position)
        self._room -= len(digests) - len(repeated)
        if self._room < 0:
            self._split()
        return repeated

    def __contains__(self, whole: bytes) -> bool:
        key = whole[:_KEY_BYTES]
        bucket = self._buckets[int.from_bytes(key[:4]) >> self._shift]
        at = bucket.find(key)
        while at > 0 and at % _KEY_BYTES:
            at = bucket.find(key, at + 1)
        return at >= 0

    def _split(self) -> None:
        """Make four buckets of each, one by one, so that memory never holds two copies of all keys."""
        self._shift -= 2
        self._room += _BUCKET_KEYS * 3 * len(self._buckets)
        buckets: list[bytearray] = []
        for position, bucket in enumerate(self._buckets):
            self._buckets[position] = bytearray()
            four = [bytearray() for _ in range(4)]
            for start in range(0, len(bucket), _KEY_BYTES):
                key = bucket[start : start + _KEY_BYTES]
                four[int.from_bytes(key[:4]) >> self._shift & 3] += key
            buckets += four
        self._buckets = buckets


class Hashed:
    """Ids of records that have none of their own: `<hash>`, and `<hash>-1`, `<hash>-2` … for its equals.

    Equals are counted per requested range, so that the same stray in two responses is one record. Only a record outside
    its own range (`astray`) can come twice in this way.
    """

    def __init__(self) -> None:
        self._seen = Seen()
        self._totals: dict[bytes, int] = {}
        self._strays: dict[bytes, dict[Span | None, int]] = {}

    def assign(
        self, canonical: Sequence[bytes | memoryview], own: Span | None, astray: Iterable[int] = ()
    ) -> list[str | None]:
        """Return the records' ids, None for a duplicate; `astray` are positions."""
        sha1 = hashlib.sha1
        digests = [sha1(record).digest() for record in canonical]
        text = b"".join(digests).hex()
        width = 2 * sha1().digest_size
        ids: list[str | None] = [text[at : at + _TEXT_LENGTH] for at in range(0, len(text), width)]
        repeated, strays = self._seen.add(digests), set(astray)
        for at in sorted(strays.union(repeated)):
            ids[at] = self._ordinal(digests[at][:_DIGEST_BYTES], own, astray=at in strays)
        return ids

    def _ordinal(self, whole: bytes, own: Span | None, *, astray: bool) -> str | None:
        """Return the id of a stray, or of an equal of what was seen before; None for a duplicate."""
        number = self._stray(whole, own) if astray or whole in self._strays else self._next(whole)
        return None if number is None else f"{whole.hex()}-{number}" if number else whole.hex()

    def _stray(self, whole: bytes, own: Span | None) -> int | None:
        """Count a stray per range. It is a duplicate if an earlier range already contained it as often."""
        counts = self._strays.setdefault(whole, {})
        most = max(counts.values(), default=0)
        counts[own] = counts.get(own, 0) + 1
        return most if counts[own] > most else None

    def _next(self, whole: bytes) -> int:
        for number in range(1, _CHAINED):
            if not self._seen.add([_chained(whole, number)]):
                return number
        self._totals[whole] = number = self._totals.get(whole, _CHAINED - 1) + 1
        return number

    def __contains__(self, record_id: str) -> bool:
        text, _, ordinal = record_id.partition("-")
        try:
            whole, number = bytes.fromhex(text), int(ordinal or 0)
        except ValueError:
            return False
        if len(whole) != _DIGEST_BYTES:
            return False
        if whole in self._strays:
            return number < max(self._strays[whole].values())
        if number < _CHAINED:
            return (_chained(whole, number) if number else whole) in self._seen
        return number <= self._totals.get(whole, 0)


def _chained(whole: bytes, number: int) -> bytes:
    return digest(b"%b-%d" % (whole, number))


class Unique:
    """Ids that the provider gives. A record without one falls back to its hash."""

    def __init__(self) -> None:
        self._seen = Seen()

    def assign(self, given: Sequence[str | None], canonical: Sequence[bytes | memoryview]) -> list[str | None]:
        """Return the records' ids, None for one that this visit has had; `canonical` is hashed where none is given."""
        ids = [digest(canonical[at]).hex() if known is None else known for at, known in enumerate(given)]
        repeated = self._seen.add([digest(record_id.encode()) for record_id in ids])
        assigned: list[str | None] = [*ids]
        for position in repeated:
            assigned[position] = None if given[position] is not None else self._next(ids[position])
        return assigned

    def _next(self, text: str) -> str:
        number = 1
        while self._seen.add([digest(f"{text}-{number}".encode())]):
            number += 1
        return f"{text}-{number}"

    def __contains__(self, record_id: str) -> bool:
        return digest(record_id.encode()) in self._seen
