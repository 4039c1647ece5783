"""Two workers on one window that is to be replayed, one asleep past its lease, in every order of their calls."""

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from functions.elsa.app import provider as elsa
from logarchive.provider.provider import Provider
from tests.fake_aws import open_gate
from tests.integration.test_two_workers import OTHER, SLEEPER, Workers, race_of
from tests.race import every_order
from tests.replayed import NEWER, RANGE, ROWS, check_replayed, history, prepared, refuse, window
from tests.scenario import END, HOUR, MINUTE, Record, some

FIRST = {name: count for name, count in ROWS.items() if name != "late"}


@dataclass
class Replays(Workers):
    """A race of a worker that replays, and of another that replays and may then visit."""

    #: What each worker was deployed with.
    providers: tuple[Provider[Any, Any], Provider[Any, Any]] = (NEWER, NEWER)
    other: dt.datetime = OTHER
    #: How many windows the other worker works on.
    rounds: int = 1

    def work(self, now: dt.datetime) -> None:
        sleeps = now == SLEEPER
        self.scenario.provider = self.providers[not sleeps]
        now = now if sleeps else self.other
        archive = self.scenario.archive(lambda: now)
        with archive.worker("shop", archive.source("shop")) as worker:
            for _ in range(1 if sleeps else self.rounds):
                for entry in worker.context.ledger.due(now, 1):
                    worker.visit(entry)


def race(**how: Any) -> Replays:
    stage = prepared(sealed=False)
    stage.world.append(Record("new", 7))
    stage.act("replay", **RANGE)
    assert window(stage).replay
    return Replays(stage, **how)


def settled(done: Replays) -> None:
    """Let the schedule fire until no window waits for its replay."""
    stage, where = done.scenario, done.race.trail
    stage.gate, stage.provider, stage.now = open_gate, NEWER, END + 50 * MINUTE
    assert [caller.error for caller in done.race.callers] == [None, None], where
    while window(stage).replay:
        stage.act("work", source="shop")
        stage.now += MINUTE
    entry = window(stage)
    assert stage.s3.objects[some(entry.object).key].etag == some(entry.object).etag, where


def replayed_again(done: Replays) -> None:
    """Check what comes of the window once nobody is in the way."""
    stage = done.scenario
    settled(done)
    stage.act("replay", **RANGE)
    settled(done)
    rows = FIRST | ({"new": 1} if len(window(stage).visits) > 1 else {})
    check_replayed(stage, rows, done.race.trail)


def test_two_replays_make_the_same_archive_in_every_order() -> None:
    before = window(prepared(sealed=False))

    def make() -> Replays:
        made = race()
        made.scenario.answer = refuse
        return made

    def check(done: Replays) -> None:
        settled(done)
        check_replayed(done.scenario, FIRST, done.race.trail)
        assert history(window(done.scenario)) == history(before), done.race.trail

    orders, _ = every_order(make, race_of, check)
    assert orders > 30


@pytest.mark.parametrize("providers", [(elsa, NEWER), (NEWER, elsa)])
def test_replays_of_two_versions_leave_no_object_that_the_ledger_does_not_know(providers: Any) -> None:
    """One version is deployed while a worker of the other sleeps."""
    every_order(lambda: race(providers=providers), race_of, replayed_again)


def test_a_replay_that_sleeps_before_any_of_its_calls_takes_nothing_away_from_the_visits_meanwhile() -> None:
    visited = 0
    for steps in itertools.count():
        done = race(rounds=2, other=END + HOUR)
        sleeper, other = done.race.callers
        taken = 0
        while taken < steps and not sleeper.done:
            sleeper.step()
            taken += 1
        for caller in (other, sleeper):
            while not caller.done:
                caller.step()
        if len(window(done.scenario).visits) > 1:
            visited += 1
            assert done.scenario.rows()["new"] == 1, done.race.trail
        replayed_again(done)
        if taken < steps:
            break
    assert visited > 5
