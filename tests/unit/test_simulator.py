"""The simulator refuses what the vendors' pages forbid, fails as it is told to, and holds what it is said to hold.

That its truth is what it serves is proved by the archives that are compared with it, and not again here.
"""

import io
import json
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.simulator import HOSTS, Simulator
from tests.simulator.security365 import API_KEY, TOKEN
from tests.unit.simulated import DAY, HOUR, HTTP, NOW, ONE_HOUR, ask, links, members, ms, records, refusal
from tools.registry import names

APIS = (*names(), "cdn")
LINK = "2026-11-22 20:00:00"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Return a small simulator at a fixed time."""
    with Simulator(seed=7, scale=0.1, clock=lambda: NOW) as simulator:
        yield simulator


@pytest.mark.parametrize("name", names())
def test_the_same_seed_gives_the_same_records_in_whatever_order_hours_are_asked_for(name: str) -> None:
    one, same, other = (Simulator(seed=seed, scale=0.1, clock=lambda: NOW) for seed in (3, 3, 4))
    list(one.truth(name, HOUR - 4 * ONE_HOUR, HOUR))
    texts = [[record.text for record in sim.truth(name, HOUR, NOW)] for sim in (one, same, other)]
    assert texts[0] == texts[1] != texts[2] != []


@pytest.mark.parametrize("name", names())
def test_a_day_holds_late_and_equal_records_and_odd_ones_where_there_is_json(name: str) -> None:
    day = list(Simulator(scale=0.2, clock=lambda: NOW).truth(name, NOW - DAY, NOW))
    assert {record.kind for record in day} == {"plain", "duplicate"} | ({"odd"} if name != "dsa" else set())
    late = sum(record.visible_ms - (record.hour_ms if name == "dsa" else record.time_ms) > 7_300_000 for record in day)
    assert 0.002 < late / len(day) < 0.05


@pytest.mark.parametrize("name", names())
def test_records_without_a_time_or_sense_are_as_many_as_were_ordered(sim: Simulator, name: str) -> None:
    sim.set(name, unreadable_times=3, unparsable=2)
    kinds = Counter(record.kind for record in sim.truth(name, HOUR, HOUR + ONE_HOUR))
    files = len(HOSTS) - 1 if name == "dsa" else 1  # the rare host has no bad lines
    assert (kinds["unreadable_time"], kinds["unparsable"]) == (3 * files, 2 * files)


#: A request that the vendor's page forbids, and how it is refused: HTTP status and code.
FORBIDDEN: list[tuple[str, dict[str, Any], tuple[int, object]]] = [
    *((name, {"secret": "wrong"}, (401, "200")) for name in ("elsa", "apigateway", "multidrm")),
    ("dsa", {"secret": "wrong"}, (200, 4100)),
    ("cdn", {"secret": "wrong"}, (200, "AuthFailure.SignatureFailure")),
    *(("elsa", {"skew_seconds": seconds}, (401, "200")) for seconds in (300, -300)),
    ("dsa", {"skew_seconds": -301}, (200, 4500)),
    ("cdn", {"skew_seconds": -301}, (200, "AuthFailure.SignatureExpire")),
    *(("elsa", more, (400, "100")) for more in ({"limit": 0}, {"limit": 1001}, {"count": 0}, {"count": 200_001})),
    *(("elsa", more, (400, "100")) for more in ({"format": "XML"}, {"projectKey": "x" * 54}, {"projectId": "16706"})),
    *(("elsa", more, (400, "100")) for more in ({"from": "2026-11-22"}, {"from": ms(NOW)}, {"includeFields": "body"})),
    ("elsa", {"projectId": 1}, (401, "210")),
    *(("apigateway", {"timeZone": zone}, (400, "100")) for zone in (None, "Asia/Seoul", "+9:00", "+24:00")),
    *(("apigateway", {"from": day}, (400, "100")) for day in (None, "20261122", "2026-11-31", "2026-11-23", 20261122)),
    *(("apigateway", {"limit": limit}, (400, "100")) for limit in (0, 1 << 63, True)),
    *(("apigateway", {"offset": offset}, (400, "100")) for offset in (-1, "0")),
    *(("apigateway", {"level": levels}, (400, "100")) for levels in ([None], "EVENT")),
    *(("apigateway", {"type": types}, (400, "100")) for types in (["ES020", None], ["ES999"])),
    *(("multidrm", more, (200, 280003)) for more in ({"pageSize": 0}, {"pageSize": 101}, {"pageNo": 0})),
    *(("multidrm", more, (200, 280003)) for more in ({"pageNo": "one"}, {"startTime": "today"}, {"policyId": "x"})),
    ("multidrm", {"headers": {"x-ncp-region_code": "US"}}, (200, 281003)),
    ("multidrm", {"headers": {"content-type": "text/plain"}}, (200, 280001)),
    *(("security365", {"headers": {"Referer": place}}, (200, 61002)) for place in ("", "https://other.com/app")),
    ("security365", {"secret": "HWIX-0"}, (401, 401)),
    *(("security365", {"size": size}, (400, 400)) for size in (0, 10_001, None, "3")),
    *(("security365", more, (400, 400)) for more in ({"from": None}, {"to": 1.5}, {"to": 1}, {"sort": None})),
    *(("security365", {"pagination_key": key}, (200, 61003)) for key in ([1], ["1", "x"], [1.0, "x"], [1, "x", 2])),
    ("dsa", {"hosts": json.dumps(HOSTS[:11])}, (200, 4000)),
    ("dsa", {"hosts": '["no.such.host"]'}, (200, 5000)),
    ("cdn", {"Domain": "no.such.host"}, (200, "ResourceNotFound.CdnHostNotExists")),
]


@pytest.mark.parametrize(("name", "more", "said"), FORBIDDEN)
def test_what_a_page_forbids_is_refused(
    sim: Simulator, name: str, more: dict[str, Any], said: tuple[int, object]
) -> None:
    assert refusal(name, ask(sim, name, **more)) == said


#: What is just allowed, so that the refusals above are not for another reason.
ALLOWED: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in APIS),
    ("elsa", {"skew_seconds": 299}),
    ("cdn", {"skew_seconds": -300}),
    ("dsa", {"hosts": json.dumps(HOSTS[:10])}),
]


@pytest.mark.parametrize(("name", "more"), ALLOWED)
def test_what_a_page_allows_is_answered(sim: Simulator, name: str, more: dict[str, Any]) -> None:
    assert refusal(name, ask(sim, name, **more)) == (200, None)


def test_a_token_and_a_key_are_required_when_so_switched(sim: Simulator) -> None:
    sim.set("security365", require_token=True, require_api_key=True, api_key_header="X-Softcamp-Key")
    token, key = {"Authorization": f"Bearer {TOKEN}"}, {"X-Softcamp-Key": API_KEY}
    given: list[dict[str, str]] = [key, key | {"Authorization": "Bearer wrong"}, token, token | key]
    assert [ask(sim, "security365", headers=headers).status_code for headers in given] == [401, 401, 401, 200]


def test_a_request_that_is_sent_again_is_refused_for_its_nonce(sim: Simulator) -> None:
    assert refusal("dsa", HTTP.send(ask(sim, "dsa").request))[1] == 4500


@pytest.mark.parametrize(
    ("name", "calls", "code", "wait"), [("dsa", 100, 4400, 60), ("cdn", 20, "RequestLimitExceeded", 1)]
)
def test_one_call_too_many_is_refused_until_time_has_passed(
    sim: Simulator, name: str, calls: int, code: object, wait: int
) -> None:
    said = [refusal(name, ask(sim, name))[1] for _ in range(calls + 1)]
    assert said == [None] * calls + [code]
    sim.advance(timedelta(seconds=wait))
    assert refusal(name, ask(sim, name))[1] is None


@pytest.mark.parametrize("name", ["elsa", "multidrm", "security365"])
def test_an_end_is_inclusive_unless_switched(sim: Simulator, name: str) -> None:
    end = ms(HOUR + ONE_HOUR)
    mine = {"mine": 1, "sort": [end, "0"]}
    sim.add(name, HOUR + ONE_HOUR, json.dumps(mine))
    asked: dict[str, Any] = {{"multidrm": "endTime"}.get(name, "to"): end}
    assert mine in records(name, ask(sim, name, **asked))
    sim.set(name, exclusive_end=True)
    assert mine not in records(name, ask(sim, name, **asked))


@pytest.mark.parametrize(("cut", "kept"), [("newest", slice(0, 10)), ("oldest", slice(-10, None))])
def test_a_count_that_is_reached_cuts_one_end_off(sim: Simulator, cut: str, kept: slice) -> None:
    sim.set("elsa", cut=cut, late_fraction=0, fleeting_fraction=0)
    times = [record.time_ms for record in sim.truth("elsa", HOUR, HOUR + ONE_HOUR)][kept]
    assert [one["logTime"] for one in records("elsa", ask(sim, "elsa", count=10))] == times
    assert sum(record.served for record in sim.truth("elsa", HOUR, HOUR + ONE_HOUR)) == 10


@pytest.mark.parametrize(("reach", "further"), [("per_range", 0), ("per_call", 10)])
def test_the_cap_holds_for_all_pages_of_a_range_or_for_each_call(sim: Simulator, reach: str, further: int) -> None:
    sim.set("security365", cap=10, reach=reach)
    first = records("security365", ask(sim, "security365"))
    after = records("security365", ask(sim, "security365", pagination_key=first[-1]["sort"]))
    assert (len(first), len(after)) == (10, further)


def read(sim: Simulator) -> tuple[list[Any], set[int]]:
    """Read the events of a day in pages of 40; return them, and the totals that the pages name."""
    found: list[Any] = []
    totals: list[int] = []
    while len(found) == len(totals) * 40:
        page = ask(sim, "apigateway", limit=40, offset=len(found)).json()["events"]
        found += page["content"]
        totals.append(page["total"])
    return found, set(totals)


@pytest.mark.parametrize("shifting", ["grow", "swap"])
def test_a_listing_that_shifts_spoils_one_read_and_not_the_next(sim: Simulator, shifting: str) -> None:
    sim.set("apigateway", shifting=shifting, shift_every=3)
    for spoiled in (True, False):
        found, named = read(sim)
        wanted = Counter(map(str, records("apigateway", ask(sim, "apigateway"))))
        assert (Counter(map(str, found)) != wanted) == spoiled
        assert (len(named) > 1) == (spoiled and shifting == "grow")


def test_a_link_is_valid_for_a_day_and_only_if_it_was_listed(sim: Simulator) -> None:
    url = links(sim)[LINK]
    assert HTTP.get(url.split("?")[0] + "?st=guess&e=1").status_code == 403
    sim.advance(DAY - timedelta(seconds=1))
    assert HTTP.get(url).status_code == 200
    sim.advance(timedelta(seconds=1))
    assert HTTP.get(url).status_code == 403


@pytest.mark.parametrize("name", ["Authorization", "x-tc-timestamp", "X-NCP-IAM-Access-Key", "Cookie"])
def test_credentials_are_refused_by_the_download_host(sim: Simulator, name: str) -> None:
    assert HTTP.get(links(sim)[LINK], headers={name: "secret"}).status_code == 400


def unpacked_size(response: httpx.Response) -> object:
    return len(members(response)[0])


def claimed_size(response: httpx.Response) -> object:
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return archive.infolist()[0].file_size


def is_zip(response: httpx.Response) -> object:
    return response.headers["content-type"] == "application/zip", zipfile.is_zipfile(io.BytesIO(response.content))


def unreadable(response: httpx.Response) -> object:
    with pytest.raises((zipfile.BadZipFile, RuntimeError)) as caught:
        members(response)
    return caught.type


SPOILED: list[tuple[str, dict[str, Any], Callable[[httpx.Response], object], object]] = [
    ("bomb", {"size": 30_000_000}, unpacked_size, 30_000_000),
    ("lying_size", {"size": 4_000_000_000}, claimed_size, 4_000_000_000),
    ("not_a_zip", {}, is_zip, (True, False)),
    ("cut_archive", {}, unreadable, zipfile.BadZipFile),
    ("encrypted", {}, unreadable, RuntimeError),
    ("html", {}, lambda response: response.content[:5], b"<!doc"),
]


@pytest.mark.parametrize(("kind", "options", "look", "seen"), SPOILED)
def test_a_spoiled_body_is_spoiled_as_it_is_called_and_serves_nothing(
    sim: Simulator, kind: str, options: dict[str, Any], look: Callable[[httpx.Response], object], seen: object
) -> None:
    sim.fault(kind, "elsa", **options)
    response = ask(sim, "elsa")
    assert (response.status_code, look(response)) == (200, seen)
    assert not any(record.served for record in sim.truth("elsa", HOUR, NOW))


@pytest.mark.parametrize("kind", ["cut_body", "reset"])
def test_a_response_that_ends_too_early_serves_nothing(sim: Simulator, kind: str) -> None:
    sim.fault(kind, "elsa")
    with pytest.raises(httpx.RemoteProtocolError):
        ask(sim, "elsa")
    assert not any(record.served for record in sim.truth("elsa", HOUR, NOW))


def test_an_unknown_fault_switch_or_provider_is_an_error(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        sim.fault("meteor", "elsa")
    with pytest.raises(ValueError, match="no switch"):
        sim.set("elsa", gravity=1)
    with pytest.raises(ValueError, match="does not play 'activity'; it plays elsa, "):
        sim.set("activity", cap=1)


def test_orders_set_clock_switches_faults_and_records(sim: Simulator) -> None:
    download = {"kind": "500", "provider": "dsa", "endpoint": "download", "times": None, "host": HOSTS[1]}
    orders = {
        "clock": "2026-11-22T16:00:00Z",
        "switches": {"elsa": {"layout": "bare_array"}},
        "faults": [
            {"kind": "503", "provider": "elsa", "between": ["2026-11-22T10:00Z", "2026-11-22T11:00Z"]},
            download,
        ],
        "add": [{"provider": "elsa", "time": "2026-11-22T12:00:00Z", "text": '{"logTime":5}'}],
    }
    early: dict[str, Any] = {"from": ms(HOUR - 2 * ONE_HOUR)}
    state = HTTP.post(f"{sim.url}/_control", json=orders).json()
    assert state["now"] == "2026-11-22T16:00:00+00:00"
    assert {"logTime": 5} in ask(sim, "elsa").json()
    assert ask(sim, "elsa", **early).status_code == 503
    assert [HTTP.get(links(sim, host)[LINK]).status_code for host in HOSTS[:2]] == [200, 500]
    counts = HTTP.get(f"{sim.url}/_requests").json()["counts"]
    assert counts == {"elsa/data": 2, "dsa/listing": 2, "dsa/download": 2}


def test_a_provider_that_is_mended_has_no_fault_any_more(sim: Simulator) -> None:
    for provider in ("elsa", "multidrm"):
        sim.fault("503", provider, times=None)
    faults = HTTP.post(f"{sim.url}/_control", json={"mend": ["elsa"]}).json()["faults"]
    assert [fault["provider"] for fault in faults] == ["multidrm"]
    assert ask(sim, "elsa").status_code == 200


def test_a_wrong_order_is_answered_with_what_is_wrong(sim: Simulator) -> None:
    response = HTTP.post(f"{sim.url}/_control", json={"clok": 1})
    assert response.status_code == 400
    assert "clok" in response.json()["error"]


def test_the_process_says_where_it_listens() -> None:
    command = [sys.executable, "-m", "tests.simulator", "--port", "0", "--clock", "2026-11-22T15:00:00Z"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = json.loads(process.stdout.readline())["url"]
        assert HTTP.get(f"{url}/_control").json()["now"].startswith("2026-11-22T15:00:0")
    finally:
        process.terminate()
        process.communicate()
