"""Trino, from which Athena is made, gives the answers that were computed by hand, and the rows that DuckDB gives."""

from collections.abc import Sequence
from typing import Any

import duckdb
import pytest

from console.account.duck import TABLES, ask
from console.core.saved_query import QUERIES, SavedQuery, for_duckdb, saved_queries, saved_views
from tests.trino.conftest import Saved, now
from tests.trino.engine import Engine, client
from tests.unit import test_saved_queries as by_hand

pytestmark = pytest.mark.trino


@pytest.mark.parametrize("name", by_hand.ANSWERS)
def test_a_query_has_the_answer_that_was_computed_by_hand(saved: Saved, name: str) -> None:
    rows, _ = saved(SavedQuery(QUERIES / f"{name}.sql"))
    assert rows == by_hand.ANSWERS[name]


@pytest.mark.parametrize("query", saved_queries(), ids=lambda query: query.name)
def test_a_query_is_valid_as_it_is_saved(trino: Engine, query: SavedQuery) -> None:
    assert trino.ask(f"EXPLAIN (TYPE VALIDATE) {query.sql}") == [(True,)]


@pytest.mark.parametrize("name", by_hand.SHOWN)
def test_a_view_shows_the_records_under_the_names_of_the_vendor(trino: Engine, name: str) -> None:
    which, rows = by_hand.SHOWN[name]
    types, shown = trino.result(f"SELECT * FROM {name} WHERE {which} ORDER BY 1")
    assert [*types] == [*rows[0], "attributes", "source", "date"]
    assert [row[: len(rows[0])] for row in shown] == [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("name", [*TABLES, *(view.path.stem for view in saved_views())])
def test_both_engines_see_the_same_rows(trino: Engine, duck_db: duckdb.DuckDBPyConnection, name: str) -> None:
    types, rows = trino.result(f"SELECT * FROM {name}")
    columns = ", ".join(f'"{column}"' for column in types)
    assert len(rows) >= 2
    assert _sorted(rows) == _sorted(ask(duck_db, f"SELECT {columns} FROM {name}").rows)


def _sorted(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in rows), key=repr)


#: Changes of a saved query after which DuckDB still gives the right answer, and Trino none.
FORGIVEN = {
    "an alias in GROUP BY": ("errors-by-hour", "GROUP BY date_trunc('hour', time)", "GROUP BY hour"),
    "an alias in HAVING": ("clients-with-errors", "HAVING count_if(severity_number >= 13) > 0", "HAVING errors > 0"),
    "a number as text": ("server-errors-by-path", "status_code >= 500", "status_code >= '500'"),
}


@pytest.mark.parametrize(("name", "right", "wrong"), FORGIVEN.values(), ids=FORGIVEN)
def test_what_duckdb_forgives_is_an_error(
    trino: Engine, duck_db: duckdb.DuckDBPyConnection, name: str, right: str, wrong: str
) -> None:
    sql = SavedQuery(QUERIES / f"{name}.sql").sql
    assert sql.count(right) == 1
    broken = now(sql.replace(right, wrong))
    assert ask(duck_db, for_duckdb(broken)).rows == by_hand.ANSWERS[name]
    with pytest.raises(client("exceptions").TrinoUserError):
        trino.ask(broken)
