"""A claim alone: what its holder may write, and what is written down when it is lost."""

import datetime as dt
from collections.abc import Callable

import pytest

from logarchive.errors import ArchiveError, LostClaimError
from logarchive.ledger.dynamodb import Table
from logarchive.ledger.entry import Entry, Head
from logarchive.ledger.ledger import Ledger
from logarchive.store.bucket import ChangedError
from logarchive.visit.claim import Claim
from logarchive.window import Window
from tests.scenario import some

T0 = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
NOW, LATER = T0 + 10 * HOUR, T0 + 11 * HOUR
WINDOW = Window(T0, T0 + HOUR)


@pytest.fixture
def ledger(table: Table) -> Ledger:
    ledger = Ledger(table, "elsa", "shop")
    ledger.create(Head(begin=T0, cursor=T0, feed_id="feed"), T0)
    assert ledger.plan(some(ledger.head()), [Entry(window_key=WINDOW.key, state="planned", due_at=T0)], T0)
    return ledger


def claim(ledger: Ledger, now: dt.datetime = NOW) -> Claim:
    return Claim.of(ledger, some(ledger.claim(stored(ledger), "worker", now, now + HOUR)), lambda: now)


def stored(ledger: Ledger) -> Entry:
    return some(ledger.read(WINDOW))


def sealed(held: Claim) -> Entry:
    return held.entry.replace(state="sealed", due_at=None, unmerged_claims=0)


def changed() -> None:
    raise ChangedError


WRITES: list[Callable[[Claim], object]] = [
    lambda held: held.release(sealed(held)),
    lambda held: held.split([]),
    lambda held: held.ensure_held(),
    lambda held: held.retry(changed),
]


@pytest.mark.parametrize("write", WRITES)
def test_whoever_has_lost_a_claim_changes_nothing_and_is_told(ledger: Ledger, write: Callable[[Claim], object]) -> None:
    lost = claim(ledger)
    claim(ledger, LATER)
    before = stored(ledger)
    with pytest.raises(LostClaimError):
        write(lost)
    with pytest.raises(ChangedError):
        lost.commit(sealed(lost))
    assert stored(ledger) == before


def test_a_step_is_done_again_while_what_it_read_changes_and_not_for_ever(ledger: Ledger) -> None:
    held, rounds = claim(ledger), list[int]()

    def third() -> str:
        rounds.append(1)
        if len(rounds) < 3:
            changed()
        return "done"

    assert (held.retry(third), len(rounds)) == ("done", 3)
    with pytest.raises(ArchiveError, match="was changed"):
        held.retry(changed)


def test_a_visit_that_is_reported_while_a_claim_is_held_must_be_merged_before_its_commit(ledger: Ledger) -> None:
    lost = claim(ledger)
    held = claim(ledger, LATER)
    lost.complete = True
    lost.report_unmerged()
    assert held.unmerged == 1
    with pytest.raises(ChangedError):
        held.commit(sealed(held))
    held.ensure_held()
    assert held.unmerged == 2
    assert held.commit(sealed(held)).state == "sealed"


@pytest.mark.parametrize(("complete", "unmerged"), [(False, 0), (True, 1)])
def test_a_release_leaves_its_own_visit_to_the_next_claim_if_it_is_complete(
    ledger: Ledger, complete: bool, unmerged: int
) -> None:
    held = claim(ledger)
    held.complete = complete
    held.release(held.entry.replace(due_at=LATER))
    assert stored(ledger).unmerged_claims == unmerged
    assert claim(ledger, LATER).unmerged == unmerged


@pytest.mark.parametrize("complete", [False, True])
def test_a_lost_claim_reopens_a_sealed_window_only_for_a_visit_that_is_complete(ledger: Ledger, complete: bool) -> None:
    lost = claim(ledger)
    other = claim(ledger, LATER)
    other.commit(sealed(other))
    lost.complete, lost.clock = complete, lambda: LATER
    lost.report_unmerged()
    assert stored(ledger).due_at == (LATER if complete else None)


def test_a_claim_that_is_still_held_has_nothing_to_report(ledger: Ledger) -> None:
    held = claim(ledger)
    held.complete = True
    held.report_unmerged()
    assert stored(ledger) == held.entry


def test_a_split_window_is_due_no_more(ledger: Ledger) -> None:
    assert claim(ledger).split([]).finished
    assert (stored(ledger).state, stored(ledger).due_at) == ("split", None)
