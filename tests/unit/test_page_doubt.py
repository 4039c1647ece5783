"""Servers that answer something else than what was asked for: seen, and never the half of a window taken for all."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from functions.apigateway.app import ApigatewaySource
from functions.apigateway.app import provider as apigateway
from functions.multidrm.app import MultidrmSource
from functions.multidrm.app import provider as multidrm
from functions.security365.app import License, Security365Source
from functions.security365.app import provider as security365
from logarchive.errors import MalformedError, MismatchError
from logarchive.part import Part
from logarchive.visit.collection import STABLE_TRIES, Collection
from logarchive.window import Span
from tests.unit.exchange import KEYS, NOW, Script, Time, collected, ok, opened

HOUR = Span(NOW.replace(hour=10), NOW.replace(hour=11))
HOUR_MS, YEAR_MS = 1795341600000, 365 * 86_400_000
REFUSED = b'{"success":false,"error":{"code":280003,"message":"pageNo"}}'
type Reply = Callable[[httpx.Request], httpx.Response]
#: What a server says the total is, given how many records there are and how many stand on the page.
type Total = Callable[[int, int], int]


def whole(count: int, _shown: int) -> int:
    return count


def shown_only(_count: int, shown: int) -> int:
    return shown


def policy_log(count: int, total: Total, *, still: bool = False, ids: Sequence[object] = (1,)) -> Reply:
    """Play a log that counts pages from 1; `still`: it gives the first one for all. Each id has so many records."""
    held = [
        {"policyId": one, "description": f"{one}-{number}", "timestamp": HOUR_MS}
        for one in ids
        for number in range(count)
    ]

    def reply(request: httpx.Request) -> httpx.Response:
        start = 0 if still else (int(request.url.params["pageNo"]) - 1) * 100
        if start < 0:
            return ok(REFUSED)
        shown = held[start : start + 100]
        return ok(orjson.dumps({"success": True, "content": shown, "total": total(len(held), len(shown))}))

    return reply


def event_log(count: int, total: Total, *, still: bool = False, most: int = 10_000) -> Reply:
    held = [{"time": "2026-11-22 19:30:00", "level": "EVENT", "type": "ES010", "message": f"{n}"} for n in range(count)]

    def reply(request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content)
        start = 0 if still else asked["offset"]
        shown = held[start : start + min(asked["limit"], most)]
        return ok(orjson.dumps({"events": {"content": shown, "total": total(count, len(shown))}}))

    return reply


def policies(directory: Path, reply: Reply, **fields: object) -> list[Part]:
    site = MultidrmSource.model_validate({"secret": "s", **fields})
    return [*multidrm.fetch(opened(multidrm, site, KEYS, directory, Script([reply]), Time()), site, HOUR)]


def events(directory: Path, reply: Reply, **fields: object) -> list[Part]:
    account = ApigatewaySource.model_validate({"secret": "s", **fields})
    return [*apigateway.fetch(opened(apigateway, account, KEYS, directory, Script([reply]), Time()), account, HOUR)]


@pytest.mark.parametrize("count", [101, 150, 200, 250])
def test_a_total_of_the_page_alone_is_a_mismatch_and_not_a_hundred_rows(tmp_path: Path, count: int) -> None:
    with pytest.raises(MismatchError):
        policies(tmp_path, policy_log(count, shown_only))
    with pytest.raises(MismatchError):
        events(tmp_path, event_log(count, shown_only))


def test_a_page_size_that_holds_all_makes_do_with_a_total_of_the_page_alone(tmp_path: Path) -> None:
    [part] = events(tmp_path, event_log(250, shown_only), page_size=1_000)
    assert (part.announced, part.count) == (250, 250)


@pytest.mark.parametrize("count", [101, 199, 200, 300, 400])
def test_a_place_that_is_not_honoured_is_a_mismatch_even_where_the_total_would_come_out(
    tmp_path: Path, count: int
) -> None:
    with pytest.raises(MismatchError):
        policies(tmp_path, policy_log(count, whole, still=True))
    with pytest.raises(MismatchError):
        events(tmp_path, event_log(count, whole, still=True))


@pytest.mark.parametrize("ids", [["0", "7"], [7, 0], "all"])
@pytest.mark.parametrize("count", [1, 60, 150])
def test_an_id_that_the_server_does_not_filter_by_would_bring_all_twice(tmp_path: Path, ids: Any, count: int) -> None:
    log = policy_log(count, whole, ids=[0, 7])

    def reply(request: httpx.Request) -> httpx.Response:
        listed = b'{"success":true,"content":[{"policyId":0},{"policyId":7}],"total":2}'
        return log(request) if request.url.path.endswith("Log") else ok(listed)

    with pytest.raises(MalformedError, match=r"policy (0|7) was requested, and policy (0|7) came"):
        policies(tmp_path, reply, policy_ids=ids)


def test_one_id_alone_cannot_bring_a_record_twice(tmp_path: Path) -> None:
    assert sum(part.count or 0 for part in policies(tmp_path, policy_log(3, whole, ids=[0, 7]), policy_ids=[7])) == 6


def test_ids_that_records_tell_as_text_are_ids_too(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="was requested"):
        policies(tmp_path, policy_log(3, whole, ids=["0", "7"]), policy_ids=[0, 7])


@pytest.mark.parametrize("policy", ["9" * 70_000, "\u0661", "007", -1, 10**18, "", "1 "])
def test_a_listed_id_that_cannot_be_one_is_malformed_and_never_requested(tmp_path: Path, policy: object) -> None:
    with pytest.raises(MalformedError, match="a policy without `policyId`"):
        policies(tmp_path, policy_log(1, whole, ids=[policy]), policy_ids="all")


def test_ids_may_be_numbers_or_text_and_are_the_same_then() -> None:
    site = MultidrmSource.model_validate({"secret": "s", "policy_ids": [0, "0", 127, "127", 10**17]})
    assert site.policy_ids == ("0", "127", f"{10**17}")


def search(first_ms: int, step_ms: int) -> Reply:
    """Play a search that knows nothing of the range: it has records without end, the newest first."""

    def reply(request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content)
        first = int(asked["pagination_key"][1]) + 1 if "pagination_key" in asked else 0
        assert first < 1_000, "a storm"
        numbers = range(first, first + asked["size"])
        items = [{"time": (time := first_ms - n * step_ms), "sort": [time, f"{n}"]} for n in numbers]
        return ok(orjson.dumps({"code": 0, "msg": "", "total": asked["size"], "items": items}))

    return reply


@pytest.mark.parametrize("body", ["flat", "filters"])
@pytest.mark.parametrize(
    ("first_ms", "step_ms", "requests"),
    [
        (HOUR_MS + YEAR_MS, 1, 1),
        (HOUR_MS - YEAR_MS, 1, 1),
        (HOUR_MS + 3_600_000 + 60_002, 0, 1),
        # The range itself, which takes three pages, then what is before it.
        (HOUR_MS + 3_599_999, 24_000, 4),
    ],
)
def test_a_range_that_is_not_honoured_is_malformed_and_not_searched_to_the_end_of_time(
    tmp_path: Path, first_ms: int, step_ms: int, requests: int, body: str
) -> None:
    given = {"secret": "s", "base_url": "https://a.test", "referer": "https://a.test", "page_size": 50, "body": body}
    configured = Security365Source.model_validate(given)
    script = Script([search(first_ms, step_ms)])
    api = opened(security365, configured, License.model_validate({"license": "HWIX-1DGC0"}), tmp_path, script, Time())
    with pytest.raises(MalformedError, match="ignores the requested range"):
        collected(security365, configured, api, HOUR)
    assert len(script.requests) == api.exchange.requests == requests


def test_a_reading_that_never_stands_still_leaves_its_earlier_parts_superseded(tmp_path: Path) -> None:
    asked = 0

    def moving(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return event_log(150 + asked, whole)(request)

    account = ApigatewaySource.model_validate({"secret": "s"})
    api = opened(apigateway, account, KEYS, tmp_path, Script([moving]), Time())
    collection = Collection(apigateway, account, api.exchange, tuple, lambda part: part.replace(key=part.path.name))
    with pytest.raises(MismatchError, match="158 records came where 157 were announced"):
        collection.gather(HOUR)
    *earlier, first, second = collection.parts
    assert len(earlier) == 2 * (STABLE_TRIES - 1)
    assert {part.role for part in earlier} == {"superseded"}
    assert [part.extra["superseded_by"] for part in earlier] == [[]] * len(earlier)
    assert {first.role, second.role} == {"data"}
