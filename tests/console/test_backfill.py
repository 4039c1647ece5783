"""`logarchive backfill`."""

import datetime as dt

import pytest

from console.command.backfill import estimate_report, estimated, report
from console.core.window import Span, Window
from tests.console.conftest import Deployed
from tests.console.run import Run
from tests.console.terminal import in_terminal

T0 = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def test_estimates_of_several_calls_are_summed() -> None:
    one = {"estimate": {"windows": 10, "requests": 20, "minutes": 0.5, "usd": 0.0123}, "new": 4, "again": 6}
    whole = estimated([one, one])
    assert whole == {"windows": 20, "requests": 40, "minutes": 1.0, "usd": 0.0246, "new": 8, "again": 12}
    assert estimate_report(whole).lines == [
        "20 windows (8 new, 12 again): about 40 requests, 1.0 minutes of one worker, $0.0246"
    ]


def test_a_window_that_has_failed_again_is_something_to_look_at() -> None:
    good = Window(Span(T0, T0 + HOUR), "sealed", rows=5)
    failed = Window(Span(T0 + HOUR, T0 + 2 * HOUR), "planned", issue="forbidden", error="no")
    made = report([good, failed])
    assert made.tables[0].rows == [["planned", "forbidden", 1], ["sealed", None, 1]]
    assert (made.lines, made.code) == (["forbidden: no", "2 windows, 5 rows"], 1)
    assert report([good]).code == 0


def test_windows_that_have_shrunk_are_counted_and_are_no_failure() -> None:
    made = report([Window(Span(T0, T0 + HOUR), "sealed", rows=5, issue="shrunk", error="5, then 4")])
    assert (made.lines, made.code) == (
        ["1 window: the provider returns less now than before; the rows of the earlier visit stay", "1 window, 5 rows"],
        0,
    )


@pytest.mark.slow
def test_a_backfill_says_what_it_takes_and_is_over_when_all_is_archived(deployed: Deployed, on_stack: Run) -> None:
    start, end = (f"{deployed.start + hours * HOUR:%Y-%m-%dT%H:%M:%SZ}" for hours in (-2, 1))
    dry = on_stack("backfill", "elsa/one", start, end, "--dry-run", "--json").json["estimate"]
    assert (dry["windows"], dry["new"], dry["again"]) == (3, 2, 1)
    refused = on_stack("backfill", "elsa/one", start, end)
    assert (refused.code, refused.out) == (2, "")
    assert "Say --yes, since nobody can be asked here: nothing was changed" in refused.err
    outcome = on_stack("backfill", "elsa/one", start, end, "--yes", "--json")
    assert outcome.code == 0
    assert [one["state"] for one in outcome.json["windows"]] == ["archived"] * 3
    assert any(one["rows"] for one in outcome.json["windows"])


@pytest.mark.slow
def test_in_a_terminal_a_backfill_asks_first(deployed: Deployed) -> None:
    start, end = (f"{deployed.start + hours * HOUR:%Y-%m-%dT%H:%M:%SZ}" for hours in (-1, 0))
    words = ["--demo", "--port", str(deployed.port), "backfill", "dsa/one", start, end]
    shown = in_terminal(words, [("Fetch them? [y/N]", "n")])
    assert (shown.code, shown.text.splitlines()[-1]) == (1, "logarchive: nothing was changed")
    assert "1 window (1 new, 0 again)" in shown.text
    assert in_terminal(words, [("Fetch them? [y/N]", "y")]).code == 0


@pytest.mark.slow
def test_a_range_that_cannot_be_is_one_sentence(on_stack: Run) -> None:
    assert on_stack("backfill", "elsa/one", "2026-11-02", "2026-11-01").err == (
        "logarchive: 2026-11-02 is not before 2026-11-01\n"
    )
    said = "logarchive: yesterday: is no day and no time; for instance 2026-11-01 or 2026-11-01T09:00:00Z\n"
    assert on_stack("backfill", "elsa/one", "yesterday", "2026-11-01").err == said
