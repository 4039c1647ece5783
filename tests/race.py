"""Two callers on one archive, in every order of the calls that can meet.

Orders that lead both callers to the same knowledge and the archive to the same state go on in the same way, so each
such state is left only once.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.turn import Turn

type State = tuple[object, ...]


@dataclass
class Caller(Turn):
    """One caller's thread, and what it does."""

    at: str = "start"
    #: What its calls have met so far: all it can know of the other.
    met: list[object] = field(default_factory=list[object])

    def reached(self, call: str) -> None:
        """Wait, in the caller's thread, until it may make the call."""
        self.at = call
        self.wait()


@dataclass
class Race:
    """One order of the calls of several callers."""

    #: Whether another caller can see a call, or is seen by it.
    shared: Callable[[str], bool]
    #: What a call meets: the object or the items that it is about.
    observed: Callable[[str], object]
    #: A digest of what the callers can see of each other.
    archive_state: Callable[[], int]
    callers: list[Caller] = field(default_factory=list[Caller])
    choices: list[int] = field(default_factory=list[int])
    could: list[int] = field(default_factory=list[int])
    trail: list[str] = field(default_factory=list[str])
    _by_thread: dict[int, Caller] = field(default_factory=dict[int, Caller])

    def gate(self, call: str, moment: str) -> None:
        """Hold a caller before each call that others can see."""
        caller = self.current
        if caller and moment == "before" and self.shared(call):
            caller.reached(call)
            caller.met.append((call, self.observed(call)))

    @property
    def current(self) -> Caller | None:
        """The caller in whose thread this is asked."""
        return self._by_thread.get(threading.get_ident())

    def enter(self, run: Callable[[], object]) -> None:
        """Start one more caller; it waits before its first call."""

        def live() -> None:
            self._by_thread[threading.get_ident()] = caller
            run()

        caller = Caller(live)
        caller.start()
        self.callers.append(caller)

    def state(self) -> State:
        """Everything on which the rest depends."""
        return (self.archive_state(), *(hash((one.at, one.done, tuple(one.met))) for one in self.callers))

    def play(self, wanted: list[int], left: set[State]) -> bool:
        """Follow `wanted`, then let the first go on that can; False on reaching a state that was left before."""
        while ready := [number for number, caller in enumerate(self.callers) if not caller.done]:
            step = len(self.choices)
            if step >= len(wanted):
                if self.state() in left:
                    return False
                left.add(self.state())
            choice = wanted[step] % len(ready) if step < len(wanted) else 0
            self.choices.append(choice)
            self.could.append(len(ready))
            caller = self.callers[ready[choice]]
            self.trail.append(f"{ready[choice]}:{caller.at}")
            caller.step()
        return True

    def stop(self) -> None:
        """End all callers where they are."""
        for caller in self.callers:
            if not caller.done:
                caller.step(stop=True)


def every_order[R](make: Callable[[], R], race_of: Callable[[R], Race], check: Callable[[R], None]) -> tuple[int, int]:
    """Check every outcome; return how many orders were tried, and how many outcomes they had."""
    wanted: list[int] = []
    left: set[State] = set()
    ends: set[int] = set()
    orders = 0
    while True:
        made = make()
        race = race_of(made)
        if race.play(wanted, left) and race.archive_state() not in ends:
            ends.add(race.archive_state())
            check(made)
        race.stop()
        orders += 1
        taken = race.choices
        while taken and taken[-1] + 1 >= race.could[len(taken) - 1]:
            taken = taken[:-1]
        if not taken:
            return orders, len(ends)
        wanted = [*taken[:-1], taken[-1] + 1]
