"""`logarchive replay`."""

import datetime as dt

import pytest

from console.command.replay import difference, report
from console.core.window import Span, Window
from tests.console.conftest import Deployed
from tests.console.run import Run

T0 = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def test_what_several_calls_have_compared_is_summed() -> None:
    one = {
        "difference": {"windows": 3, "added": 1, "removed": 0, "changed": 2, "columns": {"body": 2}, "examples": ["x"]},
        "windows": [{"start": "2026-11-20T00:00:00Z", "added": 1, "error": None}],
    }
    failed = {**one, "windows": [{"start": "2026-11-20T01:00:00Z", "error": "a part is missing"}]}
    made = difference([one, failed])
    assert made.lines == [
        "2026-11-20T01:00:00Z: a part is missing",
        "6 windows compared: 2 rows would be added, 0 removed, 4 changed",
    ]
    assert (made.tables[0].rows, made.code) == ([("body", 4)], 1)


def test_a_window_that_was_left_as_it_was_is_something_to_look_at() -> None:
    good = Window(Span(T0, T0 + HOUR), "sealed", rows=3)
    left = Window(Span(T0 + HOUR, T0 + 2 * HOUR), "sealed", rows=1, replay_error="a part is missing")
    made = report([good, left])
    assert made.lines == ["2026-11-20T01:00:00Z was left as it was: a part is missing", "2 windows, 4 rows"]
    assert (made.code, report([good]).code) == (1, 0)


@pytest.mark.slow
def test_a_replay_of_what_is_up_to_date_changes_nothing(deployed: Deployed, on_stack: Run) -> None:
    span = [f"{deployed.start + hours * HOUR:%Y-%m-%dT%H:%M:%SZ}" for hours in (0, 2)]
    dry = on_stack("replay", "security365/one", *span, "--dry-run", "--json")
    assert (dry.code, dry.json["windows"], dry.json["added"], dry.json["changed"]) == (0, 2, 0, 0)
    before = on_stack("query", "rows-by-day", "--csv").out
    outcome = on_stack("replay", "security365/one", *span, "--yes", "--json")
    assert (outcome.code, len(outcome.json["windows"])) == (0, 2)
    assert on_stack("query", "rows-by-day", "--csv").out == before
