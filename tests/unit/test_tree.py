"""The tree of the proof log against RFC 6962 as it stands there: recursive, from nothing but the leaves."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logarchive.proof.tree import Tile, Tree, leaf_hash, tiles


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH of section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    middle = split(len(leaves))
    return hashlib.sha256(b"\x01" + root(leaves[:middle]) + root(leaves[middle:])).digest()


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of section 2.1.1."""
    if len(leaves) == 1:
        return []
    middle = split(len(leaves))
    if index < middle:
        return [*path(index, leaves[:middle]), root(leaves[middle:])]
    return [*path(index - middle, leaves[middle:]), root(leaves[:middle])]


def proof(size: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF and SUBPROOF of section 2.1.2."""
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    middle = split(len(leaves))
    if size <= middle:
        return [*proof(size, leaves[:middle], whole=whole), root(leaves[middle:])]
    return [*proof(size - middle, leaves[middle:], whole=False), root(leaves[:middle])]


def split(count: int) -> int:
    """Return the largest power of two below a number."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


@dataclass
class Grown:
    """A tree in tiles that is given its entries piece by piece."""

    entries: list[bytes] = field(default_factory=list[bytes])
    stored: dict[str, bytes] = field(default_factory=dict[str, bytes])

    @property
    def tree(self) -> Tree:
        return Tree(len(self.entries), lambda tile: self.stored[tile.path])

    def append(self, count: int) -> None:
        new = [f"entry {number}".encode() for number in range(len(self.entries), len(self.entries) + count)]
        for tile, hashes in self.tree.grown(list(map(leaf_hash, new))):
            assert len(hashes) == 32 * tile.width
            assert self.stored.setdefault(tile.path, hashes) == hashes
        self.entries += new


@settings(max_examples=25)
@given(st.lists(st.one_of(st.integers(1, 9), st.sampled_from([100, 255, 256, 257, 511, 513])), max_size=7), st.data())
def test_a_tree_in_tiles_is_that_of_the_standard_however_it_grew(counts: list[int], data: st.DataObject) -> None:
    grown = Grown()
    roots = {0: root([])}
    for count in counts:
        grown.append(count)
        roots[len(grown.entries)] = grown.tree.root()
    entries = grown.entries
    assert roots == {size: root(entries[:size]) for size in roots}
    if entries:
        index = data.draw(st.integers(0, len(entries) - 1))
        assert grown.tree.inclusion(index) == path(index, entries)
        size = data.draw(st.integers(1, len(entries)))
        assert grown.tree.consistency(size) == proof(size, entries)
        assert grown.tree.range_hash(0, size) == root(entries[:size])


def test_every_size_up_to_a_few_tiles_has_the_standard_root() -> None:
    grown = Grown()
    for _ in range(520):
        grown.append(1)
        assert grown.tree.root() == root(grown.entries)


def test_seventy_thousand_entries_have_the_tiles_of_the_format_and_their_root() -> None:
    grown = Grown()
    grown.append(70_000)
    levels = [[tile for tile in map(str, grown.stored) if tile.startswith(f"tile/{level}/")] for level in range(3)]
    assert [len(level) for level in levels] == [274, 2, 1]
    assert [max(level) for level in levels] == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert grown.tree.root() == root(grown.entries)
    for index in (0, 65_535, 65_536, 69_999):
        assert grown.tree.inclusion(index) == path(index, grown.entries)


@pytest.mark.parametrize(
    ("tile", "expected"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(1, 1234067), "tile/1/x001/x234/067"),
        (Tile(2, 5, 17), "tile/2/005.p/17"),
    ],
)
def test_a_tile_lies_where_the_format_says(tile: Tile, expected: str) -> None:
    assert tile.path == expected
    assert tile.entries_path == f"tile/entries/{expected.split('/', 2)[2]}"


def test_the_tiles_of_a_range_are_those_that_hold_it() -> None:
    assert list(tiles(0, 255, 513)) == [Tile(0, 0), Tile(0, 1), Tile(0, 2, 1)]
    assert list(tiles(0, 256, 256)) == []
