"""The simulated Security365 behaves as its page and its samples say, and its truth is what it serves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.simulator import (
    SECURITY365_API_KEY,
    SECURITY365_LICENSE,
    SECURITY365_REFERER,
    SECURITY365_TOKEN,
    Simulator,
)
from tests.unit.simulated import DAY, HOUR, HTTP, NOW, ONE_HOUR, Response, ms, shown

PATH = "/security365/v1/siems/externalSearch"
SORT = [{"time": "desc"}, {"_id": "asc"}]
REFERER = {"Referer": SECURITY365_REFERER}
TIED = datetime.fromisoformat("2026-11-22T10:00Z")


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Return a small simulator at a fixed time."""
    with Simulator(seed=7, scale=0.2, clock=lambda: NOW) as simulator:
        yield simulator


def search(sim: Simulator, headers: dict[str, str] = REFERER, start: datetime = HOUR, **more: Any) -> Response:
    """Ask for an hour, its last millisecond included; None leaves a parameter out."""
    asked = {"size": 10_000, "from": ms(start), "to": ms(start + ONE_HOUR) - 1, "sort": SORT}
    body = asked | {"license": SECURITY365_LICENSE} | more
    return HTTP.post(
        sim.url + PATH, json={name: value for name, value in body.items() if value is not None}, headers=headers
    )


def items(sim: Simulator, **more: Any) -> list[Any]:
    """Return the items of a page."""
    answer = search(sim, **more).json()
    assert answer["code"] == 0
    return list(answer["items"])


def pages(sim: Simulator, size: int, start: datetime = HOUR) -> list[list[Any]]:
    """Read an hour page by page until one is short."""
    found = [items(sim, start=start, size=size)]
    while len(found[-1]) == size:
        found.append(items(sim, start=start, size=size, pagination_key=found[-1][-1]["sort"]))
    return found


def ids(found: list[Any]) -> list[str]:
    """Return the ids of items."""
    return [one["sort"][1] for one in found]


def truth(sim: Simulator, start: datetime = HOUR) -> list[Any]:
    """Return what is visible of an hour, in the order of the API."""
    records = shown(sim, "security365", start, start + ONE_HOUR)
    return sorted((record.value for record in records), key=lambda one: (-one["sort"][0], one["sort"][1]))


def whole(found: list[list[Any]]) -> list[str]:
    """Return the ids of all pages."""
    return [one for page in found for one in ids(page)]


class TestTruth:
    def test_the_same_seed_gives_the_same_records_in_whatever_order_hours_are_asked_for(self) -> None:
        one, other = (Simulator(seed=3, scale=0.1, clock=lambda: NOW) for _ in range(2))
        list(one.truth("security365", HOUR - 4 * ONE_HOUR, HOUR))
        texts = [[r.text for r in sim.truth("security365", HOUR, NOW)] for sim in (one, other)]
        assert texts[0] == texts[1] != []

    def test_a_week_holds_a_hundred_thousand_records_a_crowded_hour_and_ties(self) -> None:
        records = list(Simulator(scale=0.1, clock=lambda: NOW).truth("security365", NOW - 7 * DAY, NOW))
        hours = Counter(record.hour for record in records)
        assert 9_500 < len(records) - 8 * 300 < 10_500
        assert hours.most_common(1)[0][1] > 2_500
        assert sorted(Counter(record.time_ms for record in records).values())[-8:][0] >= 300
        assert {"plain", "odd", "duplicate"} == {record.kind for record in records}

    def test_every_id_is_its_own_and_says_the_time_in_the_sort(self, sim: Simulator) -> None:
        records = [record.value for record in sim.truth("security365", HOUR - DAY, NOW)]
        assert len({one["sort"][1] for one in records}) == len(records)
        assert all(one["sort"][0] == one["time"] for one in records)
        assert len({one["traceId"] for one in records}) < len(records)
        assert len({one["crc32"] for one in records}) < len(records)

    def test_texts_hold_what_is_hard_to_keep(self, sim: Simulator) -> None:
        records = [record.value for record in sim.truth("security365", HOUR - DAY, NOW)]
        texts = [record.text.decode() for record in sim.truth("security365", HOUR - DAY, NOW)]
        details = [one["detail"] for one in records if isinstance(one["detail"], str)]
        assert any(".10" in text for text in texts)
        assert any("최고관리자" in text for text in texts)
        assert sum(_parses(one) for one in details) > 10
        assert sum(bool(one) and not _parses(one) for one in details) > 10
        assert all("drmDoc" in one and "file" in one for one in records)


def _parses(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


class TestSearch:
    def test_an_hour_is_served_with_its_exact_texts_in_the_order_of_the_sort(self, sim: Simulator) -> None:
        response = search(sim)
        assert response.json()["items"] == truth(sim) != []
        assert all(r.text in response.content for r in shown(sim, "security365", HOUR, HOUR + ONE_HOUR))
        assert list(response.json()) == ["code", "msg", "total", "items"]

    def test_both_ends_are_inclusive_unless_switched(self, sim: Simulator) -> None:
        sim.add("security365", HOUR + ONE_HOUR, f'{{"sort":[{ms(HOUR + ONE_HOUR)},"0"]}}')
        end = ms(HOUR + ONE_HOUR)
        assert ids(items(sim, to=end))[0] == "0"
        sim.set("security365", exclusive_end=True)
        assert ids(items(sim, to=end))[0] != "0"

    def test_pages_join_to_the_hour(self, sim: Simulator) -> None:
        assert whole(pages(sim, 7)) == ids(truth(sim))

    @pytest.mark.parametrize("sort_time", ["ms", "ns"])
    def test_three_hundred_in_a_millisecond_cross_page_borders_and_none_is_lost(
        self, sim: Simulator, sort_time: str
    ) -> None:
        sim.set("security365", sort_time=sort_time)
        found = pages(sim, 100, TIED)
        crossed = [one[-1]["sort"][0] == other[0]["sort"][0] for one, other in pairwise(found)]
        assert any(crossed)
        assert whole(found) == ids(truth(sim, TIED))

    def test_a_key_that_went_through_a_float_is_refused_or_loses_its_place(self, sim: Simulator) -> None:
        sim.set("security365", sort_time="ns")
        key, after = (one["sort"] for one in items(sim, size=2))
        assert key[0] > 1 << 53
        assert items(sim, size=1, pagination_key=key)[0]["sort"] == after
        assert search(sim, pagination_key=[float(key[0]), key[1]]).json()["code"] == 61003
        near = [key[0] + 1, key[1]]
        assert items(sim, size=1, pagination_key=near)[0]["sort"] == key

    def test_an_added_record_takes_its_place_among_its_equals(self, sim: Simulator) -> None:
        tied = Counter(one["time"] for one in truth(sim, TIED)).most_common(1)[0][0]
        moment = datetime.fromtimestamp(tied / 1000, NOW.tzinfo)
        for name in ("8", "0", "G"):
            sim.add("security365", moment, f'{{"time":{tied},"sort":[{tied},"{name}"]}}')
        sim.add("security365", moment, '{"no":"sort"}')
        found = items(sim, start=TIED)
        keys = [(-one["sort"][0], one["sort"][1]) for one in found if "sort" in one]
        assert keys == sorted(keys)
        assert {"8", "0", "G"} < {key[1] for key in keys}
        assert {"no": "sort"} in found

    def test_the_cap_holds_for_all_pages_of_a_range(self, sim: Simulator) -> None:
        sim.set("security365", cap=30)
        found = pages(sim, 10)
        assert [len(page) for page in found] == [10, 10, 10, 0]
        assert whole(found) == ids(truth(sim))[:30]

    def test_the_cap_can_hold_for_each_call(self, sim: Simulator) -> None:
        sim.set("security365", cap=30, reach="per_call")
        assert len(items(sim)) == 30
        assert whole(pages(sim, 30)) == ids(truth(sim))

    def test_a_tie_lies_where_the_crowded_hour_reaches_the_cap(self, sim: Simulator) -> None:
        sim.set("security365", cap=2000, late_fraction=0)
        crowded = sim.security365.crowded_hour(NOW)
        reached = items(sim, start=crowded)
        assert len(reached) == 2000 < len(truth(sim, crowded))
        assert reached[-1]["time"] == truth(sim, crowded)[2000]["time"]

    def test_the_total_is_the_size_or_all(self, sim: Simulator) -> None:
        assert search(sim, size=3).json()["total"] == 3
        sim.set("security365", total="all")
        assert search(sim, size=3).json()["total"] == len(truth(sim))

    def test_a_page_can_begin_with_the_item_of_its_key(self, sim: Simulator) -> None:
        sim.set("security365", inclusive_key=True)
        found = pages(sim, 10)
        assert [one[-1] for one in found[:-1]] == [one[0] for one in found[1:]]
        assert list(dict.fromkeys(whole(found))) == ids(truth(sim))

    def test_the_range_can_stand_in_filters(self, sim: Simulator) -> None:
        sim.set("security365", body="filters")
        span = {"from": ms(HOUR), "to": ms(HOUR + ONE_HOUR) - 1}
        nowhere: dict[str, Any] = {"filters": span, "from": None, "to": None}
        assert items(sim, **nowhere) == truth(sim)
        assert search(sim).status_code == 400
        sim.set("security365", body="flat")
        assert search(sim, **nowhere).status_code == 400

    @pytest.mark.parametrize(
        "more",
        [
            *({"size": 0}, {"size": 10_001}, {"size": None}, {"size": "3"}, {"from": None}, {"to": 1.5}, {"to": 1}),
            *({"sort": None}, {"sort": [{"time": "asc"}, {"_id": "asc"}]}, {"sort": [{"time": "desc"}]}),
        ],
    )
    def test_what_the_page_requires_is_checked(self, sim: Simulator, more: dict[str, Any]) -> None:
        response = search(sim, **more)
        assert (response.status_code, response.json()["code"]) == (400, 400)

    @pytest.mark.parametrize("key", [[], [1], ["1", "x"], [1, 2], "x", [True, "x"], [1, "x", 2]])
    def test_a_key_that_is_none_is_a_conversion_error(self, sim: Simulator, key: object) -> None:
        assert search(sim, pagination_key=key).json()["code"] == 61003

    def test_a_body_that_is_no_json_is_a_conversion_error(self, sim: Simulator) -> None:
        assert HTTP.post(sim.url + PATH, content=b"{", headers=REFERER).json()["code"] == 61003


class TestAccess:
    @pytest.mark.parametrize("headers", [{}, {"Referer": "https://example.com"}, {"Referer": "https://other.com/app"}])
    def test_another_referer_is_refused_in_the_body(self, sim: Simulator, headers: dict[str, str]) -> None:
        response = search(sim, headers)
        assert (response.status_code, response.json()["code"]) == (200, 61002)
        sim.set("security365", code_status=403)
        assert search(sim, headers).status_code == 403

    def test_another_licence_is_unauthorized(self, sim: Simulator) -> None:
        assert search(sim, license="HWIX-0").status_code == 401
        assert search(sim, license=None).status_code == 401

    def test_a_token_can_be_required(self, sim: Simulator) -> None:
        sim.set("security365", require_token=True)
        assert search(sim).status_code == 401
        assert search(sim, REFERER | {"Authorization": "Bearer wrong"}).status_code == 401
        assert search(sim, REFERER | {"Authorization": f"Bearer {SECURITY365_TOKEN}"}).status_code == 200

    def test_an_api_key_can_be_required_in_a_header_of_any_name(self, sim: Simulator) -> None:
        sim.set("security365", require_api_key=True, api_key_header="X-Softcamp-Key")
        assert search(sim, REFERER | {"x-api-key": SECURITY365_API_KEY}).status_code == 401
        assert search(sim, REFERER | {"X-Softcamp-Key": SECURITY365_API_KEY}).status_code == 200

    def test_faults_are_statuses_or_codes(self, sim: Simulator) -> None:
        sim.fault("fail", "security365", code="61001")
        sim.fault("429", "security365", retry_after=3)
        sim.fault("403", "security365", when=lambda asked: asked.start == HOUR)
        assert search(sim).json() == {"code": 61001, "msg": "fail to search"}
        limited = search(sim)
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
        assert [search(sim, start=start).status_code for start in (TIED, HOUR, HOUR)] == [200, 403, 200]
