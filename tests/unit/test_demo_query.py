"""The saved queries: Athena's SQL, safe to transpile, cheap to run, and with the right answers."""

from collections.abc import Iterator

import duckdb
import pytest
import sqlglot
from sqlglot import expressions as exp

from tools.demo.saved_query import QUERIES, SavedQuery, ask, saved_queries

#: What was seen to mean the same to Athena and, transpiled, to DuckDB.
SAFE = {
    *("and", "avg", "count", "count_if", "current_timestamp", "lower", "max", "round", "sum"),
    *("time_to_str", "timestamp_trunc"),  # date_format and date_trunc
}
NAMES = [query.path.stem for query in saved_queries()]


@pytest.fixture
def logs() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute("""
            CREATE TABLE logs AS SELECT * FROM (VALUES
              ('elsa', today(), now(), 17, 'a', NULL, NULL, NULL, NULL, NULL, map {'ExceptionType': 'E1'}),
              ('elsa', today(), now(), 9, 'b', NULL, NULL, NULL, NULL, NULL, map {'ExceptionType': 'E1'}),
              ('elsa', today(), now(), 17, 'b', NULL, NULL, NULL, NULL, NULL, map {'other': 'x'}),
              ('elsa', today() - 9, now() - INTERVAL 9 DAY, 17, 'c', NULL, NULL, NULL, NULL, NULL,
                map {'ExceptionType': 'E2'}),
              ('dsa', today(), now(), 9, NULL, 'www', 'HIT', 200, 10, 1000000000, map {}),
              ('dsa', today(), now(), 17, NULL, 'www', 'miss', 502, 30, 1500000000, map {}),
              ('dsa', today(), now(), 9, NULL, 'api', '-', 404, 5.5, 0, map {}),
              ('dsa', today() - 9, now() - INTERVAL 9 DAY, 17, NULL, 'old', 'hit', 500, 1, 1, map {})
            ) AS t(provider, date, time, severity_number, host_name, url_domain, cache_status,
              http_response_status_code, http_duration_ms, http_response_size, attributes)
        """)
        database.execute("ALTER TABLE logs ALTER date TYPE VARCHAR")
        database.execute("ALTER TABLE logs ALTER time TYPE TIMESTAMP")
        yield database


def query(name: str) -> SavedQuery:
    return SavedQuery(QUERIES / f"{name}.sql")


def tree(name: str) -> exp.Select:
    parsed = sqlglot.parse_one(query(name).sql, read="athena")
    assert isinstance(parsed, exp.Select)
    return parsed


def answers(database: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, object]]:
    answer = ask(database, query(name).for_duckdb())
    return [dict(zip(answer.names, row, strict=True)) for row in answer.rows]


def test_there_are_three() -> None:
    assert len(NAMES) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_a_query_says_what_it_asks(name: str) -> None:
    assert query(name).question.endswith(".")
    assert "--" not in query(name).question + query(name).sql


@pytest.mark.parametrize("name", NAMES)
def test_a_query_reads_only_the_partitions_it_needs(name: str) -> None:
    where = tree(name).args["where"].sql()
    assert "provider =" in where or "provider IN" in where
    assert '"date" >=' in where


@pytest.mark.parametrize("name", NAMES)
def test_a_query_uses_only_what_means_the_same_to_both(name: str) -> None:
    used = {node.sql_name().lower() for node in tree(name).find_all(exp.Func)}
    assert used - SAFE == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_share_is_not_cut_to_the_scale_of_a_decimal(name: str) -> None:
    """`100.0 * a / b` is a decimal with one digit to Athena; `1e2 * a / b` is a double to both."""
    numbers = [node.this for node in tree(name).find_all(exp.Literal) if not node.is_string]
    assert not [number for number in numbers if "." in number]


def test_traffic_is_told_by_host_for_the_last_days_only(logs: duckdb.DuckDBPyConnection) -> None:
    numbers = {"hit_percent": 50.0, "failed_percent": 50.0, "mean_ms": 20.0, "gigabytes": 2.5}
    nothing = {"hit_percent": 0.0, "failed_percent": 0.0, "mean_ms": 5.5, "gigabytes": 0.0}
    assert answers(logs, "traffic-by-host") == [
        {"host": "www", "requests": 2, **numbers},
        {"host": "api", "requests": 1, **nothing},
    ]


def test_exceptions_are_counted_where_there_is_one(logs: duckdb.DuckDBPyConnection) -> None:
    (only,) = answers(logs, "exceptions")
    assert (only["exception"], only["times"], only["as_error"], only["hosts"]) == ("E1", 2, 1, 2)


def test_errors_stand_side_by_side_by_hour(logs: duckdb.DuckDBPyConnection) -> None:
    (only,) = answers(logs, "errors-by-hour")
    assert (only["records"], only["errors"], only["of_application"], only["of_hosts"]) == (6, 3, 2, 1)
