"""`logarchive query`: a saved query, or one's own SQL, in Athena; over the demo, DuckDB runs it."""

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from console.command.argument import switch
from console.core.report import Report, Table, many
from console.core.result import QueryResult
from console.failure import ConsoleError
from console.session import Session, session_of

_HOW_HISTORY_COMES = (
    "there is no table history: the stack makes it in the first night after it was deployed with History=true "
    "(docs/tasks.md, Ask a whole year)"
)


def names() -> list[str]:
    """Return the names of the saved queries."""
    from console.core.saved_query import saved_queries  # a parser of SQL, which most commands do not need

    return [query.name for query in saved_queries()]


def query(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="A saved query; without one they are listed.", autocompletion=names)
    ] = None,
    sql: Annotated[str | None, typer.Option(help="A statement of your own, in Athena's SQL.")] = None,
    csv: Annotated[bool, switch("--csv", help="Print CSV.")] = False,
) -> None:
    """Run a saved query, or your own SQL."""
    from console.core.saved_query import named, saved_queries

    session = session_of(context)
    if name and sql:
        raise ConsoleError("either the name of a saved query or --sql, not both")
    if not name and not sql:
        session.end(listed([(one.name, one.question) for one in saved_queries()]))
    result = run(session, sql or named(name or "").sql)
    if csv and not session.screen.as_json:
        session.screen.csv(result)
        raise typer.Exit
    session.end(report(result))


def run(session: Session, sql: str) -> QueryResult:
    """Run a statement where the stack is. Raises ConsoleError saying what is wrong with it."""
    try:
        if session.access.endpoint:
            from console.account import duck

            return duck.run(session.stack, sql)
        from console.account import athena

        return athena.run(session.stack, sql, session.sleep)
    except ConsoleError as error:
        if lacks_history(str(error)):
            raise ConsoleError(_HOW_HISTORY_COMES) from None
        raise


def lacks_history(reason: str) -> bool:
    """Return whether a statement has failed since there is no table `history`, which only some stacks have. Pure."""
    return re.search(r"\bhistory\W+does not exist", reason) is not None  # as Athena and DuckDB say


def listed(queries: Sequence[tuple[str, str]]) -> Report:
    """Return the list of the saved queries. Pure."""
    data = [{"name": name, "question": question} for name, question in queries]
    lines = [line for name, question in queries for line in (name, f"  {question}")]
    return Report({"queries": data}, lines=lines)


def report(result: QueryResult) -> Report:
    """Return what a query has found. Pure."""
    return Report(result.objects(), [Table(result.names, result.flat())], [many(len(result.rows), "row")])
