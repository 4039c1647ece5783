"""Athena: runs a statement in the stack's workgroup and database."""

from collections.abc import Callable, Mapping
from typing import Any

from console.account.stack import Stack
from console.core.result import QueryResult
from console.failure import ConsoleError

_POLL_SECONDS = 1.0
_RUNNING = {"QUEUED", "RUNNING"}
#: How values of a type are read; all others stay text.
_READ: Mapping[str, Callable[[str], object]] = {
    "tinyint": int, "smallint": int, "integer": int, "bigint": int, "float": float, "double": float,
    "boolean": "true".__eq__,
}  # fmt: skip


def run(stack: Stack, sql: str, sleep: Callable[[float], object]) -> QueryResult:
    """Run a statement, and wait for its rows. Raises ConsoleError saying why it failed."""
    client = stack.clients.athena
    query = client.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": stack.output("DatabaseName", "it has no table to query")},
        WorkGroup=stack.output("WorkgroupName", "it has no workgroup for queries"),
    )["QueryExecutionId"]
    while True:
        status: Any = client.get_query_execution(QueryExecutionId=query)["QueryExecution"].get("Status", {})
        if status["State"] not in _RUNNING:
            break
        sleep(_POLL_SECONDS)
    if status["State"] != "SUCCEEDED":
        raise ConsoleError(f"Athena says {status['State']}: {status.get('StateChangeReason', 'no reason is given')}")
    pages = client.get_paginator("get_query_results").paginate(QueryExecutionId=query)
    return rows_of([page["ResultSet"] for page in pages])


def rows_of(pages: list[Any]) -> QueryResult:
    """Return the rows of Athena's pages. Pure.

    Of a SELECT the first row is the header; SHOW, DESCRIBE and DDL have none, and may have a row's cells in one.
    """
    columns = pages[0]["ResultSetMetadata"]["ColumnInfo"]
    names, types = [column["Name"] for column in columns], [_READ.get(column["Type"], str) for column in columns]
    rows = [_cells(row["Data"], len(names)) for page in pages for row in page["Rows"]]
    if rows and rows[0] == names:
        rows = rows[1:]
    return QueryResult(
        names,
        [[None if text is None else read(text) for read, text in zip(types, row, strict=True)] for row in rows],
    )


def _cells(row: list[Any], size: int) -> list[str | None]:
    texts: list[str | None] = [cell.get("VarCharValue") for cell in row]
    if len(texts) == 1 and size > 1:
        texts = [text.strip() for text in (texts[0] or "").split("\t")]
    return [*texts, *[None] * size][:size]
