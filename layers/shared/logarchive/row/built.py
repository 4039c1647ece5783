"""A window's object as it was built."""

from dataclasses import dataclass
from pathlib import Path

from logarchive.numbers import VisitNumbers


@dataclass(frozen=True, kw_only=True)
class Built:
    """A window's object as built from a visit and the object that stood; `path` is None when it has no row.

    `kept` rows of the standing object were not in this visit (then the window has shrunk), `added` rows of this visit
    were not in the standing object.
    """

    numbers: VisitNumbers
    path: Path | None
    object_rows: int
    kept: int
    added: int
    rejects_path: Path | None
