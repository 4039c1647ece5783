"""Which key of a record becomes a column, and how it is converted."""

from dataclasses import dataclass

from logarchive.column.convert import Convert


@dataclass(frozen=True)
class FieldMapping:
    """One key of a record that becomes one column.

    `take`: a value that fits the column is removed from the record. A value that does not fit stays in `attributes`,
    and so does every value with `take=False` (for a column that is derived from a key).
    """

    key: str
    convert: Convert
    take: bool = True
