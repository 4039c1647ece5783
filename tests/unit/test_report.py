"""The monthly report: its numbers, computed by hand, and that both languages say the same."""

import datetime as dt
import re
from dataclasses import replace
from typing import Any, cast

import orjson
import pytest

from logarchive.action.notary import parse
from logarchive.coverage.document import resource
from logarchive.coverage.event import WriteReport
from logarchive.coverage.gap import leaves_of
from logarchive.coverage.report import Month, SourceMonth, reasons, report, source_month
from logarchive.errors import Issue
from logarchive.ledger.entry import Entry, Head
from logarchive.moment import DAY, HOUR, MINUTE, instant
from logarchive.window import Span, Window
from tests.scenario import Scenario

FIRST = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
NOVEMBER = Span(FIRST, FIRST + 30 * DAY)
LATER = FIRST + 40 * DAY
KST = dt.timezone(9 * HOUR)
CHECKPOINT = "bucket/proof\n7\nroot\n\n— bucket/proof signature\n"


def entry(hour: int, state: str = "sealed", issue: str | None = None, hours: int = 1, **numbers: object) -> Entry:
    begin = FIRST + hour * HOUR
    due = {"due_at": LATER} if state in {"planned", "archived"} else {}
    key = Window(begin, begin + hours * HOUR).key
    return Entry.model_validate({"window_key": key, "state": state, "issue": issue, "numbers": numbers, **due})


def summed(*entries: Entry, begin: int = 0, cursor: int = 10) -> SourceMonth:
    head = Head(begin=FIRST + begin * HOUR, cursor=FIRST + cursor * HOUR, feed_id="p/1")
    return source_month("elsa/shop", head, leaves_of(entries, LATER), NOVEMBER, LATER)


def month(*sources: SourceMonth, **fields: Any) -> Month:
    return replace(Month("bucket", NOVEMBER, LATER, sources, checkpoint=CHECKPOINT), **fields)


def cells(body: bytes, name: str) -> list[str]:
    """Return the cells of the row that begins with a name."""
    row = re.search(rf"<tr><th scope=\"row\">{name}</th>(.*?)</tr>", body.decode())
    assert row
    return re.findall(r"<td[^>]*>(.*?)</td>", row[1])


def test_a_month_in_which_planning_has_stopped_has_a_gap_to_its_end() -> None:
    made = summed(entry(0, hours=216), cursor=216)
    assert (made.sealed, [gap.span for gap in made.gaps]) == (216 * HOUR, [Span(FIRST + 9 * DAY, NOVEMBER.end)])
    body = report(month(made), "en").decode()
    assert "There is no gap" not in body
    assert "no window is planned: the source was paused or ended" in body
    korean = report(month(made), "ko").decode()
    assert ("수집이 계획되지 않음" in korean, "no window" in korean) == (True, False)


def test_a_month_that_was_fetched_before_the_source_s_beginning_is_reported() -> None:
    made = summed(entry(0, hours=720), begin=720, cursor=1000)
    assert (made.promised, made.sealed, made.gaps) == (NOVEMBER, 720 * HOUR, [])


def test_a_report_is_provisional_only_if_a_source_could_not_be_read() -> None:
    assert reasons(month(), "en") == []
    assert reasons(month(unread=["elsa/shop"]), "en") == ["sources could not be read and are missing in it: elsa/shop"]


def test_all_of_an_odd_number_of_minutes_is_all() -> None:
    made = summed(entry(0, hours=1), cursor=1)
    odd = replace(made, promised=Span(FIRST, FIRST + 13 * MINUTE), sealed=13 * MINUTE)
    assert "100 %" in cells(report(month(odd), "en"), "elsa/shop")


def test_a_source_s_month_has_its_hours_the_share_of_them_that_is_sealed_and_its_numbers() -> None:
    made = summed(
        entry(-1, hours=2),  # an hour of it is of this month, its rows are of the one before
        entry(1, rows=1200, rejects=2, announced=1200, verification="verified"),
        entry(2, issue="shrunk", rows=10, late=3),
        entry(3, "closed", "expired", hours=3),
        entry(6, "archived", rows=5),
        begin=-5,
        cursor=8,  # and an hour without a window
    )
    assert (made.promised, made.sealed) == (Span(FIRST, FIRST + 8 * HOUR), 3 * HOUR)
    body = report(month(made), "en")
    numbers = ["8", "37.5 %", "25 %", "1,215", "2", "3", "1", "1", "1"]
    assert cells(body, "elsa/shop") == ["11\u201101\u00a000:00 \u2013 11\u201101\u00a008:00", *numbers]
    assert cells(body, "Total") == ["", *numbers]


def test_only_what_is_whole_is_a_hundred_percent() -> None:
    nearly = [entry(at) for at in range(719)]
    assert cells(report(month(summed(*nearly, cursor=720)), "en"), "elsa/shop")[2] == "99.86 %"
    assert cells(report(month(summed(*nearly, entry(719), cursor=720)), "en"), "elsa/shop")[2] == "100 %"


def test_gaps_stand_with_their_reasons_and_room_for_what_was_done() -> None:
    made = summed(entry(0), entry(1, "closed", "expired"), entry(2, "closed", "expired"), cursor=3)
    found = cells(report(month(made), "ko"), "elsa/shop")
    body = report(month(made), "ko").decode()
    assert found[2] == "33.33 %"
    assert "<td>11\u201101\u00a001:00 ~ 11\u201101\u00a003:00</td>" in body
    assert '<td>종결: 불완전</td><td>공급자의 보존기간이 지남</td><td class="blank"></td>' in body


def test_what_a_provider_says_stays_text() -> None:
    evil = entry(0, "planned", "forbidden").replace(error="<script>alert(1)</script>")
    body = report(month(summed(evil)), "en")
    assert b"<script" not in body
    assert b"&lt;script&gt;alert(1)" in body


@pytest.mark.parametrize(
    ("read_at", "state", "provisional"),
    [(LATER, "sealed", False), (LATER, "archived", True), (NOVEMBER.end - HOUR, "sealed", True)],
)
def test_a_report_that_may_still_change_says_so(read_at: dt.datetime, state: str, *, provisional: bool) -> None:
    made = month(summed(entry(0, state), cursor=1), read_at=read_at)
    assert bool(reasons(made, "en")) is provisional
    assert (b'class="warning"' in report(made, "en")) is provisional


def test_a_provisional_report_says_which_reasons_it_has() -> None:
    open_ = replace(summed(entry(0, "archived"), entry(1, "planned"), cursor=2), name="elsa/till")
    made = month(summed(entry(0)), open_, read_at=NOVEMBER.end - HOUR)
    assert [said.split(";")[0] for said in reasons(made, "en")] == [
        "the month is not over",
        "windows are still to be visited, 2 in number",
    ]
    body = report(made, "ko").decode()
    assert all(f"<li>{reason}</li>" in body for reason in reasons(made, "ko"))
    assert "elsa/till" in reasons(made, "ko")[1]


def test_the_share_of_verified_windows_is_not_applicable_where_the_provider_gives_no_total() -> None:
    none = summed(entry(0, verification="unverified").replace(visits=("20261101T010000Z-0001",)), cursor=1)
    some = replace(summed(entry(0, announced=3, verification="unverified"), cursor=1), name="dsa/edge")
    both = report(month(none, some), "en")
    assert [cells(both, name)[3] for name in ("elsa/shop", "dsa/edge", "Total")] == ["not applicable", "0 %", "0 %"]
    assert cells(report(month(none), "ko"), "elsa/shop")[3] == "해당 없음"


def test_windows_that_are_shrunk_and_not_sealed_yet_are_counted_as_shrunk() -> None:
    made = summed(entry(0, "archived", "shrunk"), entry(1, issue="shrunk"), cursor=2)
    assert (made.shrunk, made.unfinished) == (2, 1)


def test_a_report_says_its_range_and_every_time_in_the_time_zone_of_its_month() -> None:
    korean = Span(NOVEMBER.start - 9 * HOUR, NOVEMBER.end - 9 * HOUR)
    made = Month("bucket", korean, LATER, [summed(entry(0), entry(1, "closed", "expired"), cursor=2)], zone=KST)
    body = report(made, "ko").decode()
    assert "2026-11 (2026-11-01 00:00 ~ 2026-12-01 00:00, UTC+09:00)" in body
    assert "2026-12-11 09:00 (UTC+09:00)" in body
    assert "<td>11\u201101\u00a010:00 ~ 11\u201101\u00a011:00</td>" in body


@pytest.mark.parametrize(
    ("event", "start", "end"),
    [
        ({"language": "ko"}, "2026-10-31T15:00:00Z", "2026-11-30T15:00:00Z"),
        ({}, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ({"time_zone": "-05:00", "language": "ko"}, "2026-11-01T05:00:00Z", "2026-12-01T05:00:00Z"),
    ],
)
def test_a_month_begins_at_midnight_of_its_time_zone(event: dict[str, str], start: str, end: str) -> None:
    made = parse({"action": "report", "month": "2026-11", **event})
    assert isinstance(made, WriteReport)
    assert [instant(moment) for moment in (made.span.start, made.span.end)] == [start, end]


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ({"language": "ko"}, "coverage/report-2026-11.ko.html"),
        ({"language": "ko", "time_zone": "+09:00"}, "coverage/report-2026-11.ko.html"),
        ({"language": "ko", "time_zone": "+00:00"}, "coverage/report-2026-11.ko.UTC+0000.html"),
        ({"time_zone": "-00:00"}, "coverage/report-2026-11.en.html"),
        ({"time_zone": "-05:30"}, "coverage/report-2026-11.en.UTC-0530.html"),
    ],
)
def test_reports_of_one_month_in_two_time_zones_have_two_keys(event: dict[str, str], key: str) -> None:
    stage = Scenario([])
    stage.until_sealed()
    stage.notarize()
    result = stage.notarize({"action": "report", "month": "2026-11", **event})
    assert (result["key"], key in stage.s3.objects) == (key, True)


def test_a_month_that_has_not_begun_is_refused() -> None:
    stage = Scenario([])
    result = stage.notarize({"action": "report", "month": "2027-01"})
    assert [one["error"] for one in result["errors"]] == [
        "month: 2027-01 has not begun; choose this month or an earlier one"
    ]
    assert not any(key.startswith("coverage/") for key in stage.s3.objects)


def test_a_source_that_could_not_be_read_is_named() -> None:
    assert "elsa/lost" in report(month(unread=["elsa/lost"]), "ko").decode()


def test_a_source_that_cannot_be_used_is_named_with_its_reason_and_room_for_what_was_done() -> None:
    made = report(month(invalid={"elsa/typo": "project_idd: unknown field"}), "ko")
    assert cells(made, "elsa/typo") == ["project_idd: unknown field", ""]


def shape(value: object) -> object:
    """Return what two languages must have in common: all but the texts, and of these the places to fill in."""
    match value:
        case dict():
            return {name: shape(inner) for name, inner in cast("dict[str, object]", value).items()}
        case list():
            return [shape(inner) for inner in cast("list[object]", value)]
        case _:
            return sorted(re.findall(r"\{\w+\}", str(value)))


def test_both_languages_have_the_same_texts_and_explain_every_issue() -> None:
    texts = orjson.loads(resource("report.json"))
    assert shape(texts["en"]) == shape(texts["ko"])
    assert set(texts["en"]["issues"]) == {*Issue.__value__.__args__, ""}


def test_the_korean_report_is_named_as_auditors_name_it_and_has_its_criteria() -> None:
    body = report(month(summed(entry(0), cursor=1)), "ko").decode()
    assert "<h1>월간 접속기록 점검 보고서</h1>" in body
    for said in (
        "2.9.4 로그 및 접속기록 관리",
        "2.9.5 로그 및 접속기록 점검",
        "점검자",
        "서명",
        "bucket/proof signature",
    ):
        assert said in body


def test_it_is_written_for_an_event_and_tells_where() -> None:
    stage = Scenario([])
    stage.until_sealed()
    stage.notarize()
    result = stage.notarize({"action": "report", "month": "2026-11", "language": "ko"})
    key = "coverage/report-2026-11.ko.html"
    why = result.pop("provisional_because")
    assert [said.split(";")[0] for said in why] == ["the month is not over"]
    assert result == {"ok": True, "key": key, "sources": 1, "provisional": True, "errors": [], "invalid": []}
    body = stage.s3.objects[key].body.decode()
    assert "elsa/shop" in body
    assert stage.s3.objects["proof/checkpoint"].body.decode().splitlines()[2] in body


def test_a_month_is_not_final_while_a_window_that_began_before_it_is_open() -> None:
    made = summed(entry(-12, "archived", "forbidden", hours=24), entry(12, hours=24), cursor=36)
    assert (made.unfinished, made.totals.windows, len(made.gaps) > 0) == (1, 1, True)
    assert any("elsa/shop" in reason for reason in reasons(month(made), "en"))


def test_of_a_source_that_was_never_fetched_no_window_is_verified() -> None:
    lost = summed(*(entry(hour, "closed", "expired") for hour in range(10)))
    assert cells(report(month(lost), "en"), "elsa/shop")[3] == "0 %"
