"""`logarchive gaps`."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import boto3
import pytest

from console.account import ledger
from console.account.access import Access, Clients
from console.account.stack import SourceName, Stack
from console.command.gaps import of_source, report
from console.core.gap import (
    CLOSED,
    FAILING,
    NOT_ARCHIVED,
    NOT_PLANNED,
    PAUSED,
    REMOVED,
    STOPPED,
    Expected,
    by_loss,
    gaps,
)
from console.core.window import Planned, Span, Window, leaves
from tests.console.conftest import Deployed, put
from tests.console.run import Run
from tools.stack import STACK, Aws

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
    before, first, last = gaps("elsa/shop", windows, Planned(T0, T0 + 6 * HOUR), NOW)
    assert before.span == Span(T0 - HOUR, T0)
    assert (first.what, first.span, first.windows) == (NOT_PLANNED, Span(T0 + HOUR, T0 + 3 * HOUR), 0)
    assert first.lost_at == T0 + 31 * HOUR
    assert (last.what, last.span) == (NOT_PLANNED, Span(T0 + 5 * HOUR, T0 + 6 * HOUR))


@pytest.mark.parametrize(
    ("document", "exists", "what", "advice"),
    [
        ({}, True, STOPPED, "why: logarchive status elsa/shop"),
        (None, True, STOPPED, "why: logarchive status elsa/shop"),
        ({"enabled": False}, True, PAUSED, "To let elsa/shop go on: logarchive sources resume elsa/shop"),
        (None, False, REMOVED, "To go on: logarchive sources add elsa/shop"),
    ],
)
def test_time_since_which_nothing_is_planned_is_a_gap_that_says_why(
    document: dict[str, Any] | None, exists: bool, what: str, advice: str
) -> None:
    expected = Expected.of(document, NOW, exists=exists)
    [gap] = gaps("elsa/shop", [window(0), window(1)], Planned(T0, T0 + 2 * HOUR), NOW, expected)
    assert (gap.what, gap.span) == (what, Span(T0 + 2 * HOUR, NOW - HOUR - dt.timedelta(minutes=5)))
    assert gap.lost_at == T0 + 32 * HOUR
    made = report([gap], NOW)
    assert (made.code, made.lines[-1].endswith(advice), len(made.lines)) == (1, True, 1)


def test_a_source_of_which_nothing_was_ever_planned_stands_still_as_well() -> None:
    [gap] = gaps("elsa/shop", [], Planned(T0, T0), NOW, Expected.of({}, NOW))
    assert (gap.what, gap.span.start, gap.lost_at) == (STOPPED, T0, None)


@pytest.mark.parametrize(
    ("document", "until"),
    [
        ({}, NOW - HOUR - dt.timedelta(minutes=5)),
        ({"window": "P1D", "delay": "PT2H"}, NOW - 26 * HOUR),
        ({"window": "PT10M", "delay": "PT0S"}, NOW - dt.timedelta(minutes=10)),
        ({"window": "1h", "delay": 7}, NOW - HOUR - dt.timedelta(minutes=5)),
    ],
)
def test_a_window_is_expected_once_it_is_over_and_its_delay_too(document: dict[str, Any], until: dt.datetime) -> None:
    assert Expected.of(document, NOW) == Expected(until)


def test_what_the_next_tick_will_plan_is_no_gap() -> None:
    just = Planned(T0, NOW - HOUR - dt.timedelta(minutes=15))
    assert gaps("elsa/shop", [], Planned(just.end, just.end), NOW, Expected.of({}, NOW)) == []


@pytest.fixture
def stack(emulator: Aws) -> Iterator[Stack]:
    """Make a table with windows of six hours, the third of which was split, and a stack that has nothing else."""
    table = boto3.resource("dynamodb", **emulator).create_table(
        TableName="read",
        KeySchema=[{"AttributeName": "source", "KeyType": "HASH"}, {"AttributeName": "window", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("source", "window")],
        BillingMode="PAY_PER_REQUEST",
    )
    moments = {"begin": "2026-11-20T00:00:00Z", "cursor": "2026-11-21T06:00:00Z"}
    table.put_item(Item={"source": "elsa#shop", "window": "#head", **moments})
    for hour, length, state in (
        (0, "PT6H", "sealed"), (6, "PT6H", "sealed"), (12, "PT6H", "split"), (12, "PT3H", "sealed"),
        (15, "PT3H", "sealed"), (18, "PT12H", "sealed"),
    ):  # fmt: skip
        key = f"2026-11-20T{hour:02}:00:00Z/{length}"
        table.put_item(Item={"source": "elsa#shop", "window": key, "state": state})
    yield Stack("read", {"LedgerTableName": "read"}, Clients(Access("read", None, None, port_of(emulator))))
    table.delete()


def port_of(emulator: Aws) -> int:
    return urlsplit(emulator["endpoint_url"]).port or 0


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        (0, 6, [0]),
        (6, 6.5, [6]),
        (14, 15, [12]),
        (16, 18, [15]),
        (13, 19, [12, 15, 18]),
        (29, 40, [18]),
        (30, 40, []),
    ],
)
def test_of_a_range_only_the_windows_are_read_that_reach_into_it(
    stack: Stack, begin: float, end: float, hours: list[int]
) -> None:
    span = Span(T0 + begin * HOUR, T0 + end * HOUR)
    read = ledger.windows(stack, SourceName("elsa", "shop"), span)
    assert [_hour(one.span.start) for one in read] == hours


def test_a_source_is_read_from_its_head_and_all_its_windows(stack: Stack) -> None:
    shop = SourceName("elsa", "shop")
    assert ledger.planned(stack, shop) == Planned(T0, T0 + 30 * HOUR)
    assert [_hour(one.span.start) for one in ledger.windows(stack, shop)] == [0, 6, 12, 15, 18]
    assert ledger.planned(stack, SourceName("elsa", "other")) is None


def test_the_head_is_read_before_the_windows_since_a_tick_may_come_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def windows(*_: object) -> list[Window]:
        read.append("windows")
        return []

    def planned(*_: object) -> None:
        read.append("head")

    monkeypatch.setattr(ledger, "planned", planned)
    monkeypatch.setattr(ledger, "windows", windows)
    assert of_source(cast("Stack", None), SourceName("elsa", "shop"), None, NOW) == []
    assert read == ["head", "windows"]


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
