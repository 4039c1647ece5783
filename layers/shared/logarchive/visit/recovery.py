"""Recovery: visits of earlier claims that were complete under `raw/`, but never merged or committed."""

from dataclasses import dataclass, field

from logarchive.store.bucket import Store
from logarchive.store.manifest import Manifest, manifests
from logarchive.visit.claim import Claim
from logarchive.visit.merger import Merger
from logarchive.visit.outcome import recovered


@dataclass
class Recovery:
    """Looks for unmerged visits of a window and merges them."""

    store: Store
    claim: Claim
    merger: Merger
    #: The claim's own visit, which is not to be recovered.
    visit: str
    #: Why visits could not be rebuilt from raw (an older version has stored them): the invocation fails with it.
    unreadable: list[Exception] = field(default_factory=list[Exception])

    def run(self) -> None:
        """Merge the complete visits that the ledger does not know, if there may be any. Raises ChangedError."""
        if self.claim.unmerged <= 0:
            return
        if complete := self.unmerged():
            entry = self.claim.entry
            merged = self.merger.recover(entry, complete, self.unreadable)
            if merged:
                written = self.merger.write(entry, merged)
                manifest = self.merger.place.manifest(merged.visits[-1])
                self.claim.entry = recovered(entry, merged, written, manifest)
        self.claim.unmerged = 0

    def shut_out_earlier_workers(self) -> bool:
        """Make sure before a split that no visit of an earlier claim is complete; False if one is.

        A worker of an earlier claim may still run. It writes its manifest before its object: the placeholder makes the
        write of its object fail, and a manifest written before that is seen here. The next claim recovers the visit.
        """
        placed = self.claim.retry(lambda: self.merger.write_placeholder(self.visit))
        self.claim.entry = self.claim.entry.replace(placeholder=placed)
        self.claim.unmerged = len(self.unmerged())
        return placed is not None and not self.claim.unmerged

    def unmerged(self) -> list[Manifest]:
        """Return the complete visits that the ledger does not know."""
        known = {*self.claim.entry.visits, self.visit}
        every = manifests(self.store, self.merger.place)
        return [manifest for manifest in every if manifest.complete and manifest.visit not in known]
