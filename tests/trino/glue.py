"""Glue's tables of the stack, read and written as one."""

from typing import Any

import boto3

from tools.stack import Stack

#: What is given to Glue of a table; the rest it adds.
INPUT = {
    *("Name", "Description", "Owner", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters"),
    *("ViewOriginalText", "ViewExpandedText"),
}


def _glue(stack: Stack) -> tuple[Any, str]:
    return boto3.client("glue", **stack.aws), stack.outputs["DatabaseName"]


def table(stack: Stack, name: str) -> dict[str, Any]:
    """Return a table as it could be given to Glue."""
    client, database = _glue(stack)
    found: dict[str, Any] = client.get_table(DatabaseName=database, Name=name)["Table"]
    return {key: value for key, value in found.items() if key in INPUT and value != ""}  # empty texts are refused


def create(stack: Stack, given: dict[str, Any]) -> None:
    """Create a table."""
    client, database = _glue(stack)
    client.create_table(DatabaseName=database, TableInput=given)


def update(stack: Stack, given: dict[str, Any]) -> None:
    """Replace a table."""
    client, database = _glue(stack)
    client.update_table(DatabaseName=database, TableInput=given)
