"""Rows in the order of their times: in memory, by runs on disk, after a merge; and what readers see of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from random import Random
from typing import Any, cast

import duckdb
import pytest
from arro3.core import RecordBatch
from hypothesis import given, settings
from hypothesis import strategies as st

from logarchive.column.arrow import Batches, filled, mapped, unzoned
from logarchive.errors import OutOfTimeError, TooLargeError
from logarchive.row import order, parquet
from logarchive.row.build import Built
from logarchive.row.difference import difference
from tests.unit import visit
from tests.unit.visit import START

_parquet: Any = import_module("pyarrow.parquet")


def batch(times: Sequence[int], first: int = 0) -> RecordBatch:
    """Make rows of these times; the index of a row says when it came."""
    ids = [f"{first + at}" for at in range(len(times))]
    columns = {"time": [START + time for time in times]}
    return Batches("shop").batch(columns, mapped([], [], [0] * len(ids)), ids, "raw/0", first, range(len(ids)))


def batches(lists: Sequence[Sequence[int]]) -> Iterator[RecordBatch]:
    first = 0
    for times in lists:
        yield batch(times, first)
        first += len(times)


def rows(made: Iterator[RecordBatch]) -> list[tuple[int, int]]:
    """Return the time of each row, and when it came."""
    found: list[tuple[int, int]] = []
    for one in made:
        times = cast("list[int]", unzoned(one.column("time")).to_pylist())
        indices = cast("list[int]", one.column("raw_index").to_pylist())
        found += zip([time - START for time in times], indices, strict=True)
    return found


def in_order(lists: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    times = [time for some in lists for time in some]
    return sorted((time, at) for at, time in enumerate(times))


def alive() -> None:
    pass


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows be what else are thousands."""
    monkeypatch.setattr(order, "HELD_BYTES", 2_000)
    monkeypatch.setattr(order, "PIECE_BYTES", 300)
    monkeypatch.setattr(order, "MERGED_BYTES", 1_000)
    monkeypatch.setattr(order, "MOST_RUNS", 2)


TIMES = st.lists(st.integers(0, 9), max_size=12) | st.lists(st.integers(0, 9), max_size=12).map(sorted)
LISTS = st.lists(TIMES, max_size=12)


@pytest.mark.usefixtures("small")
@settings(max_examples=200)
@given(LISTS)
def test_rows_come_in_the_order_of_their_times_and_equal_ones_as_they_came(lists: list[list[int]]) -> None:
    path = visit.directory() / "object.parquet"
    assert order.write(path, batches(lists), ("v1",), 1, alive) == sum(map(len, lists))
    assert rows(parquet.read(path)) == in_order(lists)
    assert parquet.object_visits(path) == ("v1",)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@given(st.lists(TIMES.map(sorted), max_size=5), st.integers(1, 4))
def test_merged_runs_are_in_order_whatever_their_batches(runs: list[list[int]], size: int) -> None:
    cut = [[run[at : at + size] for at in range(0, len(run), size)] for run in runs]
    firsts = [sum(map(len, runs[:at])) for at in range(len(runs))]
    made = [
        [batch(times, first + sum(map(len, pieces[:at]))) for at, times in enumerate(pieces)]
        for pieces, first in zip(cut, firsts, strict=True)
    ]
    assert rows(order.merged(made, alive)) == in_order(runs)


def test_rows_in_order_pass_as_they_are_and_rows_nearly_in_order_make_one_run() -> None:
    lists = [list(range(at, at + 50)) for at in range(0, 400, 50)]
    runs = order.Runs(given := list(batches(lists)))
    assert [*map(id, runs.next())] == [*map(id, given)]
    assert not runs.left
    random = Random(1)
    near = [[time + random.randrange(40) for time in times] for times in lists]
    runs = order.Runs(batches(near))
    assert rows(runs.next()) == in_order(near)
    assert not runs.left


@pytest.mark.usefixtures("small")
def test_what_is_held_for_rows_that_come_late_is_bounded() -> None:
    read = 0

    def counted() -> Iterator[RecordBatch]:
        nonlocal read
        for one in batches([[time] for time in range(1000)]):
            read += 1
            yield one

    first = next(order.Runs(counted()).next())
    assert (first.num_rows, read < 50) == (1, True)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("after", [1, 30])
def test_what_the_batches_raise_is_raised_in_the_first_run_and_in_others(after: int) -> None:
    def broken() -> Iterator[RecordBatch]:
        for number, one in enumerate(batches([[100 - at] * 4 for at in range(40)])):
            if number == after:
                raise OutOfTimeError("no time")
            yield one

    path = visit.directory() / "object.parquet"
    with pytest.raises(OutOfTimeError, match="no time"):
        order.write(path, broken(), (), 1, alive)


@pytest.mark.usefixtures("small")
def test_a_merge_of_runs_ends_when_there_is_no_time_left() -> None:
    def late() -> None:
        raise OutOfTimeError

    with pytest.raises(OutOfTimeError):
        order.write(visit.directory() / "object.parquet", batches([[9] * 20, [1] * 20, [5] * 20]), (), 1, late)


def test_a_batch_that_was_cut_is_held_for_as_many_bytes_as_it_still_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "HELD_BYTES", 1_000_000)
    read = 0

    def counted() -> Iterator[RecordBatch]:
        nonlocal read
        for first in range(0, 20_000, 100):
            times = {"time": [START + first + 2 * (99 - at) for at in range(100)]}
            attributes = mapped(["k"] * 100, ["v" * 500] * 100, [1] * 100)
            read += 1
            yield Batches("shop").batch(times, attributes, [f"{first + at}" for at in range(100)], "p", 0, range(100))

    run = order.Runs(counted()).next()
    next(run)
    filled_once = read
    next(run)
    # Three quarters were given away, so that about as many are read again.
    assert filled_once * 1.6 < read < filled_once * 2


def unsorted(times: Sequence[int]) -> Built:
    """Build an object, and write its rows as an earlier version did: in the order in which they came."""
    built = visit.visit(visit.array([b'{"time":%d,"port":%d}' % (START + time, time) for time in times]))
    assert built.path is not None
    [made] = parquet.read(built.path)
    back = sorted(range(len(times)), key=cast("list[int]", made.column("raw_index").to_pylist()).__getitem__)
    parquet.write(built.path, [made.take(filled("raw_index", back))], ("v1",), 1)
    return built


def test_an_object_of_an_earlier_version_is_in_order_once_it_is_merged_with() -> None:
    first = unsorted([5, 1, 3])
    assert [row["client_port"] for row in visit.rows(first)] == [5, 1, 3]
    second = visit.visit(b'[{"time":%d,"port":2}]' % (START + 2), existing=first, name="v2")
    assert [row["client_port"] for row in visit.rows(second)] == [1, 2, 3, 5]
    assert (second.kept, second.added) == (3, 1)


def test_a_copy_of_an_object_is_made_only_if_it_is_not_in_order() -> None:
    first = unsorted([5, 1, 3])
    assert first.path is not None
    copy = order.ordered(first.path, alive)
    assert copy != first.path
    assert rows(parquet.read(copy)) == [(1, 1), (3, 2), (5, 0)]
    assert order.ordered(copy, alive) == copy
    assert not difference(copy, first.path, alive)


def test_objects_in_another_order_are_compared_however_many_rows_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logarchive.row.difference.MOST_HELD", 2)
    old = unsorted([*reversed(range(20))])
    body = visit.array([b'{"time":%d,"port":%d}' % (START + time, time) for time in reversed(range(1, 21))])
    new = visit.visit(body)
    assert old.path is not None
    with pytest.raises(TooLargeError):
        difference(old.path, new.path, alive)
    found = difference(order.ordered(old.path, alive), new.path, alive)
    assert (found.added, found.removed, found.columns) == (1, 1, {"raw_index": 19})


def test_two_readers_find_times_in_order_statistics_and_an_index_of_pages() -> None:
    random = Random(7)
    records = [b'{"time":%d,"port":%d}' % (START + random.randrange(3_600_000), at) for at in range(70_000)]
    built = visit.visit(visit.array(records))
    assert built.path is not None
    metadata = _parquet.read_metadata(built.path)
    times = [metadata.row_group(at).column(0) for at in range(metadata.num_row_groups)]
    assert [(one.path_in_schema, one.has_column_index, one.has_offset_index) for one in times] == [
        ("time", True, True)
    ] * 2
    bounds = [bound for one in times for bound in (one.statistics.min, one.statistics.max)]
    assert bounds == sorted(bounds)
    with duckdb.connect() as connection:
        query = "SELECT stats_min_value, stats_max_value FROM parquet_metadata(?) WHERE path_in_schema = 'time' ORDER BY row_group_id"  # noqa: E501
        found = connection.execute(query, [str(built.path)]).fetchall()
        assert [bound for pair in found for bound in pair] == sorted(bound for pair in found for bound in pair)
        [[steps]] = connection.execute(
            "SELECT count(*) FROM (SELECT time - lag(time) OVER (ORDER BY file_row_number) AS step "
            "FROM read_parquet(?, file_row_number = true)) WHERE step < INTERVAL 0 SECOND",
            [str(built.path)],
        ).fetchall()
    assert steps == 0
