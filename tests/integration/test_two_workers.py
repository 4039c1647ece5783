"""Two workers on one window, one of which has slept past its lease, in every order of their calls that touch each other.

Left out are only calls that nothing else can see: slots (each worker has taken its own), parts (their keys hold the
claim's number), and the provider (each worker gets the answer of its own time).
"""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from logarchive.handler import act
from logarchive.window import Span
from tests.scenario import HOUR, MINUTE, START, Record, Scenario

END = START + HOUR
#: The sleeper's visit and the other worker's, on both sides of the sleeper's lease.
SLEEPER, OTHER = END + 6 * MINUTE, END + 30 * MINUTE
BETWEEN = END + 20 * MINUTE


class Stopped(BaseException):
    """The order is complete; the worker's thread ends."""


@dataclass
class Turn:
    """One worker's thread, which moves only when it is told to."""

    run: Callable[[], object]
    at: str = "start"
    done: bool = False
    error: BaseException | None = None
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    there: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def start(self) -> None:
        threading.Thread(target=self._live, daemon=True).start()
        self.there.acquire()

    def step(self) -> None:
        """Let the worker go on to its next call."""
        self.go.release()
        self.there.acquire()

    def reached(self, call: str) -> None:
        """Wait, in the worker's thread, until it may make the call."""
        self.at = call
        self.there.release()
        self.go.acquire()

    def _live(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 (reported by the test)
            self.error = error
        self.done = True
        self.there.release()


def shared(call: str) -> bool:
    """Say whether another worker can see a call, or is seen by it."""
    own = call.startswith(("ddb.update #slot", "api")) or (call.startswith("s3.put raw/") and "manifest" not in call)
    return not own


@dataclass
class Race:
    """One order of two workers' calls."""

    scenario: Scenario
    turns: list[Turn] = field(default_factory=list)
    choices: list[int] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        by_thread: dict[int, Turn] = {}

        def gate(call: str, moment: str) -> None:
            turn = by_thread.get(threading.get_ident())
            if turn and moment == "before" and shared(call):
                turn.reached(call)

        self.scenario.gate = gate
        for now in (SLEEPER, OTHER):
            turn = Turn(lambda: None)

            def live(turn: Turn = turn, now: dt.datetime = now) -> None:
                by_thread[threading.get_ident()] = turn
                act(self.scenario.archive(lambda: now), {"action": "work", "source": "shop", "workers": 2})

            turn.run = live
            self.turns.append(turn)
            turn.start()

    def play(self, wanted: list[int]) -> list[int]:
        """Follow `wanted`, then let the first go on that can; return how many could go at each step."""
        could: list[int] = []
        while ready := [number for number, turn in enumerate(self.turns) if not turn.done]:
            could.append(len(ready))
            step = len(self.choices)
            choice = wanted[step] if step < len(wanted) else 0
            self.choices.append(choice)
            turn = self.turns[ready[choice]]
            self.trail.append(f"{ready[choice]}:{turn.at}")
            turn.step()
        return could


def orders(make: Callable[[], Race]) -> Iterator[Race]:
    """Yield every order once: after each, the last choice that could have been another is taken otherwise."""
    wanted: list[int] = []
    while True:
        race = make()
        could = race.play(wanted)
        yield race
        taken = race.choices
        while taken and taken[-1] + 1 >= could[len(taken) - 1]:
            taken = taken[:-1]
        if not taken:
            return
        wanted = [*taken[:-1], taken[-1] + 1]


def world(*, empty: bool) -> list[Record]:
    """What both see, what only the sleeper has seen, and what only the other sees; or what only the sleeper has seen."""
    only = [Record("gone", 2, gone=BETWEEN)]
    if empty:
        return only
    return [*only, Record("both", 1), Record("twin", 3), Record("twin", 3), Record("late", 4, visible=BETWEEN)]


def prepared(*, empty: bool) -> Race:
    scenario = Scenario(world(empty=empty), now=END + MINUTE)
    scenario.tick()  # plans the window; nothing is due before its delay is over
    return Race(scenario)


@pytest.mark.parametrize("empty", [False, True])
def test_two_workers_make_the_same_archive_in_every_order(empty: bool) -> None:  # noqa: FBT001 (a case)
    count = 0
    for race in orders(lambda: prepared(empty=empty)):
        count += 1
        check(race)
    assert count > 100


def check(race: Race) -> None:
    scenario, where = race.scenario, race.trail
    assert [turn.error for turn in race.turns] == [None, None], where
    scenario.gate = lambda _call, _moment: None
    scenario.now = END + 2 * HOUR
    scenario.until_sealed()
    assert scenario.rows() == Counter(scenario.seen()), where
    entry = scenario.ledger.covering(Span(START, END))[0]
    assert entry.rows == sum(scenario.rows().values()), where
    assert (entry.object is None) == (not scenario.rows()), where
    if entry.object:
        assert scenario.s3.objects[entry.object.key].etag == entry.object.etag, where
