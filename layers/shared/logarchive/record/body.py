"""The body of a part: its beginning, its JSON document, and the error document that it may be."""

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any, cast

import orjson
from pydantic import BaseModel, ValidationError

from logarchive.errors import MalformedError, ProviderError, repeated
from logarchive.part import GZIP_MAGIC, Part
from logarchive.record.layout import Layout
from logarchive.record.reader import blocks

#: Parsed at once, in the worst case (lists of lists) into 32 times its size.
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024


def beginning(part: Part, most: int) -> bytes:
    """Return at most the first `most` bytes of a body, with a gzip Content-Encoding removed.

    Raises MalformedError for a broken gzip.
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
            raise MalformedError(f"the response starts as gzip but cannot be decompressed: {error}") from error


#: No error document is longer, so a larger body is not parsed to look for one.
ERROR_BYTES = 64 * 1024


def error_document(part: Part) -> Mapping[str, Any] | None:
    """Return the body if it is a JSON object small enough to be an error, else None."""
    if not 0 < part.bytes <= ERROR_BYTES or part.suffix not in {".json", ".gz"}:
        return None
    try:
        # Bytes that are no UTF-8 must not hide an error.
        document = json.loads(beginning(part, ERROR_BYTES).decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError, MalformedError):
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None


def unreadable(part: Part, layout: Layout, time_key: str) -> ProviderError | None:
    """Return the error that a small JSON document is in place of records, as reading its records would raise it."""
    if error_document(part) is None:
        return None
    try:
        for _ in blocks(part, layout, time_key):
            pass
    except ProviderError as error:
        return error
    return None


def document(part: Part) -> Any:  # noqa: ANN401 (JSON)
    """Return the body as JSON; it must be small (a listing, an error). Raises MalformedError."""
    body = beginning(part, MAX_DOCUMENT_BYTES + 1)
    if len(body) > MAX_DOCUMENT_BYTES:
        raise MalformedError(
            f"a response of more than {MAX_DOCUMENT_BYTES} bytes where a small JSON document was expected"
        )
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"the response is not JSON: {error}") from error


def parsed[M: BaseModel](part: Part, model: type[M]) -> M:
    """Return the body as a model of the response. Raises MalformedError, whose message repeats no value."""
    try:
        return model.model_validate(document(part))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = repeated(".".join(map(str, first["loc"])))
        raise MalformedError(f"the response is not as documented: {place}: {first['msg']}") from None
