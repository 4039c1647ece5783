"""A window's object as it was built."""

from dataclasses import dataclass
from pathlib import Path

from logarchive.numbers import VisitNumbers


@dataclass(frozen=True, kw_only=True)
class Built:
    """A window's object as built from a visit and the existing object; `path` is None when it has no row.

    `kept` rows of the existing object were not in this visit (then the window has shrunk), `added` rows of this visit
    were not in the existing object.
    """

    numbers: VisitNumbers
    path: Path | None
    object_rows: int
    kept: int
    added: int
    rejects_path: Path | None
