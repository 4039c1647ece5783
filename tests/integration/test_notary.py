"""Never two trees of one size: a notary killed at any call, repeated by the SDK, with a ledger or bucket of before."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from logarchive.errors import ArchiveError
from logarchive.ledger.dynamodb import Item, Write
from tests.fake_aws import FakeS3, FakeTable, open_gate
from tests.notarized import Archive, check_complete, check_history, checkpoint
from tests.scenario import Killed


def archive(size: int = 254, **fakes: Any) -> Archive:
    """Return an archive whose log has so many entries; the next two close a bundle, the third begins one."""
    made = Archive(**fakes)
    made.plan(90)
    made.run()
    for hour in range(size - 91):
        made.commit(hour % 90)
        if hour % 90 == 89:
            made.run()
    assert made.run()["size"] == size
    return made


def change(made: Archive) -> None:
    """Commit, plan and move the source's begin: three entries more."""
    made.commit(7)
    made.plan(1)
    head = made.ledger.head()
    assert head
    assert made.ledger.plan(head, [], made.now, begin=head.begin)


@dataclass
class Counter:
    """A gate that counts calls, and does something at one of them."""

    at: int = 0
    moment: str = "before"
    act: Callable[[], object] = lambda: None
    calls: list[str] = field(default_factory=list[str])

    def __call__(self, call: str, moment: str) -> None:
        if moment == self.moment:
            self.calls.append(call)
            if len(self.calls) == self.at:
                self.act()


def killed() -> None:
    raise Killed


@pytest.fixture(scope="module")
def base() -> Archive:
    return archive()


def calls(base: Archive) -> list[str]:
    """Return the calls of a run that nothing disturbs."""
    made = base.copy()
    change(made)
    counter = Counter()
    made.gated(counter)
    assert made.run()["appended"] == 3
    return counter.calls


def settle(made: Archive, where: object) -> None:
    """Let the notary run undisturbed, and check everything."""
    made.gated(open_gate)
    made.run()
    check_history(made.s3, made.kms)
    check_complete(made.table, made.s3)
    assert made.counted.total.get("ProofErrors", 0) == 0, where


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_notary_killed_at_any_call_has_signed_nothing_that_another_one_contradicts(
    base: Archive, moment: str
) -> None:
    names = calls(base)
    assert len(names) > 30
    for number, name in enumerate(names, 1):
        made = base.copy()
        change(made)
        made.gated(Counter(number, moment, killed))
        with suppress(Killed):
            made.run()
            raise AssertionError(name)
        made.gated(open_gate)
        made.commit(7)
        made.commit(8)
        settle(made, (name, moment))


def test_a_notary_killed_twice_comes_to_the_same_end(base: Archive) -> None:
    total = len(calls(base))
    for first in range(10, total, 2):
        for second in range(5, total, 5):
            made = base.copy()
            change(made)
            for number in (first, second):
                made.gated(Counter(number, "after", killed))
                with suppress(Killed):
                    made.run()
            settle(made, (first, second))


@dataclass
class RepeatingTable(FakeTable):
    """A table whose n-th write is done twice, as the SDK does when the response of the first was lost."""

    repeat: int = 0
    writes: int = 0

    def update(self, write: Write) -> Item | None:
        self.writes += 1
        if self.writes == self.repeat:
            super().update(write)
        return super().update(write)


@dataclass
class RepeatingS3(FakeS3):
    """A bucket likewise."""

    repeat: int = 0
    puts: int = 0

    def put_object(self, *, Key: str, Body: Any, Bucket: str, **options: Any) -> dict[str, Any]:  # noqa: N803
        self.puts += 1
        if self.puts == self.repeat:
            super().put_object(Key=Key, Body=Body, Bucket=Bucket, **options)
        return super().put_object(Key=Key, Body=Body, Bucket=Bucket, **options)


def test_a_write_whose_response_was_lost_and_that_is_repeated_changes_nothing(base: Archive) -> None:
    for number in range(1, 30):
        for which in ("table", "s3"):
            made = base.copy()
            table, s3 = RepeatingTable(made.table.items), RepeatingS3(made.s3.objects)
            made.table, made.s3 = table, s3
            change(made)
            table.writes = s3.puts = 0
            (table if which == "table" else s3).repeat = number
            assert made.run()["appended"] <= 3
            settle(made, (which, number))


def test_a_commit_at_any_moment_of_a_run_gets_an_entry(base: Archive) -> None:
    for number, name in enumerate(calls(base), 1):
        made = base.copy()
        change(made)

        def commit(made: Archive = made) -> None:
            made.gated(open_gate)
            made.commit(7)  # in the same second as the one that the run is about

        made.gated(Counter(number, "before", commit))
        made.notary().run()
        settle(made, name)


def test_a_notary_that_sleeps_before_any_of_its_calls_takes_nothing_back_of_what_others_do_meanwhile(
    base: Archive,
) -> None:
    for number, name in enumerate(calls(base), 1):
        made = base.copy()
        change(made)

        def others(made: Archive = made) -> None:
            made.gated(open_gate)
            for hour in (7, 8):
                made.run()
                made.commit(hour)
            made.run()

        made.gated(Counter(number, "before", others))
        made.notary().run()
        settle(made, name)


@dataclass
class Backups:
    """A gate that keeps every state of ledger and bucket, and kills after one of the calls."""

    made: Archive
    at: int
    seen: int = 0
    ledgers: list[dict[tuple[str, str], Item]] = field(default_factory=list[dict[tuple[str, str], Item]])
    buckets: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __call__(self, call: str, moment: str) -> None:
        if moment == "before":
            self.seen += 1
            if self.made.table.items not in self.ledgers[-1:]:
                self.ledgers.append(dict(self.made.table.items))
            if self.made.s3.objects not in self.buckets[-1:]:
                self.buckets.append(dict(self.made.s3.objects))
        elif self.seen == self.at:
            raise Killed


def stages(base: Archive) -> Iterator[Backups]:
    """Yield an archive whose notary was killed after each call, with the backups."""
    for number in range(1, len(calls(base)) + 1):
        made = base.copy()
        change(made)
        backups = Backups(made, number)
        made.gated(backups)
        with suppress(Killed):
            made.run()
        made.gated(open_gate)
        yield backups


def test_a_ledger_restored_from_a_backup_of_any_moment_never_makes_another_history(base: Archive) -> None:
    adopted = unknown = 0
    for killed_one in stages(base):
        for ledger in killed_one.ledgers:
            again = killed_one.made.copy()
            again.table.items = dict(ledger)
            again.commit(9)
            again.commit(7)
            again.plan(2)
            again.logged.clear()
            settle(again, (killed_one.at, again.logged))
            adopted += "proof.adopted" in again.logged
            unknown += "proof.unknown" in again.logged
    assert adopted > 5
    assert unknown > 5


def test_a_bucket_restored_from_a_backup_is_not_signed_over(base: Archive) -> None:
    refused = 0
    for killed_one in stages(base):
        before = len(killed_one.made.kms.signed)
        for bucket in killed_one.buckets:
            again = killed_one.made.copy()
            again.s3.objects = dict(bucket)
            again.commit(9)
            try:
                again.run()
            except ArchiveError:
                refused += 1
                assert again.counted.total["ProofErrors"] == 1
                assert len(again.kms.signed) == before
            else:
                check_history(again.s3, again.kms)
    assert refused > 5


def test_a_log_of_an_archive_that_moved_to_a_new_table_goes_on(base: Archive) -> None:
    made = base.copy()
    moved = Archive(FakeTable(), made.s3, made.kms, made.now)
    moved.plan(2)
    assert moved.run()["size"] == 254 + 3
    check_history(moved.s3, moved.kms)
    assert checkpoint(moved.kms.signed[-1])[0] == 257


@pytest.mark.parametrize("commits", [2, 3])
def test_what_is_decided_while_another_ledger_continues_the_log_is_stated_after_it(base: Archive, commits: int) -> None:
    """A ledger was restored into another table while a notary still ran with the first."""
    made = base.copy()
    other = Archive(FakeTable(dict(made.table.items)), made.s3, made.kms, made.now, hours=made.hours)
    other.plan(2)
    for hour in range(commits):
        made.commit(hour)
    counter = Counter(act=other.run)
    decided = "ddb.update #log"

    def gate(call: str, moment: str) -> None:
        if call == decided and moment == "before" and not counter.calls:
            counter.at = 1
            counter(call, moment)

    made.gated(gate)
    other.gated(open_gate)
    made.run()
    assert counter.calls == [decided]
    assert "proof.adopted" in made.logged
    made.plan(2)
    settle(made, commits)
