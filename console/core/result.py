"""The result of a query, whoever has run it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class QueryResult:
    """Names of columns, and rows."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def objects(self) -> list[dict[str, Any]]:
        """Return the rows as JSON has them."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]
