"""What is wrong with a document that its model refuses: where, what, and an example of what is right."""

import json
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

_MOMENT = "2026-11-01T00:00:00Z"
#: How pydantic's kinds of errors begin -> what is wrong, and an example where the field has no default to show;
#: "": no example is needed.
_KINDS = (
    ("missing", "missing", None),
    ("time_delta_", "is no ISO 8601 duration", "PT1H"),
    ("datetime_", "is no ISO 8601 time", _MOMENT),
    ("timezone_", "has no time zone", _MOMENT),
    ("int_", "is no whole number", "1"),
    ("bool_", "is neither true nor false", "true"),
    ("string_type", "must be text in quotes", None),
    ("string_too_short", "too short; the minimum length is {min_length}", ""),
    ("string_too_long", "too long; the maximum length is {max_length}", ""),
    ("string_pattern_", "does not match {pattern}", None),
    ("url_", "is no http or https URL", "https://logs.example.com"),
    ("literal_", "is not {expected}", ""),
    ("greater_than_equal", "is less than {ge}", "{ge}"),
    ("less_than_equal", "is more than {le}", "{le}"),
    ("too_short", "too short; the minimum length is {min_length}", ""),
    ("tuple_type", "is no list", None),
    ("dict_type", "is no JSON object", None),
    ("model_type", "is no JSON object", None),
    ("json_invalid", "is no JSON: {error}", None),
)
#: A message that begins so needs the value before it: `"1h" is no …`.
_PREDICATES = ("is ", "has ", "does ")
_VALUE_CHARACTERS = 40


def reasons(error: ValidationError, model: type[BaseModel], *, quoted: bool = False) -> str:
    """Say what is wrong with a document, field by field.

    Values are `quoted` only to whoever has just sent them. What is said of a stored document is stored and sent
    further, and somebody may have written a secret into a wrong field.
    """
    return " | ".join(_reason(item, model, quoted=quoted) for item in error.errors(include_url=False))


def _reason(item: Any, model: type[BaseModel], *, quoted: bool) -> str:  # noqa: ANN401 (pydantic's error details)
    # In the place of an error, pydantic names the branch of a union like a field: `tuple[str, ...]`.
    where = ".".join(str(step) for step in item["loc"] if "[" not in str(step))
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown field; {did_you_mean(where, model.model_fields, 'fields')}"
    what, example = _message(item)
    if not where:
        return what if item["type"] == "value_error" else f"the document {what}; for instance {_document(model)}"
    if quoted and what.startswith(_PREDICATES):
        what = f"{_shown(item['input'])}{what}"
    schema = field_schemas(model).get(where, {})
    if item["type"] == "missing" and "description" in schema:
        what = f"missing ({schema['description']})"
    if example != "" and "for instance" not in what:
        example = _own_example(schema) or example
    return f"{where}: {what}" + (f"; for instance {example}" if example else "")


def _message(item: Any) -> tuple[str, str | None]:  # noqa: ANN401 (pydantic's error details)
    """Return what is wrong, and an example of what is right if the kind of error has one."""
    for kind, what, example in _KINDS:
        if item["type"].startswith(kind):
            ctx = item.get("ctx", {})
            return what.format(**ctx), example and example.format(**ctx)
    return item["msg"].removeprefix("Value error, "), None


def _shown(value: object) -> str:
    """Return a value as it is in the document, cut if it is long; nothing for lists and objects."""
    if isinstance(value, list | tuple | dict):
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"{text if len(text) <= _VALUE_CHARACTERS else f'{text[:_VALUE_CHARACTERS]}…'} "


def did_you_mean(name: str, names: Collection[str], what: str) -> str:
    """Return the name that was probably meant, or all `names`; `what` says what they are the names of."""
    close = get_close_matches(name.lower(), names, n=1)
    return f"did you mean {close[0]}?" if close else f"the {what} are {', '.join(names)}"


def required_fields(model: type[BaseModel]) -> set[str]:
    """Return the fields that an empty document lacks; a model may fill in others by itself."""
    try:
        model.model_validate({})
    except ValidationError as error:
        return {str(item["loc"][0]) for item in error.errors(include_url=False) if item["type"] == "missing"}
    return set()


def field_schemas(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of each field; `$ref` leads to the type's."""
    schema = model.model_json_schema()
    types = schema.get("$defs", {})
    return {
        name: types.get(field.get("$ref", "").rpartition("/")[2], {}) | field
        for name, field in schema["properties"].items()
    }


def _own_example(schema: Any) -> str:  # noqa: ANN401 (a JSON schema)
    example = [*schema.get("examples", []), schema.get("default")][0] or ""
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)


def _document(model: type[BaseModel]) -> str:
    """Return a document with all required fields."""
    required = {name: schema for name, schema in field_schemas(model).items() if model.model_fields[name].is_required()}
    return json.dumps({name: _own_example(schema) or "…" for name, schema in required.items()}, ensure_ascii=False)
