"""How the records of a source lie in its parts, and how they become rows: all of a provider that a build needs."""

from collections.abc import Mapping
from dataclasses import dataclass

from logarchive.column.convert import FieldMapping
from logarchive.column.mapping import ColumnMapping
from logarchive.record.layout import JsonLayout, Layout


@dataclass(frozen=True, kw_only=True)
class RecordFormat:
    """The format of a source's records."""

    layout: Layout
    #: Column -> the key that becomes it.
    columns: Mapping[str, FieldMapping]
    #: The provider's own unique id of a record; None: identity is a hash of the record.
    unique_id: FieldMapping | None = None
    #: A key that is left out where its value is the list of time and unique id.
    time_and_id: str | None = None
    #: Whether records are kept by their own time; False: every record of a file belongs to the window.
    bounded: bool = True
    #: The number of this format among all that the provider has had.
    mapping_version: int = 1

    def mapping(self) -> ColumnMapping:
        """Return the mapping of columns, grouped by key."""
        embedded = self.layout.embedded if isinstance(self.layout, JsonLayout) else ()
        return ColumnMapping(self.columns, self.unique_id, embedded, self.time_and_id)
