"""Athena's SQL, run here by DuckDB, which reads the same Parquet objects from the bucket."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import duckdb

from tests.truth import Bucket
from tests.truth.body import lines
from tools.demo.page import INDENT, WIDTH, Page
from tools.query import SavedQuery
from tools.stack import Aws, StackError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What the Glue tables say of the partitions, and Athena of times: UTC, without a zone.
VIEW = """
CREATE VIEW windows AS SELECT * REPLACE (
  read_at AT TIME ZONE 'UTC' AS read_at, window_start AT TIME ZONE 'UTC' AS window_start,
  window_end AT TIME ZONE 'UTC' AS window_end, due_at AT TIME ZONE 'UTC' AS due_at,
  lost_at AT TIME ZONE 'UTC' AS lost_at
) FROM read_parquet('{place}/coverage/windows/*/*/*.parquet');
CREATE VIEW logs AS SELECT * REPLACE (time AT TIME ZONE 'UTC' AS time) FROM read_parquet(
  '{place}/logs/*/*/*.parquet', hive_partitioning = true, hive_types = {{provider: VARCHAR, date: VARCHAR}}
)
"""
S3 = """
CREATE SECRET (TYPE s3, KEY_ID '{aws_access_key_id}', SECRET '{aws_secret_access_key}', REGION '{region_name}',
  ENDPOINT '{host}', URL_STYLE 'path', USE_SSL false)
"""


@dataclass(frozen=True)
class QueryResult:
    """Names of columns, and rows."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]


def connect(aws: Aws, bucket: str) -> "DuckDBPyConnection":
    """Open a database whose tables `logs` and `windows` are what stands in the bucket."""
    database = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    # The S3 extension comes from its wheel, not from the network.
    extension = files("duckdb_extension_httpfs") / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
    database.execute(f"LOAD '{extension}'; SET TimeZone = 'UTC'")
    database.execute(S3.format(**aws, host=aws["endpoint_url"].removeprefix("http://")))
    database.execute(VIEW.format(place=f"s3://{bucket}"))
    return database


def ask(database: "DuckDBPyConnection", sql: str) -> QueryResult:
    """Run a statement."""
    done = database.execute(sql)
    return QueryResult([column[0] for column in done.description or ()], done.fetchall())


def look_through(database: "DuckDBPyConnection", view: SavedQuery) -> tuple[str, int, str]:
    """Make a view; return its name, how many rows it shows, and under which names. Raises StackError if it has none."""
    ask(database, view.for_duckdb())
    name = view.path.stem
    seen = ask(database, f'SELECT *, count(*) OVER () FROM "{name}" LIMIT 1')  # noqa: S608 (the name of a file of ours)
    if not seen.rows:
        raise StackError(f"{view.path.name}: the view shows nothing")
    return name, seen.rows[0][-1], ", ".join(seen.names[:-1])


#: The columns that are shown of a row; its origin is shown before.
SKIPPED = {"raw_part", "raw_index", "provider", "date"}
#: The newest row of a host's log with something in every corner.
ROW = """
SELECT * FROM logs WHERE source = 'edge' AND url_query IS NOT NULL AND geo_region IS NOT NULL
  AND user_agent_original LIKE 'Mozilla%' AND http_response_status_code >= 500 ORDER BY time DESC, record_id LIMIT 1
"""


def show_row(page: Page, bucket: Bucket, database: "DuckDBPyConnection") -> None:
    """Show one row, and the record that its `raw_part` and `raw_index` name."""
    result = ask(database, ROW)
    row = dict(zip(result.names, result.rows[0], strict=True))
    record = lines(bucket.read(row["raw_part"]))[int(row["raw_index"])].decode()
    page.say(f"Row {row['record_id']} of logs comes from record {row['raw_index']} of the part")
    page.line(row["raw_part"])
    page.line()
    for line in textwrap.wrap(record, WIDTH - len(INDENT), break_on_hyphens=False):
        page.line(line)
    page.line()
    for name, value in row.items():
        if value is not None and name not in SKIPPED:
            page.line(f"{name:<26} {_text(value)}")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {inner}" for name, inner in cast("dict[str, str]", value).items())
    return str(value)
