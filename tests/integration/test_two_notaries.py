"""Two notaries at a time, in every order of the calls that can meet; and a worker that commits meanwhile."""

import random
from dataclasses import dataclass

import pytest

from tests.fake_aws import FakeS3, FakeTable, open_gate
from tests.integration.test_notary import archive
from tests.notarized import Archive, check_complete, check_history
from tests.race import Race, every_order
from tests.scenario import some


def shared(call: str) -> bool:
    """Say whether another notary can see a call, or is seen by it.

    Left out are tiles: whoever reads one has written it, or follows a checkpoint that its writer has written later.
    """
    verb, _, what = call.partition(" ")
    return verb.startswith("ddb") or verb == "s3.list" or what.startswith("proof/checkpoint")


@dataclass
class Notaries:
    """A race of two notaries."""

    base: Archive
    #: Whether a worker commits a window meanwhile, which has just been marked.
    commits: bool

    def __post_init__(self) -> None:
        self.archive = self.base.copy()
        self.archive.commit(7)
        self.archive.plan(1)
        self.race = Race(shared, self.observed, self.archive_state)
        self.archive.gated(self.gate)
        self.notaries = [self.archive.notary(), self.archive.notary()]
        for notary in self.notaries:
            self.race.enter(notary.run)
        if self.commits:
            self.race.enter(self._commit)

    def gate(self, call: str, moment: str) -> None:
        """Hold a notary before a call. Where a step begins, it knows of those before only which marks are left."""
        self.race.gate(call, moment)
        caller = self.race.current
        if caller and moment == "before" and call == "s3.get proof/checkpoint":
            *before, now = caller.met
            if not str(before[-1:]).startswith("[('ddb.get #log'"):  # there it is read a second time within a step
                notary = self.notaries[self.race.callers.index(caller)]
                caller.met = [(notary.appended, tuple(notary.waiting.left())), now]

    def _commit(self) -> None:
        some(self.race.current).reached("commit")
        worker = Archive(FakeTable(self.archive.table.items), FakeS3(self.archive.s3.objects), now=self.archive.now)
        worker.commit(7)

    def observed(self, call: str) -> object:
        """Return what a call meets: the object or the items it is about."""
        verb, _, what = call.partition(" ")
        objects = self.archive.s3.objects
        if verb == "s3.list":
            return tuple(sorted(key for key in objects if key.startswith(what)))
        if verb.startswith("s3"):
            return objects[what].etag if what in objects else None
        items = self.archive.table.items.items()
        if verb == "ddb.scan":
            return tuple(key for key, item in items if "unproven" in item)
        return tuple(repr(item) for (_, sort), item in items if sort == what)

    def archive_state(self) -> int:
        """Digest what the two can see of each other."""
        before, objects, items = self.base, self.archive.s3.objects, self.archive.table.items
        new = [(key, one.etag) for key, one in objects.items() if before.s3.objects.get(key) is not one]
        changed = [repr(item) for key, item in items.items() if before.table.items.get(key) is not item]
        return hash((tuple(sorted(new)), tuple(sorted(changed))))


def check(made: Notaries) -> None:
    assert [caller.error for caller in made.race.callers] == [None] * len(made.race.callers), made.race.trail
    made.archive.gated(open_gate)
    check_history(made.archive.s3, made.archive.kms)
    made.archive.run()
    check_history(made.archive.s3, made.archive.kms)
    check_complete(made.archive.table, made.archive.s3)
    assert "ProofErrors" not in made.archive.counted.total, made.race.trail


@pytest.fixture(scope="module")
def base() -> Archive:
    """The next two entries close a bundle and begin one."""
    return archive(255)


@pytest.mark.slow
def test_two_notaries_make_one_history_in_every_order(base: Archive) -> None:
    orders, _ = every_order(lambda: Notaries(base, commits=False), lambda made: made.race, check)
    assert orders > 1000


def test_two_notaries_and_a_worker_make_one_history_in_random_orders(base: Archive) -> None:
    for seed in range(150):
        made, order = Notaries(base, commits=True), random.Random(seed)
        assert made.race.play([order.randrange(6) for _ in range(200)], set())
        check(made)
