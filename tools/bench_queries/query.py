"""What is asked: each saved query that reads `logs`, over all days of the archive, and two questions more."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from console.core.saved_query import SavedQuery, tables
from tools.bench_queries.month import SOURCES, Month

SIDES = ("logs", "history")
#: How a saved query says which days it reads.
_SINCE = re.compile(r"\"date\" >= date_format\(current_timestamp - INTERVAL '\d+' DAY, '%Y-%m-%d'\)")
#: The questions to all sources.
TO_ALL = ("rows-by-day", "count")

type Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Query:
    """A question, in the words for `logs`."""

    name: str
    sql: str
    saved: bool = False

    def on(self, table: str) -> str:
        """Return it in the words for a table."""
        return self.sql.replace("FROM logs", f"FROM {table}")

    def decided(self, rows: Rows) -> tuple[int, list[Sequence[Any]]]:
        """Return of an answer what every right answer has: the number of rows, and the rows.

        Where the answer is cut, rows that are equal in all that it is ordered by and shows may have others in their
        place: of those like the last row nothing is decided but the values they share.
        """
        tree = sqlglot.parse_one(self.sql, read="athena")
        if rows and isinstance(tree, exp.Select) and tree.args.get("limit"):
            order = [one.this.name for one in tree.args["order"].expressions]
            at = [number for number, name in enumerate(tree.named_selects) if name in order]
            last = [rows[-1][number] for number in at]
            rows = [last if [row[number] for number in at] == last else row for row in rows]
        return len(rows), sorted(rows, key=repr)


def over(month: Month, saved: Iterable[SavedQuery]) -> list[Query]:
    """Return the questions over a month. Raises ValueError for a saved query whose days cannot be replaced."""
    days = f"\"date\" BETWEEN '{month.first}' AND '{month.last}'"
    provider, name = SOURCES[0]
    source = f"provider = '{provider}' AND source = '{name}'"
    return [
        *(_over(days, query) for query in saved if tables(query.sql) == {"logs"}),  # `windows` has no other side
        Query("count", f"SELECT provider, count(*) AS records FROM logs WHERE {days} GROUP BY provider"),  # noqa: S608
        Query(
            "source and day",
            f"SELECT severity_text, count(*) AS records FROM logs WHERE {source} AND \"date\" = '{month.last}' "  # noqa: S608
            "GROUP BY severity_text",
        ),
    ]


def _over(days: str, query: SavedQuery) -> Query:
    sql, number = _SINCE.subn(days, query.sql)
    if number != 1 or sql.count("FROM logs") != 1:
        raise ValueError(f"{query.name} says in other words which days of `logs` it reads: see {__name__}")
    return Query(query.name, sql, saved=True)
