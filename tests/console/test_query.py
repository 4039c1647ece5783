"""`logarchive query`, and Athena's rows."""

import csv
import io
import json
from typing import Any

import pytest

from console.account import athena
from console.account.access import Access
from console.account.athena import rows_of
from console.account.stack import find
from console.command.query import lacks_history, listed, report
from console.core.result import QueryResult
from console.core.saved_query import saved_queries, tables
from console.failure import ConsoleError
from tests.console.conftest import Deployed
from tests.console.run import Run


def page(*rows: list[str | None]) -> dict[str, Any]:
    columns = [{"Name": name, "Type": kind} for name, kind in (("n", "bigint"), ("x", "double"), ("t", "varchar"))]
    cells = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows]
    return {"ResultSetMetadata": {"ColumnInfo": columns}, "Rows": cells}


def test_athenas_pages_become_typed_rows_without_the_header() -> None:
    result = rows_of([page(["n", "x", "t"], ["1", "0.5", "a"]), page([None, None, None])])
    assert result == QueryResult(["n", "x", "t"], [[1, 0.5, "a"], [None, None, None]])


@pytest.mark.parametrize(
    ("rows", "read"),
    [
        ([["logs"], ["elsa"]], [["logs", None, None], ["elsa", None, None]]),
        ([["n         \tbigint    \tcount"]], [["n", "bigint", "count"]]),
        ([], []),
    ],
)
def test_what_show_and_describe_return_has_no_header(rows: list[list[str | None]], read: list[list[object]]) -> None:
    names = ("col_name", "data_type", "comment")
    told = page(*rows) | {"ResultSetMetadata": {"ColumnInfo": [{"Name": name, "Type": "string"} for name in names]}}
    assert rows_of([told]) == QueryResult([*names], read)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-1+2|cmd", "'-1+2|cmd"),
        ("+82-10-1234", "+82-10-1234"),
        ("\t=1", "'\t=1"),
        ("-", "-"),
        ("-1.5", "-1.5"),
        (-1.5, -1.5),
        ("a\x1b[2Jb\rc\nd", "a\ufffd[2Jb\ufffdc\nd"),
        (None, None),
        ({"a": "=1"}, '{"a": "=1"}'),
    ],
)
def test_a_csv_neither_moves_a_cursor_nor_has_formulas_and_leaves_numbers_alone(value: object, cell: object) -> None:
    assert QueryResult(["x"], [[value]]).for_csv() == [[cell]]


def test_a_result_is_a_list_of_objects_for_programs_and_a_map_is_json_in_a_table() -> None:
    made = report(QueryResult(["host", "n"], [["a", {"é": 1}]]))
    assert (made.data, made.lines) == ([{"host": "a", "n": {"é": 1}}], ["1 row"])
    assert made.tables[0].rows == [["a", '{"é": 1}']]
    assert listed([("rows-by-day", "How many rows?")]).lines == ["rows-by-day", "  How many rows?"]


def test_the_views_that_a_statement_reads_are_known() -> None:
    assert tables("SELECT * FROM elsa JOIN (SELECT 1 FROM logs) ON true") == {"elsa", "logs"}


@pytest.mark.slow
def test_a_saved_query_runs_over_the_demo_as_a_table_as_csv_and_as_json(on_stack: Run) -> None:
    assert on_stack("query", "rows-by-day").out.startswith("day ")
    rows = list(csv.DictReader(io.StringIO(on_stack("query", "rows-by-day", "--csv").out)))
    found = on_stack("query", "rows-by-day", "--json").json
    assert {row["provider"] for row in rows} == {one["provider"] for one in found} == {"dsa", "elsa", "security365"}
    assert [int(row["records"]) for row in rows] == [one["records"] for one in found]


@pytest.mark.slow
def test_what_athena_refuses_is_one_sentence(deployed: Deployed) -> None:
    stack = find(Access(demo_port=deployed.port))  # the emulator's Athena has no engine
    with pytest.raises(ConsoleError, match="Athena says FAILED: No module named 'duckdb'"):
        athena.run(stack, "SELECT 1", lambda _seconds: None)


@pytest.mark.slow
def test_a_statement_of_ones_own_may_read_the_views(on_stack: Run) -> None:
    [count] = on_stack("query", "--sql", "SELECT count(*) AS n FROM elsa", "--json").json
    assert count["n"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["query", "rows"], "logarchive: there is no saved query rows; there are clients-with-errors, "),
        (["query", "--sql", "SELECT nothing FROM logs"], "logarchive: the query failed: Binder Error"),
        (["query", "--sql", "SELECT 1 FROM history"], "logarchive: there is no table history: the stack makes it in "),
        (["query", "rows-by-day", "--sql", "SELECT 1"], "logarchive: either the name of a saved query or --sql, "),
    ],
)
def test_a_query_that_cannot_run_is_one_sentence(on_stack: Run, words: list[str], said: str) -> None:
    outcome = on_stack(*words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith(said)


def test_a_stack_without_history_is_told_from_another_error() -> None:
    said = "Athena says FAILED: TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.logarchive.{}' does not exist"
    assert lacks_history(said.format("history"))
    assert not any(lacks_history(said.format(other)) for other in ("logs", "history2", "my_history"))


def test_the_saved_queries_are_listed_without_a_stack(run: Run) -> None:
    names = [one["name"] for one in json.loads(run("query", "--json").out)["queries"]]
    assert names == [query.name for query in saved_queries()]
