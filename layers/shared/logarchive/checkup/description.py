"""What a document consists of: its fields as JSON schemas, for whoever wants to write one. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel

from logarchive.provider.validation import field_schemas, required_fields


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of each field of a source or a secret, and whether a document needs it."""
    required, types = required_fields(model), model.model_json_schema().get("$defs", {})
    return {
        name: {key: _inlined(value, types) for key, value in schema.items() if key not in {"$ref", "title"}}
        | {"required": name in required}
        for name, schema in field_schemas(model).items()
    }


def _inlined(value: Any, types: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a part of a JSON schema)
    """Return a part of a schema with the types to which it refers: they would not be sent."""
    match value:
        case {"$ref": str(reference), **more}:
            return _inlined(types[reference.rpartition("/")[2]] | more, types)
        case dict():
            return {key: _inlined(part, types) for key, part in cast("Mapping[str, Any]", value).items()}
        case list():
            return [_inlined(part, types) for part in cast("Sequence[Any]", value)]
        case _:
            return value
