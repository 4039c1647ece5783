"""The table `history` beside `logs` as tests use it: made, filled, compared; and objects that change meanwhile."""

import datetime as dt
import json
import threading
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import boto3

from logarchive.coverage.gap import leaves_of
from logarchive.coverage.window_table import months
from logarchive.ledger.entry import Entry
from logarchive.row.build import Built
from tests.trino import odd
from tests.trino.engine import Engine
from tests.unit.small_archive import elsa
from tools import history, history_stack

_parquet: Any = import_module("pyarrow.parquet")  # ships no types

#: Days that no other test asks for: one that is filled first, and one that is archived later.
DAY, OLDER = "2026-11-08", "2026-11-07"
COLUMNS = ", ".join(history.NAMES)
ROW = "provider || '#' || raw_part || '#' || CAST(raw_index AS varchar)"


@dataclass
class History:
    """Both tables on some days."""

    trino: Engine
    objects: dict[str, Built] = field(default_factory=dict[str, Built])

    def statement(self, name: str, first: str = OLDER, last: str = DAY) -> str:
        """Return a statement for a range of days, in Trino's words: that of a schedule as it is deployed."""
        found = self.scheduled(name) if name in history_stack.SCHEDULED else history_stack.statement(name).sql
        return history.in_trino(found.replace(history.FIRST_DAY, first).replace(history.LAST_DAY, last))

    def scheduled(self, name: str) -> str:
        """Return what the stack's schedule starts in Athena."""
        scheduler = boto3.client("scheduler", **self.trino.stack.aws)
        names = [one.get("Name", "") for one in scheduler.list_schedules()["Schedules"]]
        [own] = [one for one in names if f"-History{name.capitalize()}-" in one]
        sql: str = json.loads(scheduler.get_schedule(Name=own)["Target"].get("Input", ""))["QueryString"]
        return sql

    def ask(self, name: str, first: str = OLDER, last: str = DAY) -> list[tuple[Any, ...]]:
        """Run a statement for a range of days."""
        return self.trino.ask(self.statement(name, first, last), iceberg=name == "create")

    def differing(self, first: str = OLDER, last: str = DAY) -> int:
        """Return how many rows only one of the tables has, or has otherwise, over all columns, or has more often."""
        days = f"\"date\" BETWEEN '{first}' AND '{last}'"
        logs, kept = (
            Counter(repr(row) for row in self.trino.ask(f"SELECT {COLUMNS} FROM {table} WHERE {days}"))
            for table in ("logs", "history")
        )
        return ((logs - kept) + (kept - logs)).total()

    def archive(self, day: str, *bodies: str, visit: str = "v1") -> None:
        """Archive records of a day, each at a minute of its own; a later visit is merged into what is there."""
        items = [elsa(f"{day}T13:{10 + number}", body=body) for number, body in enumerate(bodies)]
        existing = self.objects.get(day)
        self.objects[day] = odd.built("elsa", odd.window(day), odd.records(*items), visit, existing)
        self.put(day)

    def replay(self, day: str, body: str) -> None:
        """Make the rows of a day anew from the same parts: the first is gone now, the others have another body."""
        path = self.objects[day].path
        before = _parquet.read_table(path)
        table = before.slice(1)
        at = table.column_names.index("body")
        table = table.set_column(at, table.schema.field(at), [[body] * table.num_rows])
        table = table.replace_schema_metadata(before.schema.metadata)
        _parquet.write_table(table, path, compression="zstd")
        self.put(day)

    def put(self, day: str) -> None:
        """Put a day's object into the bucket."""
        s3 = boto3.client("s3", **self.trino.stack.aws)
        path, key = self.objects[day].path, odd.place("elsa", odd.window(day)).logs
        s3.upload_file(str(path), self.trino.stack.outputs["BucketName"], key)

    def read(self, prefix: str) -> set[str]:
        """Return the keys below a prefix that Trino has read since its requests were cleared."""
        return {key for key in self.trino.requests.read() if key.startswith(prefix)}

    def dates_read(self) -> set[str]:
        """Return the days of `logs` whose objects Trino has read since its requests were cleared."""
        return {key.split("date=")[1].split("/")[0] for key in self.read("logs/")}

    def night(self, at: dt.datetime) -> int:
        """Run the nightly statement as if it were then; return how many rows it has written or deleted."""
        sql = self.statement("night")
        assert sql.count("current_timestamp") == 6  # for each of the three tables
        [(rows,)] = self.trino.ask(sql.replace("current_timestamp", f"TIMESTAMP '{at:%Y-%m-%d %H:%M:%S} UTC'"))
        return int(rows)

    @contextmanager
    def windows(self, written: Mapping[str, dt.datetime | None]) -> Generator[None]:
        """Let the table `windows` say when the object of each day was written."""
        entries = [Entry(window_key=odd.window(day).key, state="sealed", written_at=at) for day, at in written.items()]
        now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
        [(key, body)] = months("elsa", odd.NAME, leaves_of(entries, now), now).items()
        s3, bucket = boto3.client("s3", **self.trino.stack.aws), self.trino.stack.outputs["BucketName"]
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        yield
        s3.delete_object(Bucket=bucket, Key=key)

    def data_files(self) -> int:
        """Return how many files with rows, or with rows that are deleted, are in the bucket."""
        s3 = boto3.client("s3", **self.trino.stack.aws)
        found = s3.list_objects_v2(Bucket=self.trino.stack.outputs["BucketName"], Prefix="history/data/")
        return len(found.get("Contents", []))


class Reader(threading.Thread):
    """Reads `history` again and again, until it is stopped: often enough to see what each statement has left."""

    def __init__(self, trino: Engine) -> None:
        super().__init__()
        self.trino = trino
        #: What each look has seen: how many rows, and how many different ones.
        self.seen: list[tuple[int, int]] = []
        self._ended = threading.Event()

    def run(self) -> None:
        """Read."""
        while not self._ended.wait(0.5):
            rows = self.trino.ask(f"SELECT {ROW} FROM history")
            self.seen.append((len(rows), len({*rows})))

    def stop(self) -> None:
        """End it."""
        self._ended.set()
        self.join()
