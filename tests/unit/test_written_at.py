"""The ledger says when a window's object was last changed, so that `history` knows which days to look at."""

import contextlib
from importlib import import_module
from io import BytesIO
from typing import Any

from tests.replayed import RANGE, prepared, refuse, window
from tests.scenario import END, HOUR, MINUTE, Record, Scenario

_parquet: Any = import_module("pyarrow.parquet")  # ships no types


def visited(*world: Record) -> Scenario:
    stage = Scenario(list(world), now=END + 6 * MINUTE)
    stage.tick()
    return stage


def test_a_first_visit_writes_the_object_and_one_that_brings_the_same_does_not() -> None:
    stage = visited(Record("a", 1))
    first = stage.now
    assert stage.entry.written_at == first
    stage.now += HOUR
    stage.tick()
    assert len(stage.entry.visits) == 2
    assert stage.entry.written_at == first


def test_a_late_row_changes_it() -> None:
    stage = visited(Record("a", 1), Record("late", 2, visible=END + 30 * MINUTE))
    stage.now += HOUR
    stage.tick()
    assert stage.entry.numbers.rows == 2
    assert stage.entry.written_at == stage.now


def test_a_window_without_rows_was_never_written() -> None:
    stage = visited()
    assert (stage.entry.object, stage.entry.written_at) == (None, None)


def test_what_a_killed_worker_has_written_counts_from_the_commit_that_finds_it() -> None:
    stage = Scenario([Record("a", 1)], now=END + 6 * MINUTE)
    stage.kill("s3.put logs/", "after")
    assert stage.entry.written_at is None
    stage.now += HOUR
    stage.tick()
    assert stage.entry.written_at == stage.now
    assert stage.entry.numbers.rows == 1


def test_a_failed_revisit_leaves_it() -> None:
    stage = visited(Record("a", 1))
    first = stage.now
    stage.now += HOUR
    stage.fails(TimeoutError())
    with contextlib.suppress(ExceptionGroup):
        stage.tick()
    assert stage.entry.issue
    assert stage.entry.written_at == first


def test_a_replay_changes_it_only_with_another_mapping() -> None:
    stage = prepared()
    before = window(stage).written_at
    stage.answer = refuse
    stage.act("replay", **RANGE, inline=True)
    replayed = window(stage).written_at
    assert before != replayed == stage.now
    stage.now += HOUR
    stage.act("replay", **RANGE, inline=True)
    assert window(stage).written_at == replayed


def test_the_table_windows_shows_it() -> None:
    stage = visited(Record("a", 1))
    stage.notarize()
    [body] = [stored.body for key, stored in stage.s3.objects.items() if key.startswith("coverage/windows/")]
    rows = _parquet.read_table(BytesIO(body)).to_pylist()
    assert [row["written_at"] for row in rows if row["object"]] == [stage.entries()[0].written_at]
