"""The statements of the table `history`, made from the list of columns; `tools/history_stack.py` writes them.

They are in Athena's words; `in_trino` says each of the few in which Trino has others.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from logarchive.column.schema import COLUMNS, ColumnType
from tools.lock import ROOT

FOLDER = ROOT / "queries" / "history"

#: A row is known by these: `record_id` is unique within a window only.
KEY = ("provider", "source", "date", "raw_part", "raw_index")
#: All columns in their order; the last two are the partitions of `logs`.
ALL: Mapping[str, ColumnType] = {**COLUMNS, "provider": "string", "date": "string"}
OTHERS = tuple(name for name in ALL if name not in KEY)

#: What stands in the statements for the archive's bucket and for a range of days.
BUCKET, FIRST_DAY, LAST_DAY = "BUCKET", "FIRST_DAY", "LAST_DAY"
#: How old a day is when a night first takes it over; the stack has a parameter in its place.
DAYS = "INTERVAL '4' DAY"
#: As dates, so that what is none is refused; as text then, which is what the column holds.
RANGE = f"BETWEEN CAST(DATE '{FIRST_DAY}' AS varchar) AND CAST(DATE '{LAST_DAY}' AS varchar)"


def _name(column: str) -> str:
    return '"date"' if column == "date" else column


#: All columns, as they are written in SQL.
NAMES = tuple(map(_name, ALL))


def _of(table: str, column: str) -> str:
    return f"{table}.{_name(column)}"


def _list(items: Sequence[str], indent: str, between: str = ",") -> str:
    return f"{between}\n{indent}".join(items)


def _same(one: str, other: str, indent: str) -> str:
    return f"\n{indent}AND ".join(f"{_of(one, column)} = {_of(other, column)}" for column in KEY)


def create() -> str:
    """Return the statement that makes the table; its months are those of the days, `2026-11`."""
    columns = _list([f"`{name}` {kind}" for name, kind in ALL.items()], "  ")
    return f"""\
-- Makes the table `history`: the rows of `logs` in large files, with a partition for each provider and month. Replace
-- {BUCKET} by the archive's bucket. Where there is a table of that name, nothing is done.
CREATE TABLE IF NOT EXISTS history (
  {columns}
)
PARTITIONED BY (`provider`, truncate(7, `date`))
LOCATION 's3://{BUCKET}/history'
TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd')
"""


def _merge(days: str) -> str:
    """Return the statement that makes `history` equal to `logs` on some days; `days` is what comes after `"date"`.

    The days are said of the table that is merged into as well: Trino reads all of its columns, and else all days.
    """
    key = _list([f"coalesce({_of('l', one)}, {_of('h', one)}) AS {_name(one)}" for one in KEY], "    ")
    kept = _list([_of("l", one) for one in OTHERS], "    ")
    differs = _list([f"{_of('l', one)} IS DISTINCT FROM {_of('h', one)}" for one in OTHERS], "    ", " OR")
    # Iceberg's times have microseconds.
    new = [f"{'CAST(c.time AS timestamp(6))' if one == 'time' else _of('c', one)}" for one in ALL]
    values = dict(zip(ALL, new, strict=True))
    updates = _list([f"{_name(one)} = {values[one]}" for one in OTHERS], "  ")
    return f"""\
MERGE INTO history AS t
USING (
  SELECT
    {key},
    l.raw_part IS NULL AS gone,
    {kept}
  FROM (SELECT * FROM logs WHERE "date" {days}) AS l
  FULL JOIN (SELECT * FROM history WHERE "date" {days}) AS h
    ON {_same("l", "h", "    ")}
  WHERE l.raw_part IS NULL OR h.raw_part IS NULL OR
    {differs}
) AS c
ON t."date" {days}
  AND {_same("t", "c", "  ")}
WHEN MATCHED AND c.gone THEN DELETE
WHEN MATCHED THEN UPDATE SET
  {updates}
WHEN NOT MATCHED THEN INSERT (
  {_list(NAMES, "  ")}
) VALUES (
  {_list([*values.values()], "  ")}
)
"""  # noqa: S608 (of our own words)


def fill() -> str:
    """Return the statement that makes a range of days equal."""
    return f"""\
-- Makes `history` equal to `logs` on each day from {FIRST_DAY} to {LAST_DAY}, both as in 2026-11-22. It adds what is
-- missing, replaces what has changed and removes what is gone; where nothing differs it writes nothing. It reads these
-- days of both tables. At most 100 months of a provider in one statement, all providers together.
{_merge(RANGE)}"""


def night() -> str:
    """Return the statement that takes over what is old enough, and what has changed since."""
    day = "date_format({}, '%Y-%m-%d')"
    old = day.format(f"current_timestamp - {DAYS}")
    since = day.format(f"current_timestamp - {DAYS} - INTERVAL '3' DAY")
    written = day.format("coalesce(written_at, window_end)")
    days = f"""IN (
    SELECT "date" FROM windows
    WHERE "date" <= {old}
      AND {written}
        >= {since}
  )"""  # noqa: S608 (of our own words)
    return f"""\
-- Makes `history` equal to `logs` on the days that are at least four days old, and of which an object was written in
-- the last seven days, as `windows` says: so each day comes in three nights or more, and what has changed in older days
-- comes in the next one. What an earlier version of the archive has written counts as written at its window's end.
{_merge(days)}"""


def difference() -> str:
    """Return the query that says where the tables differ."""
    changed = _list([f"{_of('l', one)} IS DISTINCT FROM {_of('h', one)}" for one in OTHERS], "      ", " OR")
    day = _list([f"coalesce({_of('l', one)}, {_of('h', one)}) AS {_name(one)}" for one in KEY[:3]], "    ")
    return f"""\
-- The days from {FIRST_DAY} to {LAST_DAY} on which `history` and `logs` differ, by provider and source: how many rows
-- are missing in `history`, gone from `logs`, and other than in `logs`. No row: they are equal. fill.sql makes them so.
SELECT
  provider,
  source,
  "date",
  count_if(missing) AS missing,
  count_if(gone) AS gone,
  count_if(changed AND NOT missing AND NOT gone) AS changed
FROM (
  SELECT
    {day},
    h.raw_part IS NULL AS missing,
    l.raw_part IS NULL AS gone,
    (
      {changed}
    ) AS changed
  FROM (SELECT * FROM logs WHERE "date" {RANGE}) AS l
  FULL JOIN (SELECT * FROM history WHERE "date" {RANGE}) AS h
    ON {_same("l", "h", "    ")}
)
WHERE missing OR gone OR changed
GROUP BY provider, source, "date"
ORDER BY "date", provider, source
"""  # noqa: S608 (of our own words)


def reach() -> str:
    """Return the query that says how far the table reaches."""
    return """\
-- The first and the last day of which `history` has rows, and how many, by provider and source.
SELECT
  provider,
  source,
  min("date") AS first_day,
  max("date") AS last_day,
  count(*) AS records
FROM history
GROUP BY provider, source
ORDER BY provider, source
"""


def optimize() -> str:
    """Return the statement that joins small files."""
    return """\
-- Joins the small files of `history`, and drops from them the rows that were replaced or removed.
OPTIMIZE history REWRITE DATA USING BIN_PACK
"""


def vacuum() -> str:
    """Return the statement that deletes what no snapshot needs."""
    return """\
-- Deletes the files of `history` that only snapshots of more than five days ago need, or that no snapshot ever needed,
-- because a statement has failed.
VACUUM history
"""


STATEMENTS: Mapping[str, Callable[[], str]] = {
    "create": create,
    "fill": fill,
    "night": night,
    "difference": difference,
    "reach": reach,
    "optimize": optimize,
    "vacuum": vacuum,
}

#: Where Athena has other words than Trino: what it says, with its page, and what Trino says in its place.
WORDS: Mapping[str, str] = {
    # https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html
    r"(?s)PARTITIONED BY \(`provider`, truncate\(7, `date`\)\)\nLOCATION ('[^']*')\nTBLPROPERTIES .*": (
        r"WITH (location = \1, format = 'PARQUET', partitioning = ARRAY['provider', 'truncate(date, 7)'])"
    ),
    r"`date`": '"date"',
    r"`(\w+)`": r"\1",
    r"(?m)^(  \w+) string\b": r"\1 varchar",
    r"(?m)^(  \"date\") string\b": r"\1 varchar",
    r"(?m)^(  \w+) int\b": r"\1 integer",
    r"(?m)^(  \w+) timestamp\b": r"\1 timestamp(6)",
    r"map<string,string>": "map(varchar, varchar)",
    # https://docs.aws.amazon.com/athena/latest/ug/optimize-statement.html
    r"OPTIMIZE history REWRITE DATA USING BIN_PACK": "ALTER TABLE history EXECUTE optimize",
    # https://docs.aws.amazon.com/athena/latest/ug/vacuum-statement.html
    r"VACUUM history": (
        "ALTER TABLE history EXECUTE expire_snapshots(retention_threshold => '5d');\n"
        "ALTER TABLE history EXECUTE remove_orphan_files(retention_threshold => '5d')"
    ),
}


def in_trino(sql: str) -> str:
    """Return a statement in Trino's words."""
    for athena, trino in WORDS.items():
        sql = re.sub(athena, trino, sql)
    return sql
