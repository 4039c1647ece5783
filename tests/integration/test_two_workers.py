"""Two workers on one window, one of which has slept past its lease, in every order of the calls that can meet.

Left out are only calls that nothing else can see: parts (their keys hold the
claim's number), and the provider (each worker gets the answer of its own time).
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from functools import partial

import pytest

from logarchive.errors import ArchiveError
from logarchive.window import Span
from tests.fake_aws import FakeS3, open_gate
from tests.race import Race, every_order
from tests.scenario import END, HOUR, MINUTE, START, Record, Scenario

#: The sleeper's visit and the other worker's, on both sides of the sleeper's lease.
SLEEPER, OTHER = END + 6 * MINUTE, END + 30 * MINUTE
BETWEEN = END + 20 * MINUTE


def shared(call: str) -> bool:
    """Say whether another worker can see a call, or is seen by it."""
    verb, _, what = call.partition(" ")
    if verb.startswith("s3"):
        return what.startswith("logs/") or verb == "s3.list" or (verb == "s3.put" and what.endswith("manifest.json"))
    return verb == "ddb.first" or (verb in {"ddb.update", "ddb.get"} and not what.startswith("#"))


@dataclass
class Workers:
    """A race of the sleeper and the other worker."""

    scenario: Scenario
    #: The other worker's visit runs out of memory.
    gives_way: bool = False
    #: How much later than usual both visit.
    later: dt.timedelta = 0 * HOUR

    def __post_init__(self) -> None:
        def answer(_request: object) -> None:
            if self.gives_way and self.race.current is self.race.callers[-1] and len(self.race.callers) > 1:
                raise MemoryError

        self.race = Race(shared, self.observed, self.archive_state)
        self.scenario.gate, self.scenario.answer = self.race.gate, answer
        for now in (SLEEPER, OTHER):
            self.race.enter(partial(self.work, now + self.later))

    def work(self, now: dt.datetime) -> None:
        """Visit the window that is due."""
        archive = self.scenario.archive(lambda: now)
        with archive.worker("shop", archive.source("shop")) as worker:
            for entry in worker.context.ledger.due(now, 1):
                worker.visit(entry)

    def observed(self, call: str) -> object:
        """Return what a call meets: the object or the items it is about."""
        verb, _, what = call.partition(" ")
        objects = self.scenario.s3.objects
        if verb == "s3.list":
            return tuple(sorted(key for key in objects if key.startswith(what) and key.endswith("manifest.json")))
        if verb.startswith("s3"):
            return objects[what].etag if what in objects else None
        return repr(self.items())

    def items(self) -> list[object]:
        """Return the windows' items, but for the name of the worker: it differs from race to race, and says nothing."""
        items = self.scenario.table.items.items()
        return [{**item, "claimed_by": ""} for (_, sort), item in items if not sort.startswith("#")]

    def archive_state(self) -> int:
        """Digest what the two can see of each other."""
        objects = [(key, one.etag) for key, one in self.scenario.s3.objects.items() if not key.endswith(".zip")]
        items = list(map(repr, self.items()))
        return hash((tuple(sorted(objects)), tuple(sorted(items))))


def race_of(made: Workers) -> Race:
    return made.race


def world(*, empty: bool) -> list[Record]:
    """What only the sleeper has seen; and what both see, and what only the other sees, unless it finds nothing."""
    only = [Record("gone", 2, gone=BETWEEN)]
    if empty:
        return only
    return [*only, Record("both", 1), Record("twin", 3), Record("twin", 3), Record("late", 4, visible=BETWEEN)]


def prepared(*, empty: bool, gives_way: bool, s3: FakeS3 | None = None) -> Workers:
    scenario = Scenario(world(empty=empty), now=END + MINUTE, s3=s3 or FakeS3())
    scenario.tick()  # plans the window; nothing is due before its delay is over
    return Workers(scenario, gives_way=gives_way)


@pytest.mark.parametrize(("empty", "gives_way"), [(False, False), (True, False), (False, True)])
def test_two_workers_make_the_same_archive_in_every_order(empty: bool, gives_way: bool) -> None:
    orders, outcomes = every_order(lambda: prepared(empty=empty, gives_way=gives_way), race_of, check)
    assert orders > 50
    assert outcomes > 3


def revisiting(*, still: bool) -> Workers:
    """Return workers of a window that was visited before. The sleeper brings the same bytes, the other if `still`."""
    between = BETWEEN + HOUR
    changed = [Record("gone", 2, gone=between), Record("late", 4, visible=between)]
    scenario = Scenario([Record("both", 1), *([] if still else changed)], now=SLEEPER)
    scenario.tick()
    return Workers(scenario, later=HOUR)


@pytest.mark.parametrize("still", [True, False])
def test_two_workers_that_revisit_a_window_make_the_same_archive_in_every_order(*, still: bool) -> None:
    orders, outcomes = every_order(lambda: revisiting(still=still), race_of, check)
    assert orders > 50
    assert outcomes > 3


def split_too_early(made: Workers) -> bool:
    """Say whether the sleeper became complete only after the other had looked for it a last time, and split.

    That cannot be mended, so it must not pass in silence: the sleeper's invocation fails, and nothing is doubled.
    """
    error = made.race.callers[0].error
    if not isinstance(error, ArchiveError) or "was split" not in str(error):
        return False
    looks = [number for number, step in enumerate(made.race.trail) if step.startswith("1:s3.list") and "-P1D/" in step]
    [complete] = [
        number for number, step in enumerate(made.race.trail) if "-0001/manifest.json" in step and "-P1D/" in step
    ]
    assert complete > looks[-1], made.race.trail
    made.scenario.now = END + 2 * HOUR
    made.scenario.until_sealed()
    assert all(count <= 1 + (body == "twin") for body, count in made.scenario.rows().items()), made.race.trail
    return True


def check(made: Workers) -> None:
    scenario, where = made.scenario, made.race.trail
    scenario.gate, scenario.answer = open_gate, lambda _request: None
    if split_too_early(made):
        return
    assert [caller.error for caller in made.race.callers] == [None, None], where
    committed = scenario.ledger.covering(Span(START, END))[0].visits
    assert scenario.rows() >= Counter(scenario.seen(committed)), where
    scenario.now = END + 2 * HOUR
    scenario.until_sealed()
    assert scenario.rows() == Counter(scenario.seen()), where
    entries = scenario.ledger.covering(Span(START, END))
    assert sum(entry.numbers.rows for entry in entries) == sum(scenario.rows().values()), where
    for entry in entries:
        assert (entry.object is None) == (entry.numbers.rows == 0), where
        if entry.object:
            assert scenario.s3.objects[entry.object.key].etag == entry.object.etag, where
