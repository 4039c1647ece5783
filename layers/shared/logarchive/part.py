"""A part: one response body of a visit, in a local file as received, with what the manifest says about it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from logarchive.window import Span

GZIP_MAGIC = b"\x1f\x8b"

type Role = Literal["data", "listing", "superseded", "error"]


class PartChanges(TypedDict, total=False):
    """The fields of a part that may change after its body was received."""

    request: Mapping[str, Any]
    role: Role
    asked: Span | None
    own: Span | None
    announced: int | None
    count: int | None
    key: str
    extra: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:  # 15 attributes: what the manifest says about it
    """One response body, after transfer decoding and before any Content-Encoding is undone.

    `asked` is the range of time that was requested (margin included). `own` is the range whose records belong to this
    part; records outside `own` belong to another part or window. Both are None where whole files are fetched.
    `announced` is the provider's own total of this part's records, if it gives one; `count` is the number of records,
    if `fetch` has counted them.
    """

    path: Path
    sha256: str
    bytes: int
    suffix: str
    request: Mapping[str, Any]
    status: int
    headers: Mapping[str, str]
    time: dt.datetime
    role: Role = "data"
    asked: Span | None = None
    own: Span | None = None
    announced: int | None = None
    count: int | None = None
    key: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def replace(self, **changes: Unpack[PartChanges]) -> "Part":
        """Return this part with some fields changed."""
        return replace(self, **changes)
