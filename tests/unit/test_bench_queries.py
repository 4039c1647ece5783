"""What `make bench-queries` asks, of what, and what it makes of the answers: all but the engine."""

import http.client
import http.server
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from console.core.saved_query import QUERIES, SavedQuery, saved_queries
from logarchive.moment import HOUR
from logarchive.store.place import Place
from tools.bench_queries import month
from tools.bench_queries.delay import delayed
from tools.bench_queries.measured import dollars, measured, missed, times, together
from tools.bench_queries.month import SOURCES, Month
from tools.bench_queries.query import TO_ALL, Query, over
from tools.lock import ROOT
from tools.registry import names

_parquet: Any = import_module("pyarrow.parquet")  # ships no types

FEW = Month(days=2, hours=1, rows=50)
BODY = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[Place, Any]:
    """The files of all sources, two of each."""
    folder = tmp_path_factory.mktemp("bucket")
    size = month.write_all(folder, FEW.places(), FEW.rows)
    assert size == sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    return {place: _parquet.ParquetFile(folder / place.logs) for place in FEW.places()}


def of_source(objects: dict[Place, Any], provider: str, name: str) -> dict[Place, Any]:
    return {place: file for place, file in objects.items() if (place.provider, place.source_name) == (provider, name)}


def test_there_are_ten_sources_of_all_providers() -> None:
    assert len(set(SOURCES)) == 10
    assert {provider for provider, _ in SOURCES} == set(names())


def test_a_month_has_an_object_for_each_hour_and_source() -> None:
    places = Month().places()
    assert len({place.logs for place in places}) == len(places) == 31 * 24 * 10
    assert {f"{place.window.start:%Y-%m}" for place in places} == {"2026-10"}
    assert {place.window.end - place.window.start for place in places} == {HOUR}


@pytest.mark.parametrize("source", SOURCES, ids="/".join)
def test_an_hour_has_rows_of_its_own_in_the_form_of_the_archive(
    objects: dict[Place, Any], source: tuple[str, str]
) -> None:
    built = _parquet.ParquetFile(month.visited(source[0], 60))
    seen: set[object] = set()
    for place, file in of_source(objects, *source).items():
        rows = file.read().to_pylist()
        assert file.schema == built.schema
        assert file.metadata.created_by == built.metadata.created_by
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
        assert place.window.start <= rows[0]["time"] <= rows[-1]["time"] < place.window.end
        assert [(row["source"], row["raw_index"]) for row in rows] == [(source[1], at) for at in range(50)]
        assert {row["raw_part"].startswith(place.raw) for row in rows} == {True}
        seen |= {row["record_id"] for row in rows}
    assert len(seen) == 100


@pytest.mark.parametrize(
    ("provider", "name", "column"),
    [("elsa", "shop", "body"), ("elsa", "shop", "attributes"), ("dsa", "edge", "url_query")],
)
def test_no_longer_text_comes_again_in_another_hour(
    objects: dict[Place, Any], provider: str, name: str, column: str
) -> None:
    first, second = (
        {dict(value)["requestId"] if column == "attributes" else value for value in file.read()[column].to_pylist()}
        for file in of_source(objects, provider, name).values()
    )
    assert len(first) == len(second) == 50
    assert first & second == set()


def test_the_same_hour_is_the_same_each_time() -> None:
    rows, place = month.built("dsa", 60), FEW.places()[0]
    assert month.hour(rows, place, 50) == month.hour(rows, place, 50)


def test_each_saved_query_of_logs_is_asked_over_the_whole_month() -> None:
    asked = over(Month(), saved_queries())
    of_logs = [query.name for query in saved_queries() if "FROM logs" in query.sql]
    assert [query.name for query in asked if query.saved] == of_logs
    assert len(of_logs) >= 10
    for query in asked:
        assert "current_timestamp" not in query.sql
        assert ("\"date\" BETWEEN '2026-10-01' AND '2026-10-31'" in query.sql) == (query.name != "source and day")
        assert query.on("logs") == query.sql
        assert query.on("history") == query.sql.replace("logs", "history")


def test_what_is_asked_of_all_sources_names_every_provider_or_none() -> None:
    asked = {query.name: query.sql.partition("WHERE")[2] for query in over(Month(), saved_queries())}
    for name in TO_ALL:
        assert {provider for provider in names() if f"'{provider}'" in asked[name]} in (set(names()), set[str]())
    assert "provider =" not in asked["count"]


def test_a_query_whose_days_are_said_otherwise_is_refused(tmp_path: Path) -> None:
    sql = (QUERIES / "rows-by-day.sql").read_text()
    path = tmp_path / "other.sql"
    path.write_text(sql.replace('"date" >=', '"date" >'))
    with pytest.raises(ValueError, match=r"^other says in other words which days"):
        over(Month(), [SavedQuery(path)])


CUT = Query("cut", "SELECT host AS name, count(*) AS times FROM logs GROUP BY host ORDER BY times DESC LIMIT 3")
WHOLE = Query("whole", "SELECT host AS name, count(*) AS times FROM logs GROUP BY host ORDER BY times, name LIMIT 3")


@pytest.mark.parametrize(
    ("query", "other", "same"),
    [
        (CUT, [["a", 3], ["b", 2], ["d", 2]], True),  # as good as the third row
        (CUT, [["a", 3], ["b", 2], ["c", 1]], False),
        (CUT, [["x", 3], ["b", 2], ["c", 2]], False),
        (CUT, [["a", 3], ["b", 2]], False),
        (WHOLE, [["a", 3], ["b", 2], ["d", 2]], False),
        (Query("all", "SELECT host, count(*) FROM logs GROUP BY host"), [["b", 2], ["c", 2], ["a", 3]], True),
        (Query("all", "SELECT host, count(*) FROM logs GROUP BY host"), [["b", 2], ["d", 2], ["a", 3]], False),
    ],
)
def test_answers_are_the_same_but_for_rows_that_are_equal_where_they_are_cut(
    query: Query, other: list[list[object]], same: bool
) -> None:
    assert (query.decided([["a", 3], ["b", 2], ["c", 2]]) == query.decided(other)) == same


class Far(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Say nothing."""


@pytest.fixture
def far() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Far) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_each_answer_waits_and_is_passed_on_whole(far: str) -> None:
    with delayed(far) as (address, delay):
        client = http.client.HTTPConnection(address.removeprefix("http://"))
        for seconds in (0, 0.2):
            delay.seconds = seconds
            begun = time.monotonic()
            for _ in range(3):
                client.request("PUT", "/", BODY)
                assert client.getresponse().read() == BODY
            assert time.monotonic() - begun >= 3 * seconds
        assert delay.answers == 6
        client.close()


def test_two_answers_wait_at_the_same_time(far: str) -> None:
    with delayed(far) as (address, delay):
        delay.seconds = 0.5
        clients = [http.client.HTTPConnection(address.removeprefix("http://")) for _ in range(8)]
        begun = time.monotonic()
        for client in clients:
            client.request("PUT", "/", b"x")
        for client in clients:
            assert client.getresponse().read() == b"x"
        assert 0.5 <= time.monotonic() - begun < 8 * 0.5
        # They are still connected when the block ends.
    for client in clients:
        client.close()


def test_a_query_costs_five_dollars_a_terabyte_and_at_least_ten_megabytes() -> None:
    assert dollars(2 * 10**12) == 10
    assert dollars(0) == dollars(10_000_000) == pytest.approx(0.00005)


def row(logs: float, history: float, read: int = 1) -> dict[str, Any]:
    return {"logs": {"median": logs, "bytes": 100}, "history": {"median": history, "bytes": read}}


def test_what_is_not_reached_is_told() -> None:
    assert missed({"rows-by-day": row(5, 1), "count": row(9, 1, 10), "another": row(1, 1, 100)}) == []
    assert missed({"rows-by-day": row(4.9, 1), "count": row(9, 1, 11)}) == [
        "rows-by-day: 4.9 times as fast, of 5",
        "count: 0.11 of the bytes, of 0.1",
    ]


def test_the_readmes_say_how_much_faster_the_saved_queries_were() -> None:
    said = {"README.md": "together {} times as fast", "README.ko.md": "전체가 {}배 빨랐습니다"}
    for name, text in said.items():
        assert text.format(round(times(together()))) in (ROOT / name).read_text()


def test_what_the_docs_show_was_measured_with_the_queries_as_they_are() -> None:
    run = measured()
    assert list(run["rows"]) == [query.name for query in over(Month(), saved_queries())]
    assert run["logs"]["files"] == len(Month().places())
    assert run["logs"]["rows"] == run["history"]["rows"]
