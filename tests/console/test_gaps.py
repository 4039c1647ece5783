"""`logarchive gaps`."""

import datetime as dt
import json

import boto3
import pytest

from console.command.gaps import report
from console.core.gap import CLOSED, FAILING, NOT_ARCHIVED, NOT_PLANNED, by_loss, gaps
from console.core.window import Span, Window, leaves
from tests.console.conftest import Deployed, put
from tests.console.run import Run
from tools.stack import STACK

T0 = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
NOW = T0 + 12 * HOUR


def window(hour: float, state: str = "sealed", **fields: object) -> Window:
    start = T0 + hour * HOUR
    known = {"span": Span(start, start + HOUR), "state": state, "lost_at": start + 30 * HOUR}
    return Window(**known | fields)  # type: ignore[arg-type] # fields by name


def found(*windows: Window) -> list[tuple[str, int, int]]:
    return [(gap.what, _hour(gap.span.start), _hour(gap.span.end)) for gap in gaps("elsa/shop", windows, None, NOW)]


def _hour(moment: dt.datetime) -> int:
    return (moment - T0) // HOUR


def test_what_is_due_and_what_has_failed_are_gaps_but_what_is_not_due_yet_is_none() -> None:
    due = window(0, "planned", due_at=NOW)
    failed = window(5, "planned", due_at=NOW + HOUR, failures=1, issue="forbidden")
    young = window(6, "planned", due_at=NOW + HOUR)
    held = window(7, "planned", due_at=NOW + HOUR, claimed=True)
    windows = [due, *(window(hour) for hour in range(1, 5)), failed, young, held]
    assert found(*windows) == [(NOT_ARCHIVED, 0, 1), (NOT_ARCHIVED, 5, 6)]


def test_closed_windows_and_failing_revisits_are_gaps_but_shrunk_ones_are_none() -> None:
    windows = [
        window(0, "closed", issue="truncated"),
        window(1, "archived", issue="malformed"),
        window(2, "archived", issue="shrunk"),
        window(3, "archived"),
    ]
    assert found(*windows) == [(CLOSED, 0, 1), (FAILING, 1, 2)]


def test_time_between_the_first_window_and_the_newest_that_none_covers_is_a_gap_that_is_lost_like_its_neighbour() -> (
    None
):
    windows = [window(-2), window(0), window(3), window(4)]  # the first one was fetched by a backfill
    before, first, last = gaps("elsa/shop", windows, Span(T0, T0 + 6 * HOUR), NOW)
    assert before.span == Span(T0 - HOUR, T0)
    assert (first.what, first.span, first.windows) == (NOT_PLANNED, Span(T0 + HOUR, T0 + 3 * HOUR), 0)
    assert first.lost_at == T0 + 31 * HOUR
    assert (last.what, last.span) == (NOT_PLANNED, Span(T0 + 5 * HOUR, T0 + 6 * HOUR))


def test_neighbours_with_the_same_trouble_are_one_gap_and_the_loss_is_that_of_the_first() -> None:
    failed = [window(hour, "planned", due_at=NOW, issue="throttled", failures=1) for hour in (0, 1)]
    other = window(2, "planned", due_at=NOW, issue="forbidden", failures=1)
    first, second = gaps("elsa/shop", [*failed, other], None, NOW)
    assert (first.span, first.windows, first.lost_at) == (Span(T0, T0 + 2 * HOUR), 2, T0 + 30 * HOUR)
    assert second.issue == "forbidden"


def test_the_soonest_loss_comes_first_and_what_is_closed_last() -> None:
    windows = [
        window(0, "closed", issue="expired", lost_at=T0),
        window(2, "planned", due_at=NOW, lost_at=None),
        window(4, "planned", due_at=NOW, lost_at=NOW + HOUR),
    ]
    listed = by_loss(gaps("elsa/shop", windows, None, NOW))
    assert [_hour(gap.span.start) for gap in listed] == [4, 2, 0]
    made = report(listed, NOW)
    assert (made.code, [row[-1] for row in made.tables[0].rows]) == (1, ["60 min", None, "lost"])
    assert made.lines[-1].endswith("logarchive backfill elsa/shop 2026-11-20T04:00:00Z 2026-11-20T05:00:00Z")


def test_without_a_gap_the_report_says_so() -> None:
    made = report([], NOW)
    assert (made.code, made.tables, made.lines) == (0, [], ["No gap: all that is due is archived."])


def test_a_window_that_was_split_is_replaced_by_its_halves() -> None:
    assert [one.state for one in leaves([window(0.5), window(0, "split"), window(0)])] == ["sealed", "sealed"]


def test_a_window_is_read_from_an_item_of_the_ledger() -> None:
    item = {
        "window": "2026-11-20T00:00:00Z/PT1H", "state": "planned", "due_at": "2026-11-20T12:00:01Z", "attempt": 2,
        "committed": 1, "failures": 3, "issue": "forbidden", "error": "no", "rows": 4, "replay": {"asked": "…"},
    }  # fmt: skip
    read = Window.of_item(item)
    assert read == window(
        0, "planned", due_at=NOW + dt.timedelta(seconds=1), lost_at=None, claimed=True, failures=3, issue="forbidden",
        error="no", rows=4, replaying=True,
    )  # fmt: skip
    assert read.waits(NOW)


@pytest.mark.slow
def test_a_source_with_a_wrong_secret_has_gaps_that_say_why(deployed: Deployed, on_stack: Run) -> None:
    keys = json.dumps({"access_key": "wrong", "secret_key": "wrong"})
    boto3.client("secretsmanager", **deployed.stack.aws).create_secret(Name=f"{STACK}/ncloud/wrong", SecretString=keys)
    put(deployed, "elsa", "wrong", secret=f"{STACK}/ncloud/wrong", retention="P30D")
    deployed.invoke("elsa", action="tick", inline=True)
    outcome = on_stack("gaps", "elsa/wrong", "--json")
    [gap] = outcome.json["gaps"]
    assert (outcome.code, gap["what"], gap["issue"]) == (1, NOT_ARCHIVED, "forbidden")
    text = on_stack("gaps").out
    assert "29 d" in text
    assert f"logarchive backfill elsa/wrong {gap['start']} {gap['end']}" in text
