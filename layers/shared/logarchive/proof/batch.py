"""What comes next in the proof log: entries, and the marks in the ledger that they answer. Pure models of an item."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from logarchive.ledger.dynamodb import Item


class Mark(BaseModel):
    """A marked item of the ledger, as it was when its entry was made."""

    model_config = ConfigDict(frozen=True)

    partition: str
    sort: str
    #: When it was marked.
    unproven: str
    #: Attributes of which one changes with every mark, even within one second.
    seen: Mapping[str, Any]
    #: How many good visits of a window the entries have named.
    visits: int = 0
    #: Whether the entry says everything; otherwise the next one goes on.
    complete: bool = True


class Batch(BaseModel):
    """Entries that come next in the log, and where they begin."""

    model_config = ConfigDict(frozen=True)

    start: int
    #: Names the dated copy of the checkpoint, `20261126T120000Z`.
    moment: str
    entries: tuple[bytes, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def end(self) -> int:
        """How many entries the log has with them."""
        return self.start + len(self.entries)

    def item(self) -> Item:
        """Return it as an attribute of the ledger's item."""
        return self.model_dump(mode="json")
