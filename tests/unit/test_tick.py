"""A tick over many sources: none of them delays another."""

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from logarchive.action.handler import act
from logarchive.action.result import Result
from logarchive.ledger.dynamodb import Condition, Item, Write
from logarchive.moment import DAY, HOUR, instant
from logarchive.runtime.metric import Tally
from logarchive.warning.signal import write_signals
from tests.fake_aws import FakeTable, refused
from tests.scenario import END, MINUTE, Killed, Record, Scenario

#: The sources, each with a project of its own: that of a request says which source it is about.
PROJECTS = {"a": 1, "b": 2, "c": 3, "d": 4}


def scenario(**configured: object) -> Scenario:
    common = {"secret": "la/ncloud/one", "project_key": "p", "start": "2026-11-20T00:00:00Z", "window": "P1D"}
    sources = {name: common | configured | {"project_id": project} for name, project in PROJECTS.items()}
    return Scenario([Record("x", 1)], sources=sources, now=END + 6 * MINUTE)


def dispatched(stage: Scenario, before: Callable[[str], None] = lambda _source: None) -> str:
    """Let the schedule fire; return the sources for which a worker was started, in order."""
    stage.dispatched.clear()

    def dispatch(event: Mapping[str, Any]) -> None:
        before(event["source"])
        stage.dispatched.append(event["source"])

    act(replace(stage.archive(), dispatch=dispatch), {"action": "tick"})
    return "".join(stage.dispatched)


def visited(result: Result) -> list[str]:
    return [window["source"] for window in result["windows"]]


def source_of(request: httpx.Request) -> str:
    project = json.loads(request.content)["projectId"]
    return next(name for name, of_name in PROJECTS.items() if of_name == project)


def test_each_tick_begins_with_another_source() -> None:
    stage = scenario()
    assert [dispatched(stage) for _ in range(5)] == ["abcd", "bcda", "cdab", "dabc", "abcd"]


def test_what_a_tick_has_no_time_for_is_where_the_next_one_begins() -> None:
    stage = scenario()

    def slow(_source: str) -> None:
        stage.now += 5 * MINUTE

    assert [dispatched(stage, slow) for _ in range(3)] == ["abc", "dab", "cda"]


def test_a_source_that_kills_the_tick_is_not_the_first_one_of_the_next() -> None:
    stage = scenario()

    def deadly(call: str, moment: str) -> None:
        if (call, moment) == ("ddb.transact", "before"):
            raise KeyboardInterrupt

    stage.gate = deadly
    with pytest.raises(KeyboardInterrupt):
        dispatched(stage)
    stage.gate = lambda _call, _moment: None
    assert dispatched(stage) == "bcda"


def test_a_source_that_fails_unexpectedly_holds_up_no_other() -> None:
    stage = scenario()

    def broken(source: str) -> None:
        if source == "b":
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup, match="sources failed unexpectedly"):
        dispatched(stage, broken)
    assert stage.dispatched == ["a", "c", "d"]


def test_with_inline_all_sources_are_planned_before_any_is_visited() -> None:
    stage = scenario()
    planned: list[int] = []

    def look(_request: httpx.Request) -> None:
        planned.append(len({source for source, window in stage.table.items if window[0].isdigit()}))

    stage.answer = look
    assert visited(stage.tick()) == list("abcd")
    assert set(planned) == {len(PROJECTS)}


@pytest.mark.parametrize("seconds", [30, 200])
def test_with_inline_a_source_with_much_to_do_shares_the_time_with_the_others(seconds: int) -> None:
    stage = scenario(window="PT1H")
    stage.lasts(seconds * MINUTE / 60)
    turns = visited(stage.tick())
    assert {turns.count(name) for name in PROJECTS} in ({len(turns) // 4}, {len(turns) // 4, len(turns) // 4 + 1})
    assert len(turns) >= len(PROJECTS)


def test_with_inline_a_provider_that_fails_for_one_source_holds_up_no_other() -> None:
    stage = scenario()

    def broken(request: httpx.Request) -> None:
        if source_of(request) == "b":
            raise ZeroDivisionError

    stage.answer = broken
    with pytest.raises(ExceptionGroup, match="sources failed unexpectedly"):
        stage.tick()
    good = {partition[-1] for (partition, _), item in stage.table.items.items() if item.get("state") == "archived"}
    assert good == {"a", "c", "d"}


def test_with_inline_a_window_is_not_split_because_another_source_used_up_the_time() -> None:
    stage = scenario()
    stage.lasts(12 * MINUTE)
    stage.tick()
    assert "split" not in {item.get("state") for item in stage.table.items.values()}


def test_the_first_tick_of_a_source_says_from_when_on_it_is_archived_and_why() -> None:
    stage = scenario()
    [plain, *_] = (stage.sources or {}).values()
    plain = {name: value for name, value in plain.items() if name != "start"}
    stage.archive_from = END - 20 * DAY
    lengths = {"known": "P3D", "longer": "P30D"}
    stage.sources = {name: plain | {"project_id": 8, "retention": length} for name, length in lengths.items()}
    stage.sources["unknown"] = plain
    begun = [
        {"source": "known", "begin": instant(END - 2 * DAY), "reason": "retention"},
        {"source": "longer", "begin": instant(END - 20 * DAY), "reason": "archive_from"},
        {"source": "unknown", "begin": instant(END), "reason": "first_tick"},
    ]
    assert stage.act("tick")["begun"] == begun
    assert stage.events.count("source.begun") == 3
    shown = stage.act("status")["sources"]
    assert [(one["begin"], one["begin_reason"]) for one in shown] == [(one["begin"], one["reason"]) for one in begun]
    assert stage.act("tick")["begun"] == []


@dataclass
class Contended(FakeTable):
    """A table whose first transactions meet with another one."""

    conflicts: int = 2

    def transact(self, writes: Sequence[Write]) -> bool:
        self.conflicts -= 1
        return self.conflicts < 0 and super().transact(writes)


def test_with_inline_a_tick_that_is_cut_short_gives_back_the_slots_of_all_sources() -> None:
    stage = scenario(window="PT12H")
    asked = itertools.count(1)

    def once_more(_request: httpx.Request) -> None:
        if next(asked) == len(PROJECTS) + 1:
            raise Killed

    stage.answer = once_more
    with pytest.raises(Killed) as raised:
        stage.tick()
    assert raised.value.__traceback__  # it holds what was under way, so that nothing was closed by chance
    slots = [item["until"] for (_, sort), item in stage.table.items.items() if sort.startswith("#slot")]
    assert slots == [instant(stage.now)] * len(PROJECTS)


def test_the_first_tick_of_a_source_tries_again_when_another_transaction_is_in_the_way() -> None:
    stage = scenario()
    stage.table = Contended()
    assert dispatched(stage) == "abcd"


def many(count: int, **configured: object) -> Scenario:
    """Return a stage of many sources that begin now."""
    stage = scenario(**configured)
    [source, *_] = (stage.sources or {}).values()
    source = {name: value for name, value in source.items() if name != "start"}
    stage.sources = {f"s{number:04}": source | {"project_id": number} for number in range(count)}
    return stage


def invoked(stage: Scenario) -> list[str]:
    """Let the schedule fire as the handler does, its signals included; return the calls of the table."""
    stage.table.calls.clear()
    tally = Tally()
    archive = stage.archive(count=tally)
    act(archive, {"action": "tick"})
    write_signals(archive.table, "elsa", tally, stage.now)
    return stage.table.calls


@pytest.mark.parametrize("count", [1, 30, 1000])
def test_a_tick_with_nothing_to_do_costs_two_calls_of_the_table_a_source_and_two_for_each_hundred(count: int) -> None:
    stage = many(count)
    invoked(stage)
    stage.now += MINUTE
    assert len(invoked(stage)) <= 2 * count + 2 * math.ceil(count / 100) + 7


def test_a_source_whose_newest_rows_were_seen_in_another_slot_than_the_first_is_not_quiet() -> None:
    stage = many(2, window="PT1H", workers=2, quiet_after="PT2H")
    invoked(stage)
    stage.now += 3 * HOUR
    stage.tick()
    seen = {"number": 1, "owner": "w", "until": instant(stage.now), "heard_until": instant(END + 2 * HOUR)}
    stage.table.update(Write("elsa#s0001", "#slot/01", seen, ()))
    stage.now += MINUTE
    invoked(stage)
    quiet = [stage.table.items[f"elsa#s000{at}", "#signals"].get("quiet_seconds") for at in range(2)]
    assert quiet == [3 * 3600, None]


@dataclass
class Refusing(FakeTable):
    """A table that does not let heads be read together, or not at all of one source."""

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        raise refused("ThrottlingException", 400)

    def query(self, key: Condition, *, index: str = "", backwards: bool = False) -> Iterator[Item]:
        if key[0].values[0] == "elsa#s0001" and not index:
            raise refused("ThrottlingException", 400)
        return super().query(key, index=index, backwards=backwards)


def test_a_source_whose_head_cannot_be_read_delays_no_other() -> None:
    stage = many(3, window="PT1H")
    invoked(stage)
    stage.now += 3 * HOUR
    stage.table = Refusing(stage.table.items)
    with pytest.raises(ExceptionGroup) as failed:
        stage.tick()
    assert len(failed.value.exceptions) == 2
    planned = [name for name, sort in stage.table.items if sort.endswith("/PT1H")]
    assert [planned.count(f"elsa#s000{at}") > 2 for at in range(3)] == [True, False, True]
