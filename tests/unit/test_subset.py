"""What DuckDB cannot vouch for is found in a saved query, and the template holds each of them as its file does."""

import re
from pathlib import Path

import pytest

from console.core.saved_query import SavedQuery, saved_queries, saved_views
from tests.unit.test_docs import PAGES
from tools import history_stack
from tools.named_query import TEMPLATE, filled, resource
from tools.subset import faults

EVERY = [*saved_queries(), *saved_views()]
WHERE = "WHERE provider = 'elsa' AND \"date\" >= '2026-11-01'"


def of(folder: Path, sql: str, name: str = "query") -> list[str]:
    path = folder / f"{name}.sql"
    path.write_text(f"-- What is asked.\n{sql}\n")
    return faults(SavedQuery(path))


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.name)
def test_a_saved_query_is_of_the_subset(query: SavedQuery) -> None:
    assert faults(query) == []


@pytest.mark.parametrize(
    "expression",
    [
        *("time", "count(*)", "count(DISTINCT source)", "count_if(severity_number >= 17)"),
        *("element_at(attributes, 'x')", "json_extract_scalar(body, '$.a')", "date_trunc('hour', time)"),
        *("coalesce(body, 'x') || '?'", "CASE WHEN body IS NULL THEN 'x' ELSE lower(body) END"),
        *("round(1e2 * count_if(body LIKE 'x%') / count(*), 1)", "CAST(element_at(attributes, 'x') AS double)"),
        *("CAST(client_port AS double) / http_response_size", "CAST(client_port AS varchar)"),
    ],
)
def test_what_means_the_same_to_both_is_admitted(tmp_path: Path, expression: str) -> None:
    assert of(tmp_path, f"SELECT {expression} AS x FROM logs {WHERE}") == []


#: Functions that were not seen to mean the same.
UNSEEN = [
    *("at_timezone(time, 'UTC')", "with_timezone(time, 'UTC')", "format_datetime(time, 'y')"),
    *("approx_most_frequent(3, body, 9)", "url_extract_host(body)", "any_match(split(body, ','), x -> x = 'a')"),
    *("is_json_scalar(body)", "ip_prefix(client_address, 8)", "no_such_function(body)"),
]
CASTS = ["body AS integer", "body AS bigint", "body AS decimal(3, 1)", "client_address AS ipaddress", "time AS date"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        *((call, f"{call.partition('(')[0]}: not seen") for call in UNSEEN),
        *((f"CAST({cast})", "cast to double or varchar") for cast in CASTS),
        ("attributes['x']", "use element_at"),
        ("split(body, ',')[9]", "use element_at"),
        ("time AT TIME ZONE 'Asia/Seoul'", "stay in UTC"),
        ("regexp_replace(body, '(a)', '$1')", "regexp_replace: "),
        ("client_port / http_response_size", "divide doubles"),
        ("count(*) / 2", "divide doubles"),
        ("100.0 * client_port", "100.0: a decimal"),
        ("try(1e0 / client_port)", "try: "),
        ("TRY_CAST(body AS double)", "try_cast: "),
        ("date_diff('hour', time, current_timestamp)", "date_diff: "),
        ("date_add('day', 1, time)", "date_add: "),
        ("time + INTERVAL '1' DAY", "only of current_timestamp"),
        ("substr(body, 0)", "substr: "),
        ("approx_percentile(http_duration_ms, 0.5)", "approx_percentile: "),
        ("to_unixtime(time)", "time_to_unix: not seen"),
        ("no_such_column", "no_such_column: no such column"),
        ("*", "it must name the columns"),
    ],
)
def test_what_differs_between_the_two_is_found(tmp_path: Path, expression: str, reason: str) -> None:
    alias = "" if expression == "*" else " AS x"
    found = of(tmp_path, f"SELECT {expression}{alias} FROM logs {WHERE}")
    assert any(fault.startswith(reason) or reason in fault for fault in found), found


SINCE = "\"date\" >= '2026-11-01'"


def test_the_table_windows_has_columns_of_its_own_and_no_partition_to_name(tmp_path: Path) -> None:
    assert of(tmp_path, f"SELECT issue FROM windows WHERE {SINCE}") == []
    assert of(tmp_path, f"SELECT body FROM windows WHERE {SINCE}") == ["body: no such column"]
    assert of(tmp_path, f"SELECT issue FROM logs {WHERE}") == ["issue: no such column"]
    assert of(tmp_path, f"SELECT source FROM logs CROSS JOIN windows {WHERE}") == [
        "it reads ['logs', 'windows'], not one of logs, windows"
    ]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT body FROM logs", "name its providers"),
        (f"SELECT body FROM logs WHERE {SINCE}", "name its providers"),
        (f"SELECT body FROM logs WHERE provider = body AND {SINCE}", "name its providers"),
        (f"SELECT body FROM logs WHERE provider = 'elsa' OR {SINCE}", "name its providers"),
        ("SELECT body FROM logs WHERE provider = 'elsa'", "from which day on"),
        ("SELECT body FROM logs WHERE provider = 'elsa' AND body >= '2026-11-01'", "from which day on"),
        (f"SELECT body FROM records {WHERE}", "it reads ['records']"),
        (f"SELECT FROM logs {WHERE}", "name the columns"),
        (f"SELECT k AS x FROM logs CROSS JOIN UNNEST(attributes) AS u(k, v) {WHERE}", "unnest: "),
        *((sql, "neither a SELECT nor a view") for sql in ("DROP TABLE logs", "MSCK REPAIR TABLE logs")),
        (f"CREATE TABLE elsa AS SELECT body FROM logs {WHERE}", "neither a SELECT nor a view"),
        (f'CREATE VIEW elsa AS SELECT body, "date" FROM logs {WHERE}', "stands in the file of query"),
        (f'CREATE VIEW query AS SELECT body, "date" FROM logs {WHERE}', "be of the provider query"),
        ("CREATE VIEW query AS SELECT body FROM logs WHERE provider = 'query'", 'must select "date"'),
    ],
)
def test_a_query_that_reads_everything_or_something_else_is_found(tmp_path: Path, sql: str, reason: str) -> None:
    found = of(tmp_path, sql)
    assert any(reason in fault for fault in found), found


def test_the_template_holds_each_saved_query_as_its_file_does() -> None:
    text = TEMPLATE.read_text()
    assert filled(text) == text
    assert text.count("AWS::Athena::NamedQuery") == len(EVERY) + len(history_stack.SAVED)


def test_a_query_that_was_changed_in_the_template_is_written_anew() -> None:
    text = TEMPLATE.read_text()
    changed = text.replace("ORDER BY day DESC", "ORDER BY day")
    assert changed != text
    assert filled(changed) == text


def test_a_template_without_a_place_for_them_ends_the_writing() -> None:
    with pytest.raises(SystemExit, match="no place"):
        filled("Resources: {}\n")


def test_quotes_and_line_ends_of_a_statement_survive_yaml(tmp_path: Path) -> None:
    path = tmp_path / "odd.sql"
    path.write_text('-- What: "odd"?\nSELECT \'a\\b\' AS "x"\nFROM logs\n')
    written = resource(SavedQuery(path))
    assert r"""QueryString: "SELECT 'a\\b' AS \"x\"\nFROM logs" }""" in written
    assert r'Description: "What: \"odd\"?"' in written


def test_every_saved_query_is_told_in_the_docs() -> None:
    told = "".join(page.read_text() for page in PAGES)
    assert [query.path.name for query in EVERY if not re.search(rf"queries/(views/)?{query.path.name}", told)] == []
