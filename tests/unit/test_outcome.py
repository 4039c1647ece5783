import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from pydantic import HttpUrl, ValidationError

from logarchive.errors import Issue, MismatchError, OutOfTimeError, TooLargeError
from logarchive.ledger.entry import Entry
from logarchive.numbers import VisitNumbers, WindowNumbers
from logarchive.provider.source import Source
from logarchive.row.build import Built
from logarchive.visit.merger import Merged, Written
from logarchive.visit.outcome import (
    Failure,
    Visited,
    after_failure,
    after_retention,
    after_visit,
    expired,
    failure_of,
    next_age,
    require_requested,
)
from logarchive.window import Window

START = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
END = START + HOUR
LAST = END + 24 * HOUR


def source(**fields: object) -> Source:
    return Source.model_validate({"secret": "s", "base_url": HttpUrl("http://localhost"), **fields})


def entry(**fields: object) -> Entry:
    return Entry.model_validate(
        {
            "window_key": Window(START, END).key,
            "state": "planned",
            "due_at": END,
            "attempt": 1,
            "unmerged_claims": 1,
            **fields,
        }
    )


def visited(at: dt.datetime, issue: Issue | None = None, kept: int = 0, **numbers: int) -> Visited:
    built = Built(
        numbers=VisitNumbers.model_validate({"fetched": 5, "rows": 5, **numbers}),
        path=None,
        object_rows=5 + kept,
        kept=kept,
        added=5,
        rejects_path=None,
        mapping_version=1,
    )
    merged = Merged(path=None, built=built, existing=None, visits=("v1",), late=0)
    return Visited(
        started=at, manifest="m", merged=merged, written=Written(None, None), issue=issue, requests=1, seconds=2
    )


def test_kept_are_the_rows_that_the_newest_good_visit_did_not_return() -> None:
    assert WindowNumbers(rows=5, fetched=6, rejects=1, outside=1, duplicates=2).kept == 3


@pytest.mark.parametrize("change", [{"state": "nonsense"}, {"dueat": None}, {"numbers": {"rows": "many"}}])
def test_an_entry_refuses_a_field_or_a_value_that_it_cannot_have(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        entry().replace(**change)


def test_after_the_first_visit_a_window_is_due_at_its_next_age() -> None:
    done = after_visit(entry(), source(), visited(END + 5 * MINUTE))
    assert (done.state, done.due_at, done.visits, done.unmerged_claims) == ("archived", END + HOUR, ("v1",), 0)


def test_a_visit_that_came_late_skips_the_ages_that_have_passed() -> None:
    done = after_visit(entry(), source(), visited(END + 2 * HOUR))
    assert (done.state, done.due_at) == ("archived", LAST)


@pytest.mark.parametrize("late", [dt.timedelta(0), 99 * HOUR])
def test_the_visit_at_or_after_the_last_age_seals(late: dt.timedelta) -> None:
    done = after_visit(entry(), source(), visited(LAST + late))
    assert (done.state, done.due_at, done.issue) == ("sealed", None, None)


def test_a_visit_just_before_the_last_age_does_not_seal() -> None:
    assert after_visit(entry(), source(), visited(LAST - dt.timedelta(seconds=1))).due_at == LAST


def test_a_source_without_revisits_seals_at_its_first_visit() -> None:
    assert after_visit(entry(), source(revisit=[]), visited(END)).state == "sealed"


def test_what_shrank_is_sealed_all_the_same_and_says_how_many_records_are_gone() -> None:
    early = after_visit(entry(), source(), visited(END + 5 * MINUTE, kept=2))
    last = after_visit(entry(), source(), visited(LAST, kept=2))
    assert (early.state, early.issue) == ("archived", "shrunk")
    assert (last.state, last.issue, last.numbers.rows, last.numbers.kept) == ("sealed", "shrunk", 7, 2)
    assert last.error == "the provider no longer returns 2 of 7 records; their rows are kept"


def test_what_is_truncated_at_the_last_age_is_closed_never_sealed() -> None:
    done = after_visit(entry(), source(), visited(LAST, "truncated"))
    assert (done.state, done.due_at, done.issue) == ("closed", None, "truncated")


@pytest.mark.parametrize(
    ("numbers", "verification"),
    [
        ({"announced": 5}, "verified"),
        ({"announced": 6}, "unverified"),
        ({"announced": 5, "strays": 1}, "unverified"),
        ({}, "unverified"),
    ],
)
def test_verified_means_announced_is_fetched_and_no_stray(numbers: dict[str, Any], verification: str) -> None:
    assert after_visit(entry(), source(), visited(END, **numbers)).numbers.verification == verification


def test_a_good_visit_clears_the_issue_and_the_error_of_the_failed_ones() -> None:
    failed = after_failure(entry(), source(), END, Failure("throttled", "slow down"), None)
    done = after_visit(failed, source(), visited(END))
    assert (done.issue, done.error, done.failures) == (None, None, 0)


def test_after_a_good_visit_the_numbers_are_no_longer_those_of_a_replay() -> None:
    assert not after_visit(entry(visits=("v0",), replayed=True), source(), visited(END)).replayed


def test_of_visits_that_are_merged_at_once_the_last_one_stands_for_what_all_have_added_late() -> None:
    visit = visited(END)
    merged = replace(visit.merged, visits=("v1", "v2", "v3", "v4"), late=7)
    before = entry(visits=("v1",), late_by_visit=(0,))
    assert after_visit(before, source(), replace(visit, merged=merged)).late_by_visit == (0, 0, 0, 7)


@pytest.mark.parametrize(
    "error", [OutOfTimeError("no time is left"), MemoryError(), TooLargeError("a record of 30 MB")]
)
def test_what_is_too_much_for_one_visit_says_what_and_what_helps(error: Exception) -> None:
    failure = failure_of(error)
    assert (failure.issue, failure.too_much) == ("too_large", True)
    assert failure.error.startswith(f"{str(error) or 'MemoryError'}: give the function more time or memory")


def test_a_response_most_of_whose_records_were_not_asked_for_is_that_of_another_request() -> None:
    require_requested(VisitNumbers(fetched=5, strays=2))
    require_requested(VisitNumbers(fetched=4, strays=2))
    with pytest.raises(MismatchError, match="3 of 5 records"):
        require_requested(VisitNumbers(fetched=5, strays=3))


@pytest.mark.parametrize(("early", "issue"), [(dt.timedelta(seconds=1), None), (dt.timedelta(0), "expired")])
def test_a_visit_at_the_moment_at_which_records_are_lost_is_too_late(early: dt.timedelta, issue: Issue | None) -> None:
    keeps = source(retention="P3D")
    lost = keeps.lost_at(Window(START, END))
    assert lost
    assert after_visit(entry(), keeps, visited(lost - early)).issue == issue


def test_once_the_records_are_lost_the_back_off_is_as_long_as_any() -> None:
    keeps, often = source(retention="P3D"), entry(failures=9)
    lost = keeps.lost_at(Window(START, END))
    assert lost
    failed = after_failure(often, keeps, lost, Failure("unavailable", "no answer"), None)
    assert failed.due_at == lost + 6 * HOUR


def test_failures_back_off_and_never_finish_a_window() -> None:
    waits, failed = [], entry()
    for _ in range(7):
        failed = after_failure(failed, source(), END, Failure("unavailable", "no answer"), "m")
        assert failed.due_at
        waits.append((failed.due_at - END) // MINUTE)
        assert (failed.state, failed.issue, failed.manifest) == ("planned", "unavailable", "m")
    assert waits == [1, 5, 15, 60, 360, 360, 360]


def test_a_back_off_is_never_longer_than_half_of_what_is_left() -> None:
    configured = source(retention="P2D")
    lost = START + 48 * HOUR
    failed = after_failure(entry(failures=4), configured, lost - 2 * HOUR, Failure("forbidden", "no"), None)
    assert (failed.due_at, failed.lost_at) == (lost - HOUR, lost)
    close = after_failure(entry(failures=4), configured, lost - MINUTE, Failure("forbidden", "no"), None)
    assert close.due_at == lost


def test_a_window_that_the_provider_holds_no_more_is_expired_and_closed() -> None:
    configured = source(retention="P1D", revisit=[])
    assert not expired(entry(), configured, END + 24 * HOUR - dt.timedelta(seconds=1))
    assert expired(entry(), configured, END + 24 * HOUR)
    assert not expired(entry(), source(), END + 9999 * HOUR)
    closed = after_retention(entry(issue="forbidden", error="401"))
    assert (closed.state, closed.due_at, closed.issue, closed.error) == ("closed", None, "expired", "401")


def test_a_visit_while_the_provider_is_dropping_the_window_keeps_the_rows_and_closes_it() -> None:
    done = after_visit(entry(), source(retention="PT2H", revisit=[]), visited(START + 3 * HOUR))
    assert (done.state, done.issue, done.numbers.rows) == ("closed", "expired", 5)


def test_the_next_age_is_counted_from_the_windows_end() -> None:
    assert next_age(entry(), source(), END) == END + HOUR
    assert next_age(entry(), source(), END + HOUR) == LAST
    assert next_age(entry(), source(), LAST) is None
