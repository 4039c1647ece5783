"""The saved queries, the views and one row, as the demo shows them. DuckDB stands in for Athena."""

import textwrap
from typing import TYPE_CHECKING, cast

from console.account.duck import ask
from console.core.saved_query import SavedQuery
from tests.truth import Bucket
from tests.truth.body import lines
from tools.demo.page import INDENT, WIDTH, Page
from tools.stack import StackError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


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
