"""The demo's figures: numbers that a reader can add up."""

import datetime as dt
from typing import Any

import pytest

from tests.truth import Findings, Window
from tools.demo import figure
from tools.demo.progress import Standing
from tools.demo.proof import Proof, tasks, total
from tools.demo.story import check_archived, check_proven
from tools.demo.world import HOUR, HOURS, DemoSource, late, orders, sources
from tools.stack import StackError

NOW = dt.datetime(2026, 11, 23, 13, 20, tzinfo=dt.UTC)
START = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)
SOURCE = DemoSource("elsa", "checkout", {"revisit": ["PT1H", "PT6H"], "workers": 2})


def window(number: int = 0, **item: Any) -> Window:
    start = START + number * HOUR
    visited = dt.datetime(2026, 11, 23, 13, tzinfo=dt.UTC) if item.get("visits") else None
    key = f"{start:%Y-%m-%dT%H:%M:%SZ}/PT1H"
    return Window(key, start, start + HOUR, visited, {"state": "planned", "window": key, **item})


def sealed(number: int = 0, **item: Any) -> Window:
    return window(number, **{"state": "sealed", "visits": ["v"], "rows": 5, **item})


def archived(number: int = 0, **item: Any) -> Window:
    due = {"state": "archived", "due_at": "2026-11-23T16:00:00Z"}
    return window(number, **{**due, "visits": ["v"], "rows": 5, **item})


def planned(number: int, due: str = "2026-11-23T13:05:00Z", **item: Any) -> Window:
    return window(number, due_at=due, **item)


def test_windows_that_are_not_due_are_no_part_of_what_is_awaited() -> None:
    standing = Standing(SOURCE, [sealed(0), planned(1), planned(2, "2026-11-23T15:00:00Z")])
    assert figure.progress([standing], NOW) == "1/2 windows, 5 rows; left: checkout 1"
    assert figure.progress([Standing(SOURCE, [sealed(0)])], NOW) == "1/1 windows, 5 rows"


LATER = "2026-11-23T15:00:00Z"


@pytest.mark.parametrize(
    ("held", "under_way"),
    [
        (planned(0), True),
        (planned(0, LATER, attempt=1, committed=0), True),
        (planned(0, LATER, failures=1, error="the provider was out of reach"), True),
        (archived(due_at=LATER, issue="shrunk", error="2 of 7 records"), False),
        (planned(0, LATER, attempt=1, committed=1), False),
        (sealed(), False),
    ],
)
def test_what_is_due_held_or_failed_is_under_way(held: Window, *, under_way: bool) -> None:
    assert Standing(SOURCE, [held]).under_way(NOW) == [held] * under_way


def test_the_table_of_archived_windows_adds_up() -> None:
    standing = Standing(SOURCE, [sealed(0, rejects=2), sealed(1, rows=0), archived(2), planned(3)])
    assert figure.archived(standing) == ("elsa/checkout", 4, 2, 1, 1, 10, 2, 1)


def test_a_second_visit_shows_what_came_late_and_what_was_kept() -> None:
    before = Standing(SOURCE, [sealed(0, fetched=5), archived(1, fetched=5)])
    after = Standing(SOURCE, [sealed(0, fetched=5), archived(1, rows=8, late=3, kept=2, visits=["v", "w"])])
    assert figure.revisited(before, after) == ("elsa/checkout", 1, 3, 2, "11-23 16:00", "11-23 18:00")


def test_status_lists_issues_in_words() -> None:
    numbers = {"lag_seconds": 0, "open": 2, "due": 0, "rows": 7, "hours_to_loss": None}
    told = {"source": "edge", "state": "active", "settled_until": "2026-11-23T10:00:00Z", **numbers}
    assert figure.status("dsa", {**told, "issues": {"shrunk": 2}})[-1] == "2 shrunk"
    assert figure.status("dsa", {**told, "issues": {}})[2:] == ("11-23 10:00", 0, 2, 0, 7, None, "none")


def test_too_few_windows_are_an_error() -> None:
    with pytest.raises(StackError, match="only 1 hours"):
        check_archived([Standing(SOURCE, [sealed(0)])])
    check_archived([Standing(SOURCE, [sealed(number) for number in range(HOURS - 3)])])


def proof(differences: int = 0, **counts: int) -> Proof:
    one = Proof(SOURCE, Findings(), Findings(), Findings())
    one.truth.counts.update(records=counts.get("records", 3), rejects=1)
    one.way_back.counts.update(rows=counts.get("rows", 2))
    for number in range(differences):
        one.truth.add("missing", f"window {number}", "a record")
    return one


def test_a_difference_is_an_error_that_says_how_many_and_which() -> None:
    with pytest.raises(StackError, match="2 differences") as error:
        check_proven([proof(), proof(differences=2)])
    assert "elsa/checkout: missing: window 1: a record" in str(error.value)


@pytest.mark.parametrize("counts", [{"records": 0, "rows": 0}, {"rows": 1}])
def test_a_proof_that_looked_at_too_little_proves_nothing(counts: dict[str, int]) -> None:
    with pytest.raises(StackError, match="compared"):
        check_proven([proof(**counts)])
    check_proven([proof()])


def test_what_processes_found_is_summed_up_by_source() -> None:
    other = Proof(DemoSource("dsa", "edge", {}), Findings(), Findings(), Findings())
    whole = total(SOURCE, [proof(), proof(differences=1), other])
    assert (whole.truth.counts["records"], len(whole.differences)) == (6, 1)


def test_tasks_leave_no_gap_between_them() -> None:
    cut = list(tasks(SOURCE, [sealed(number) for number in range(20)]))
    assert [task.start for task in cut[1:]] == [task.windows[-1].end for task in cut[:-1]]
    assert sum(len(task.windows) for task in cut) == 20


def test_the_busiest_hour_is_among_those_that_are_archived() -> None:
    phase = orders(NOW)["switches"]["elsa"]["burst_phase"]
    first = int(NOW.timestamp()) // 3600 - HOURS
    assert phase in {hour % 48 for hour in range(first, first + HOURS - 3)}


def test_every_address_of_a_source_is_the_simulators() -> None:
    for source in sources("http://127.0.0.1:4610", NOW):
        assert source.document["base_url"].startswith("http://127.0.0.1:4610/")
        assert source.document.get("download_hosts", ["127.0.0.1:4610"]) == ["127.0.0.1:4610"]


@pytest.mark.parametrize("source", sources("http://127.0.0.1:4610", NOW), ids=lambda source: source.path)
def test_late_records_lie_in_their_hour(source: DemoSource) -> None:
    times = [dt.datetime.fromisoformat(record["time"]) for record in late(source, START, 7)]
    assert all(START <= time < START + HOUR for time in times)
    assert len(times) == len({record["text"] for record in late(source, START, 7)}) == 7
