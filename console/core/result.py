"""The result of a query, whoever has run it. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: How a text begins that a spreadsheet would take for a formula; a number, or a single sign, is none.
_FORMULA = re.compile(r"(?![+-]?[0-9][0-9.,eE+-]*\Z)[=+@\t-].")


@dataclass(frozen=True)
class QueryResult:
    """Names of columns, and rows."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def flat(self) -> list[list[Any]]:
        """Return the rows as tables have them: a map or a list is JSON."""
        return [
            [json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value for value in row]
            for row in self.rows
        ]

    def objects(self) -> list[dict[str, Any]]:
        """Return the rows as JSON has them."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def for_csv(self) -> list[list[Any]]:
        """Return the rows as CSV has them: no text moves a terminal's cursor, or is a formula in a spreadsheet."""
        return [[_harmless(value) if isinstance(value, str) else value for value in row] for row in self.flat()]


def _harmless(text: str) -> str:
    """Return a text without control characters but line feeds and tabs; `'` stands before what looks like a formula."""
    text = "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)
    return f"'{text}" if _FORMULA.match(text) else text
