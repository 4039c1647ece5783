"""How records lie in a body: JSON objects, or delimited lines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from logarchive.errors import ProviderError


@dataclass(frozen=True, kw_only=True)
class JsonLayout:
    """Records are JSON objects: in an array at `path` (dotted), or found by looking: array, lines, `{…: [ … ]}`, CSV.

    `embedded` names keys whose text may itself be a JSON object, to be flattened like any other; else it stays text.
    `judge`, without a path: the error that a document around records is, or a document without one (then False).
    """

    path: str | None = None
    embedded: tuple[str, ...] = ()
    judge: Callable[[Mapping[str, Any], bool], ProviderError | None] | None = None


@dataclass(frozen=True, kw_only=True)
class LineLayout:
    """Records are space-separated lines with quoted fields; `fields` names them per number of fields in a line."""

    fields: Mapping[int, tuple[str, ...]]
    absent: frozenset[str] = frozenset({"NULL", "(null)", "-"})


type Layout = JsonLayout | LineLayout
