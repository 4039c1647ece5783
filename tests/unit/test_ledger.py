"""The ledger's promises, on the in-memory table; `tests/integration/test_on_emulator.py` runs them on the emulator."""

import datetime as dt
from collections.abc import Sequence

import pytest

from logarchive.errors import ArchiveError
from logarchive.ledger.dynamodb import Item, Table, Write
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.ledger import Ledger
from logarchive.ledger.registry import registered
from logarchive.moment import instant
from logarchive.numbers import WindowNumbers
from logarchive.window import Span, Window
from tests.fake_aws import FakeTable
from tests.scenario import some

T0 = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
NOW = T0 + 10 * HOUR
LATER = NOW + HOUR


def window(hour: int, length: dt.timedelta = HOUR) -> Window:
    return Window(T0 + hour * HOUR, T0 + hour * HOUR + length)


def planned(hour: int, **fields: object) -> Entry:
    return Entry.model_validate(
        {"window_key": window(hour).key, "state": "planned", "due_at": window(hour).end, **fields}
    )


@pytest.fixture
def ledger(table: Table) -> Ledger:
    ledger = Ledger(table, "elsa", "shop")
    ledger.create(Head(begin=T0, cursor=T0, feed_id="feed"), T0)
    assert ledger.plan(head(ledger), [planned(hour) for hour in range(4)], T0, cursor=T0 + 4 * HOUR)
    return ledger


def head(ledger: Ledger) -> Head:
    return some(ledger.head())


def first(ledger: Ledger) -> Entry:
    """Return the first window's entry."""
    return some(ledger.read(window(0)))


def claim(ledger: Ledger, entry: Entry | None = None, now: dt.datetime = NOW) -> Entry:
    return some(ledger.claim(entry or first(ledger), "worker-1", now, now + HOUR))


def test_a_head_reads_back_as_it_was_written(ledger: Ledger) -> None:
    assert head(ledger) == Head(version=1, counted=1, begin=T0, cursor=T0 + 4 * HOUR, feed_id="feed")


def test_a_source_is_registered_once_under_its_provider(ledger: Ledger) -> None:
    ledger.create(Head(begin=T0, cursor=T0, feed_id="feed"), T0)
    Ledger(ledger.table, "elsa", "blog").create(Head(begin=T0, cursor=T0, feed_id="x"), T0)
    assert registered(ledger.table, "elsa") == ["blog", "shop"]
    assert registered(ledger.table, "dsa") == []


def test_creating_a_head_again_changes_nothing(ledger: Ledger) -> None:
    ledger.create(Head(begin=T0, cursor=T0 + 99 * HOUR, feed_id="other"), T0)
    assert (head(ledger).feed_id, head(ledger).cursor) == ("feed", T0 + 4 * HOUR)


def test_a_plan_on_an_old_head_writes_nothing_at_all(ledger: Ledger) -> None:
    seen = head(ledger)
    assert ledger.plan(seen, [planned(5)], NOW)
    assert ledger.plan(seen, [planned(6)], NOW) is None
    assert ledger.read(window(6)) is None


def test_due_windows_come_earliest_first_and_only_when_their_time_has_come(ledger: Ledger) -> None:
    assert [entry.window for entry in ledger.due(T0 + 2 * HOUR, 25)] == [window(0), window(1)]
    assert [entry.window for entry in ledger.due(NOW, 3)] == [window(0), window(1), window(2)]


def test_of_two_claims_on_what_both_have_seen_one_succeeds(ledger: Ledger) -> None:
    seen = first(ledger)
    held = claim(ledger, seen)
    assert (held.attempt, held.claims_without_commit, held.unmerged_claims, held.due_at) == (1, 1, 1, LATER)
    assert ledger.claim(seen, "worker-3", NOW, LATER) is None


def test_a_claim_that_was_let_go_can_be_taken_once_its_lease_is_over(ledger: Ledger) -> None:
    held = claim(ledger)
    assert ledger.claim(held, "worker-4", NOW, LATER) is None
    second = claim(ledger, held, LATER)
    assert (second.attempt, second.claims_without_commit, second.unmerged_claims) == (2, 2, 2)


def test_who_saw_a_window_before_another_claim_cannot_take_it_when_that_lease_is_over(ledger: Ledger) -> None:
    seen = first(ledger)
    claim(ledger)
    assert ledger.claim(seen, "worker-6", LATER, LATER + HOUR) is None


def test_a_commit_ends_a_claim_and_a_finished_window_is_due_no_more(ledger: Ledger) -> None:
    held = claim(ledger)
    done = some(ledger.commit(held, held.replace(state="sealed", due_at=None, numbers=WindowNumbers(rows=7)), NOW))
    assert (done.state, done.due_at, done.numbers.rows) == ("sealed", None, 7)
    assert (done.claims_without_commit, done.committed) == (0, 1)
    assert window(0) not in [entry.window for entry in ledger.due(NOW + 9 * HOUR, 25)]


def test_a_commit_that_the_sdk_repeats_is_a_success_again(ledger: Ledger) -> None:
    held = claim(ledger)
    result = held.replace(state="sealed", due_at=None)
    assert ledger.commit(held, result, NOW) == ledger.commit(held, result, NOW) is not None


def test_a_worker_that_slept_past_its_lease_commits_nothing(ledger: Ledger) -> None:
    sleeper = claim(ledger)
    other = claim(ledger, sleeper, LATER)
    assert ledger.commit(sleeper, sleeper.replace(state="sealed", due_at=None), NOW) is None
    assert ledger.held(sleeper) is None
    assert ledger.held(other)
    assert first(ledger).state == "planned"


def test_news_of_a_lost_visit_makes_a_finished_window_due_and_a_commit_under_way_fail_once(ledger: Ledger) -> None:
    sleeper = claim(ledger)
    other = claim(ledger, sleeper, LATER)
    sealed = other.replace(state="sealed", due_at=None, unmerged_claims=0)
    ledger.reopen_for_unmerged_visit(sleeper, LATER)
    assert ledger.commit(other, sealed, LATER) is None
    held = some(ledger.held(other))
    assert held.unmerged_claims == 3
    assert ledger.commit(held, sealed, LATER)
    ledger.reopen_for_unmerged_visit(sleeper, LATER)
    entry = first(ledger)
    assert (entry.state, entry.due_at, entry.unmerged_claims) == ("archived", LATER, 1)


def test_a_split_replaces_a_window_by_its_halves_or_does_nothing(ledger: Ledger) -> None:
    held = claim(ledger)
    halves = [
        Entry(window_key=Window(span.start, span.end).key, state="planned", due_at=NOW)
        for span in (window(0).halves(dt.timedelta(seconds=1)) or ())
    ]
    lost = held.replace(attempt=held.attempt + 1)
    assert not ledger.split(lost, halves, NOW)
    assert ledger.split(held, halves, NOW)
    assert not ledger.split(held, halves, NOW)
    covering = [entry.window for entry in ledger.covering(Span(T0, T0 + HOUR))]
    assert covering == [half.window for half in halves]
    assert (first(ledger).state, first(ledger).due_at) == ("split", None)


def test_a_split_fails_when_a_lost_visit_has_become_complete_meanwhile(ledger: Ledger) -> None:
    sleeper = claim(ledger)
    held = claim(ledger, sleeper, LATER)
    ledger.reopen_for_unmerged_visit(sleeper, LATER)
    assert not ledger.split(held, [], NOW)


@pytest.mark.parametrize(
    ("start", "end", "covered"),
    [(0.5, 1.5, [0, 1]), (2.5, 2.75, [2]), (1, 2, [1]), (0.5, 3.5, [0, 1, 2, 3]), (3, 9, [3]), (7, 8, [])],
)
def test_what_overlaps_a_range_is_found_in_order_and_neighbours_are_not(
    ledger: Ledger, start: float, end: float, covered: list[int]
) -> None:
    found = ledger.covering(Span(T0 + start * HOUR, T0 + end * HOUR))
    assert [entry.window for entry in found] == list(map(window, covered))


def test_a_window_is_leased_from_its_claim_until_its_lease_or_the_claim_ends(ledger: Ledger) -> None:
    assert not planned(0).leased(T0)
    held = claim(ledger)
    assert held.leased(LATER - dt.timedelta(seconds=1))
    assert not held.leased(LATER)
    assert not some(ledger.commit(held, held.replace(due_at=LATER), NOW)).leased(NOW)
    assert ledger.held(held) is None


def test_a_visit_of_a_window_that_was_split_or_never_planned_cannot_be_merged_and_fails(ledger: Ledger) -> None:
    held = claim(ledger)
    assert ledger.split(held, [], NOW)
    for lost in (held, planned(99)):
        with pytest.raises(ArchiveError, match="stays unmerged"):
            ledger.reopen_for_unmerged_visit(lost, NOW)


def test_a_ledger_that_refuses_every_write_is_an_error_and_not_silence() -> None:
    table = FakeTable()
    ledger = Ledger(table, "elsa", "shop")  # type: ignore[arg-type] # a drop-in
    ledger.create(Head(begin=T0, cursor=T0, feed_id="feed"), T0)
    assert ledger.plan(head(ledger), [planned(0)], NOW)
    ledger = Ledger(Refusing(items=table.items), "elsa", "shop")  # type: ignore[arg-type] # a drop-in
    with pytest.raises(ArchiveError, match="stays unmerged"):
        ledger.reopen_for_unmerged_visit(planned(0), NOW)
    with pytest.raises(ArchiveError, match="could not be written"):
        ledger.remember(["1"])


def sealed(ledger: Ledger) -> Entry:
    """Return the first window, sealed with one visit."""
    held = claim(ledger)
    return some(ledger.commit(held, held.replace(state="sealed", due_at=None, visits=("v1",)), NOW))


def test_a_lost_replay_is_asked_for_once_more_and_only_once(ledger: Ledger) -> None:
    lost = sealed(ledger)
    ledger.replay_again(lost, NOW)
    asked = first(ledger)
    assert (asked.replay is not None, asked.unmerged_claims, asked.state) == (True, lost.unmerged_claims, "sealed")
    ledger.replay_again(lost, LATER)
    assert first(ledger) == asked


@pytest.mark.parametrize("asked", [False, True])
def test_who_holds_the_window_of_a_lost_replay_has_to_look_again(ledger: Ledger, asked: bool) -> None:
    lost = sealed(ledger)
    due = some(ledger.mark_replay(lost, NOW) if asked else ledger.make_due(lost, NOW))
    held = claim(ledger, due)
    ledger.replay_again(lost, NOW)
    assert first(ledger).unmerged_claims == held.unmerged_claims + 1
    assert ledger.commit(held, held.replace(state="sealed", due_at=None, unmerged_claims=0), NOW) is None
    assert ledger.held(held)


def test_a_lost_replay_of_a_window_that_is_not_there_is_left(ledger: Ledger) -> None:
    ledger.replay_again(planned(99), NOW)
    assert ledger.read(window(99)) is None


def test_a_lost_replay_that_cannot_be_written_down_is_an_error() -> None:
    table = FakeTable()
    ledger = Ledger(table, "elsa", "shop")  # type: ignore[arg-type] # a drop-in
    ledger.create(Head(begin=T0, cursor=T0, feed_id="feed"), T0)
    assert ledger.plan(head(ledger), [planned(0)], NOW)
    lost = sealed(ledger)
    refusing = Refusing(items=table.items)
    with pytest.raises(ArchiveError, match="could not be asked for"):
        Ledger(refusing, "elsa", "shop").replay_again(lost, NOW)  # type: ignore[arg-type] # a drop-in


class Refusing(FakeTable):
    """A table where another write is always under way."""

    def update(self, write: Write) -> Item | None:
        """Refuse."""

    def transact(self, writes: Sequence[Write]) -> bool:
        return False


class RefusingOnce(FakeTable):
    """A table where another write is under way at first."""

    def update(self, write: Write) -> Item | None:
        """Refuse the first write."""
        self.calls.append("update")
        return super().update(write) if self.calls.count("update") > 1 else None


def test_an_id_whose_write_met_another_one_is_written_again() -> None:
    ledger = Ledger(RefusingOnce(), "elsa", "shop")  # type: ignore[arg-type] # a drop-in
    ledger.create(Head(begin=T0, cursor=T0, feed_id="feed"), T0)
    assert ledger.remember(["1"]) == ("1",)
    assert head(ledger).known == {"1"}


def test_the_newest_rows_are_those_of_any_slot(ledger: Ledger) -> None:
    for number, hour in enumerate((1, 3, 2)):
        assert ledger.take_slot(number, "a", NOW, LATER)
        ledger.free_slot(number, "a", NOW, T0 + hour * HOUR)
    assert head(ledger).last_rows_until == T0 + 3 * HOUR


def test_a_slot_is_one_workers_until_it_gives_it_back_or_its_lease_is_over(ledger: Ledger) -> None:
    assert ledger.take_slot(0, "a", NOW, LATER)
    assert not ledger.take_slot(0, "b", NOW, LATER)
    ledger.free_slot(0, "b", NOW)
    assert not ledger.take_slot(0, "b", NOW, LATER)
    ledger.free_slot(0, "a", NOW)
    assert ledger.take_slot(0, "b", NOW, LATER)
    assert ledger.take_slot(0, "c", LATER, LATER + HOUR)
    assert [(slot.number, slot.owner) for slot in head(ledger).slots] == [(0, "c")]


def test_a_finished_window_can_be_made_due_again_and_a_held_one_cannot(ledger: Ledger) -> None:
    held = claim(ledger)
    done = some(ledger.commit(held, held.replace(state="sealed", due_at=None, visits=("v1",)), NOW))
    again = some(ledger.make_due(done, NOW))
    assert (again.state, again.due_at) == ("archived", NOW)
    claim(ledger, again)
    assert ledger.make_due(again, NOW) is None


def test_ids_once_seen_are_remembered(ledger: Ledger) -> None:
    assert ledger.remember(["10", "2"]) == ("2", "10")
    assert ledger.remember(["3", "2"]) == ledger.remember([]) == ("2", "3", "10")
    assert head(ledger).known == {"2", "3", "10"}


def test_a_query_of_more_than_a_page_returns_all(ledger: Ledger) -> None:
    for start in range(4, 4 + 3 * 90, 90):
        assert ledger.plan(head(ledger), [planned(hour, error="x" * 4000) for hour in range(start, start + 90)], NOW)
    assert len(list(ledger.every())) == 4 + 270
    assert len(list(ledger.open())) == 4 + 270


def marked(ledger: Ledger) -> dict[str, str]:
    """Return the marks that the index shows, and check that the items have them."""
    found, following = ledger.table.scan(100, index="unproven")
    assert following is None
    assert all(some(ledger.table.get(mark["source"], mark["window"]))["unproven"] == mark["unproven"] for mark in found)
    assert all(set(mark) == {"source", "window", "unproven"} for mark in found)
    return {mark["window"]: mark["unproven"] for mark in found}


def unmark(ledger: Ledger) -> None:
    """Do what the notary does once its entries are published."""
    for sort in marked(ledger):
        ledger.table.update(Write(ledger.partition, sort, {"unproven": None}, ()))


def test_a_new_head_and_new_windows_are_marked_and_a_moved_cursor_is_not(ledger: Ledger) -> None:
    at = instant(T0)
    assert marked(ledger) == {"#head": at, **{window(hour).key: at for hour in range(4)}}
    unmark(ledger)
    ledger.plan(head(ledger), [planned(4)], NOW, cursor=T0 + 5 * HOUR)
    assert marked(ledger) == {window(4).key: instant(NOW)}
    ledger.plan(head(ledger), [], NOW, begin=T0 - HOUR)
    assert marked(ledger) == {window(4).key: instant(NOW), "#head": instant(NOW)}


def test_a_claim_marks_nothing_and_a_commit_does_even_if_its_answer_is_lost(ledger: Ledger) -> None:
    unmark(ledger)
    held = claim(ledger)
    assert marked(ledger) == {}
    result = held.replace(state="sealed", due_at=None)
    done = some(ledger.commit(held, result, LATER))
    assert marked(ledger) == {window(0).key: instant(LATER)}
    unmark(ledger)
    assert ledger.commit(held, result, LATER) == done
    assert marked(ledger) == {}


def test_a_window_is_marked_when_it_is_opened_again_but_not_when_it_is_only_due_sooner(ledger: Ledger) -> None:
    unmark(ledger)
    assert ledger.make_due(first(ledger), NOW)
    held = claim(ledger)
    ledger.commit(held, held.replace(state="sealed", due_at=None, visits=("v1",)), NOW)
    unmark(ledger)
    ledger.make_due(first(ledger), LATER)
    assert marked(ledger) == {window(0).key: instant(LATER)}


def test_news_of_a_lost_visit_marks_a_window_only_if_it_was_finished(ledger: Ledger) -> None:
    sleeper = claim(ledger)
    unmark(ledger)
    ledger.reopen_for_unmerged_visit(sleeper, NOW)
    assert marked(ledger) == {}
    held = claim(ledger, now=LATER)
    ledger.commit(held, held.replace(state="sealed", due_at=None), LATER)
    unmark(ledger)
    ledger.reopen_for_unmerged_visit(sleeper, LATER)
    assert marked(ledger) == {window(0).key: instant(LATER)}


def test_a_split_marks_the_whole_window_and_its_parts(ledger: Ledger) -> None:
    held = claim(ledger)
    unmark(ledger)
    halves = [planned(0, window_key=window(0, HOUR / 2).key)]
    assert ledger.split(held, halves, NOW)
    assert marked(ledger) == {window(0).key: instant(NOW), halves[0].window_key: instant(NOW)}


def test_a_table_and_an_index_are_read_in_pages(ledger: Ledger) -> None:
    for index, names in ((None, {"#head", "#sources"}), ("unproven", {"#head"})):
        sorts: list[str] = []
        items, following = ledger.table.scan(2, index=index)
        while True:
            assert len(items) <= 2
            sorts += [item["window"] for item in items]
            if following is None:
                break
            items, following = ledger.table.scan(2, following, index=index)
        assert sorted(sorts) == sorted([*names, *(window(hour).key for hour in range(4))])
