"""Keeps secrets out of everything that is written: manifests, errors, log lines."""

import base64
import html.entities
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, SecretStr

from logarchive.record.exact_json import compact

MASK = "***"
#: A shorter value would match in any text, and is no secret.
SHORTEST = 3
#: Backslashes before a sign: 1, 3, 7 or 15 where JSON is inside JSON. Bounds keep the time linear.
_ESCAPES = r"\\{0,15}"
_PERCENT = r"(?:%|\\{1,16}u0025)(?:25){0,4}"
_AMPERSAND = r"(?:&|\\{1,16}u0026)(?:amp;){0,4}"
_RUN = re.compile(r"(?P<backslashes>\\+)|.", re.DOTALL)


class Redaction:
    """Replaces every value of a secret, nested ones too, by `***`, in each form in which it could have been written."""

    def __init__(self, secret: BaseModel | None) -> None:
        """Prepare to mask a secret's values; None: there is no secret."""
        forms = {form for value in _values(secret.model_dump() if secret else {}) for form in _forms(value)}
        alternatives = "|".join(sorted(forms, key=len, reverse=True))
        self._pattern = re.compile(alternatives, re.IGNORECASE) if alternatives else None

    def text(self, text: str) -> str:
        """Mask a text. Half a character, which JSON may hold and UTF-8 cannot, is shown as its code."""
        text = text.encode("utf-8", "backslashreplace").decode()
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

    def brief(self, value: Any, most: int) -> Any:  # noqa: ANN401 (JSON)
        """Mask a JSON value, and then cut it if it is longer: a text, or else the text of its JSON."""
        masked = self.json(value)
        text: str = masked if isinstance(masked, str) else compact(masked).decode()
        return masked if len(text) <= most else f"{text[:most]}…"


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
    yield _pattern(value, _letter)
    for encoded in (base64.b64encode(value.encode()), base64.urlsafe_b64encode(value.encode())):
        yield _pattern(encoded.decode("ascii").rstrip("="), re.escape) + f"(?:{'|'.join(_spelled('='))}){{0,2}}"


def _pattern(text: str, letter: Callable[[str], str]) -> str:
    return "".join(
        _backslashes(len(run[0])) if run["backslashes"] else letter(run[0]) if run[0].isalnum() else _sign(run[0])
        for run in _RUN.finditer(text)
    )


def _letter(character: str) -> str:
    return f"(?:{'|'.join([re.escape(character), *_spelled(character)])})"


def _sign(character: str) -> str:
    plus = [r"\+"] if character == " " else []
    code, *others = _spelled(character)
    return f"(?:{code}|{_ESCAPES}(?:{'|'.join([re.escape(character), *plus, *others])}))"


def _backslashes(count: int) -> str:
    """Return the pattern of that many backslashes: one that does not try each way to share them out."""
    return rf"(?:\\{{{count},{16 * count}}}|(?:{'|'.join(_spelled(chr(92)))}){{{count}}})"


def _spelled(character: str) -> Iterator[str]:
    """Yield patterns of how a character is written in JSON, in URLs and in HTML, and in each of them within another."""
    units = character.encode("utf-16-be").hex(" ", 2).split()
    yield "".join(rf"\\{{1,16}}u{unit}" for unit in units)
    yield "".join(rf"{_PERCENT}{byte:02x}" for byte in character.encode())
    code = ord(character)
    name = html.entities.codepoint2name.get(code, "apos" if character == "'" else "")
    yield rf"{_AMPERSAND}(?:#0*{code}|#x0*{code:x}{'|' if name else ''}{name});"
