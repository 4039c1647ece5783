"""How records lie in a body: JSON objects, or delimited lines."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class JsonLayout:
    """Records are JSON objects: in an array at `path` (dotted), or sniffed: array, lines, `{…: [ … ]}`, CSV.

    `embedded` names keys whose text may itself be a JSON object, to be flattened like any other; else it stays text.
    """

    path: str | None = None
    embedded: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LineLayout:
    """Records are space-separated lines with quoted fields; `fields` names them per number of fields in a line."""

    fields: Mapping[int, tuple[str, ...]]
    absent: frozenset[str] = frozenset({"NULL", "(null)", "-"})


type Layout = JsonLayout | LineLayout
