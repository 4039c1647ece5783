"""Keeps secrets out of everything that is written: manifests, errors, log lines."""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

MASK = "***"
#: A shorter value would match in any text, and is no secret.
SHORTEST = 3


class Redaction:
    """Replaces every value of a secret by `***`, in each form in which it could have been written."""

    def __init__(self, secret: BaseModel) -> None:
        """Take the values of a secret, nested ones included."""
        forms = {form for value in _values(secret.model_dump()) for form in _forms(value)}
        alternatives = "|".join(sorted(forms, key=len, reverse=True))
        self._pattern = re.compile(alternatives, re.IGNORECASE) if alternatives else None

    def text(self, text: str) -> str:
        """Mask a text."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def json(self, value: Any) -> Any:  # noqa: ANN401 (JSON)
        """Mask every text of a JSON value, keys included."""
        match value:
            case str():
                return self.text(value)
            case Mapping():
                items = cast("Mapping[str, Any]", value).items()
                return {self.text(key): self.json(item) for key, item in items}
            case list() | tuple():
                return [self.json(item) for item in cast("Sequence[Any]", value)]
            case _:
                return value


def _values(value: Any) -> Iterator[str]:  # noqa: ANN401 (JSON)
    match value:
        case SecretStr():
            yield from _values(value.get_secret_value())
        case str():
            yield from [value] if len(value) >= SHORTEST else []
        case Mapping():
            yield from _values([*cast("Mapping[str, Any]", value).values()])
        case list() | tuple():
            for item in cast("Sequence[Any]", value):
                yield from _values(item)
        case _:
            return


def _forms(value: str) -> Iterator[str]:
    """Yield patterns of a value: however each of its characters is written, and all of it in base64."""
    yield "".join(
        f"(?:{'|'.join(sorted(map(re.escape, _spelled(character)), key=len, reverse=True))})" for character in value
    )
    for encoded in (base64.b64encode(value.encode()), base64.urlsafe_b64encode(value.encode())):
        yield re.escape(encoded.decode("ascii").rstrip("="))


def _spelled(character: str) -> set[str]:
    """Return how a character may be written: in URLs, in JSON by any library, and in HTML."""
    code = ord(character)
    url = {quote(character, safe=""), quote_plus(character), f"%{code:02x}"}
    escaped = {json.dumps(character)[1:-1], f"\\u{code:04x}"}
    if not character.isalnum():
        escaped.add(f"\\{character}")
    return {character} | url | escaped | {f"&#{code};", f"&#x{code:x};", f"&#{code:03d};", html.escape(character)}
