"""The comparison is not blind: whatever is spoiled in an archive that equals the truth, it says so."""

import datetime as dt
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import pytest

from tests import truth
from tests.integration.stage import HOUR, Stage, stage
from tools.stack import Aws

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
END = START + 2 * HOUR
PLACE = truth.Place("elsa", "shop")
# It has no types.
arrow: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")

type Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Spoiled(truth.Bucket):
    """A bucket in which one object reads otherwise than it stands; None: it is not there."""

    key: str = ""
    data: bytes | None = None

    def keys(self, prefix: str) -> list[str]:
        return [key for key in super().keys(prefix) if key != self.key or self.data is not None]

    def read(self, key: str) -> bytes:
        return self.data if key == self.key and self.data is not None else super().read(key)


@pytest.fixture(scope="module")
def on(emulator: Aws) -> Iterator[Stage]:
    """Two hours of a project, visited once; the second is without traffic."""
    with stage(emulator, START, scale=0.02) as made:
        made.simulator.set("elsa", quiet=[1], duplicate_fraction=0.2, late_fraction=0.2)
        made.put_source("elsa", "shop")
        made.clock.now = END + dt.timedelta(minutes=6)
        made.tick("elsa")
        assert not compared(made, made.bucket)
        assert not truth.lead_back(made.bucket, PLACE, made.windows("elsa", "shop")).differences
        assert not truth.check_raw(made.bucket, PLACE, made.windows("elsa", "shop")).differences
        yield made


def compared(on: Stage, bucket: truth.Bucket, windows: list[truth.Window] | None = None) -> set[str]:
    """Return the kinds of differences."""
    windows = on.windows("elsa", "shop") if windows is None else windows
    found = truth.compare(bucket, PLACE, windows, on.simulator.truth, START, END)
    return {difference.kind for difference in found.differences}


def spoiled(on: Stage, spoil: Callable[[Rows], object]) -> Spoiled:
    """Return the bucket with the rows of the first window spoiled."""
    key = PLACE.logs(on.windows("elsa", "shop")[0])
    table = parquet.read_table(io.BytesIO(on.bucket.read(key)))
    rows: Rows = table.to_pylist()
    spoil(rows)
    buffer = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist(rows, schema=table.schema), buffer)
    return Spoiled(on.bucket.client, on.bucket.name, key, buffer.getvalue())


def swap(rows: Rows, name: str) -> None:
    other = next(row for row in rows if row[name] != rows[0][name])
    rows[0][name], other[name] = other[name], rows[0][name]


def twin(rows: Rows) -> dict[str, Any]:
    """Return a row that has an equal."""
    return next(row for row in rows if "-" in row["record_id"])


def firsts(rows: Rows) -> Rows:
    return [row for row in rows if "-" not in row["record_id"]]


def attribute(rows: Rows, name: str, value: str | None) -> None:
    rows[0]["attributes"] = [*(pair for pair in rows[0]["attributes"] if pair[0] != name), (name, value)]


SPOILED: dict[str, tuple[Callable[[Rows], object], str]] = {
    "a row is missing": (lambda rows: rows.pop(7), "missing"),
    "one of two equal rows is missing": (lambda rows: rows.remove(twin(rows)), "missing"),
    "of equal rows only one is there": (lambda rows: rows.__setitem__(slice(None), firsts(rows)), "missing"),
    "a row stands twice": (lambda rows: rows.append(rows[3]), "extra"),
    "a row stands twice with another id": (lambda rows: rows.append(rows[3] | {"record_id": "new"}), "extra"),
    "two bodies are swapped": (lambda rows: swap(rows, "body"), "changed"),
    "two times are swapped": (lambda rows: swap(rows, "time"), "changed"),
    "a time is one millisecond off": (
        lambda rows: rows[0].update(time=rows[0]["time"] + dt.timedelta(milliseconds=1)),
        "changed",
    ),
    "a level is missing": (lambda rows: rows[0].update(severity_number=None), "changed"),
    "an empty text for none": (lambda rows: rows[0].update(user_id=""), "changed"),
    "an attribute is missing": (lambda rows: rows[0]["attributes"].pop(), "changed"),
    "an attribute too many": (lambda rows: attribute(rows, "more", None), "changed"),
    "a null is told as text": (lambda rows: attribute(rows, "logType", "null"), "changed"),
    "two rows have one id": (lambda rows: rows[0].update(record_id=rows[1]["record_id"]), "identity"),
    "two rows come from one record": (lambda rows: rows[0].update(raw_index=rows[1]["raw_index"]), "identity"),
    "a row of another source": (lambda rows: rows[0].update(source="other"), "identity"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_row_is_seen(on: Stage, what: str) -> None:
    spoil, kind = SPOILED[what]
    bucket = spoiled(on, spoil)
    assert kind in compared(on, bucket)
    assert truth.check_raw(bucket, PLACE, on.windows("elsa", "shop")).differences


LED_ASTRAY: list[Callable[[Rows], object]] = [
    lambda rows: swap(rows, "raw_index"),
    lambda rows: rows[0].update(raw_index=rows[0]["raw_index"] + 1),
    lambda rows: rows[0].update(raw_index=100_000),
    lambda rows: rows[0].update(raw_index=-1),
    lambda rows: swap(rows, "body"),
]


@pytest.mark.parametrize("spoil", LED_ASTRAY)
def test_a_row_that_leads_elsewhere_is_seen(on: Stage, spoil: Callable[[Rows], object]) -> None:
    assert truth.lead_back(spoiled(on, spoil), PLACE, on.windows("elsa", "shop")).differences


def test_the_truth_is_the_same_over_http(on: Stage) -> None:
    windows = on.windows("elsa", "shop")
    remote = truth.over_http(on.simulator.url)
    near, far = (truth.compare(on.bucket, PLACE, windows, one, START, END) for one in (on.simulator.truth, remote))
    assert near.differences == far.differences == []
    assert near.counts == far.counts
    assert far.counts["rows"] > 0


def test_a_missing_or_foreign_object_is_seen(on: Stage) -> None:
    first, second = on.windows("elsa", "shop")
    gone = Spoiled(on.bucket.client, on.bucket.name, PLACE.logs(first), None)
    assert compared(on, gone) == {"missing"}
    assert "object" in {one.kind for one in truth.check_raw(gone, PLACE, [first]).differences}
    data = on.bucket.read(PLACE.logs(first))
    on.bucket.client.put_object(Bucket=on.bucket.name, Key=PLACE.logs(second), Body=data)
    try:
        assert compared(on, on.bucket) == {"extra"}
        assert truth.check_raw(on.bucket, PLACE, [second]).differences
        stray = replace(second, key="2026-11-20T01:00:00Z/PT30M", end=second.start + HOUR / 2)
        assert compared(on, on.bucket, [first, stray]) == {"object", "window"}
    finally:
        on.bucket.client.delete_object(Bucket=on.bucket.name, Key=PLACE.logs(second))


def test_a_window_that_is_missing_doubled_or_never_visited_is_seen(on: Stage) -> None:
    first, second = on.windows("elsa", "shop")
    assert compared(on, on.bucket, []) == {"window", "object"}
    assert compared(on, on.bucket, [first]) == {"window"}
    assert "window" in compared(on, on.bucket, [first, first, second])
    assert "extra" in compared(on, on.bucket, [replace(first, visited_at=None), second])


def test_what_a_later_visit_should_have_brought_is_seen(on: Stage) -> None:
    first, second = on.windows("elsa", "shop")
    later = replace(first, visited_at=END + 24 * HOUR)
    assert compared(on, on.bucket, [later, second]) == {"missing"}


@pytest.mark.parametrize("name", ["sha256", "object_sha256", "bytes", "object_bytes", "outside"])
def test_a_manifest_that_lies_or_whose_numbers_do_not_add_up_is_seen(on: Stage, name: str) -> None:
    first = on.windows("elsa", "shop")[0]
    manifest = json.loads(on.bucket.read(first.item["manifest"]))
    told = manifest["numbers"] if name == "outside" else manifest["parts"][0]
    told[name] = 77
    bucket = Spoiled(on.bucket.client, on.bucket.name, first.item["manifest"], json.dumps(manifest).encode())
    assert {one.kind for one in truth.check_raw(bucket, PLACE, [first]).differences} == {"raw"}


def test_spoiled_bytes_and_secrets_in_raw_are_seen(on: Stage) -> None:
    first = on.windows("elsa", "shop")[0]
    part = next(key for key in on.bucket.keys(PLACE.raw(first)) if not key.endswith(".json"))
    bucket = Spoiled(on.bucket.client, on.bucket.name, part, on.bucket.read(part) + b"x")
    assert truth.check_raw(bucket, PLACE, [first]).differences
    assert truth.check_raw(on.bucket, PLACE, [first], ["logs/download"]).differences
    on.bucket.client.put_object(Bucket=on.bucket.name, Key=f"{PLACE.raw(first)}other/00000.zip", Body=b"")
    assert truth.check_raw(on.bucket, PLACE, [first]).differences
