"""The simulated event history behaves as its page says, and its truth is what it serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.simulator import Simulator
from tests.simulator.apigateway_event import told
from tests.unit.simulated import DAY, HOUR, HTTP, NOW, ONE_HOUR, Response, ms, shown, signed

PATH = "/apigateway/api/v1/dashboards/events/search"
TODAY = datetime.fromisoformat("2026-11-22T00:00+09:00")
YESTERDAY = TODAY - DAY


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Return a small simulator at a fixed time."""
    with Simulator(seed=7, scale=0.1, clock=lambda: NOW) as simulator:
        yield simulator


def search(sim: Simulator, secret: str = "secretKey", **more: Any) -> Response:
    """Search the events of a day in +09:00 unless asked otherwise; None leaves a parameter out."""
    asked = {"timeZone": "+09:00", "from": "2026-11-21", "to": "2026-11-21", "limit": 100_000} | more
    body = {name: value for name, value in asked.items() if value is not None}
    return HTTP.post(sim.url + PATH, json=body, headers=signed(sim, "POST", PATH, secret))


def events(sim: Simulator, **more: Any) -> dict[str, Any]:
    """Return `events` of a search."""
    return dict(search(sim, **more).json()["events"])


def pages(sim: Simulator, limit: int) -> tuple[list[Any], list[int]]:
    """Read a day page by page until one is short; return its events and the totals told."""
    found: list[Any] = []
    totals: list[int] = []
    while len(found) == len(totals) * limit:
        page = events(sim, offset=len(found), limit=limit)
        found += page["content"]
        totals.append(page["total"])
    return found, totals


def counted(found: list[Any]) -> Counter[tuple[Any, ...]]:
    """Count equal events."""
    return Counter((one["time"], one["level"], one["type"], one["message"]) for one in found)


def truth(sim: Simulator) -> list[Any]:
    """Return the visible events of the day, the newest first."""
    return [record.value for record in shown(sim, "apigateway", YESTERDAY, TODAY)]


class TestTruth:
    def test_the_same_seed_gives_the_same_events_in_whatever_order_hours_are_asked_for(self) -> None:
        one, other = (Simulator(seed=3, scale=0.1, clock=lambda: NOW) for _ in range(2))
        list(one.truth("apigateway", HOUR - DAY, HOUR))
        texts = [[r.text for r in sim.truth("apigateway", HOUR, NOW)] for sim in (one, other)]
        assert texts[0] == texts[1] != []

    def test_a_day_at_full_scale_has_its_share_of_a_hundred_thousand_a_week(self) -> None:
        records = list(Simulator(clock=lambda: NOW).truth("apigateway", TODAY - DAY, TODAY))
        assert 100_000 / 7 * 0.97 < len(records) < 100_000 / 7 * 1.05
        assert max(Counter(record.text for record in records).values()) >= 3
        assert 0.005 < sum(r.visible_ms - r.time_ms > 60_000 for r in records) / len(records) < 0.02
        assert {"plain", "odd", "duplicate"} == {record.kind for record in records}
        assert all(record.time_ms % 1000 == 0 for record in records)

    def test_wrong_events_are_said_to_be_so(self, sim: Simulator) -> None:
        sim.set("apigateway", unreadable_times=3, unparsable=2)
        kinds = Counter(record.kind for record in sim.truth("apigateway", HOUR, HOUR + ONE_HOUR))
        assert (kinds["unreadable_time"], kinds["unparsable"]) == (3, 2)

    def test_a_record_that_only_others_were_served_is_not_due(self, sim: Simulator) -> None:
        late = sim.add("apigateway", YESTERDAY, "{}", visible_from=NOW)
        events(sim)
        assert late.served
        assert not late.due(NOW - ONE_HOUR)
        assert late.due(NOW)


class TestSearch:
    def test_a_day_in_the_asked_zone_is_served_with_its_exact_texts_newest_first(self, sim: Simulator) -> None:
        records = shown(sim, "apigateway", YESTERDAY, TODAY)
        body = b",".join(record.text for record in records)
        wanted = b'{"events":{"content":[%b],"total":%d}}' % (body, len(records))
        assert search(sim).content == wanted

    def test_both_days_are_included(self, sim: Simulator) -> None:
        days = Counter(one["time"][:10] for one in events(sim, to="2026-11-22")["content"])
        assert set(days) == {"2026-11-21", "2026-11-22"}

    @pytest.mark.parametrize(("zone", "offset"), [("+00:00", 0), ("-05:30", -5.5), ("+14:00", 14)])
    def test_another_zone_moves_the_days_and_the_times(self, sim: Simulator, zone: str, offset: float) -> None:
        start = datetime.fromisoformat(f"2026-11-20T00:00{zone}")
        found = search(sim, **{"timeZone": zone, "from": "2026-11-20", "to": "2026-11-20"})
        records = shown(sim, "apigateway", start, start + DAY)
        texts = [told(record, timedelta(hours=offset)) for record in records]
        assert b",".join(texts) in found.content
        assert {one["time"][:10] for one in found.json()["events"]["content"]} == {"2026-11-20"}

    def test_levels_and_types_are_filters(self, sim: Simulator) -> None:
        found = events(sim, level=["EVENT", "ALERT"], type=["ES020", "EU410"])
        assert {(one["level"], one["type"]) for one in found["content"]} == {("EVENT", "ES020")}
        assert found["total"] == len(found["content"]) < len(truth(sim))

    def test_an_item_has_four_keys_and_no_id(self, sim: Simulator) -> None:
        sim.set("apigateway", odd_fraction=0)
        assert {tuple(one) for one in events(sim)["content"]} == {("time", "level", "type", "message")}

    def test_pages_join_to_the_whole_day(self, sim: Simulator) -> None:
        found, totals = pages(sim, 97)
        assert found == truth(sim)
        assert set(totals) == {len(found)}

    def test_a_page_past_the_end_is_empty(self, sim: Simulator) -> None:
        assert events(sim, offset=1 << 60)["content"] == []

    def test_an_event_appears_when_it_becomes_visible(self, sim: Simulator) -> None:
        before = events(sim)["total"]
        sim.add("apigateway", YESTERDAY, '{"time":"2026-11-21 00:00:00"}', visible_from=NOW + ONE_HOUR)
        assert events(sim)["total"] == before
        sim.advance(ONE_HOUR)
        assert {"time": "2026-11-21 00:00:00"} in events(sim)["content"]

    def test_the_oldest_come_first_if_so_switched(self, sim: Simulator) -> None:
        sim.set("apigateway", order="ascending")
        assert events(sim)["content"] == truth(sim)[::-1]

    def test_a_greatest_limit_gives_shorter_pages(self, sim: Simulator) -> None:
        sim.set("apigateway", max_limit=50)
        assert len(events(sim)["content"]) == 50
        assert len(events(sim, limit=None)["content"]) == 10

    @pytest.mark.parametrize(
        "more",
        [
            *({"timeZone": None}, {"timeZone": "Asia/Seoul"}, {"timeZone": "+9:00"}, {"timeZone": "+24:00"}),
            *({"from": None}, {"from": "20261121"}, {"from": "2026-11-31"}, {"to": "2026-11-20"}, {"to": 20261121}),
            *({"limit": 0}, {"limit": 1 << 63}, {"offset": -1}, {"offset": "0"}, {"limit": True}),
            *({"level": [None]}, {"type": ["ES020", None]}, {"level": "EVENT"}, {"type": ["ES999"]}),
        ],
    )
    def test_what_the_page_forbids_is_a_bad_request(self, sim: Simulator, more: dict[str, Any]) -> None:
        response = search(sim, **more)
        assert (response.status_code, response.json()["error"]["errorCode"]) == (400, "100")

    def test_a_wrong_signature_is_refused_as_the_gateway_does(self, sim: Simulator) -> None:
        assert search(sim, secret="wrong").status_code == 401

    def test_faults_know_the_days_asked_for(self, sim: Simulator) -> None:
        sim.fault("429", "apigateway", when=lambda asked: (asked.start, asked.end) == (YESTERDAY, TODAY))
        sim.fault("fail", "apigateway", code="420")
        assert search(sim).status_code == 429
        assert search(sim).json()["error"]["errorCode"] == "420"


class TestShift:
    def test_events_that_appear_move_the_total_and_repeat_an_event_on_the_next_page(self, sim: Simulator) -> None:
        sim.set("apigateway", shifting="grow", shift_every=2)
        before = counted(truth(sim))
        found, totals = pages(sim, 40)
        assert totals[:4] == [totals[0], totals[0], totals[0] + 1, totals[0] + 1]
        assert counted(found) - before != Counter()
        assert counted(truth(sim)) - counted(found) != Counter()

    def test_reads_after_the_shifted_ones_are_whole(self, sim: Simulator) -> None:
        sim.set("apigateway", shifting="grow", shift_reads=2)
        changes = [len(set(pages(sim, 40)[1])) > 1 for _ in range(4)]
        assert changes == [True, True, False, False]
        assert pages(sim, 40)[0] == truth(sim)

    def test_a_swap_spoils_the_pages_and_not_the_total(self, sim: Simulator) -> None:
        sim.set("apigateway", shifting="swap", shift_every=3)
        found, totals = pages(sim, 40)
        assert set(totals) == {len(found)}
        wanted = counted(truth(sim))
        assert (counted(found) - wanted).total() == (wanted - counted(found)).total() == 1
        again, totals = pages(sim, 40)
        assert again == truth(sim)
        assert set(totals) == {len(again)} == {len(found)}

    def test_a_swap_in_the_last_page_leaves_nothing_that_was_promised_and_not_served(self, sim: Simulator) -> None:
        sim.set("apigateway", shifting="swap", shift_every=1000)
        found, totals = pages(sim, 40)
        assert set(totals) == {len(found)}
        assert (counted(truth(sim)) - counted(found)).total() == 1

    def test_what_appeared_is_in_the_truth_and_due_from_then_on(self, sim: Simulator) -> None:
        sim.set("apigateway", shifting="grow", shift_every=5)
        pages(sim, 40)
        appeared = [record for record in sim.truth("apigateway", YESTERDAY, TODAY) if record.kind == "shifted"]
        assert appeared
        assert all(record.due(NOW) and not record.due(NOW - ONE_HOUR) for record in appeared)
        assert all(record.time_ms == ms(TODAY) - 1000 for record in appeared)

    def test_a_listing_on_one_page_is_not_shifted(self, sim: Simulator) -> None:
        for shifting in ("grow", "swap"):
            sim.set("apigateway", shifting=shifting)
            assert events(sim)["total"] == len(truth(sim))

    def test_what_appears_passes_the_filters(self, sim: Simulator) -> None:
        sim.set("apigateway", shifting="grow")
        for offset in (0, 10, 20):
            events(sim, offset=offset, limit=10, type=["EU400"])
        appeared = [r.value for r in sim.truth("apigateway", YESTERDAY, TODAY) if r.kind == "shifted"]
        assert [one["type"] for one in appeared] == ["EU400", "EU400"]
