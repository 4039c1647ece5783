"""DuckDB in Athena's place, over the demo's bucket: it reads the same Parquet objects."""

from collections.abc import Collection
from importlib.resources import files
from typing import TYPE_CHECKING

import duckdb
from sqlglot.errors import SqlglotError

from console.account.stack import Stack
from console.core.result import QueryResult
from console.core.saved_query import for_duckdb, saved_views, tables
from console.failure import ConsoleError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What the Glue tables say of the partitions, and Athena of times: UTC, without a zone.
TABLES = {
    "logs": """SELECT * REPLACE (time AT TIME ZONE 'UTC' AS time) FROM read_parquet(
      '{place}/logs/*/*/*.parquet', hive_partitioning = true, hive_types = {{provider: VARCHAR, date: VARCHAR}})""",
    "windows": """SELECT * REPLACE (
      read_at AT TIME ZONE 'UTC' AS read_at, window_start AT TIME ZONE 'UTC' AS window_start,
      window_end AT TIME ZONE 'UTC' AS window_end, due_at AT TIME ZONE 'UTC' AS due_at,
      lost_at AT TIME ZONE 'UTC' AS lost_at,
      written_at AT TIME ZONE 'UTC' AS written_at) FROM read_parquet('{place}/coverage/windows/*/*/*.parquet')""",
}
#: A busy machine takes its time.
_PATIENCE_SECONDS = 600
S3 = """
CREATE SECRET (TYPE s3, KEY_ID 'test', SECRET 'test', REGION 'ap-northeast-2',
  ENDPOINT '{host}', URL_STYLE 'path', USE_SSL false)
"""


def table_view(table: str, place: object) -> str:
    """Return the statement that makes a table of the objects of a bucket, or of a copy of it."""
    return f"CREATE VIEW {table} AS {TABLES[table].format(place=place)}"


def connect(endpoint: str, bucket: str, names: Collection[str] = tuple(TABLES)) -> "DuckDBPyConnection":
    """Open a database whose tables are what stands in the bucket."""
    database = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    # The S3 extension comes from its wheel, not from the network.
    extension = files("duckdb_extension_httpfs") / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
    database.execute(f"LOAD '{extension}'; SET TimeZone = 'UTC'; SET http_timeout = {_PATIENCE_SECONDS}")
    database.execute(S3.format(host=endpoint.removeprefix("http://")))
    for name in sorted(names):
        database.execute(table_view(name, f"s3://{bucket}"))
    return database


def ask(database: "DuckDBPyConnection", sql: str) -> QueryResult:
    """Run a statement."""
    done = database.execute(sql)
    return QueryResult([column[0] for column in done.description or ()], done.fetchall())


def run(stack: Stack, sql: str) -> QueryResult:
    """Run a statement of Athena's SQL on the demo's bucket. Raises ConsoleError saying what is wrong with it."""
    try:
        named = tables(sql)
        used = TABLES.keys() & {"logs", *named}
        with connect(stack.clients.access.endpoint or "", stack.outputs["BucketName"], used) as database:
            for saved in saved_views():
                if saved.path.stem in named:
                    database.execute(saved.for_duckdb())
            return ask(database, for_duckdb(sql))
    except (duckdb.Error, SqlglotError) as error:
        if "No files found" in str(error):
            raise ConsoleError(
                "there is no row to query: nothing is archived, or no run has written `windows`"
            ) from None
        raise ConsoleError(f"the query failed: {str(error).splitlines()[0]}") from None
