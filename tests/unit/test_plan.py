import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import HttpUrl

from logarchive.errors import ArchiveError, ConfigError
from logarchive.ledger.dynamodb import Write
from logarchive.ledger.entry import Entry
from logarchive.ledger.ledger import Ledger
from logarchive.ledger.planner import TICK_WINDOWS, Planner, planned
from logarchive.provider.source import Source
from logarchive.window import Span, Window
from tests.fake_aws import FakeTable
from tests.scenario import some

T0 = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


def source(**fields: object) -> Source:
    return Source.model_validate({"secret": "s", "base_url": HttpUrl("http://localhost"), **fields})


def ledger(table: FakeTable) -> Ledger:
    return Ledger(table, "elsa", "shop")  # type: ignore[arg-type] # a drop-in


def planner(table: FakeTable, now: dt.datetime, archive_from: dt.datetime | None = None, **fields: object) -> Planner:
    return Planner(ledger(table), source(**fields), "feed", now, archive_from)


def leaves(table: FakeTable) -> list[Window]:
    return [entry.window for entry in ledger(table).every() if entry.state != "split"]


def test_the_first_tick_starts_with_the_window_that_is_open() -> None:
    table = FakeTable()
    assert planner(table, T0 + 30 * MINUTE).tick() == 0
    assert planner(table, T0 + 61 * MINUTE).tick() == 1
    assert leaves(table) == [Window(T0, T0 + HOUR)]


MONTH = "P30D"


@pytest.mark.parametrize(
    ("fields", "archive_from", "begin", "reason"),
    [
        ({}, None, T0, "first_tick"),
        ({}, T0 - 90 * HOUR, T0, "first_tick"),
        ({}, T0, T0, "first_tick"),
        # The first window whose records are all held: the one that contains the moment itself has lost some.
        ({"retention": "P2D"}, None, T0 - 47 * HOUR, "retention"),
        ({"retention": "P2D"}, T0 - 48 * HOUR, T0 - 47 * HOUR, "retention"),
        ({"retention": "P2D"}, T0 - 24 * HOUR, T0 - 24 * HOUR, "archive_from"),
        ({"retention": "PT30M", "revisit": []}, None, T0, "retention"),
        ({"retention": "P3D", "window": "P1D"}, None, T0 - 48 * HOUR, "retention"),
        ({"retention": "P2D", "start": T0 - 5 * HOUR}, None, T0 - 5 * HOUR, "start"),
        ({"start": T0 - 500 * HOUR}, None, T0 - 500 * HOUR, "start"),
    ],
)
def test_a_new_source_begins_where_its_provider_still_holds_everything_and_says_why(
    fields: dict[str, object], archive_from: dt.datetime | None, begin: dt.datetime, reason: str
) -> None:
    table = FakeTable()
    planner(table, T0 + 30 * MINUTE, archive_from, **fields).tick()
    head = some(ledger(table).head())
    assert (head.begin, head.begin_reason) == (begin, reason)
    assert min([window.start for window in leaves(table)], default=begin) == begin


def test_no_window_of_a_new_source_has_lost_a_record_when_it_is_planned() -> None:
    table, now = FakeTable(), T0 + 30 * MINUTE
    planner(table, now, retention=MONTH).tick()
    assert min(some(entry.lost_at) for entry in ledger(table).every()) == now + 30 * MINUTE


def test_only_the_first_tick_decides_where_a_source_begins() -> None:
    table = FakeTable()
    planner(table, T0 + 30 * MINUTE).tick()
    planner(table, T0 + 90 * MINUTE, retention=MONTH).tick()
    assert leaves(table) == [Window(T0, T0 + HOUR)]


def test_an_earlier_start_becomes_the_reason_of_the_beginning() -> None:
    table = FakeTable()
    planner(table, T0 + 30 * MINUTE).tick()
    planner(table, T0 + 30 * MINUTE, start=T0 - HOUR).tick()
    head = some(ledger(table).head())
    assert (head.begin, head.begin_reason) == (T0 - HOUR, "start")


def test_a_planned_window_is_due_its_delay_after_its_end_and_knows_when_it_is_lost() -> None:
    table = FakeTable()
    planner(table, T0 + 2 * HOUR, start=T0, retention="P2D").tick()
    entry = next(ledger(table).every())
    assert entry.state == "planned"
    assert entry.due_at == T0 + HOUR + 5 * MINUTE
    assert entry.lost_at == T0 + dt.timedelta(days=2)


def test_a_start_within_a_window_makes_the_first_one_shorter() -> None:
    table = FakeTable()
    planner(table, T0 + 2 * HOUR, start=T0 + 20 * MINUTE).tick()
    assert leaves(table) == [Window(T0 + 20 * MINUTE, T0 + HOUR), Window(T0 + HOUR, T0 + 2 * HOUR)]


def test_a_tick_plans_at_most_so_many_windows_and_the_next_goes_on() -> None:
    table = FakeTable()
    now = T0 + 700 * HOUR
    assert planner(table, now, start=T0).tick() == TICK_WINDOWS
    assert planner(table, now, start=T0).tick() == 200
    assert planner(table, now, start=T0).tick() == 0
    assert len(leaves(table)) == 700


def test_an_earlier_start_plans_the_missing_past_once() -> None:
    table = FakeTable()
    planner(table, T0 + 10 * HOUR, start=T0 + 5 * HOUR).tick()
    assert planner(table, T0 + 10 * HOUR, start=T0).tick() == 5
    assert planner(table, T0 + 10 * HOUR, start=T0).tick() == 0
    assert len(leaves(table)) == 10


def test_a_past_of_more_windows_than_a_tick_plans_is_planned_whole() -> None:
    table = FakeTable()
    planner(table, T0 + 800 * HOUR, start=T0 + 799 * HOUR).tick()
    planned = [planner(table, T0 + 800 * HOUR, start=T0).tick() for _ in range(3)]
    assert planned == [TICK_WINDOWS, 799 - TICK_WINDOWS, 0]


def test_another_feed_under_a_known_name_is_refused() -> None:
    table = FakeTable()
    planner(table, T0).head()
    with pytest.raises(ConfigError, match="already archives"):
        Planner(ledger(table), source(), "other", T0).head()


def test_a_split_between_reading_and_writing_makes_a_planner_read_again() -> None:
    table = FakeTable()
    plan = planner(table, T0 + 2 * HOUR, start=T0)
    plan.tick()
    head = plan.head()
    split_one(table, plan, 0, T0 + 2 * HOUR)
    assert "split" in {entry.state for entry in ledger(table).every()}
    assert ledger(table).plan(head, [], T0) is None


def test_a_tick_with_nothing_to_plan_costs_the_same_whatever_is_kept() -> None:
    costs: list[int] = []
    for hours in (24, 24 * 300):
        table = FakeTable()
        while planner(table, T0 + hours * HOUR, start=T0).tick():
            pass
        table.calls.clear()
        planner(table, T0 + hours * HOUR, start=T0).tick()
        costs.append(len(table.calls))
    assert costs[0] == costs[1] <= 2


ACTIONS = st.one_of(
    st.tuples(st.just("tick"), st.integers(0, 40), st.sampled_from(["PT1H", "PT20M", "PT6H", "PT7M"])),
    st.tuples(st.just("fill"), st.tuples(st.integers(0, 900), st.integers(1, 400)), st.sampled_from(["PT1H", "PT45M"])),
    st.tuples(st.just("split"), st.integers(0, 50), st.just("PT1H")),
)


@settings(max_examples=150)
@given(st.lists(ACTIONS, max_size=12))
def test_leaf_windows_never_overlap_and_what_was_planned_stays_covered(actions: list[tuple[str, object, str]]) -> None:
    table, now = FakeTable(), T0 + 15 * MINUTE
    planner(table, now).head()
    for action, amount, length in actions:
        now += 13 * MINUTE
        plan = planner(table, now, window=length)
        match action, amount:
            case "tick", int(minutes):
                now += minutes * 7 * MINUTE
                planner(table, now, window=length).tick()
            case "fill", (int(start), int(size)):
                span = Span(T0 + start * MINUTE, T0 + (start + size) * MINUTE)
                plan.fill(span, 1000)
                assert not list(plan.missing(span))
            case _:
                split_one(table, plan, int(str(amount)), now)
        windows = sorted(leaves(table))
        assert all(left.end <= right.start for left, right in pairwise(windows))
        head = some(ledger(table).head())
        assert not list(plan.missing(Span(head.begin, head.cursor)))


def split_one(table: FakeTable, plan: Planner, number: int, now: dt.datetime) -> None:
    entries: list[Entry] = [entry for entry in ledger(table).every() if entry.state == "planned"]
    if not entries:
        return
    entry = entries[number % len(entries)]
    halves = entry.window.halves(dt.timedelta(seconds=1))
    claimed = ledger(table).claim(entry, "worker-2", max(now, entry.due_at or now), now + 30 * HOUR)
    if claimed and halves:
        assert ledger(table).split(
            claimed, [planned(Window(half.start, half.end), plan.source) for half in halves], now
        )


@dataclass
class Contested(FakeTable):
    """A table where other planners are faster so many times."""

    lost_races: int = 0

    def transact(self, writes: Sequence[Write]) -> bool:
        self.lost_races -= 1
        return self.lost_races < 0 and super().transact(writes)


def test_a_planner_tries_again_while_others_are_faster() -> None:
    table = Contested()
    planner(table, T0, start=T0).tick()
    table.lost_races = 4
    assert planner(table, T0 + 2 * HOUR, start=T0).tick() == 2
    assert len(leaves(table)) == 2


def test_where_others_are_always_faster_a_tick_leaves_it_to_the_next_and_a_backfill_fails() -> None:
    table = Contested()
    planner(table, T0, start=T0).tick()
    table.lost_races = 100
    late = planner(table, T0 + 2 * HOUR, start=T0)
    assert late.tick() == 0
    with pytest.raises(ArchiveError, match="another planner"):
        late.fill(Span(T0, T0 + HOUR), 10)
    assert leaves(table) == []


def test_a_head_that_cannot_be_written_is_an_error() -> None:
    with pytest.raises(ArchiveError, match="head could not be written"):
        planner(Contested(lost_races=100), T0).head()


def test_past_and_present_together_are_no_more_than_a_tick_plans() -> None:
    table = FakeTable()
    planner(table, T0 + 300 * HOUR, start=T0 + 300 * HOUR).tick()
    late = planner(table, T0 + 600 * HOUR, start=T0)
    assert [late.tick(), late.tick(), late.tick()] == [TICK_WINDOWS, 100, 0]
    head = some(ledger(table).head())
    assert (head.begin, head.cursor) == (T0, T0 + 600 * HOUR)


@pytest.mark.parametrize(("filled", "left"), [((0, 3), 0), ((2, 3), 2), ((0, 1), 2)])
def test_the_cursor_passes_what_a_backfill_has_planned(filled: tuple[int, int], left: int) -> None:
    table = FakeTable()
    start, end = filled
    assert planner(table, T0, start=T0).fill(Span(T0 + start * HOUR, T0 + end * HOUR), 10) == end - start
    assert planner(table, T0 + 3 * HOUR, start=T0).tick() == left
    head = some(ledger(table).head())
    assert (head.cursor, len(leaves(table))) == (T0 + 3 * HOUR, 3)
