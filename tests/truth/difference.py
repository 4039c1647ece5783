"""What a comparison found: how much was compared, and every difference in words."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from tests.truth.row import Row, fields

type Kind = Literal[
    "missing", "extra", "changed", "object", "window", "schema", "identity", "reject", "raw", "way back"
]

#: Rows that differ are paired as long as it costs no more than so many looks.
PAIRINGS = 40_000


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be; `where` is a window or a key."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


@dataclass
class Findings:
    """Counts of what was looked at, and the differences. Nothing looked at proves nothing: assert on the counts."""

    counts: Counter[str] = field(default_factory=Counter[str])
    differences: list[Difference] = field(default_factory=list[Difference])

    def add(self, kind: Kind, where: str, what: str) -> None:
        """Note a difference."""
        self.differences.append(Difference(kind, where, what))

    def check(self, holds: object, kind: Kind, where: str, what: str) -> None:
        """Note a difference unless something holds."""
        if not holds:
            self.add(kind, where, what)

    def report(self, most: int = 20) -> str:
        """Return the differences as text, the first of them in full."""
        kinds = Counter(difference.kind for difference in self.differences)
        return "\n".join([f"{dict(kinds)} in {dict(self.counts)}", *map(str, self.differences[:most])])


def rows_differ(found: Findings, where: str, missing: Counter[Row], extra: Counter[Row]) -> None:
    """Note rows that are missing or too many; a missing and an extra one that are much alike are one changed row."""
    left = list(extra.elements())
    looks = 0
    for row in missing.elements():
        looks += len(left)
        like = max(left, key=lambda other: _alike(row, other), default=None) if looks <= PAIRINGS else None
        if like is not None and _alike(row, like) * 2 >= len(fields(row)):
            left.remove(like)
            found.add("changed", where, _changes(row, like))
        else:
            found.add("missing", where, str(fields(row)))
    for row in left:
        found.add("extra", where, str(fields(row)))


def _alike(one: Row, other: Row) -> int:
    return len(fields(one).items() & fields(other).items())


def _changes(wanted: Row, held: Row) -> str:
    must, has = fields(wanted), fields(held)
    names = [name for name in must | has if must.get(name) != has.get(name) or (name in must) != (name in has)]
    return "; ".join(f"{name} must be {must.get(name)!r}, is {has.get(name)!r}" for name in names) + f" in {must}"
