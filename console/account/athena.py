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
    """Return the rows of Athena's pages; the first row of the first page is the header. Pure."""
    columns = pages[0]["ResultSetMetadata"]["ColumnInfo"]
    types = [_READ.get(column["Type"], str) for column in columns]
    rows = [row["Data"] for page in pages for row in page["Rows"]]
    return QueryResult(
        [column["Name"] for column in columns],
        [
            [
                read(cell["VarCharValue"]) if "VarCharValue" in cell else None
                for read, cell in zip(types, row, strict=True)
            ]
            for row in rows[1:]
        ],
    )
