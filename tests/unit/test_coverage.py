"""The coverage page's numbers, computed by hand from entries of the ledger; and who writes it when."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from botocore.exceptions import ClientError

from logarchive.action.notary import Daily, act
from logarchive.action.result import Result
from logarchive.coverage import gap
from logarchive.coverage.gap import Cell, Expected, Gap, cell_of, gaps_of, leaves_of, soonest_loss_first
from logarchive.coverage.lateness import Arrived, arrivals, suggested_delay
from logarchive.coverage.model import Coverage, SourceCoverage, Totals, source_coverage
from logarchive.coverage.page import MOST_GAPS, page, runs
from logarchive.coverage.window_table import WINDOW_COLUMNS
from logarchive.coverage.writer import INDEX, LAST_SECONDS, MOST_WINDOWS
from logarchive.errors import Issue
from logarchive.ledger.entry import Entry, Head
from logarchive.moment import DAY, HOUR, instant
from logarchive.window import Span, Window
from tests.fake_aws import refused
from tests.scenario import END, MINUTE, Scenario

_parquet: Any = import_module("pyarrow.parquet")  # ships no types
NOW = dt.datetime(2026, 11, 22, 12, 30, tzinfo=dt.UTC)
TODAY = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
SHOWN = Span(TODAY - DAY, TODAY + DAY)
NUMBERS = ("announced", "rows", "rejects", "late", "verification")


def entry(hour: float, state: str = "sealed", hours: float = 1, **fields: object) -> Entry:
    """Return the window that begins at that hour of today."""
    begin = TODAY + hour * HOUR
    numbers = {name: fields.pop(name) for name in NUMBERS if name in fields}
    open_ = {"due_at": NOW + HOUR} if state in {"planned", "archived"} else {}
    key = Window(begin, begin + hours * HOUR).key
    return Entry.model_validate({"window_key": key, "state": state, "numbers": numbers, **open_, **fields})


def stored(size: int) -> dict[str, object]:
    return {"key": "logs/x", "etag": '"e"', "sha256": "0", "bytes": size, "visits": ()}


def covered(*entries: Entry, begin: float = -24, cursor: float = 12) -> SourceCoverage:
    head = Head(begin=TODAY + begin * HOUR, cursor=TODAY + cursor * HOUR, feed_id="p/1")
    return source_coverage("elsa/shop", head, leaves_of(entries, NOW), SHOWN, Expected(NOW))


def gaps(entries: Sequence[Entry]) -> list[Gap]:
    return gaps_of("elsa/shop", None, leaves_of(entries, NOW), Expected(NOW))


@pytest.mark.parametrize(
    ("window", "cell"),
    [
        (entry(0, verification="verified"), Cell.VERIFIED),
        (entry(0), Cell.SEALED),
        (entry(0, issue="shrunk"), Cell.SHRUNK),
        (entry(0, "archived"), Cell.ARCHIVED),
        (entry(0, "archived", issue="shrunk"), Cell.ARCHIVED),
        (entry(0, "archived", issue="throttled"), Cell.TROUBLED),
        (entry(0, "archived", due_at=NOW - HOUR + MINUTE), Cell.ARCHIVED),
        (entry(0, "archived", due_at=NOW - HOUR), Cell.TROUBLED),
        (entry(0, "planned"), Cell.WAITING),
        (entry(0, "planned", issue="forbidden"), Cell.TROUBLED),
        (entry(0, "planned", due_at=NOW - HOUR + MINUTE), Cell.WAITING),
        (entry(0, "planned", due_at=NOW - HOUR), Cell.TROUBLED),
        (entry(0, "closed", issue="expired"), Cell.CLOSED),
    ],
)
def test_a_window_has_the_cell_of_its_state_and_issue(window: Entry, cell: Cell) -> None:
    assert cell_of(window, NOW) == cell


@pytest.mark.parametrize(
    ("state", "due_at", "cell"),
    [
        ("planned", NOW + MINUTE, Cell.WAITING),
        ("planned", NOW, Cell.TROUBLED),
        ("archived", NOW, Cell.ARCHIVED),
        ("archived", NOW - HOUR, Cell.TROUBLED),
    ],
)
def test_a_first_visit_may_be_tolerated_for_less_time_than_a_later_one(
    state: str, due_at: dt.datetime, cell: Cell
) -> None:
    [leaf] = leaves_of([entry(0, state, due_at=due_at)], NOW, dt.timedelta(0))
    assert leaf.cell == cell


def test_an_hour_has_the_worst_of_its_windows_and_the_numbers_of_those_that_begin_in_it() -> None:
    half = [entry(1, rows=5, hours=0.5), entry(1.5, "closed", 0.5, issue="expired", rows=2, rejects=1)]
    long = entry(2, hours=3, verification="verified", rows=9, late=4, object=stored(70))
    hours = covered(*half, long, begin=1, cursor=5).hours
    assert hours.first == TODAY
    assert list(hours.cells[:6]) == [Cell.NONE, Cell.CLOSED, *[Cell.VERIFIED] * 3, Cell.NONE]
    assert list(hours.rows[:6]) == [0, 7, 9, 0, 0, 0]
    assert (hours.rejects[1], hours.late[2], hours.day_bytes) == (1, 4, [70])
    assert len(hours.cells) == 24


def test_a_window_that_began_before_the_days_shown_colours_them_and_is_not_counted() -> None:
    made = covered(entry(-26, hours=38, rows=9), begin=-26)
    assert list(made.hours.cells[:3]) == [Cell.SEALED] * 3
    assert sum(made.hours.rows) == 0
    assert made.totals == Totals()


def test_time_that_the_head_promises_and_no_window_has_is_missing() -> None:
    made = covered(entry(0), entry(2), begin=0, cursor=3)
    assert list(made.hours.cells[:4]) == [Cell.SEALED, Cell.MISSING, Cell.SEALED, Cell.NONE]
    [gap] = made.gaps
    assert (gap.span, gap.cell, gap.windows) == (Span(TODAY + HOUR, TODAY + 2 * HOUR), Cell.MISSING, 0)


def test_time_without_a_window_is_lost_as_long_after_its_start_as_its_neighbours() -> None:
    made = covered(entry(-20, lost_at=TODAY), entry(-18, hours=3), begin=-20, cursor=-14)
    assert [gap.lost_at for gap in made.gaps] == [TODAY + HOUR, TODAY + 5 * HOUR, TODAY + 6 * HOUR]


@pytest.mark.parametrize(("cursor", "missing"), [(-11, 0), (-12, 24)])
def test_time_for_which_nothing_is_planned_any_more_is_missing(cursor: int, missing: int) -> None:
    """A tick plans up to now; of a source that was paused, or has a wrong parameter, it plans nothing."""
    made = covered(entry(-24, hours=cursor + 24), cursor=cursor)
    assert sum(gap.span.length // HOUR for gap in made.gaps if gap.cell == Cell.MISSING) == missing
    assert list(made.hours.cells).count(Cell.MISSING) == (25 if missing else 0)


def test_a_past_that_was_fetched_before_the_beginning_is_shown_and_the_time_between_is_missing() -> None:
    made = covered(entry(-23, rows=5), entry(-20, hours=32), begin=-20)
    assert (made.planned, made.hours.first) == (Span(TODAY - 23 * HOUR, TODAY + 12 * HOUR), TODAY - DAY)
    assert [gap.span for gap in made.gaps] == [Span(TODAY - 22 * HOUR, TODAY - 20 * HOUR)]
    assert sum(made.hours.rows) == made.totals.rows == 5


def test_neighbouring_windows_with_the_same_issue_are_one_gap_and_lost_with_its_oldest() -> None:
    lost = [TODAY + days * DAY for days in (30, 31, 32)]
    entries = [
        entry(at, "planned", issue="forbidden", error=f"try {at}", lost_at=moment) for at, moment in enumerate(lost)
    ]
    entries.append(entry(3, "planned", issue="throttled"))
    first, second = gaps(entries)
    assert (first.windows, first.error, first.lost_at) == (3, "try 2", lost[0])
    assert first.span == Span(TODAY, TODAY + 3 * HOUR)
    assert second.issue == "throttled"


def test_gaps_are_in_the_order_of_their_loss_and_what_nobody_can_mend_comes_last() -> None:
    entries = [
        entry(0, issue="shrunk"),
        entry(1, "closed", issue="expired", lost_at=NOW - DAY),
        entry(2, "planned", issue="forbidden"),
        entry(3, "planned", issue="forbidden", lost_at=NOW + 2 * DAY),
        entry(5, "planned", issue="forbidden", lost_at=NOW + DAY),
    ]
    found = soonest_loss_first(gaps(entries))
    hours = [(gap.span.start - TODAY) // HOUR for gap in found]
    assert hours == [5, 2, 1, 0]  # the windows of 2 and 3 are one gap, which is lost with that of 3


def test_totals_count_windows_and_what_they_hold() -> None:
    sealed = entry(0, rows=5, rejects=1, late=2, announced=5, verification="verified", object=stored(10))
    made = covered(sealed, entry(1, "closed", issue="expired"), entry(2, "archived", rows=3, object=stored(4)))
    totals = Totals(windows=3, sealed=1, verified=1, closed=1, rows=8, bytes=14, rejects=1, late=2)
    assert made.totals == totals


def visits(*ages: dt.timedelta) -> list[str]:
    return [f"{TODAY + HOUR + age:%Y%m%dT%H%M%SZ}-0001" for age in ages]


def test_the_late_arrival_curve_says_what_was_there_at_each_visit_but_the_last() -> None:
    three = entry(0, rows=1000, late=30, visits=visits(6 * MINUTE, HOUR, DAY), late_by_visit=[0, 29, 1])
    assert arrivals(leaves_of([three], NOW)) == (Arrived(10 * MINUTE, 1, 1000, 30), Arrived(HOUR, 1, 1000, 1))


@pytest.mark.parametrize("known", [[], [3], [0, 1, 1]])
def test_of_a_window_that_does_not_say_what_each_visit_brought_only_the_first_counts(known: list[int]) -> None:
    old = entry(0, rows=10, late=3, visits=visits(6 * MINUTE, HOUR, DAY), late_by_visit=known)
    assert arrivals(leaves_of([old], NOW)) == (Arrived(10 * MINUTE, 1, 10, 3),)


@pytest.mark.parametrize(
    "window",
    [
        entry(0, rows=10, visits=visits(HOUR), late_by_visit=[0]),
        entry(0, rows=0, visits=visits(HOUR, DAY), late_by_visit=[0, 0]),
        entry(0, "archived", rows=10, visits=visits(HOUR, DAY), late_by_visit=[0, 0]),
    ],
    ids=["visited once", "no rows", "not finished"],
)
def test_what_cannot_show_late_rows_is_not_in_the_curve(window: Entry) -> None:
    assert arrivals(leaves_of([window], NOW)) == ()


@pytest.mark.parametrize(
    ("curve", "delay"),
    [
        ([(5, 1000, 2), (60, 1000, 1)], 60),
        ([(5, 1000, 1), (60, 1000, 0)], 5),
        ([(5, 999, 0), (60, 1000, 1)], 60),
        ([(5, 1000, 2)], None),
        ([], None),
    ],
)
def test_the_delay_that_is_suggested_is_the_first_age_at_which_nearly_all_had_arrived(
    curve: Sequence[tuple[int, int, int]], delay: int | None
) -> None:
    arrived = [Arrived(minutes * MINUTE, 1, rows, later) for minutes, rows, later in curve]
    assert suggested_delay(arrived) == (None if delay is None else delay * MINUTE)


@pytest.mark.parametrize(
    ("values", "text"), [([], ""), ([0] * 24 + [7, 9, 9], "0*24 7 9*2"), ([3], "3"), ([0, 0], "0*2")]
)
def test_equal_numbers_are_written_once(values: list[int], text: str) -> None:
    assert runs(values) == text


def data(body: bytes) -> Any:
    found = re.search(rb'id="data">(.*?)</script>', body)
    assert found
    return orjson.loads(found[1])


def test_what_a_provider_says_stays_text_and_ends_no_tag() -> None:
    evil = entry(0, "planned", issue="forbidden", error="</script><script>alert(1)</script><!--texts-->")
    body = page(Coverage("bucket", NOW, [covered(evil, begin=0, cursor=1)]))
    assert body.count(b"</script>") == 3
    assert data(body)["gaps"][0]["error"] == evil.error


def test_of_very_many_gaps_the_first_are_listed_and_the_others_counted() -> None:
    some = gaps([entry(at, "planned", issue="forbidden") for at in range(0, 4, 2)])
    many = replace(covered(), gaps=[*some] * MOST_GAPS)
    found = data(page(Coverage("bucket", NOW, [many])))
    assert (len(found["gaps"]), found["gaps_left"]) == (MOST_GAPS, MOST_GAPS)


def test_both_languages_have_the_same_texts_and_places() -> None:
    body = page(Coverage("bucket", NOW, []))
    found = re.search(rb'id="texts">(.*?)</script>', body, re.DOTALL)
    assert found
    english, korean = orjson.loads(found[1])["en"], orjson.loads(found[1])["ko"]
    assert english.keys() == korean.keys()
    assert len(english["cells"]) == len(korean["cells"]) == len(Cell)
    assert set(english["issues"]) == set(korean["issues"]) == {*Issue.__value__.__args__}
    for name, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", str(text))) == sorted(re.findall(r"\{\w+\}", str(korean[name]))), name


def colours() -> dict[str, tuple[str, str]]:
    """Return the colours of the page's style, light and dark."""
    style = (Path(gap.__file__).parent / "page.css").read_text()
    pairs = re.findall(r"--(\w+):light-dark\((#\w+),(#\w+)\)", style)
    return {name: (light, dark) for name, light, dark in pairs}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("on", "what", "least"),
    [
        *(("bg", text, 4.5) for text in ("fg", "soft", "accent")),
        ("accent", "bg", 4.5),
        ("head", "fg", 4.5),
        *(("bg", line, 3) for line in ("line", *(f"c{cell}" for cell in Cell if cell))),
        *((f"c{cell}", f"i{cell}", 3) for cell in Cell if cell > Cell.VERIFIED),
    ],
)
@pytest.mark.parametrize("dark", [False, True])
def test_texts_and_cells_have_the_contrast_of_aa_in_light_and_dark(
    on: str, what: str, least: float, *, dark: bool
) -> None:
    found = colours()
    assert contrast(found[on][dark], found[what][dark]) >= least


# --- Who writes it, and when ---


def archived() -> Scenario:
    """Return an archive with one window that is sealed, and one that is planned."""
    stage = Scenario([])
    stage.until_sealed()
    stage.now = END + DAY + 10 * MINUTE
    stage.tick()
    return stage


def written(stage: Scenario) -> Any:
    return data(stage.s3.objects[INDEX].body)


def test_the_page_is_written_by_the_first_run_of_a_day() -> None:
    stage = archived()
    assert [stage.notarize()["coverage"], stage.notarize()["coverage"]] == [True, False]
    assert written(stage)["read_at"] == instant(stage.now)
    stage.now += DAY
    assert stage.notarize()["coverage"]
    assert written(stage)["read_at"] == instant(stage.now)


def test_a_page_that_cannot_be_written_fails_the_run_after_its_metrics_and_is_not_tried_again_that_day() -> None:
    stage, signed = archived(), list[str]()

    def gate(call: str, _moment: str) -> None:
        if call.startswith(f"s3.put {INDEX}"):
            raise refused("AccessDenied", 403)

    stage.gate = gate
    run = stage.notary()
    with pytest.raises(ClientError):
        act(run, {"action": "notary"}, Daily(stage.coverage(run)), lambda: signed.extend(stage.events))
    assert ("proof.published" in signed, "coverage.written" in stage.events) == (True, False)
    assert not stage.notarize()["coverage"]


def test_a_run_that_is_to_sign_alone_makes_no_page() -> None:
    stage = archived()
    assert not stage.notarize({"action": "notary", "daily": False})["coverage"]
    assert stage.notarize()["coverage"]


def test_it_is_written_on_demand_and_names_the_newest_checkpoint() -> None:
    stage = archived()
    stage.notarize()
    stage.now += HOUR
    result = stage.notarize({"action": "coverage"})
    assert result == {"ok": True, "key": INDEX, "sources": 1, "windows": 2, "errors": [], "invalid": []}
    found = written(stage)
    assert found["read_at"] == instant(stage.now)
    assert found["checkpoint"].encode() == stage.s3.objects["proof/checkpoint"].body
    assert [source["name"] for source in found["sources"]] == ["elsa/shop"]


def acted_late(stage: Scenario, seconds: float, event: object, most_windows: int = MOST_WINDOWS) -> Result:
    """Carry out an event of the notary with so little time left."""
    run = stage.notary()
    deadline = stage.now + dt.timedelta(seconds=seconds)
    run.invocation = replace(run.invocation, started=deadline - 15 * MINUTE, deadline=deadline)
    return act(run, event, Daily(replace(stage.coverage(run), most_windows=most_windows)))


def test_with_little_time_left_the_next_run_writes_it() -> None:
    stage = archived()
    assert not acted_late(stage, 100, {"action": "notary"})["coverage"]
    assert INDEX not in stage.s3.objects
    assert stage.notarize()["coverage"]


@pytest.mark.parametrize("why", ["time", "item", "many"])
def test_a_source_that_cannot_be_read_is_named_on_the_page(why: str) -> None:
    stage = archived()
    if why == "item":
        for item in stage.table.items.values():
            item.update({"attempt": "many"} if "state" in item else {})
    most = 1 if why == "many" else MOST_WINDOWS
    result = acted_late(stage, LAST_SECONDS if why == "time" else 900, {"action": "coverage"}, most)
    assert [error["source"] for error in result["errors"]] == ["elsa/shop"]
    assert [name for name, _ in written(stage)["unread"]] == ["elsa/shop"]
    assert "coverage.invalid" in stage.events


def test_a_source_that_was_never_archived_is_named_with_what_is_wrong_with_it_until_it_is_right() -> None:
    stage = Scenario([])
    shop: dict[str, Any] = {"secret": "la/ncloud/one", "project_key": "p", "project_id": 1}
    stage.sources = {"shop": shop, "typo": shop | {"project_idd": 1}}
    stage.parameters = {"/la/sources/elza/shop": "{}"}
    stage.tick()
    result = stage.notarize({"action": "coverage"})
    reasons = {one["source"]: one["error"] for one in result["invalid"]}
    assert [*reasons] == ["elsa/typo", "elza/shop"]
    assert "project_idd" in reasons["elsa/typo"]
    assert '"elza" is no provider' in reasons["elza/shop"]
    assert dict(written(stage)["invalid"]) == reasons
    report = stage.notarize({"action": "report", "month": "2026-11"})
    assert report["invalid"] == result["invalid"]
    assert "elsa/typo" in stage.s3.objects[report["key"]].body.decode()
    stage.sources, stage.parameters = {"shop": shop}, {}
    stage.tick()
    assert stage.notarize({"action": "coverage"})["invalid"] == []


#: Somebody has pasted a key into a wrong field.
PASTED = "hush-Hush-hush"


@pytest.mark.parametrize(
    "field",
    ["secret", "base_url", "start", "window", "delay", "revisit", "workers", "pace", "retention", "enabled", "format"],
)
@pytest.mark.parametrize("value", [PASTED, [PASTED], {"x": PASTED}], ids=["text", "list", "object"])
def test_a_key_in_a_wrong_field_is_repeated_nowhere(field: str, value: object) -> None:
    stage = Scenario([])
    shop: dict[str, Any] = {"secret": "la/ncloud/one", "project_key": "p", "project_id": 1}
    stage.sources = {"shop": shop | {field: value}}
    stage.tick()
    [invalid] = stage.notarize({"action": "coverage"})["invalid"]
    assert invalid["error"].startswith(field)
    report = stage.notarize({"action": "report", "month": "2026-11"})
    assert field in stage.s3.objects[report["key"]].body.decode()
    stored = [stage.table.items, [kept.body for kept in stage.s3.objects.values()], stage.act("status")]
    assert [PASTED in str(one) for one in stored] == [False] * 3


def rows_of(stage: Scenario, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _parquet.read_table(BytesIO(stage.s3.objects[key].body)).to_pylist()
    return rows


def test_the_table_windows_has_a_row_for_each_window_in_an_object_for_each_month() -> None:
    stage = archived()
    stage.notarize()
    [key] = [key for key in stage.s3.objects if key.startswith("coverage/windows/")]
    assert key == "coverage/windows/elsa/shop/2026-11.parquet"
    rows = rows_of(stage, key)
    assert list(rows[0]) == list(WINDOW_COLUMNS)
    assert [row["state"] for row in rows] == ["sealed", "archived"]
    assert rows[0]["window_start"] == END - DAY
    assert rows[0]["visits"] == len(stage.entries()[0].visits)


def test_what_is_older_than_the_page_is_in_the_table_once_it_is_asked_for() -> None:
    stage = archived()
    stage.now += 800 * DAY
    stage.notarize({"action": "coverage"})
    assert [key for key in stage.s3.objects if key.startswith("coverage/windows/")] == []
    stage.notarize({"action": "coverage", "start": "2026-11-21T09:00:00+09:00"})
    assert "coverage/windows/elsa/shop/2026-11.parquet" in stage.s3.objects
    assert written(stage)["sources"][0]["totals"]["windows"] == 0
