"""The saved queries and views of `queries/`: what each asks, in Athena's SQL, and the same in DuckDB's."""

from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from console.failure import ConsoleError

_HERE = Path(__file__).parent.parent
#: In a wheel they lie inside the console, in a clone beside it.
QUERIES = next((folder for folder in (_HERE / "queries", _HERE.parent / "queries") if folder.is_dir()), _HERE)
VIEWS = QUERIES / "views"


@dataclass(frozen=True)
class SavedQuery:
    """A file of `queries/`: comments that say what it asks, and one statement in Athena's SQL."""

    path: Path

    @property
    def name(self) -> str:
        """The name under which Athena lists it."""
        return f"view-{self.path.stem}" if self.path.parent == VIEWS else self.path.stem

    @property
    def question(self) -> str:
        """What it asks."""
        return " ".join(line.removeprefix("--").strip() for line in self._lines(comments=True))

    @property
    def sql(self) -> str:
        """The statement."""
        return "\n".join(self._lines(comments=False))

    def tree(self) -> exp.Expr:
        """Return the statement, parsed as Athena's. Raises sqlglot's ParseError."""
        return sqlglot.parse_one(self.sql, read="athena")

    def for_duckdb(self) -> str:
        """Return the statement in DuckDB's SQL."""
        return for_duckdb(self.sql)

    def _lines(self, *, comments: bool) -> list[str]:
        return [line for line in self.path.read_text().splitlines() if line.startswith("--") == comments]


def for_duckdb(sql: str) -> str:
    """Return a statement of Athena's SQL in DuckDB's. Raises sqlglot's ParseError."""
    return annotate_types(sqlglot.parse_one(sql, read="athena").transform(_counting_cases)).sql("duckdb")


def tables(sql: str) -> set[str]:
    """Return the names that a statement reads from. Raises sqlglot's ParseError."""
    return {table.name for table in sqlglot.parse_one(sql, read="athena").find_all(exp.Table)}


def named(name: str) -> SavedQuery:
    """Return the saved query of a name. Raises ConsoleError listing those there are."""
    found = {query.name: query for query in saved_queries()}
    if name not in found:
        raise ConsoleError(f"there is no saved query {name}; there are {', '.join(found)}")
    return found[name]


def _counting_cases(node: exp.Expr) -> exp.Expr:
    """Return `count_if` as a count of cases: where all are NULL, DuckDB's own is NULL, Athena's is 0."""
    return exp.Count(this=exp.Case().when(node.this, "1")) if isinstance(node, exp.CountIf) else node


def saved_queries() -> list[SavedQuery]:
    """Return the queries, by name."""
    return [SavedQuery(path) for path in sorted(QUERIES.glob("*.sql"))]


def saved_views() -> list[SavedQuery]:
    """Return the statements that make a view for each provider, by name."""
    return [SavedQuery(path) for path in sorted(VIEWS.glob("*.sql"))]
