"""A visit may be killed before and after each of its external calls, and the same archive results."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import httpx
import pytest

from logarchive.window import Span
from tests.fake_aws import open_gate
from tests.scenario import END, HOUR, MINUTE, START, Killed, Record, Scenario, zipped

WORLD = [
    Record("steady", 1),
    Record("twin", 2),
    Record("twin", 2),
    Record("late", 3, visible=END + 30 * MINUTE),
    Record("very late", 4, visible=END + 2 * HOUR),
    Record("dropped", 5, gone=END + 50 * MINUTE),
]
EXPECTED = Counter({"steady": 1, "twin": 2, "late": 1, "very late": 1, "dropped": 1})
#: When the schedule fires: the first visit, its repetition after a lease, both revisits.
TICKS = [END + 6 * MINUTE, END + 24 * MINUTE, END + 42 * MINUTE, END + 70 * MINUTE, END + 100 * MINUTE, END + 5 * HOUR]


@dataclass
class Killer:
    """A gate that kills at the n-th call it sees, before or after it."""

    at: int
    moment: str
    seen: list[str] = field(default_factory=list[str])

    def __call__(self, call: str, moment: str) -> None:
        if moment == self.moment:
            self.seen.append(call)
            if len(self.seen) == self.at:
                raise Killed(call)


def run(killer: Killer, world: Sequence[Record] = WORLD) -> Scenario:
    scenario = Scenario(list(world), gate=killer)
    for moment in TICKS:
        scenario.now = moment
        try:
            scenario.tick()
        except Killed:
            scenario.now += MINUTE
    scenario.gate = open_gate
    scenario.until_sealed()
    return scenario


def calls() -> int:
    counting = Killer(10**9, "before")
    run(counting)
    return len(counting.seen)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_visit_killed_at_any_call_leaves_the_same_archive(moment: str) -> None:
    total = calls()
    assert total > 50
    for number in range(1, total + 1):
        killer = Killer(number, moment)
        scenario = run(killer)
        assert scenario.rows() == EXPECTED, (number, killer.seen[-1])
        check_window(scenario, (number, killer.seen[-1]))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_revisits_of_the_same_bytes_killed_at_any_call_leave_the_same_object(moment: str) -> None:
    world = [record for record in WORLD if record.body in {"steady", "twin"}]
    counting = Killer(10**9, "before")
    run(counting, world)
    for number in range(1, len(counting.seen) + 1):
        killer = Killer(number, moment)
        scenario = run(killer, world)
        where = number, killer.seen[-1]
        [entry] = scenario.ledger.covering(window_span())
        assert (entry.state, entry.issue, entry.numbers.rows, entry.numbers.late) == ("sealed", None, 3, 0), where
        assert entry.object, where
        stored = scenario.s3.objects[entry.object.key]
        assert (stored.etag, stored.version) == (entry.object.etag, entry.object.version), where
        assert scenario.rows() == {"steady": 1, "twin": 2}, where
        assert f"s3.head {entry.object.key}" in scenario.s3.calls, where
        assert scenario.s3.calls.count(f"s3.put {entry.object.key}") <= 2, where


def check_window(scenario: Scenario, where: object) -> None:
    entry = scenario.ledger.covering(window_span())[0]
    assert entry.state == "sealed", where
    assert entry.numbers.rows == 6, where
    assert entry.object, where
    assert scenario.s3.objects[entry.object.key].etag == entry.object.etag, where
    assert entry.numbers.fetched == 5 + entry.numbers.outside, where
    assert entry.issue in {"shrunk", None}, where


def window_span() -> Span:
    return Span(START, END)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_a_killed_visit_had_complete_in_raw_is_never_lost(moment: str) -> None:
    """The provider drops a record right after the first visit has seen it: only the raw parts still hold it."""
    dropped = END + 7 * MINUTE
    world = [Record("steady", 1), Record("fleeting", 2, gone=dropped)]
    saved = 0
    for number in range(1, 60):
        scenario = Scenario(list(world), gate=Killer(number, moment))
        scenario.now = END + 6 * MINUTE
        try:
            scenario.tick()
        except Killed:
            scenario.now += MINUTE
        scenario.gate = open_gate
        scenario.now = END + 30 * MINUTE
        scenario.until_sealed()
        assert scenario.rows() == Counter(scenario.seen()), number
        saved += "fleeting" in scenario.rows()
    assert saved > 3


def killed_before_publishing(**configured: object) -> Scenario:
    """Return a window whose first visit is complete in raw and nowhere else, its record dropped by the provider."""
    scenario = Scenario([Record("seen", 1, gone=END + 10 * MINUTE)], source=dict(configured), now=END + 6 * MINUTE)
    scenario.kill("s3.put logs/")
    scenario.now = END + 30 * MINUTE
    return scenario


def test_a_part_with_other_bytes_than_its_manifest_names_becomes_no_row() -> None:
    scenario = killed_before_publishing()
    [key] = [key for key in scenario.s3.objects if key.endswith(".zip")]
    scenario.s3.objects[key] = replace(scenario.s3.objects[key], body=zipped([Record("forged", 1).json()]))
    scenario.now = END + 30 * MINUTE
    with pytest.raises(ExceptionGroup):
        scenario.tick()
    assert not scenario.rows()


@pytest.mark.parametrize(
    ("after", "answer", "state", "issue"),
    [
        # It is not split, though the next visit cannot carry it.
        (HOUR, MemoryError(), "archived", "too_large"),
        (HOUR, httpx.Response(403, json={"error": {"errorCode": "210", "message": "no"}}), "archived", "forbidden"),
        (49 * HOUR, None, "closed", "expired"),
    ],
)
def test_what_a_killed_visit_had_complete_in_raw_is_taken_up_whatever_becomes_of_the_next_one(
    after: dt.timedelta, answer: httpx.Response | MemoryError | None, state: str, issue: str
) -> None:
    scenario = killed_before_publishing(retention="P2D")
    scenario.now = END + after
    if isinstance(answer, MemoryError):
        scenario.fails(answer)
    else:
        scenario.answer = lambda _request: answer
    scenario.tick()
    entry = scenario.entries()[0]
    assert (entry.state, entry.issue, entry.numbers.rows, entry.unmerged_claims) == (state, issue, 1, 0)
    assert scenario.rows() == {"seen": 1}


def test_a_window_whose_visits_are_killed_again_and_again_is_split_before_the_third_fetches() -> None:
    scenario = Scenario([Record("a", 1), Record("b", 80_000)])
    for hours in range(1, 3):
        scenario.now = END + hours * HOUR
        scenario.kill("api")
    scenario.now = END + 3 * HOUR
    scenario.until_sealed()
    states = Counter(entry.state for entry in scenario.ledger.every() if entry.window.end <= END)
    assert states == {"split": 1, "sealed": 2}
    assert scenario.rows() == {"a": 1, "b": 1}


def test_a_window_at_its_smallest_that_is_killed_again_and_again_waits_the_longest_and_says_so() -> None:
    scenario = Scenario([Record("a", 24 * 3600 - 1)], source={"start": "2026-11-20T23:59:59Z"})
    for hours in range(1, 3):
        scenario.now = END + hours * HOUR
        scenario.kill("api")
    scenario.now = END + 3 * HOUR
    scenario.fails(Killed())  # it is not fetched
    scenario.tick()
    [entry] = scenario.ledger.every()
    assert (entry.state, entry.issue, entry.due_at) == ("planned", "unavailable", scenario.now + 6 * HOUR)
    assert "2 visits in a row were killed" in (entry.error or "")
    scenario.recovers()
    scenario.now += 6 * HOUR
    scenario.until_sealed()
    assert scenario.rows() == {"a": 1}
