"""The proof log in the bucket: one batch of entries after another becomes tiles, and a signed checkpoint.

Which entries come next is decided by the ledger, in one conditional write, before anything is stored here. So every
notary that works on a batch writes the same bytes, and a crash anywhere is mended by doing the batch again.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import batched

from logarchive.errors import ArchiveError
from logarchive.proof.batch import Batch
from logarchive.proof.checkpoint import Checkpoint, Signer, note
from logarchive.proof.tree import HASH_BYTES, WIDTH, Tile, Tree, leaf_hash, tiles
from logarchive.store.bucket import ChangedError, Store

CHECKPOINT, KEY = "proof/checkpoint", "proof/key"


@dataclass(frozen=True)
class Newest:
    """The newest checkpoint, and what its replacement has to know."""

    checkpoint: Checkpoint
    #: The whole text, with its signatures; empty before the first.
    note: bytes = b""
    etag: str | None = None


@dataclass(frozen=True)
class ProofLog:
    """The log of one archive. What is stored and is not the log that was signed raises ArchiveError."""

    store: Store
    #: The log's name, `<bucket>/proof`.
    origin: str
    #: None: checkpoints are not signed.
    signer: Signer | None

    def newest(self) -> Newest:
        """Read the newest checkpoint; that of an empty log before the first."""
        found = self.store.find_tagged(CHECKPOINT)
        if found is None:
            return Newest(Checkpoint(self.origin, 0, self._tree(0).root()))
        checkpoint = Checkpoint.parse(found[0])
        if checkpoint.origin != self.origin:
            raise ArchiveError(f"{CHECKPOINT} is of the log {checkpoint.origin!r}, not of {self.origin!r}")
        return Newest(checkpoint, *found)

    def check(self, checkpoint: Checkpoint) -> None:
        """Compute the root of a checkpoint from the stored tiles, and the last entries' hashes."""
        self._last_entries(self._checked(checkpoint, checkpoint.size))

    def check_continues(self, checkpoint: Checkpoint, size: int, root: str) -> None:
        """See that a checkpoint begins with so many entries of this root, in hex."""
        known = Checkpoint(self.origin, size, bytes.fromhex(root))
        same = checkpoint == known if checkpoint.size == size else self._checked(known, checkpoint.size)
        if not same:
            raise ArchiveError(f"{CHECKPOINT} has another root than the {size} entries that the ledger knows")

    def publish(self, batch: Batch, newest: Newest) -> Checkpoint:
        """Bring the log to the end of a batch, from a checkpoint at its start; return the new one.

        Raises ChangedError if another notary was faster. Whatever was done of the batch before is right.
        """
        root = self._write(batch, self._checked(newest.checkpoint, batch.start))
        stored = self._checked(newest.checkpoint, batch.end)
        for tile in tiles(0, batch.start, batch.end):
            self._entries(tile, stored)
        after = Checkpoint(self.origin, batch.end, stored.root())
        if after.root != root:
            raise ArchiveError(f"the stored tiles do not give the root of the {batch.end} entries that were written")
        return self._sign(after, batch.moment, newest.etag)

    def signed(self, newest: Newest) -> bool:
        """Return whether a checkpoint has a signature by the key of today."""
        return self.signer is not None and self.signer.key.signed(newest.note)

    def sign_again(self, newest: Newest, moment: str) -> None:
        """Sign a checkpoint with the key of today, which may be new. Raises ChangedError."""
        self._sign(newest.checkpoint, moment, newest.etag)

    def announce_key(self) -> None:
        """Store the public key as a convenience: a verifier trusts only the one that it was given."""
        text = f"{self.signer.key.text}\n".encode() if self.signer else b""
        body, etag = self.store.find_tagged(KEY) or (b"", None)
        if text not in {b"", body}:
            with suppress(ChangedError):
                self.store.replace_bytes(KEY, text, etag)

    def entries(self, start: int, size: int) -> Iterator[bytes]:
        """Yield the entries of a log of that size from `start` on, as they are stored."""
        for tile in tiles(0, start, size) if start < size else ():
            yield from self._bundle(tile)[max(0, start - tile.number * WIDTH) :]

    def holds(self, batch: Batch) -> bool:
        """Return whether a log that ends where a batch does has its entries there."""
        return tuple(self.entries(batch.start, batch.end)) == batch.entries

    def unknown(self, size: int) -> tuple[bytes, ...]:
        """Return entries that are stored after the first `size`, though no batch has them.

        They are of a ledger that was restored from a backup since. They may have been signed, so they must come next.
        """
        number, width = divmod(size, WIDTH)
        prefix = f"proof/{Tile(0, number).entries_path}"
        found = (re.fullmatch(r"(?:\.p/(\d+))?", key.removeprefix(prefix)) for key in self.store.keys(prefix))
        widest = max((int(match[1] or WIDTH) for match in found if match), default=0)
        return tuple(self._bundle(Tile(0, number, widest))[width:]) if widest > width else ()

    def _write(self, batch: Batch, before: Tree) -> bytes:
        """Store the entries and the hashes, and return the root that they must give.

        Where a bundle was partial, its entries are stored again, at their new width.
        """
        entries = [*self._last_entries(before), *batch.entries]
        first = batch.start - batch.start % WIDTH
        bundles = batched(entries, WIDTH, strict=False)
        for tile, bundle in zip(tiles(0, first, batch.end), bundles, strict=True):
            self.store.keep(f"proof/{tile.entries_path}", _joined(bundle))
        written = dict(before.grown(list(map(leaf_hash, batch.entries))))
        for tile, hashes in written.items():
            self.store.keep(f"proof/{tile.path}", hashes)
        return Tree(batch.end, lambda tile: written.get(tile) or before.read(tile)).root()

    def _sign(self, checkpoint: Checkpoint, moment: str, etag: str | None) -> Checkpoint:
        """Sign a checkpoint, keep it under its date, and make it the newest one."""
        signed = note(checkpoint, *([self.signer.line(checkpoint.text)] if self.signer else []))
        dated = f"proof/checkpoints/{moment}"
        try:
            self.store.keep(dated, signed)
        except ArchiveError:  # it may have been signed with an earlier key
            if Checkpoint.parse(self.store.read(dated)) != checkpoint:
                raise
        self.store.replace_bytes(CHECKPOINT, signed, etag)
        return checkpoint

    def _checked(self, checkpoint: Checkpoint, size: int) -> Tree:
        """Return the tree of `size` entries as it is stored, if it begins with those of the checkpoint."""
        tree = self._tree(size)
        if checkpoint.size and tree.range_hash(0, checkpoint.size) != checkpoint.root:
            raise ArchiveError(f"the stored tiles do not give the root that {CHECKPOINT} has: they or it were changed")
        return tree

    def _tree(self, size: int) -> Tree:
        return Tree(size, cache(self._tile))

    def _tile(self, tile: Tile) -> bytes:
        body = self._get(tile.path)
        if len(body) != tile.width * HASH_BYTES:
            raise ArchiveError(f"proof/{tile.path} does not hold {tile.width} hashes")
        return body

    def _last_entries(self, tree: Tree) -> list[bytes]:
        """Return the entries of the last bundle if it is not full."""
        number, width = divmod(tree.size, WIDTH)
        return self._entries(Tile(0, number, width), tree) if width else []

    def _entries(self, tile: Tile, tree: Tree) -> list[bytes]:
        entries = self._bundle(tile)
        if b"".join(map(leaf_hash, entries)) != tree.read(tile):
            raise ArchiveError(f"proof/{tile.entries_path} does not hold the entries whose hashes its tile has")
        return entries

    def _bundle(self, tile: Tile) -> list[bytes]:
        body = self._get(tile.entries_path)
        entries = _separated(body)
        if len(entries) != tile.width or _joined(entries) != body:
            raise ArchiveError(f"proof/{tile.entries_path} does not hold {tile.width} entries")
        return entries

    def _get(self, path: str) -> bytes:
        body = self.store.find(f"proof/{path}")
        if body is None:
            raise ArchiveError(f"proof/{path} is missing")
        return body


def _joined(entries: Sequence[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def _separated(bundle: bytes) -> list[bytes]:
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        start, at = at + 2, at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        entries.append(bundle[start:at])
    return entries
