"""Keeps secrets out of everything that is written down: manifests, errors, log lines."""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

MASK = "***"
#: A value this short would be found everywhere; nothing so short is a secret.
SHORTEST = 3


class Redaction:
    """Replaces every value of a secret by `***`, in each form in which it could have been written."""

    def __init__(self, secret: BaseModel) -> None:
        """Learn the values of a secret, nested ones included."""
        forms = {form for value in _values(secret.model_dump()) for form in _forms(value)}
        alternatives = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
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
    yield value
    for escaped in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield escaped
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), escaped)
    for ascii_only in (True, False):
        written = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (written, written.replace("/", "\\/"))
    # As .NET writes it.
    yield "".join(one if one.isalnum() else f"\\u{ord(one):04x}" for one in value)
    yield re.sub(r"[+&<>'\"`/]", lambda found: f"\\u{ord(found[0]):04x}", value)
    yield re.sub(r"[+&<>'\"`]", lambda found: f"\\u{ord(found[0]):04x}", value)
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield base64.b64encode(value.encode()).decode("ascii")
