"""How the security365 provider pages: where it goes on, digit for digit, when it stops, and when there is no way on."""

from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest

from functions.security365.app import License, Security365Source, provider
from logarchive.errors import MalformedError
from logarchive.part import Part
from logarchive.window import Span, Window
from tests.simulator import SECURITY365_LICENSE, SECURITY365_REFERER
from tests.simulator.simulator import Simulator
from tests.unit.exchange import NOW, Script, Time, built, collected, connected, ok, opened

HOUR = Span(NOW.replace(hour=10), NOW.replace(hour=11))
KEYS = License.model_validate({"license": SECURITY365_LICENSE})

HOUR_MS = 1795341600000

type Reply = Callable[[httpx.Request], httpx.Response]


def source(**fields: object) -> Security365Source:
    own = {"secret": "x", "base_url": "https://logs.example.com", "referer": SECURITY365_REFERER}
    return Security365Source.model_validate(own | fields)


def fetched(directory: Path, script: Script, size: int = 2) -> list[Part]:
    configured = source(page_size=size)
    return list(provider.fetch(opened(provider, configured, KEYS, directory, script, Time()), configured, HOUR))


def page(*sorts: str, total: int = 0, space: str = "") -> httpx.Response:
    items = ",".join(f'{{"time":1795341600000,"sort":{one}}}' for one in sorts)
    return ok(f'{space}{{"code":0,"msg":"",{space}"total":{total},"items":[{items}]}}'.encode())


def key(number: int) -> str:
    return f'[1795341600000,"{number:05}"]'


def serving(count: int) -> Reply:
    """Answer with the records that stand behind the key, as many as are asked for."""

    def reply(request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content)
        first = int(asked["pagination_key"][1]) + 1 if "pagination_key" in asked else 0
        return page(*map(key, range(first, min(first + asked["size"], count))), total=asked["size"])

    return reply


@pytest.mark.parametrize(
    "last",
    [
        '[1795341600000,"78E122C0"]',
        '[1795341600000123456,"A"]',
        '[9007199254740993,"A"]',
        '[123456789012345678901234567890,"A"]',
        '[1.7534E12,"A"]',
        '[1.5E-9,"A"]',
        '[1795341600000.10,"A"]',
        '[-0,"A"]',
        '["\\ud800","A"]',
        '[1795341600000,"\uac00",null,true]',
    ],
)
def test_the_last_sort_is_sent_back_digit_for_digit(tmp_path: Path, last: str) -> None:
    script = Script([page('[1,"x"]', last), page()])
    fetched(tmp_path, script)
    assert b"pagination_key" not in script.requests[0].content
    assert b'"pagination_key":%b}' % last.encode() in script.requests[1].content


def test_all_but_the_key_stays_the_same_from_page_to_page(tmp_path: Path) -> None:
    script = Script([serving(5)])
    fetched(tmp_path, script)
    asked = [orjson.loads(request.content) for request in script.requests]
    assert [one.pop("pagination_key", None) for one in asked] == [None, [HOUR_MS, "00001"], [HOUR_MS, "00003"]]
    assert asked[0] == asked[1] == asked[2]


@pytest.mark.parametrize(
    ("count", "requests"),
    [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)],
)
def test_a_short_or_empty_page_is_the_last_one(tmp_path: Path, count: int, requests: int) -> None:
    script = Script([serving(count)])
    parts = fetched(tmp_path, script)
    assert len(script.requests) == len(parts) == requests
    assert sum(part.count or 0 for part in parts) == count
    assert {part.announced for part in parts} == {None}


@pytest.mark.parametrize(
    ("size", "counts"),
    [(10_000, [10_000]), (5_000, [5_000] * 2), (4_000, [4_000] * 3), (3_333, [3_333] * 4)],
)
def test_reading_stops_where_ten_thousand_have_come(tmp_path: Path, size: int, counts: list[int]) -> None:
    script = Script([serving(99_000)])
    parts = fetched(tmp_path, script, size)
    assert [part.count for part in parts] == counts
    assert provider.cap(source()) == 10_000


def test_one_less_than_ten_thousand_is_no_reason_to_stop(tmp_path: Path) -> None:
    parts = fetched(tmp_path, Script([serving(9_999)]), 3_333)
    assert [part.count for part in parts] == [3_333, 3_333, 3_333, 0]


@pytest.mark.parametrize(
    ("total", "space", "requests"),
    [(0, "", 1), (1, "", 1), (2, "", 1), (3, "", 2), (9, " \n ", 2), (10, "", 1), (10, " \n ", 1), (11, "", 2)],
)
def test_a_page_of_two_of_ten_is_followed_up_only_if_the_total_is_more_than_two_and_not_ten(
    tmp_path: Path, total: int, space: str, requests: int
) -> None:
    script = Script([page(key(1), key(2), total=total, space=space), page(total=total)])
    assert len(fetched(tmp_path, script, 10)) == len(script.requests) == requests


def test_a_service_that_gives_fewer_than_asked_for_is_followed_to_its_total(tmp_path: Path) -> None:
    script = Script([page(key(1), key(2), total=5), page(key(3), key(4), total=5), page(key(5), total=5)])
    assert [part.count for part in fetched(tmp_path, script, 10)] == [2, 2, 1]


@pytest.mark.parametrize("last", [key(2), "null", '"text"', "{}"])
def test_a_page_that_leads_nowhere_is_malformed(tmp_path: Path, last: str) -> None:
    script = Script([page(key(1), key(2)), page(key(1), last)])
    with pytest.raises(MalformedError, match="no next page can be requested"):
        fetched(tmp_path, script)
    assert len(script.requests) == 2


def test_a_crowd_is_halved_until_every_record_has_come_once(tmp_path: Path) -> None:
    time = Time()
    with Simulator(clock=time, scale=0.42) as sim:
        sim.set(
            "security365", crowd_phase=int(HOUR.start.timestamp()) // 3600 % 168, sort_time="ns", inclusive_key=True
        )
        configured = source(base_url=f"{sim.url}/security365", page_size=5_000)
        with connected(provider, configured, KEYS, tmp_path, time) as api:
            collection = collected(provider, configured, api, HOUR)
        records = [record for record in sim.truth("security365", HOUR.start, HOUR.end) if record.served]
    served = {str(orjson.loads(record.text)["sort"][1]) for record in records}
    assert len(served) > 10_000
    assert {part.role for part in collection.parts} == {"data", "superseded"}
    assert rows(collection.parts, tmp_path) == len(served)


def rows(parts: list[Part], directory: Path) -> int:
    """Return how many rows parts become, none of whose records is lost."""
    numbers = built(provider, source(), parts, Window(HOUR.start, HOUR.end), directory).numbers
    assert numbers.strays == numbers.rejects == 0
    return numbers.rows
