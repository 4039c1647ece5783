"""Both tables of an archive on Trino: `history` is filled from `logs`, then each question is asked of both in turn."""

import datetime as dt
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import requests

from tests.trino.engine import ONE, client, wait_for_catalogs
from tools import history
from tools.bench_queries.month import Month
from tools.bench_queries.query import SIDES, Query, Rows
from tools.trino_server import CATALOG, ICEBERG


@dataclass(frozen=True)
class Answer:
    """The rows of a statement, and what Trino says that it took: seconds, bytes that were read, splits."""

    rows: Rows
    seconds: float
    bytes: int
    splits: int


@dataclass
class Taken:
    """What one question took on one table."""

    seconds: list[float] = field(default_factory=list[float])
    bytes: list[int] = field(default_factory=list[int])
    splits: list[int] = field(default_factory=list[int])

    def add(self, answer: Answer) -> None:
        """Take in what one round took."""
        self.seconds.append(answer.seconds)
        self.bytes.append(answer.bytes)
        self.splits.append(answer.splits)

    def document(self) -> dict[str, Any]:
        """Return it as it is stored: every round's seconds, and the medians."""
        return {
            "seconds": [round(one, 3) for one in self.seconds],
            "median": round(median(self.seconds), 3),
            "bytes": round(median(self.bytes)),
            "splits": round(median(self.splits)),
        }


@dataclass(frozen=True)
class Engine:
    """A Trino over both tables, of objects in one bucket."""

    catalogs: Mapping[str, Any]
    bucket: str
    month: Month

    def ask(self, sql: str, catalog: str = CATALOG) -> Answer:
        """Run a statement."""
        with closing(self.catalogs[catalog].cursor()) as cursor:
            rows = cursor.execute(sql).fetchall()
            said: Mapping[str, int] = cursor.stats
        return Answer(rows, said["elapsedTimeMillis"] / 1000, said["physicalInputBytes"], said["totalSplits"])

    def statement(self, name: str, day: str = "") -> str:
        """Return a statement of `queries/history/` in Trino's words, for one day."""
        sql = history.in_trino((history.FOLDER / f"{name}.sql").read_text())
        said = {history.BUCKET: self.bucket, history.FIRST_DAY: day, history.LAST_DAY: day}
        for word, value in said.items():
            sql = sql.replace(word, value)
        return sql

    def fill(self) -> None:
        """Make `history`, and fill it.

        The last day is filled as its nights do. The others are inserted: that is what is left of `fill.sql` where
        nothing is there yet to compare with, and is sooner done.
        """
        self.ask(self.statement("create"), ICEBERG)
        values = ["CAST(time AS timestamp(6))" if name == "time" else name for name in history.NAMES]
        self.ask(
            f"INSERT INTO history ({', '.join(history.NAMES)}) SELECT {', '.join(values)} FROM logs "  # noqa: S608
            f"WHERE \"date\" BETWEEN '{self.month.first}' AND '{self.month.last - dt.timedelta(days=1)}'"
        )
        self.ask(self.statement("fill", str(self.month.last)))
        self.ask(self.statement("optimize"))

    def files(self) -> tuple[int, int]:
        """Return the number of the files of `history`, and their bytes."""
        [(number, size)] = self.ask('SELECT count(*), sum(file_size_in_bytes) FROM "history$files"').rows
        return number, size

    def compare(self, queries: Iterable[Query], rounds: int) -> Generator[tuple[Query, dict[str, Taken]]]:
        """Ask each question of both tables, the other one first in every other round; yield what it took on each.

        Raises ValueError where the answers differ, or are empty.
        """
        for query in queries:
            taken = {side: Taken() for side in SIDES}
            decided: list[object] = []
            for number in range(rounds):
                for side in SIDES[:: -1 if number % 2 else 1]:
                    answer = self.ask(query.on(side))
                    taken[side].add(answer)
                    decided.append(query.decided(answer.rows))
            if decided[0] == (0, []) or any(one != decided[0] for one in decided):
                raise ValueError(f"{query.name}: no answer, or another one on {' than on '.join(SIDES)}")
            yield query, taken


@contextmanager
def connected(address: str, database: str, bucket: str, month: Month) -> Generator[Engine]:
    """Connect to a Trino at that address, which sees the tables in a database of Glue's."""
    how: dict[str, Any] = {"host": address, "user": "bench", "timezone": "UTC", "schema": database}
    with requests.Session() as session:
        session.trust_env = False  # no proxy
        made = {name: client("dbapi").connect(catalog=name, http_session=session, **how) for name in (CATALOG, ICEBERG)}
        try:
            engine = Engine(made, bucket, month)
            wait_for_catalogs(lambda: engine.ask(ONE))
            yield engine
        finally:
            for one in made.values():
                one.close()
