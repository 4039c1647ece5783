"""Every saved query and view has the right answer, computed by hand from the lines of `small_archive`.

DuckDB answers in Athena's place, which cannot be had here; that both mean the same by these statements is what
`test_subset` is about.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from console.account.duck import TABLES, ask, table_view
from console.core.saved_query import QUERIES, VIEWS, SavedQuery, saved_queries, saved_views
from tests.unit import small_archive

NOW = "TIMESTAMPTZ '2026-11-22 15:00:00+00'"
TODAY, YESTERDAY = "2026-11-22", "2026-11-21"


def at(clock: str, day: str = TODAY) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T{clock}")  # naive, as Athena's timestamps are


ANSWERS: dict[str, list[tuple[object, ...]]] = {
    # day, provider, records, sources, errors, first and last record
    "rows-by-day": [
        (TODAY, "apigateway", 4, 1, 1, at("13:10"), at("13:40")),
        (TODAY, "dsa", 5, 1, 3, at("13:00"), at("13:04")),
        (TODAY, "elsa", 6, 2, 2, at("13:05"), at("13:50")),
        (TODAY, "multidrm", 3, 1, 0, at("12:05"), at("12:07")),
        (TODAY, "security365", 5, 1, 2, at("14:00:10"), at("14:04")),
        (YESTERDAY, "apigateway", 1, 1, 0, at("23:30", YESTERDAY), at("23:30", YESTERDAY)),
        (YESTERDAY, "dsa", 1, 1, 0, at("13:00", YESTERDAY), at("13:00", YESTERDAY)),
        (YESTERDAY, "elsa", 1, 1, 1, at("09:15", YESTERDAY), at("09:15", YESTERDAY)),
        ("2026-11-16", "multidrm", 1, 1, 0, at("12:30", "2026-11-16"), at("12:30", "2026-11-16")),
    ],
    # provider, address, errors, failures, records, last seen
    "clients-with-errors": [
        ("dsa", "203.0.113.2", 2, 1, 2, at("13:03")),  # 504 and 404
        ("security365", "192.0.2.1", 1, 1, 2, at("14:02")),
        ("dsa", "2001:db8::1", 1, 1, 1, at("13:04")),
        ("dsa", "203.0.113.1", 1, 1, 2, at("13:01")),  # 200 and 502
        ("security365", "203.0.113.1", 1, 1, 1, at("14:03")),
        ("security365", "203.0.113.9", 1, 0, 1, at("14:04")),  # WARN
    ],
    # provider, source, start and end, state, issue, when it is lost, message
    "unsealed-windows": [
        ("elsa", "shop", at("13:00"), at("14:00"), "archived", "throttled", at("13:00", "2026-11-29"), None),
        (
            "elsa",
            "shop",
            at("13:00", "2026-11-10"),
            at("14:00", "2026-11-10"),
            "planned",
            "forbidden",
            at("13:00", "2026-12-10"),
            "HTTP 403",
        ),
        ("elsa", "shop", at("12:00"), at("13:00"), "archived", None, at("12:00", "2026-12-22"), None),
    ],
    # month, provider, source, windows, sealed, verified, closed, records, rejects, late
    "completeness-by-month": [
        (at("00:00", "2026-11-01"), "elsa", "shop", 4, 1, 1, 0, 15, 2, 1),
        (at("00:00", "2026-10-01"), "elsa", "shop", 1, 0, 0, 1, 2, 0, 0),
    ],
    # host, path, failures, timed out, clients, last seen
    "server-errors-by-path": [
        ("www.example.com", "/a", 2, 1, 2, at("13:02")),
        ("api.example.com", "/b", 1, 0, 1, at("13:04")),
    ],
    # time, host, path, status, duration; one answer names none
    "slowest-requests": [
        (at("13:02"), "www.example.com", "/a", 504, 2000.0),
        (at("13:00", YESTERDAY), "www.example.com", "/c", 200, 250.0),
        (at("13:01"), "www.example.com", "/a", 502, 30.0),
        (at("13:00"), "www.example.com", "/a", 200, 10.0),
        (at("13:03"), "api.example.com", "/b", 404, 5.5),
    ],
    # time, site, policy, change, description
    "policy-changes": [
        (at("12:07"), "site", "128", None, "Policy 128 was archived"),
        (at("12:06"), "site", "127", "policy.update", "Policy 127 -myPolicy update completed"),
        (at("12:05"), "site", "127", "policy.create", "Policy 127 - myPolicy creation completed"),
        (at("12:30", "2026-11-16"), "site", "5", "policy.delete", "Policy 5 - x delete completed"),
    ],
    # type, times, first and last seen, message
    "quota-events": [
        ("EU410", 2, at("13:20"), at("13:30"), "throttle of B"),
        ("EU400", 1, at("13:10"), at("13:10"), "quota of A"),
        ("EU420", 1, at("23:30", YESTERDAY), at("23:30", YESTERDAY), "rate of C"),
    ],
    # user, records, logins, documents, failures, addresses, last seen
    "user-activity": [
        ("kim", 3, 1, 2, 1, 2, at("14:02")),
        ("lee", 1, 1, 0, 1, 1, at("14:03")),
    ],
    # hour, records, errors, of the application, of the hosts
    "errors-by-hour": [
        (at("13:00"), 11, 5, 2, 3),
        (at("09:00", YESTERDAY), 1, 1, 1, 0),
        (at("13:00", YESTERDAY), 1, 0, 0, 0),
    ],
    # exception, times, as error, hosts, last seen
    "exceptions": [
        ("CardError", 2, 1, 2, at("13:10")),
        ("Timeout", 1, 1, 1, at("13:20")),
    ],
    # host, requests, hits and failures in percent, mean of 10, 30, 2000 and 250 ms, 1.54e9 bytes
    "traffic-by-host": [
        ("www.example.com", 4, 25.0, 50.0, 572.5, 1.5),
        ("api.example.com", 2, 0.0, 50.0, 5.5, 0.0),
    ],
}
#: Of each view its rows of one source and day, without `attributes`, `source` and `date`.
SHOWN: dict[str, tuple[str, Sequence[Mapping[str, object]]]] = {
    "elsa": (
        "logTime IN (TIMESTAMP '2026-11-22 13:05:00', TIMESTAMP '2026-11-22 13:40:00')",
        [
            {"logTime": at("13:05"), "logLevel": "ERROR", "projectName": "shop", "projectVersion": "1.3.0"}
            | {
                "host": "a",
                "body": "refused",
                "logType": "nelo2-log",
                "logSource": "json",
                "sendTime": "1795352700",
            },
            {"logTime": at("13:40"), "logLevel": "20", "projectName": None, "projectVersion": None, "host": "b"}
            | {"body": "a level that is a number", "logType": None, "logSource": None, "sendTime": None},
        ],
    ),
    "apigateway": (
        "type = 'EU400' AND \"date\" = '2026-11-22'",
        [{"time": at("13:10"), "level": "ALERT", "type": "EU400", "message": "quota of A"}],
    ),
    "multidrm": (
        "policyId = '128'",
        [{"timestamp": at("12:07"), "policyId": "128", "description": "Policy 128 was archived"}],
    ),
    "security365": (
        "time < TIMESTAMP '2026-11-22 14:01:30' AND \"date\" = '2026-11-22'",
        [
            {"time": at("14:00:10"), "traceId": "t1", "logLevel": "INFO", "logType": "USER", "event": "LOGIN"}
            | {"description": None, "userId": "kim", "user_name": "Kim", "ip": "192.0.2.1", "target": None}
            | {"brandName": "Portal", "serviceName": None, "serviceHostname": None, "tenantId": None},
            {"time": at("14:01"), "traceId": None, "logLevel": "INFO", "logType": None, "event": "DOC_OPEN"}
            | {"description": None, "userId": "kim", "user_name": "Kim", "ip": "192.0.2.2", "target": "a.docx"}
            | {"brandName": None, "serviceName": "ShieldRM", "serviceHostname": None, "tenantId": None},
        ],
    ),
    "dsa": (
        "client_ip = '203.0.113.1' AND \"date\" = '2026-11-22'",
        [
            {"time": at("13:00"), "client_ip": "203.0.113.1", "domain": "www.example.com", "url": "/a?x=1"}
            | {"bytes": 10**9, "province_id": "22", "province": "Beijing", "isp_id": "2", "isp": "China Telecom"}
            | {"status": 200, "referer": None, "duration_ms": 10.0, "user_agent": "A 1", "range": None}
            | {"method": "GET", "protocol": "HTTP/2.0", "cache": "hit", "client_port": 99},
            {"time": at("13:01"), "client_ip": "203.0.113.1", "domain": "www.example.com", "url": "/a"}
            | {"bytes": 500_000_000, "province_id": "4", "province": "Guangdong", "isp_id": "26", "isp": "China Unicom"}
            | {"status": 502, "referer": None, "duration_ms": 30.0, "user_agent": "A 1", "range": "bytes=0-1"}
            | {"method": "GET", "protocol": "HTTP/1.1", "cache": "MISS", "client_port": None},
        ],
    ),
}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    bucket = tmp_path_factory.mktemp("bucket")
    small_archive.write(bucket)
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        for table in TABLES:
            database.execute(table_view(table, bucket))
        for view in saved_views():
            database.execute(view.for_duckdb())
        yield database


def now(query: SavedQuery) -> str:
    """Return the statement for DuckDB as if it were asked at NOW."""
    sql = query.for_duckdb()
    assert sql.count("CURRENT_TIMESTAMP") == 1
    return sql.replace("CURRENT_TIMESTAMP", NOW)


def test_every_query_and_view_has_its_answer_here() -> None:
    assert sorted(ANSWERS) == [query.name for query in saved_queries()]
    assert sorted(f"view-{name}" for name in SHOWN) == [view.name for view in saved_views()]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_query_has_the_answer_that_was_computed_by_hand(logs: duckdb.DuckDBPyConnection, name: str) -> None:
    assert ask(logs, now(SavedQuery(QUERIES / f"{name}.sql"))).rows == ANSWERS[name]


@pytest.mark.parametrize("name", SHOWN)
def test_a_view_shows_the_records_under_the_names_of_the_vendor(logs: duckdb.DuckDBPyConnection, name: str) -> None:
    which, rows = SHOWN[name]
    answer = ask(logs, f'SELECT * FROM "{name}" WHERE {which} ORDER BY 1')
    shown = [dict(zip(answer.names, row, strict=True)) for row in answer.rows]
    sources = {provider: source for provider, source, *_ in reversed(small_archive.WINDOWS)}
    assert [row.pop("source") for row in shown] == [sources[name]] * len(rows)
    assert [row.pop("date") for row in shown] == [TODAY] * len(rows)
    assert all(isinstance(row.pop("attributes"), dict) for row in shown)
    assert shown == list(rows)


def test_a_view_has_the_rows_of_its_provider_only(logs: duckdb.DuckDBPyConnection) -> None:
    for view in saved_views():
        name = view.path.stem
        [(rows,)] = ask(logs, f'SELECT count(*) FROM "{name}"').rows
        assert rows == sum(len(records) for provider, _, _, records in small_archive.WINDOWS if provider == name)


OTHER_TABLE = "-- or history, for months and years"


@pytest.mark.parametrize("query", [*saved_queries(), *saved_views()], ids=lambda query: query.name)
def test_a_query_says_what_it_asks(query: SavedQuery) -> None:
    assert query.question.endswith(".")
    assert "--" not in query.question + query.sql.replace(OTHER_TABLE, "")


@pytest.mark.parametrize("query", [*saved_queries(), *saved_views()], ids=lambda query: query.name)
def test_a_query_of_logs_says_that_it_takes_history_too(query: SavedQuery) -> None:
    assert query.sql.count("FROM logs") == query.sql.count(f"FROM logs {OTHER_TABLE}\n")
    assert ("FROM logs" in query.sql) == ("FROM windows" not in query.sql)


def test_a_count_of_rows_whose_severity_is_null_is_0_as_in_athena(tmp_path: Path) -> None:
    path = tmp_path / "count.sql"
    path.write_text("SELECT count_if(x >= 17) FROM (SELECT CAST(NULL AS double) AS x)")
    with duckdb.connect() as database:
        assert ask(database, SavedQuery(path).for_duckdb()).rows == [(0,)]


def test_a_name_in_athena_leads_to_the_file(tmp_path: Path) -> None:
    assert SavedQuery(QUERIES / "rows-by-day.sql").name == "rows-by-day"
    assert SavedQuery(VIEWS / "elsa.sql").name == "view-elsa"
