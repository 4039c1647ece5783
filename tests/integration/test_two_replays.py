"""Two workers on one window that is to be replayed, one asleep past its lease, in every order of their calls."""

import datetime as dt
import itertools
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from functions.elsa.app import provider as elsa
from logarchive.provider.provider import Provider
from tests.fake_aws import open_gate
from tests.integration.test_two_workers import Caller, Race, every_order
from tests.replayed import NEWER, RANGE, ROWS, check_replayed, history, prepared, refuse, window
from tests.scenario import END, HOUR, MINUTE, Record, some

FIRST = {name: count for name, count in ROWS.items() if name != "late"}


@dataclass
class ReplayRace(Race):
    """One order of the calls of a worker that replays, and of another that replays and may then visit."""

    #: What each worker was deployed with.
    providers: tuple[Provider[Any, Any], Provider[Any, Any]] = (NEWER, NEWER)
    other: dt.datetime = END + 30 * MINUTE
    #: How many windows the other worker works on.
    rounds: int = 1
    begun: int = 0

    def _turn(self, now: dt.datetime, by_thread: dict[int, Caller]) -> Caller:
        provider, rounds = self.providers[self.begun], self.rounds if self.begun else 1
        now = self.other if self.begun else now
        self.begun += 1

        def live() -> None:
            by_thread[threading.get_ident()] = turn
            self.scenario.provider = provider
            archive = self.scenario.archive(lambda: now)
            with archive.worker("shop", archive.source("shop")) as worker:
                for _ in range(rounds):
                    for entry in worker.context.ledger.due(now, 1):
                        worker.visit(entry)

        turn = Caller(live)
        turn.start()
        return turn


def race(**how: Any) -> ReplayRace:
    stage = prepared(sealed=False)
    stage.world.append(Record("new", 7))
    stage.act("replay", **RANGE)
    assert window(stage).replay
    return ReplayRace(stage, **how)


def settled(done: ReplayRace) -> None:
    """Let the schedule fire until no window waits for its replay."""
    stage, where = done.scenario, done.trail
    stage.gate, stage.provider, stage.now = open_gate, NEWER, END + 50 * MINUTE
    assert [turn.error for turn in done.turns] == [None, None], where
    while window(stage).replay:
        stage.act("work", source="shop")
        stage.now += MINUTE
    entry = window(stage)
    assert stage.s3.objects[some(entry.object).key].etag == some(entry.object).etag, where


def replayed_again(done: ReplayRace) -> None:
    """Check what comes of the window once nobody is in the way."""
    stage = done.scenario
    settled(done)
    stage.act("replay", **RANGE)
    settled(done)
    rows = FIRST | ({"new": 1} if len(window(stage).visits) > 1 else {})
    check_replayed(stage, rows, done.trail)


def test_two_replays_make_the_same_archive_in_every_order() -> None:
    before = window(prepared(sealed=False))

    def make() -> ReplayRace:
        made = race()
        made.scenario.answer = refuse
        return made

    def check(done: ReplayRace) -> None:
        settled(done)
        check_replayed(done.scenario, FIRST, done.trail)
        assert history(window(done.scenario)) == history(before), done.trail

    orders, _ = every_order(make, check)  # type: ignore[arg-type] # it makes what it checks
    assert orders > 30


@pytest.mark.parametrize("providers", [(elsa, NEWER), (NEWER, elsa)])
def test_replays_of_two_versions_leave_no_object_that_the_ledger_does_not_know(providers: Any) -> None:
    """One version is deployed while a worker of the other sleeps."""
    every_order(lambda: race(providers=providers), replayed_again)  # type: ignore[arg-type] # it makes what it checks


def test_a_replay_that_sleeps_before_any_of_its_calls_takes_nothing_away_from_the_visits_meanwhile() -> None:
    visited = 0
    for steps in itertools.count():
        done = race(rounds=2, other=END + HOUR)
        sleeper, other = done.turns
        taken = 0
        while taken < steps and not sleeper.done:
            sleeper.step()
            taken += 1
        for turn in (other, sleeper):
            while not turn.done:
                turn.step()
        replayed_again(done)
        visited += len(window(done.scenario).visits) > 1
        if taken < steps:
            break
    assert visited > 5
