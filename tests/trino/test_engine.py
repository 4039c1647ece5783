"""What only the engine shows: types, times, the objects it asks for, odd attributes, merged and missing objects."""

import datetime as dt
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from console.core.saved_query import SavedQuery, saved_queries
from logarchive.column.schema import COLUMNS
from logarchive.coverage.window_table import WINDOW_COLUMNS
from tests.trino import glue, odd
from tests.trino.conftest import FIRST, LAST, Saved
from tests.trino.engine import Engine
from tests.unit.test_saved_queries import at

pytestmark = pytest.mark.trino

#: Glue's types, as the driver names them in a result.
TYPES = {
    "timestamp": "timestamp(3)",
    "string": "varchar",
    "int": "integer",
    "bigint": "bigint",
    "double": "double",
    "map<string,string>": "map(varchar, varchar)",
}
TABLES = {"logs": COLUMNS | {"provider": "string", "date": "string"}, "windows": WINDOW_COLUMNS}
DAY = dt.timedelta(days=1)


def test_it_listens_on_the_loopback_only(trino: Engine) -> None:
    port = f"{urlsplit(trino.address).port:04X}"
    lines = [line.split() for file in ("tcp", "tcp6") for line in Path(f"/proc/net/{file}").read_text().splitlines()]
    listening = [line[1].partition(":") for line in lines if line[3] == "0A"]
    assert {address[-8:] for address, _, at_port in listening if at_port == port} == {"0100007F"}  # 127.0.0.1


def where(day: str, provider: str = "elsa") -> str:
    return f"FROM logs WHERE provider = '{provider}' AND \"date\" = '{day}'"


@pytest.mark.parametrize("table", TABLES)
def test_a_column_has_the_type_that_the_table_says(trino: Engine, table: str) -> None:
    types = {name: TYPES[kind] for name, kind in TABLES[table].items()}
    assert trino.result(f"SELECT * FROM {table} LIMIT 1")[0] == types


def test_a_time_is_of_utc_and_has_milliseconds(trino: Engine) -> None:
    columns = "time, CAST(time AS varchar), to_unixtime(time)"
    assert trino.ask(f"SELECT {columns} {where(odd.ODD)}") == [
        (at("13:05", odd.ODD), "2026-11-02 13:05:00.000", 1793624700.0)
    ]


def days(first: dt.date, last: dt.date) -> list[str]:
    return [str(first + number * DAY) for number in range((last - first).days + 1)]


def test_the_days_reach_from_archive_from_to_today(trino: Engine) -> None:
    before = dt.datetime.now(dt.UTC).date()
    found = trino.ask('SELECT "date" FROM "logs_as_deployed$partitions" WHERE provider = \'elsa\' ORDER BY 1')
    possible = (before, dt.datetime.now(dt.UTC).date())
    assert [day for (day,) in found] in [days(dt.date.fromisoformat(FIRST), today) for today in possible]


@pytest.mark.parametrize("query", saved_queries(), ids=lambda query: query.name)
def test_only_partitions_that_are_asked_for_are_listed(saved: Saved, query: SavedQuery) -> None:
    _, listed = saved(query)
    if "FROM windows" in query.sql:
        assert listed == {"coverage/windows/"}
        return
    [condition] = re.findall(r"WHERE provider (?:= |IN )\(?([^)\n]*)", query.sql)
    [back] = re.findall(r"INTERVAL '(\d+)' DAY", query.sql)
    last = dt.date.fromisoformat(LAST)
    assert listed == {
        f"logs/provider={provider}/date={day}/"
        for provider in re.findall(r"'(\w+)'", condition)
        for day in days(last - int(back) * DAY, last)
    }


def test_attributes_of_any_name_and_text_come_back(trino: Engine) -> None:
    [(attributes,)] = trino.ask(f"SELECT attributes {where(odd.ODD)}")
    assert attributes == {name: text for name, (_, text) in odd.FIELDS.items()}


def test_an_attribute_is_found_by_its_exact_name(trino: Engine) -> None:
    names = [*odd.FIELDS, "no such name", "A.B"]
    literals = (name.replace("'", "''") for name in names)
    values = ", ".join(f"element_at(attributes, '{literal}')" for literal in literals)
    [row] = trino.ask(f"SELECT {values} {where(odd.ODD)}")
    expected = {name: text for name, (_, text) in odd.FIELDS.items()}
    assert dict(zip(names, row, strict=True)) == expected | {"no such name": None, "A.B": None}


def test_a_late_row_and_a_merged_object_show_each_record_once(trino: Engine) -> None:
    assert trino.ask(f"SELECT time, body {where(odd.MERGED)} ORDER BY time") == [
        (at("13:01", odd.MERGED), "late"),
        (at("13:05", odd.MERGED), "both"),
        (at("13:10", odd.MERGED), "first only"),
    ]


def test_of_an_object_that_was_written_again_only_the_newest_version_is_read(trino: Engine) -> None:
    s3: Any = boto3.client("s3", **trino.stack.aws)
    bucket, key = trino.stack.outputs["BucketName"], odd.place("elsa", odd.window(odd.MERGED)).logs
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert len(s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]) == 2
    assert trino.ask(f"SELECT count(*) {where(odd.MERGED)}") == [(3,)]


def test_a_locked_raw_object_is_named_by_its_row_and_never_read(trino: Engine) -> None:
    s3: Any = boto3.client("s3", **trino.stack.aws)
    bucket, key = trino.stack.outputs["BucketName"], odd.raw_key("elsa", odd.window(odd.MERGED))
    until = dt.datetime.now(dt.UTC) + DAY
    # ministack makes the bucket without the lock that the template asks for.
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    s3.put_object(Bucket=bucket, Key=key, Body=b"a part", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    trino.requests.paths.clear()
    parts = trino.ask(f"SELECT raw_part, count(*) {where(odd.MERGED)} GROUP BY raw_part ORDER BY 1")
    assert parts == [(key, 1), (odd.raw_key("elsa", odd.window(odd.MERGED), "v2"), 2)]
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"a part"
    assert trino.requests.read() == {odd.place("elsa", odd.window(odd.MERGED)).logs}


def test_a_day_without_objects_has_no_rows(trino: Engine) -> None:
    assert trino.ask(f"SELECT count(*), max(time) {where(odd.EMPTY)}") == [(0, None)]
    assert trino.ask(f"SELECT body {where(odd.EMPTY)}") == []


def test_a_record_of_the_day_before_is_found_by_the_day_of_its_window(trino: Engine) -> None:
    assert trino.ask(f"SELECT time {where(odd.BEFORE, 'dsa')} ORDER BY time") == [
        (at("23:59:59", odd.EMPTY),),
        (at("00:00", odd.BEFORE),),
    ]
    assert trino.ask(f"SELECT time {where(odd.EMPTY, 'dsa')}") == []


def test_a_column_that_is_added_later_is_null_in_older_objects(trino: Engine) -> None:
    table = glue.table(trino.stack, "logs")
    first, *others = table["StorageDescriptor"]["Columns"]
    # Not at the end, where it could be found by its number too.
    columns = [first, {"Name": odd.ADDED, "Type": "string"}, *others]
    wider = table["StorageDescriptor"] | {"Columns": columns}
    glue.create(trino.stack, table | {"Name": "wider", "StorageDescriptor": wider})
    where_days = f"provider = 'elsa' AND \"date\" IN ('{odd.MERGED}', '{odd.WIDER}')"
    assert trino.ask(f"SELECT body, source, {odd.ADDED} FROM wider WHERE {where_days} ORDER BY time") == [
        ("late", "odd", None),
        ("both", "odd", None),
        ("first only", "odd", None),
        ("wider", "odd", "new"),
    ]
    # Before the table is updated, the new object's rows are there without it.
    assert trino.ask(f"SELECT body, source {where(odd.WIDER)}") == [("wider", "odd")]
