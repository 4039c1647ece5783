"""The sums of a source's settled past: `status` with them says what it says without, and reads only what came after."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from logarchive.action.result import Result
from logarchive.ledger.dynamodb import Condition, Item, Write
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.head import HEAD
from logarchive.ledger.lag import hours_to_loss, lag_seconds
from logarchive.ledger.past import PAST, WORTH_A_WRITE
from logarchive.moment import DAY, HOUR, MINUTE, instant
from logarchive.numbers import WindowNumbers
from logarchive.window import Window
from tests.fake_aws import FakeTable
from tests.scenario import START, Scenario, some

MAPPING = 3


@dataclass
class Counted(FakeTable):
    """A table that notes how many items were read."""

    read: int = 0

    def query(self, key: Condition, *, index: str = "", backwards: bool = False) -> Iterator[Item]:
        for item in super().query(key, index=index, backwards=backwards):
            self.read += 1
            yield item


@dataclass
class Life:
    """The ledger of a source over time, and what happens to it."""

    chance: random.Random = field(default_factory=lambda: random.Random(1))
    #: How often a planner leaves an hour out, which another one may fill later.
    gaps: float = 0
    stage: Scenario = field(init=False)

    def __post_init__(self) -> None:
        self.stage = Scenario([], table=Counted(), source={"window": "PT1H"}, now=START)
        self.stage.provider = replace(self.stage.provider, mapping_version=MAPPING)
        self.stage.ledger.create(Head(begin=START, cursor=START, feed_id="p/1"), START)

    @property
    def leaves(self) -> list[Entry]:
        return sorted((one for one in self.stage.ledger.every() if one.state != "split"), key=lambda one: one.window)

    def plan(self, hours: int, *, moves: bool = True) -> None:
        head = some(self.stage.ledger.head())
        start = head.cursor if moves else head.cursor - 200 * HOUR
        windows = [Window(start + at * HOUR, start + (at + 1) * HOUR) for at in range(hours)]
        covered = {one.window for one in self.stage.ledger.every()}
        new = [one for one in windows if one not in covered and (self.chance.random() >= self.gaps or not moves)]
        entries = [Entry(window_key=one.key, state="planned", due_at=one.end) for one in new if one.start >= START]
        end = start + hours * HOUR if moves else None
        assert self.stage.ledger.plan(head, entries, self.stage.now, cursor=end)
        self.stage.now = max(self.stage.now, end or START)

    def finish(self, most: int) -> None:
        for entry in [one for one in self.leaves if one.due_at][:most]:
            held = self.claim(entry)
            if held and self.chance.random() < 0.03 and not held.replay:
                self.split(held)
            elif held:
                self.stage.ledger.commit(held, self.result(held), self.stage.now)

    def claim(self, entry: Entry) -> Entry | None:
        now = max(self.stage.now, entry.due_at or self.stage.now)
        return self.stage.ledger.claim(entry, "w", now, now + HOUR)

    def result(self, held: Entry) -> Entry:
        if held.replay:
            return held.replace(due_at=held.replay.due_at, replay=None, mapping=MAPPING, unmerged_claims=0)
        state = self.chance.choices(["sealed", "closed", "archived"], [20, 1, 0.3])[0]
        return Entry.model_validate({
            **vars(held),
            "state": state,
            "due_at": self.stage.now + HOUR if state == "archived" else None,
            "visits": ("v",) if state != "closed" else (),
            "issue": self.chance.choices([None, "shrunk", "forbidden"], [20, 1, 1])[0],
            "error": self.chance.choices([None, "403", "404"], [20, 1, 1])[0],
            "mapping": self.chance.choice([1, MAPPING]),
            "numbers": WindowNumbers(rows=self.chance.randrange(3, 9), fetched=self.chance.randrange(3)),
            "unmerged_claims": 0,
        })  # fmt: skip

    def split(self, held: Entry) -> None:
        halves = [Window(one.start, one.end) for one in held.window.halves(MINUTE) or ()]
        parts = [Entry(window_key=one.key, state="planned", due_at=self.stage.now) for one in halves]
        assert self.stage.ledger.split(held, parts, self.stage.now)

    def disturb(self) -> None:
        """Make a window due again in one of the ways that there are."""
        ledger, now, entry = self.stage.ledger, self.stage.now, self.chance.choice(self.leaves)
        ways: list[Callable[[], object]] = [
            lambda: ledger.make_due(entry, now),
            lambda: ledger.mark_replay(entry, now),
            lambda: ledger.reopen_for_unmerged_visit(entry, now),
            lambda: self.plan(200, moves=False),
            lambda: self.claim(entry),  # by a worker that dies
        ]
        if not entry.claimed:
            self.chance.choice(ways)()

    def status(self) -> Result:
        (found,) = self.stage.act("status")["sources"]
        return {name: value for name, value in found.items() if name not in {"source", "state"}}

    def walked(self) -> Result:
        """Return what `status` has to say, from all entries."""
        head, leaves, now = some(self.stage.ledger.head()), self.leaves, self.stage.now
        source = self.stage.archive().source("shop")
        unfinished = [entry for entry in leaves if not entry.finished]
        errors = [entry.error for entry in leaves if entry.error]
        return {
            "begin": instant(head.begin),
            "begin_reason": head.begin_reason,
            "sealed_until": until(leaves, lambda entry: entry.state == "sealed"),
            "settled_until": until(leaves, lambda entry: entry.finished),
            "lag_seconds": lag_seconds(head, unfinished, source, now),
            "open": len(unfinished),
            "due": sum(1 for entry in unfinished if entry.visit_due_at and entry.visit_due_at <= now),
            "issues": dict(Counter(entry.issue for entry in leaves if entry.issue)),
            "hours_to_loss": hours_to_loss(head, unfinished, source, now),
            "rows": sum(entry.numbers.rows for entry in leaves),
            "kept": sum(entry.numbers.kept for entry in leaves),
            "last_error": errors[-1] if errors else None,
            "outdated": sum(1 for entry in leaves if entry.outdated(MAPPING)),
            "replaying": sum(1 for entry in leaves if entry.replay),
        }


def until(leaves: Sequence[Entry], reached: Callable[[Entry], bool]) -> str | None:
    end: dt.datetime | None = None
    for leaf in leaves:
        end = end or leaf.window.start
        if end != leaf.window.start or not reached(leaf):
            break
        end = leaf.window.end
    return instant(end) if end else None


@pytest.mark.parametrize("seed", range(6))
def test_with_the_sums_of_the_past_a_status_says_what_all_entries_say(seed: int) -> None:
    life = Life(random.Random(seed), gaps=0.1)
    life.plan(30)
    used = 0
    for _ in range(25):
        life.chance.choices(
            [lambda: life.plan(life.chance.randrange(1, 60)), lambda: life.finish(90), life.disturb], [3, 4, 2]
        )[0]()
        before = life.stage.table.items.get(("elsa#shop", PAST))
        head = some(life.stage.ledger.head())
        used += bool(before and before["reopened"] == head.reopened)
        assert life.status() == life.walked()
    assert used > 2


def lived(days: int) -> Life:
    life = Life()
    for _ in range(days):
        life.plan(24)
        for entry in [one for one in life.leaves if one.due_at]:
            held = some(life.claim(entry))
            life.stage.ledger.commit(held, held.replace(state="sealed", due_at=None), life.stage.now)
    return life


def test_a_status_of_a_long_past_reads_as_little_as_one_of_a_day() -> None:
    costs: list[tuple[int, int]] = []
    for days in (1, 40):
        life = lived(days)
        life.status()
        table = life.stage.table
        assert isinstance(table, Counted)
        table.calls.clear()
        table.read = 0
        life.status()
        costs.append((len(table.calls), table.read))
    assert costs[0] == costs[1]


def test_a_few_windows_more_are_not_worth_a_write() -> None:
    life = lived(1)
    life.status()
    stored = dict(life.stage.table.items["elsa#shop", PAST])
    life.plan(WORTH_A_WRITE - 1)
    life.finish(99)
    life.status()
    assert life.stage.table.items["elsa#shop", PAST] == stored


def test_the_sums_are_not_used_after_a_planner_of_the_version_before_has_changed_the_head() -> None:
    life = lived(2)
    life.status()
    key = "elsa#shop", life.leaves[0].window_key
    table, head = life.stage.table, some(life.stage.ledger.head())
    # That version reopens a window, finishes it with other rows, and plans on; nothing of it is counted.
    table.items[key] |= {"rows": 77}
    table.update(Write("elsa#shop", HEAD, {"version": head.version + 1}, ()))
    assert life.status()["rows"] == 77
    life.plan(1)
    assert life.status() == life.walked()


@pytest.mark.parametrize("call", range(6))
def test_a_window_that_is_opened_and_finished_again_while_a_status_reads_is_in_the_next_one(call: int) -> None:
    life = lived(3)
    life.status()
    life.plan(24)
    life.finish(99)
    passed: list[str] = []

    def gate(name: str, moment: str) -> None:
        passed.append(name)
        if len(passed) == call + 1:
            make_due(life, life.leaves[5])
            held = some(life.claim(life.leaves[5]))
            done = held.replace(state="sealed", due_at=None, numbers=WindowNumbers(rows=1000))
            assert life.stage.ledger.commit(held, done, life.stage.now)

    life.stage.gate = gate
    life.status()
    assert len(passed) > call
    for _ in range(2):
        assert life.status() == life.walked()


@dataclass
class Contended(Counted):
    """A table of which every second transaction meets with another one."""

    odd: bool = False

    def transact(self, writes: Sequence[Write]) -> bool:
        self.odd = not self.odd
        return not self.odd and super().transact(writes)


def make_due(life: Life, entry: Entry) -> None:
    assert life.stage.ledger.make_due(entry, life.stage.now)


def mark_replay(life: Life, entry: Entry) -> None:
    assert life.stage.ledger.mark_replay(entry, life.stage.now)


def find_unmerged(life: Life, entry: Entry) -> None:
    life.stage.ledger.reopen_for_unmerged_visit(entry, life.stage.now)


@pytest.mark.parametrize("reopen", [make_due, mark_replay, find_unmerged])
def test_a_finished_window_is_due_again_and_counted_though_others_write_the_head(
    reopen: Callable[[Life, Entry], None],
) -> None:
    life = lived(2)
    life.stage.table = Contended(life.stage.table.items)
    first = life.leaves[0]
    reopen(life, first)
    assert some(life.stage.ledger.read(first.window)).due_at
    assert some(life.stage.ledger.head()).reopened == 1


def test_a_window_that_changed_meanwhile_is_not_made_due_and_not_counted() -> None:
    life = lived(1)
    first = life.leaves[0]
    assert life.stage.ledger.mark_replay(first, life.stage.now)
    assert life.stage.ledger.make_due(first, life.stage.now) is None
    assert life.stage.ledger.mark_replay(first, life.stage.now + DAY) is None
    assert some(life.stage.ledger.head()).reopened == 1
