"""What a document consists of: its fields as JSON schemas, for whoever wants to write one. Pure."""

from typing import Any

from pydantic import BaseModel

from logarchive.provider.validation import field_schemas, required_fields

#: What a JSON schema says that is of no use without the rest of it.
_INNER = {"$ref", "title"}


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of each field of a source or a secret, and whether a document needs it."""
    required = required_fields(model)
    return {
        name: {key: value for key, value in schema.items() if key not in _INNER} | {"required": name in required}
        for name, schema in field_schemas(model).items()
    }
