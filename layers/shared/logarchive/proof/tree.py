"""The Merkle tree over the entries of the proof log, and its tiles. Pure.

Hashes as in RFC 6962, section 2.1; tiles as in c2sp.org/tlog-tiles.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import batched

#: How many hashes a full tile holds, as a power of two.
HEIGHT = 8
WIDTH = 1 << HEIGHT
HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, order=True)
class Tile:
    """Up to 256 neighbouring hashes of one level; `level` counts in steps of eight, a partial tile has fewer hashes."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it lies below `proof/`, for instance `tile/0/x001/x234/067.p/12`."""
        return f"tile/{self.level}/{_path(self.number, self.width)}"

    @property
    def entries_path(self) -> str:
        """Where the entries lie that a tile of level 0 holds the hashes of."""
        return f"tile/entries/{_path(self.number, self.width)}"


def _path(number: int, width: int) -> str:
    groups = f"{number:,}".split(",")
    groups[0] = groups[0].zfill(3)
    text = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return text if width == WIDTH else f"{text}.p/{width}"


def tiles(level: int, start: int, end: int) -> Iterator[Tile]:
    """Yield the tiles of a level that hold its hashes from `start` up to `end`, where the level has `end` hashes."""
    for number in range(start // WIDTH, -(-end // WIDTH)):
        yield Tile(level, number, min(WIDTH, end - number * WIDTH))


@dataclass(frozen=True)
class Tree:
    """A tree of `size` entries whose tiles `read` returns."""

    size: int
    read: Callable[[Tile], bytes]

    def root(self) -> bytes:
        """Return the hash of the whole tree."""
        return self.range_hash(0, self.size) if self.size else hashlib.sha256().digest()

    def grown(self, leaves: Sequence[bytes]) -> Iterator[tuple[Tile, bytes]]:
        """Yield every tile that is new once the tree has these leaf hashes more, lower levels first."""
        level, hashes, start = 0, list(leaves), self.size
        while hashes:
            end, first = start + len(hashes), start - start % WIDTH
            if first < start:
                hashes = [*_hashes(self.read(Tile(level, start // WIDTH, start % WIDTH))), *hashes]
            rows = list(batched(hashes, WIDTH, strict=False))
            yield from zip(tiles(level, first, end), map(b"".join, rows), strict=True)
            hashes = [_perfect(row) for row in rows if len(row) == WIDTH]
            level, start = level + 1, start // WIDTH

    def inclusion(self, index: int) -> list[bytes]:
        """Return the hashes that lead from an entry to the root, the leaf's neighbour first."""
        proof: list[bytes] = []
        start, end = 0, self.size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self.range_hash(middle, end))
                end = middle
            else:
                proof.append(self.range_hash(start, middle))
                start = middle
        return proof[::-1]

    def consistency(self, size: int) -> list[bytes]:
        """Return the hashes that show that this tree begins with the tree of `size` entries (RFC 6962, 2.1.2)."""
        proof: list[bytes] = []
        start, end = 0, self.size
        while size not in {0, end}:
            middle = start + _split(end - start)
            if size <= middle:
                proof.append(self.range_hash(middle, end))
                end = middle
            else:
                proof.append(self.range_hash(start, middle))
                start = middle
        if start:
            proof.append(self.range_hash(start, end))
        return proof[::-1]

    def range_hash(self, start: int, end: int) -> bytes:
        """Return the root over the entries from `start` up to `end`; `start` is a multiple of the range's split."""
        parts: list[bytes] = []
        while start < end:
            bits = (end - start).bit_length() - 1
            parts.append(self._node(bits, start >> bits))
            start += 1 << bits
        return reduce(lambda right, left: node_hash(left, right), reversed(parts))

    def _node(self, bits: int, index: int) -> bytes:
        """Return the root over the `index`-th run of `2 ** bits` entries."""
        level, rest = divmod(bits, HEIGHT)
        first, count = index << rest, 1 << rest
        number = first // WIDTH
        tile = Tile(level, number, min(WIDTH, (self.size >> level * HEIGHT) - number * WIDTH))
        at = first % WIDTH
        return _perfect(_hashes(self.read(tile))[at : at + count])


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def _perfect(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a number of hashes that is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in batched(hashes, 2, strict=True)]
    return hashes[0]
