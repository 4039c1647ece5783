"""The multidrm provider: which policies it asks for, what it takes for an error, and what its records become."""

import datetime as dt
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError

from functions.multidrm.app import MultidrmSource, event_name, provider
from logarchive.errors import ForbiddenError, MalformedError, ProviderError, ThrottledError, UnavailableError
from logarchive.part import Part
from logarchive.record.body import document
from logarchive.vendor.ncloud import Keys
from logarchive.visit.collection import VisitApi
from logarchive.window import Span
from tests.simulator.simulator import Simulator
from tests.unit.exchange import NOW, Script, Time, answer, connected, ok, opened

KEYS = Keys.model_validate({"access_key": "accessKey", "secret_key": "secretKey"})
HOUR = Span(NOW - dt.timedelta(hours=3), NOW - dt.timedelta(hours=2))


def source(**fields: object) -> MultidrmSource:
    return MultidrmSource.model_validate({"secret": "logarchive/ncloud/x", **fields})


def fetched(directory: Path, script: Script, **fields: object) -> list[Part]:
    api = opened(provider, source(**fields), KEYS, directory, script, Time())
    return list(provider.fetch(api, source(**fields), HOUR))


def page(items: list[Any], total: int | None = None) -> httpx.Response:
    told = {} if total is None else {"total": total}
    return ok(orjson.dumps({"success": True, "content": items, **told}))


def policies(*ids: object) -> httpx.Response:
    return page([{"policyId": one, "policyStatus": "READY"} for one in ids], len(ids))


def asked(script: Script, path: str = "/api/v1/policy/policyLog") -> list[dict[str, str]]:
    return [dict(request.url.params) for request in script.requests if request.url.path == path]


def test_one_request_asks_for_the_span_in_milliseconds(tmp_path: Path) -> None:
    script = Script([page([], 0)])
    [part] = fetched(tmp_path, script)
    [request] = script.requests
    assert (request.method, request.content) == ("GET", b"")
    assert str(request.url) == (
        "https://multi-drm.apigw.ntruss.com/api/v1/policy/policyLog"
        "?pageNo=1&pageSize=100&startTime=1795341600000&endTime=1795345200000"
    )
    assert request.headers["x-ncp-region_code"] == "KR"
    assert request.headers["content-type"] == "application/json"
    assert (part.role, part.announced, part.count) == ("data", 0, 0)
    # A server that ignores `endTime` answers for all that is later.
    assert part.asked == Span(HOUR.start, dt.datetime(2100, 1, 1, tzinfo=dt.UTC))


def test_settings_say_what_is_asked_for(tmp_path: Path) -> None:
    script = Script([page([], 0)])
    fetched(tmp_path, script, policy_ids=["7"], region_code="SGN", end_time_parameter="endTIme")
    assert asked(script) == [
        {"pageNo": "1", "pageSize": "100", "startTime": "1795341600000", "endTIme": "1795345200000", "policyId": "7"}
    ]
    assert script.requests[0].headers["x-ncp-region_code"] == "SGN"


def test_each_policy_of_a_list_is_asked_for_once_in_its_order(tmp_path: Path) -> None:
    script = Script([page([], 0)])
    parts = fetched(tmp_path, script, policy_ids=["12", 0, 12, "3"])
    assert [one["policyId"] for one in asked(script)] == ["12", "0", "3"]
    assert [part.role for part in parts] == ["data"] * 3


@pytest.mark.parametrize(
    "fields",
    [
        {"policy_ids": []},
        {"policy_ids": "every"},
        {"policy_ids": [""]},
        *({"policy_ids": ["1", one]} for one in ("-1", "1 ", "1" * 19, "0127", "00", "+1", "\u0661\u0662", "\uff11")),
        *({"policy_ids": ["1", one]} for one in (True, False, None, 1.0, -3)),
        {"region_code": "kr"},
        {"region_code": "K"},
        {"region_code": "KR\n"},
        {"end_time_parameter": "endtime"},
        {"policy_id": "1"},
    ],
)
def test_a_wrong_source_is_refused_by_the_name_of_its_field(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        source(**fields)


def test_another_address_or_region_is_another_feed_and_other_policies_are_not() -> None:
    assert provider.feed_id(source()) != provider.feed_id(source(base_url="https://multi-drm.apigw.gov-ntruss.com"))
    assert provider.feed_id(source()) != provider.feed_id(source(region_code="JP"))
    assert provider.feed_id(source()) == provider.feed_id(source(policy_ids="all", end_time_parameter="endTIme"))


def test_all_policies_are_listed_remembered_and_asked_for_with_those_that_are_gone(tmp_path: Path) -> None:
    script = Script([policies(12, 7), page([], 0)])
    kept: set[str] = {"99"}

    def remember(ids: Iterable[str]) -> tuple[str, ...]:
        kept.update(ids)
        return tuple(sorted(kept, key=int))

    api = replace(opened(provider, source(policy_ids="all"), KEYS, tmp_path, script, Time()), remember=remember)
    parts = list(provider.fetch(api, source(policy_ids="all"), HOUR))
    assert kept == {"0", "7", "12", "99"}
    assert [one["policyId"] for one in asked(script)] == ["0", "7", "12", "99"]
    assert asked(script, "/api/v1/policy") == [{"pageNo": "1", "pageSize": "100"}]
    assert [part.role for part in parts] == ["listing", "data", "data", "data", "data"]


def test_the_list_of_policies_is_read_to_its_end(tmp_path: Path) -> None:
    many = [{"policyId": one} for one in range(1, 131)]
    script = Script([page(many[:100], 130), page(many[100:], 130), page(many[:100], 130), page([], 0)])
    fetched(tmp_path, script, policy_ids="all")
    assert {one["policyId"] for one in asked(script)} == {str(one) for one in range(131)}


@pytest.mark.parametrize("item", [{}, {"policyId": None}, {"policyId": "a"}, 7, None])
def test_a_policy_without_an_id_is_no_policy_to_skip(tmp_path: Path, item: object) -> None:
    with pytest.raises(MalformedError, match="policyId"):
        fetched(tmp_path, Script([page([item], 1), page([], 0)]), policy_ids="all")


def failure(code: object, status: int = 200) -> httpx.Response:
    error = {"code": code, "name": "N", "message": "why"}
    return answer(status, orjson.dumps({"success": False, "error": error}))


@pytest.mark.parametrize(
    ("response", "kind", "said", "attempts"),
    [
        (failure(281003), MalformedError, "code 281003: why", 1),
        (failure(280000), MalformedError, "code 280000: why", 4),
        (failure("280000"), MalformedError, "code 280000: why", 4),
        (failure(280000, 500), UnavailableError, "HTTP 500", 4),
        (failure(281003, 401), ForbiddenError, "HTTP 401.*why", 1),
        (failure(281003, 400), MalformedError, "HTTP 400.*why", 1),
        (ok(b'{"success":false}'), MalformedError, "`success` is false", 1),
        (ok(b'{"success":false,"content":[],"total":0}'), MalformedError, "`success` is false", 1),
        (ok(b'{"error":{"errorCode":"210","message":"Denied"}}'), ForbiddenError, "errorCode 210: Denied", 1),
        (answer(429, b'{"error":{"errorCode":410,"message":"slow"}}'), ThrottledError, "errorCode 410: slow", 4),
        (ok(b'{"success":true}'), MalformedError, "no 'content'", 1),
        (ok(b'{"success":true,"content":null,"total":0}'), MalformedError, "no `content`", 1),
        (ok(b"[]"), MalformedError, "not JSON", 1),
        (ok(b""), MalformedError, "the response is empty", 1),
    ],
)
def test_an_error_is_no_empty_window_under_whatever_status(
    tmp_path: Path, response: httpx.Response, kind: type[ProviderError], said: str, attempts: int
) -> None:
    script = Script([lambda _: answer(response.status_code, response.content)])
    with pytest.raises(kind, match=said):
        fetched(tmp_path, script)
    assert len(script.requests) == attempts


@pytest.mark.parametrize(
    ("description", "event"),
    [
        ("Policy 127 - myPolicy update completed", "policy.update"),
        ("Policy 127 - myPolicy creation completed", "policy.create"),
        ("Policy 123 - myPolicy_dummy2 delete completed", "policy.delete"),
        ("Policy 123 -myPolicy_dummy2 creation completed", "policy.create"),
        ("Policy 5 - creation of update update completed", "policy.update"),
        ("Policy 5 - update creation completed", "policy.create"),
        ("Policy 5 - a - b delete delete completed", "policy.delete"),
        ("Policy 5 - two\nlines update failed", "policy.update"),
        ("Policy  5- x  delete  completed", "policy.delete"),
        ("Policy 5 - update", None),
        ("Policy 5 - my-update completed", None),
        ("Policy 5 - my updates completed", None),
        ("Policy 5 - x update completed twice", None),
        ("Policy five - x update completed", None),
        ("The Policy 5 - x update completed", None),
        ("Policy 5 - x Update completed", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_a_description_names_what_happened_only_if_it_follows_the_grammar(
    description: object, event: str | None
) -> None:
    assert event_name([description]) == [event]


def simulated(sim: Simulator, directory: Path, time: Time, **fields: object) -> AbstractContextManager[VisitApi]:
    configured = source(base_url=f"{sim.url}/multidrm", **fields)
    return connected(provider, configured, KEYS, directory, time)


@pytest.mark.parametrize("ids", [None, "all"])
@pytest.mark.parametrize("switches", [{}, {"total": False}, {"first_page": 0}, {"page_zero": "first"}])
def test_the_provider_as_played_gives_its_records(tmp_path: Path, ids: str | None, switches: dict[str, object]) -> None:
    time = Time()
    with Simulator(clock=time, scale=0.5) as sim, simulated(sim, tmp_path, time, policy_ids=ids) as api:
        sim.set("multidrm", policy_id_required=ids is not None, deleted_vanish=False, **switches)
        parts = [part for part in provider.fetch(api, source(policy_ids=ids), HOUR) if part.role == "data"]
        served = [record.text for record in sim.truth("multidrm", HOUR.start, HOUR.end) if record.served]
    items = [item for part in parts for item in document(part)["content"] if item.get("timestamp") != 1795345200000]
    assert sum(part.count or 0 for part in parts) >= len(items) > 200
    assert sorted(map(orjson.dumps, items)) == sorted(orjson.dumps(orjson.loads(text)) for text in served)
