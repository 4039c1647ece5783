"""Which key of a record feeds a column, and how it is converted."""

from dataclasses import dataclass

from logarchive.column.convert import Convert


@dataclass(frozen=True)
class FieldMapping:
    """One key of a record that feeds one column.

    `take`: where the value fits, the key is used up; otherwise (and always with `take=False`: a derived column) it
    stays in `attributes` or for another column.
    """

    key: str
    convert: Convert
    take: bool = True
