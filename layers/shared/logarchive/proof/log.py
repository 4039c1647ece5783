"""The proof log in the bucket: one batch of entries after another becomes tiles, and a signed checkpoint.

Which entries come next is decided by the ledger, in one conditional write, before anything is stored here. So every
notary that works on a batch writes the same bytes, and a crash anywhere is mended by doing the batch again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logarchive.errors import ArchiveError
from logarchive.proof.checkpoint import Checkpoint, note
from logarchive.proof.tree import WIDTH, Tile, Tree, leaf_hash, tiles
from logarchive.store.bucket import ChangedError, Store

CHECKPOINT = "proof/checkpoint"
#: How often the checkpoint is read again because another notary has replaced it meanwhile.
TRIES = 5


@dataclass(frozen=True)
class Batch:
    """Entries that come next in the log, and where they begin."""

    start: int
    entries: tuple[bytes, ...]
    #: Names the dated copy of the checkpoint, `20261126T120000Z`.
    moment: str

    @property
    def end(self) -> int:
        """How many entries the log has with them."""
        return self.start + len(self.entries)


@dataclass(frozen=True)
class ProofLog:
    """The log of one archive."""

    store: Store
    #: The log's name, `<bucket>/proof`.
    origin: str
    #: Returns the lines of the signatures of a checkpoint's text; none without a key.
    sign: Callable[[str], Sequence[str]]

    def checkpoint(self) -> Checkpoint | None:
        """Read the newest checkpoint; None before the first. Raises ArchiveError if it is of another log."""
        body = self.store.find(CHECKPOINT)
        found = Checkpoint.parse(body) if body is not None else None
        if found and found.origin != self.origin:
            raise ArchiveError(f"{CHECKPOINT} is of the log {found.origin!r}, not of {self.origin!r}")
        return found

    def publish(self, batch: Batch) -> Checkpoint:
        """Bring the log to the end of a batch, and return its checkpoint. Whatever was done of it before is right.

        Raises ArchiveError if what is stored is not the log that the batch continues; nothing is signed then.
        """
        for _ in range(TRIES):
            etag = self._etag()
            before = self.checkpoint() or Checkpoint(self.origin, 0, Tree(0, self._read).root())
            if before.size not in {batch.start, batch.end}:
                raise ArchiveError(
                    f"{CHECKPOINT} has {before.size} entries; the ledger says that the log goes on after {batch.start}"
                )
            if before.size == batch.end:
                return before
            self._write(batch)
            after = self._recomputed(before, batch.end)
            signed = note(after, *self.sign(after.text))
            self.store.keep(f"proof/checkpoints/{batch.moment}", signed)
            try:
                self.store.replace_bytes(CHECKPOINT, signed, etag)
            except ChangedError:
                continue
            return after
        raise ArchiveError(f"{CHECKPOINT} was replaced by others {TRIES} times")

    def _write(self, batch: Batch) -> None:
        """Store the entries and the hashes. Bundles that were partial are read back and written at their new width."""
        for tile in tiles(0, batch.start, batch.end):
            first = tile.number * WIDTH
            bundle = (
                b""
                if first >= batch.start
                else self.store.read(f"proof/{Tile(0, tile.number, batch.start - first).entries_path}")
            )
            new = batch.entries[max(first, batch.start) - batch.start : first + tile.width - batch.start]
            bundle += b"".join(len(entry).to_bytes(2, "big") + entry for entry in new)
            self.store.keep(f"proof/{tile.entries_path}", bundle)
        for tile, hashes in Tree(batch.start, self._read).grown(list(map(leaf_hash, batch.entries))):
            self.store.keep(f"proof/{tile.path}", hashes)

    def _recomputed(self, before: Checkpoint, size: int) -> Checkpoint:
        """Return the checkpoint of what is stored, read back. Raises ArchiveError if it does not continue `before`."""
        tree = Tree(size, self._read)
        if before.size and tree.range_hash(0, before.size) != before.root:
            raise ArchiveError(f"the stored tiles do not begin with the {before.size} entries of {CHECKPOINT}")
        return Checkpoint(self.origin, size, tree.root())

    def _read(self, tile: Tile) -> bytes:
        return self.store.read(f"proof/{tile.path}")

    def _etag(self) -> str | None:
        raise NotImplementedError
