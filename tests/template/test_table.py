"""The SQL table against the code that writes what it reads."""

import datetime as dt
from importlib import import_module
from io import BytesIO
from typing import Any

from logarchive.column.schema import COLUMNS
from logarchive.coverage.gap import leaves_of
from logarchive.coverage.window_table import WINDOW_COLUMNS, month_key, months
from logarchive.ledger.entry import Entry
from tests.template.transform import Deployed
from tools.registry import providers
from tools.sample import sample

_parquet: Any = import_module("pyarrow.parquet")  # ships no types
MILLISECONDS = (
    "Timestamp(isAdjustedToUTC=true, timeUnit=milliseconds, is_from_converted_type=false, "
    "force_set_converted_type=false)"
)
#: A Parquet column, as its footer tells it -> its type in Glue.
GLUE_TYPES = {
    ("INT64", MILLISECONDS): "timestamp",
    ("BYTE_ARRAY", "String"): "string",
    ("INT32", "None"): "int",
    ("INT64", "None"): "bigint",
    ("DOUBLE", "None"): "double",
}  # fmt: skip


def table() -> dict[str, Any]:
    found: dict[str, Any] = Deployed().properties("LogsTable")["TableInput"]
    return found


def test_the_table_has_the_columns_of_the_code_in_order() -> None:
    columns = table()["StorageDescriptor"]["Columns"]
    assert [(column["Name"], column["Type"]) for column in columns] == list(COLUMNS.items())


def test_the_footer_of_a_written_object_is_what_the_table_promises() -> None:
    (body,) = (body for key, body in sample().objects.items() if key.startswith("logs/"))
    schema: Any = _parquet.ParquetFile(BytesIO(body)).schema
    found: dict[str, str] = {}
    for column in (schema.column(number) for number in range(len(schema))):
        name, _, inner = column.path.partition(".")
        kind = GLUE_TYPES[column.physical_type, str(column.logical_type)]
        found[name] = f"map<{kind},{kind}>" if inner.startswith("key_value") else kind
    columns = table()["StorageDescriptor"]["Columns"]
    assert list(found.items()) == [(column["Name"], column["Type"]) for column in columns]


def test_the_projection_is_complete_and_valid() -> None:
    parameters, keys = table()["Parameters"], [key["Name"] for key in table()["PartitionKeys"]]
    assert parameters["projection.enabled"] == "true"
    assert {name.split(".")[1] for name in parameters if name.startswith("projection.")} == {"enabled", *keys}
    assert parameters["projection.provider.type"] == "enum"
    assert sorted(parameters["projection.provider.values"].split(",")) == sorted(providers())
    date = {name: parameters[f"projection.date.{name}"] for name in ("type", "format", "interval", "interval.unit")}
    assert date == {"type": "date", "format": "yyyy-MM-dd", "interval": "1", "interval.unit": "DAYS"}
    first, last = parameters["projection.date.range"].split(",")
    assert (dt.date.fromisoformat(first).isoformat(), last) == (first, "NOW")


def test_the_projection_finds_what_the_code_writes() -> None:
    stack = Deployed()
    (key,) = (key for key in sample().objects if key.startswith("logs/"))
    template = stack.properties("LogsTable")["TableInput"]["Parameters"]["storage.location.template"]
    found = template.replace("${provider}", "elsa").replace("${date}", "2026-11-20")
    assert f"s3://{stack.attribute('ArchiveName', 'Value')}/{key}".startswith(found)
    assert found.endswith("/")


def test_the_table_windows_has_the_columns_of_the_code_and_lies_where_its_objects_do() -> None:
    stack = Deployed()
    windows: dict[str, Any] = stack.properties("WindowsTable")["TableInput"]["StorageDescriptor"]
    assert {column["Name"]: column["Type"] for column in windows["Columns"]} == WINDOW_COLUMNS
    assert [column["Name"] for column in windows["Columns"]] == list(WINDOW_COLUMNS)
    bucket = stack.attribute("ArchiveName", "Value")
    assert f"s3://{bucket}/{month_key('elsa', 'shop', '2026-11')}".startswith(windows["Location"])


def test_an_object_of_the_table_windows_has_the_types_that_the_table_promises() -> None:
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    entry = Entry.model_validate({"window_key": "2026-11-20T00:00:00Z/PT1H", "state": "planned", "due_at": now})
    [body] = months("elsa", "shop", leaves_of([entry], now), now).values()
    schema: Any = _parquet.ParquetFile(BytesIO(body)).schema
    found = (schema.column(number) for number in range(len(schema)))
    kinds = {column.path: GLUE_TYPES[column.physical_type, str(column.logical_type)] for column in found}
    assert kinds == WINDOW_COLUMNS
