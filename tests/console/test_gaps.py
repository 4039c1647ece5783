"""`logarchive gaps`, and the windows of a range, whose progress `backfill` and `replay` show."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from console.account import ledger
from console.account.access import Access, Clients
from console.account.stack import SourceName, Stack
from console.command.gaps import report
from console.core.window import Span, Window, leaves
from tests.console.conftest import Deployed, put
from tests.console.run import Run
from tools.stack import STACK, Aws

T0 = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
NOW = T0 + 12 * HOUR


def window(hour: float, state: str = "sealed", **fields: object) -> Window:
    start = T0 + hour * HOUR
    return Window(**{"span": Span(start, start + HOUR), "state": state} | fields)  # type: ignore[arg-type] # by name


def _hour(moment: dt.datetime) -> int:
    return (moment - T0) // HOUR


def gap(hour: int, state: str = "troubled", lost: int | None = None, **fields: object) -> dict[str, Any]:
    """Return a gap of one hour as a function returns it; it is lost at that hour."""
    start, end = (f"2026-11-20T{at:02}:00:00Z" for at in (hour, hour + 1))
    lost_at = None if lost is None else f"2026-11-20T{lost:02}:00:00Z"
    found = {"start": start, "end": end, "state": state, "windows": 1, "issue": None, "error": None}
    return found | {"lost_at": lost_at} | fields


def result(state: str = "active", *gaps: dict[str, Any], left: int = 0, planned: bool = True) -> dict[str, Any]:
    span = ["2026-11-20T00:00:00Z", "2026-11-20T12:00:00Z"] if planned else None
    one = {"source": "shop", "state": state, "planned": span, "gaps": [*gaps], "gaps_left": left}
    return {"sources": [one], "next": None}


def test_of_all_providers_the_soonest_loss_comes_first_and_what_nobody_can_mend_last() -> None:
    elsa = result("active", gap(0, "closed", issue="expired", lost=0), gap(4, lost=13, issue="forbidden", error="no"))
    dsa = result("orphaned", gap(2), gap(3, "missing", lost=23), gap(7, "stopped", lost=12), left=3)
    made = report({"elsa": elsa, "dsa": dsa}, NOW)
    assert [(row[0], row[4], row[6]) for row in made.tables[0].rows] == [
        ("elsa/shop", "not complete", "60 min"),
        ("dsa/shop", "not planned", "11 h"),
        ("dsa/shop", "not complete", None),
        ("elsa/shop", "closed", "lost"),
        ("dsa/shop", "removed since", "lost"),
    ]
    assert made.code == 1
    *others, last = made.lines
    assert others == [
        "elsa/shop, forbidden: no",
        "dsa/shop has 3 gaps more",
        "dsa/shop is removed, and nothing more is archived of it. To go on: logarchive sources add dsa/shop",
    ]
    assert last.endswith("mended: logarchive backfill elsa/shop 2026-11-20T04:00:00Z 2026-11-20T05:00:00Z")


@pytest.mark.parametrize(
    ("state", "what", "advice"),
    [
        ("active", "nothing planned since", "why: logarchive doctor elsa/shop"),
        ("invalid", "nothing planned since", "why: logarchive doctor elsa/shop"),
        ("paused", "paused since", "To let elsa/shop go on: logarchive sources resume elsa/shop"),
        ("orphaned", "removed since", "To go on: logarchive sources add elsa/shop"),
    ],
)
def test_time_since_which_nothing_is_planned_says_why_by_the_state_of_its_source(
    state: str, what: str, advice: str
) -> None:
    made = report({"elsa": result(state, gap(2, "stopped", error="no window"))}, NOW)
    assert (made.code, made.tables[0].rows[0][4], len(made.lines)) == (1, what, 1)
    assert made.lines[0].endswith(advice)


def test_a_closed_window_is_fetched_again_only_if_it_is_reopened() -> None:
    assert report({"elsa": result("active", gap(2, "closed"))}, NOW).lines[-1].endswith("--reopen")


def test_without_a_gap_the_report_says_so() -> None:
    made = report({"elsa": result()}, NOW)
    assert (made.code, made.tables, made.lines) == (0, [], ["No gap: all that is due is archived."])


def test_a_paused_source_without_a_gap_is_said_to_be_paused() -> None:
    made = report({"elsa": result("paused")}, NOW)
    lines = ["No gap: all that is due is archived.", "elsa/shop is paused: nothing more becomes due."]
    assert (made.code, made.lines) == (0, lines)


def test_a_source_that_waits_for_its_first_tick_is_said_to() -> None:
    made = report({"elsa": result("active", planned=False)}, NOW)
    assert (made.code, made.lines[0].startswith("elsa/shop: nothing of it is planned yet")) == (1, True)


def test_a_source_of_which_nothing_was_ever_planned_is_not_said_to_be_archived() -> None:
    line = "dsa/shop (invalid): nothing of it was ever planned; why: logarchive doctor dsa/shop"
    never = result("invalid", planned=False)
    made = report({"elsa": result(), "dsa": never}, NOW)
    assert (made.code, made.tables, made.lines) == (1, [], [line])
    assert made.data == {"gaps": [], "never_planned": [{"source": "dsa/shop", "state": "invalid"}]}
    both = report({"elsa": result("active", gap(2)), "dsa": never}, NOW)
    assert (len(both.tables[0].rows), both.lines[0], len(both.lines)) == (1, line, 2)


def test_a_source_that_was_paused_before_its_first_tick_is_said_to_be_and_how_it_goes_on() -> None:
    made = report({"elsa": result("paused", planned=False)}, NOW)
    said = "elsa/shop was paused before anything of it was planned. "
    advice = "To let elsa/shop go on: logarchive sources resume elsa/shop"
    assert (made.code, made.lines) == (1, [said + advice])


def test_without_a_source_nothing_is_said_to_be_archived() -> None:
    made = report({"elsa": {"sources": [], "next": None}}, NOW)
    assert (made.code, made.lines) == (0, ["No source yet. Add one: logarchive sources add PROVIDER/SOURCE"])


@pytest.fixture
def stack(emulator: Aws) -> Iterator[Stack]:
    """Make a table with windows of six hours, the third of which was split, and a stack that has nothing else."""
    table = boto3.resource("dynamodb", **emulator).create_table(
        TableName="read",
        KeySchema=[{"AttributeName": "source", "KeyType": "HASH"}, {"AttributeName": "window", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("source", "window")],
        BillingMode="PAY_PER_REQUEST",
    )
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


def test_a_window_that_was_split_is_replaced_by_its_halves() -> None:
    assert [one.state for one in leaves([window(0.5), window(0, "split"), window(0)])] == ["sealed", "sealed"]


def test_a_window_is_read_from_an_item_of_the_ledger() -> None:
    item = {
        "window": "2026-11-20T00:00:00Z/PT1H", "state": "planned", "due_at": "2026-11-20T12:00:01Z", "attempt": 2,
        "committed": 1, "failures": 3, "issue": "forbidden", "error": "no", "rows": 4, "replay": {"asked": "…"},
    }  # fmt: skip
    read = Window.of_item(item)
    assert read == window(
        0, "planned", due_at=NOW + dt.timedelta(seconds=1), claimed=True, issue="forbidden", error="no", rows=4,
        replaying=True,
    )  # fmt: skip
    assert read.waits(NOW)


@pytest.mark.slow
def test_a_source_with_a_wrong_secret_has_gaps_that_say_why(deployed: Deployed, on_stack: Run) -> None:
    keys = json.dumps({"access_key": "wrong", "secret_key": "wrong"})
    boto3.client("secretsmanager", **deployed.stack.aws).create_secret(Name=f"{STACK}/ncloud/wrong", SecretString=keys)
    put(deployed, "elsa", "wrong", secret=f"{STACK}/ncloud/wrong", retention="P30D")
    deployed.invoke("elsa", action="tick", inline=True)
    outcome = on_stack("gaps", "elsa/wrong", "--json")
    [found] = [one for one in outcome.json["gaps"] if one["issue"]]  # a window may have become due meanwhile
    assert (outcome.code, found["what"], found["issue"]) == (1, "not complete", "forbidden")
    text = on_stack("gaps").out
    assert "29 d" in text
    program = f"logarchive --port {deployed.port} --demo"
    assert f"{program} backfill elsa/wrong {found['start']} {found['end']}" in text
    shown = on_stack("coverage", "elsa/wrong")
    assert (shown.code, "!!" in shown.out, f"{program} gaps" in shown.out) == (1, True, True)
    examined = on_stack("doctor", "elsa/wrong", "--json")
    checks = {one["check"]: one["verdict"] for one in examined.json["sources"][0]["checks"]}
    assert (examined.code, checks["secret"], checks["request"]) == (1, "ok", "fail")
