"""A source that is being written: its fields as its function describes them, and the answers as values. Pure.

What a field may hold is said by the JSON schema that the action `describe` returns. What is checked here only helps
while somebody types; whether the whole document is right, the function says.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from console.failure import ConsoleError

#: What a format of JSON schema looks like.
_EXAMPLES = {"duration": "PT1H", "date-time": "2026-11-01T00:00:00Z", "uri": "https://logs.example.com"}
#: Of a field whose format alone would give a misleading example.
_EXAMPLES_BY_NAME = {"retention": "P30D"}
_NONE = "null"
_ARTICLES = {"integer": "an", "number": "a", "boolean": "a", "object": "an", "array": "an"}
#: A type that was not sent may be a secret.
_UNKNOWN: Mapping[str, Any] = {"writeOnly": True}


@dataclass(frozen=True)
class Field:
    """One field of a source or of a secret."""

    name: str
    schema: Mapping[str, Any]

    @property
    def required(self) -> bool:
        """Whether a document needs it."""
        return bool(self.schema.get("required"))

    @property
    def description(self) -> str:
        """What it is."""
        return str(self.schema.get("description", self.name))

    @property
    def kind(self) -> Mapping[str, Any]:
        """The schema of its value; of several kinds, the first that is not null."""
        kinds: list[Mapping[str, Any]] = [one for one in self.schema.get("anyOf", []) if one.get("type") != _NONE]
        kind = {**self.schema, **kinds[0]} if kinds else self.schema
        return {**_UNKNOWN, **kind} if "$ref" in kind else kind

    @property
    def hidden(self) -> bool:
        """Whether its value is never shown again once it is given."""
        return bool(self.kind.get("writeOnly"))

    @property
    def hint(self) -> str:
        """What may be answered, as briefly as possible."""
        kind = self.kind
        if "enum" in kind:
            return " or ".join(map(str, kind["enum"]))
        if kind.get("type") == "array":
            return "several are separated by commas"
        if "minimum" in kind or "maximum" in kind:
            return " ".join(
                f"{word} {kind[key]}" for word, key in (("from", "minimum"), ("to", "maximum")) if key in kind
            )
        return f"for instance {example}" if (example := self.example) else ""

    @property
    def example(self) -> str:
        """An example of its value; empty if none is known."""
        examples: list[Any] = self.schema.get("examples", [])
        known = _EXAMPLES_BY_NAME.get(self.name) or _EXAMPLES.get(str(self.kind.get("format")), "")
        return str(examples[0]) if examples else known

    @property
    def question(self) -> str:
        """The question for its value."""
        return f"{self.name}: {self.description}" + (f" ({self.hint})" if self.hint else "")

    def value(self, text: str) -> Any:  # noqa: ANN401 (a JSON value)
        """Return the value that a text means. Raises ConsoleError saying what is wrong with it."""
        kind = self.kind
        match kind.get("type"):
            case "integer" | "number" | "boolean" | "object":
                value = self._json(text, str(kind["type"]))
            case "array" if not text.startswith("["):
                value = [one.strip() for one in text.split(",") if one.strip()]
            case "array":
                value = self._json(text, "array")
            case _:
                value = text
        self._check(value, kind)
        return value

    def _json(self, text: str, kind: str) -> Any:  # noqa: ANN401 (a JSON value)
        try:
            return json.loads(text)
        except ValueError:
            raise ConsoleError(
                f"{self.name}: {self._shown(text)}is not {_ARTICLES[kind]} {kind}{self._instead}"
            ) from None

    def _check(self, value: object, kind: Mapping[str, Any]) -> None:
        if "enum" in kind and value not in kind["enum"]:
            raise ConsoleError(f"{self.name}: {self._shown(value)}is not one of {', '.join(map(str, kind['enum']))}")
        pattern = kind.get("pattern")
        if isinstance(value, str) and pattern and not _matches(str(pattern), value):
            instead = ": was a space or a line feed pasted with it?" if self.hidden else self._instead
            raise ConsoleError(f"{self.name}: {self._shown(value)}does not match {pattern}{instead}")

    def _shown(self, value: object) -> str:
        """Return a value for an error; nothing of one that is hidden."""
        return "" if self.hidden else f'"{value}" '

    @property
    def _instead(self) -> str:
        return f"; for instance {self.example}" if self.example else ""


def _matches(pattern: str, value: str) -> bool:
    """Return whether a value has a pattern of JSON schema. There `$` is the very end, not also before a line feed."""
    return re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), value) is not None


def fields(described: Mapping[str, Mapping[str, Any]]) -> dict[str, Field]:
    """Return the fields that a function has described, by name."""
    return {name: Field(name, schema) for name, schema in described.items()}


def assigned(texts: Collection[str], known: Mapping[str, Field]) -> dict[str, Any]:
    """Return the fields that were given as `name=value`. Raises ConsoleError for what is no field, or no value.

    A value behind a wrong name is not repeated: it may belong to the secret.
    """
    document: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            raise ConsoleError(f"--set {name}: is not FIELD=VALUE with one of these fields: {', '.join(known)}")
        document[name] = known[name].value(value)
    return document


def same_records(document: Mapping[str, Any], other: Mapping[str, Any], known: Mapping[str, Field]) -> list[str]:
    """Return the fields by which two sources of a provider seem to archive the same records; none if they do not.

    These are the fields that a source must have; where it needs none, its secret names the account. A field may say
    that it selects records as well: with `where` of sources with these values only, its value `all` being all records.
    """
    names = [name for name, field in known.items() if field.required and name != "secret"] or ["secret"]
    if not all(_overlap(document.get(name), other.get(name)) for name in names):
        return []
    return [] if any(_apart(field, document, other) for field in known.values()) else names


def _apart(field: Field, document: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two sources get different records because of a field that selects them."""
    selects: Mapping[str, Any] = field.schema.get("selects", {})
    if not selects or any(document.get(name) != value for name, value in selects["where"].items()):
        return False
    one, two = (each.get(field.name, field.schema.get("default")) for each in (document, other))
    return one != two and selects["all"] not in {str(one), str(two)}


def _overlap(one: object, other: object) -> bool:
    """Return whether two values are the same, or two lists share an element."""
    if isinstance(one, list) and isinstance(other, list):
        return any(value in cast("list[object]", other) for value in cast("list[object]", one))
    return one is not None and one == other


def missing_of(document: Mapping[str, Any], known: Mapping[str, Field]) -> list[str]:
    """Return the required fields that a document lacks; its secret has a name by itself."""
    return [name for name, field in known.items() if field.required and name not in {"secret", *document}]


def told_of(errors: Collection[str], missing: Collection[str]) -> list[str]:
    """Return what errors of a function say besides that these fields are missing."""
    parts = (part for error in errors for part in error.split(" | "))
    return [part for part in parts if not part.startswith(tuple(f"{name}: missing" for name in missing))]


def complained_of(errors: Collection[str], known: Collection[str]) -> list[str]:
    """Return the fields that errors of a function are about."""
    about = {part.strip().partition(":")[0].partition(".")[0] for error in errors for part in error.split(" | ")}
    return [name for name in known if name in about]


def object_of(content: bytes, where: str) -> dict[str, Any]:
    """Return the JSON object of a file. Raises ConsoleError if it holds none."""
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConsoleError(f"{where}: is no text in UTF-8") from None
    except RecursionError:
        raise ConsoleError(f"{where}: is JSON too deep to be a document") from None
    except ValueError as error:
        raise ConsoleError(f"{where}: is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise ConsoleError(f"{where}: is no JSON object")
    return cast("dict[str, Any]", value)
