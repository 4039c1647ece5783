"""How records lie in a body: JSON objects, or delimited lines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from logarchive.errors import ProviderError

#: A document, and whether it holds records -> the error that it is.
type Judge = Callable[[Mapping[str, Any], bool], ProviderError | None]


@dataclass(frozen=True, kw_only=True)
class JsonLayout:
    """Records are JSON objects: in an array at `path` (dotted), or recognised: array, lines, `{…: [ … ]}`, CSV.

    `embedded` names keys whose text may itself be a JSON object, to be flattened like any other; else it stays text.
    Without a path, `judge` returns the error that a document is, and `judge_element` the one that an element without a
    time among records is: a writer that fails half-way may put it behind the records that it has written.
    """

    path: str | None = None
    embedded: tuple[str, ...] = ()
    judge: Judge | None = None
    judge_element: Callable[[Mapping[str, Any]], ProviderError | None] = lambda _element: None


#: The form of a field that may be anything.
ANY = ".*"


@dataclass(frozen=True, kw_only=True)
class LineLayout:
    """Records are lines of fields separated by one space; fields are recognised by their form, from both ends.

    `head` are the first fields, `text` is the one that may hold spaces and quotes as its writer likes, and one of
    `tails` follows it, of which the longest that fits is taken. The form of a field is a regular expression; it matches
    no quote, and but for `ANY` takes linear time. A value may be in quotes. `absent` are values that mean none.
    `unquoted` are the forms of `ANY` fields of a tail, which they need without quotes if `text` is not one plain field.
    """

    head: Mapping[str, str]
    text: str
    tails: Sequence[Mapping[str, str]]
    absent: frozenset[str] = frozenset({"NULL", "(null)", "-"})
    unquoted: Mapping[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def shapes(self) -> Sequence[Mapping[str, str]]:
        """The fields of a line and their forms, the longest line first."""
        tails = sorted(self.tails, key=len, reverse=True)
        return [{**self.head, self.text: ANY, **tail} for tail in tails]


type Layout = JsonLayout | LineLayout
