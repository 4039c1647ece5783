"""The result of a query, whoever has run it. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class QueryResult:
    """Names of columns, and rows."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def flat(self) -> list[list[Any]]:
        """Return the rows as CSV and tables have them: a map or a list is JSON."""
        return [
            [json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value for value in row]
            for row in self.rows
        ]

    def objects(self) -> list[dict[str, Any]]:
        """Return the rows as JSON has them."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]
