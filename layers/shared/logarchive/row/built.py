"""A window's object as it was built, and the numbers of a visit."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What became of the records of a visit's data parts: `fetched` = rows + rejects + outside + duplicates."""

    announced: int | None
    fetched: int
    rows: int
    rejects: int
    outside: int
    duplicates: int
    strays: int


@dataclass(frozen=True, kw_only=True)
class Built:
    """A window's object as built from a visit and the object that stood; `path` is None when it has no row.

    `kept` rows of the standing object were not in this visit (then the window has shrunk), `added` rows of this visit
    were not in the standing object.
    """

    numbers: Numbers
    path: Path | None
    sha256: str
    bytes: int
    object_rows: int
    kept: int
    added: int
    visits: tuple[str, ...]
    rejects_path: Path | None
