"""A part: one response body of a visit, spooled to a local file as received, with what the manifest says of it."""

import datetime as dt
import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ValidationError

from logarchive.errors import MalformedError
from logarchive.window import Span

type Role = Literal["data", "listing", "superseded", "error"]

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One response body, after transfer decoding and before any Content-Encoding is undone.

    `asked` is the range of time the request asked for (margin included), `own` the range whose records this part
    answers for: what lies outside `own` belongs to another part or window. Both are None where the file is the unit.
    `announced` is the provider's own total for this part's records, where it gives one; `count` is how many records
    it holds, where whoever fetched it has counted them.
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

    def be(self, **changes: Any) -> "Part":  # noqa: ANN401 (field values)
        """Return this part with some fields changed."""
        return replace(self, **changes)

    def document(self) -> Any:  # noqa: ANN401 (JSON)
        """Return the body as JSON; it must be small (a listing, a page, an error). Raises MalformedError."""
        body = beginning(self, MAX_DOCUMENT_BYTES + 1)
        if len(body) > MAX_DOCUMENT_BYTES:
            raise MalformedError(
                f"an answer of more than {MAX_DOCUMENT_BYTES} bytes where a small JSON document was expected"
            )
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise MalformedError(f"the answer is not JSON: {error}") from error

    def read[M: BaseModel](self, model: type[M]) -> M:
        """Return the body as a model of an answer. Raises MalformedError, which repeats no value of it."""
        try:
            return model.model_validate(self.document())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise MalformedError(f"the answer is not as documented: {place}: {first['msg']}") from None


def beginning(part: Part, most: int) -> bytes:
    """Return the first bytes of a body, a gzip Content-Encoding undone; never more, whatever they unpack to.

    Raises MalformedError for a gzip that is none.
    """
    with part.path.open("rb") as file:
        packed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        if not packed:
            return file.read(most)
        try:
            with gzip.open(file) as unpacked:
                return unpacked.read(most)
        except (OSError, EOFError, zlib.error) as error:
            raise MalformedError(f"the answer is not the gzip it seems: {error}") from error
