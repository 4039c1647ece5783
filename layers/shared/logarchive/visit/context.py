"""What every visit of one source needs, as one value."""

from dataclasses import dataclass

from pydantic import BaseModel

from logarchive.ledger.ledger import Ledger
from logarchive.net.session import Session
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.row.build import Builder
from logarchive.runtime.invocation import Invocation
from logarchive.store.bucket import Store
from logarchive.store.place import Place
from logarchive.window import Window


@dataclass(frozen=True, kw_only=True)
class VisitContext[S: Source, K: BaseModel]:
    """A source, where it is archived, and the invocation that works on it."""

    provider: Provider[S, K]
    source: S
    ledger: Ledger
    store: Store
    invocation: Invocation
    #: The connections to the provider's API.
    session: Session
    #: Build the rows of every visit, so that both ways of a revisit can be compared.
    always_merges: bool = False

    def place(self, window: Window) -> Place:
        """Return where a window lies in the bucket."""
        return Place(self.ledger.provider, self.ledger.source_name, window)

    def builder(self, window: Window) -> Builder:
        """Return what builds a window's object."""
        return Builder(
            records=self.provider.record_format(self.source),
            source_name=self.ledger.source_name,
            window=window,
            ensure_time=self.invocation.ensure_time,
        )
