"""The body of a part: its beginning, its JSON document, and the error that it may be."""

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any, cast

import orjson
from pydantic import BaseModel, ValidationError

from logarchive.errors import MalformedError
from logarchive.part import Part

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024


GZIP_MAGIC = b"\x1f\x8b"


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


#: An error document is never longer; so a large body is not parsed to look for one.
ERROR_BYTES = 64 * 1024


def error_document(part: Part) -> Mapping[str, Any] | None:
    """Return the body if it is a JSON object small enough to be an error, else None."""
    if not 0 < part.bytes <= ERROR_BYTES or part.suffix not in {".json", ".gz"}:
        return None
    try:
        # Whatever encoding it claims: what matters is that it is seen.
        document = json.loads(beginning(part, ERROR_BYTES).decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError, MalformedError):
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None


def document(part: Part) -> Any:  # noqa: ANN401 (JSON)
    """Return the body as JSON; it must be small (a listing, a page, an error). Raises MalformedError."""
    body = beginning(part, MAX_DOCUMENT_BYTES + 1)
    if len(body) > MAX_DOCUMENT_BYTES:
        raise MalformedError(
            f"an answer of more than {MAX_DOCUMENT_BYTES} bytes where a small JSON document was expected"
        )
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"the answer is not JSON: {error}") from error


def parsed[M: BaseModel](part: Part, model: type[M]) -> M:
    """Return the body as a model of an answer. Raises MalformedError, which repeats no value of it."""
    try:
        return model.model_validate(document(part))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise MalformedError(f"the answer is not as documented: {place}: {first['msg']}") from None
