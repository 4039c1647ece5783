"""The dsa provider: how its files are listed by either API, which of them are a window's, and what a link may do."""

import datetime as dt
from collections.abc import Iterator
from functools import partial
from urllib.parse import parse_qs

import httpx
import orjson
import pytest
from pydantic import ValidationError

from functions.dsa.app import DsaSource
from logarchive.errors import ForbiddenError, LinkExpiredError, MalformedError, MismatchError, ProviderError
from logarchive.moment import HOUR
from logarchive.window import Span
from tests.unit import exchange
from tests.unit.exchange import NOW, Script, answer, ok

#: 13:00 to 14:00 UTC is 21:00 to 22:00 in the provider's zone.
SPAN = Span(NOW, NOW + HOUR)
#: The first hour and the last one that there are: another zone has no such hour.
BAD_HOURS = (b"0001-01-01 00:00:00", b"9999-12-31 23:00:00", b"2026-02-29 00:00:00", b"2026-11-22 24:00:01")
BAD_HOUR = b'{"code":0,"data":{"a.test":[{"datetime":"%b","url":"http://x"}]}}'
BAD_START = b'{"Response":{"DomainLogs":[{"StartTime":"%b","LogPath":"http://x"}],"TotalCount":1}}'
LINKS = "http://dsa-log-download.cdn.qcloud.com"
source, fetched = partial(exchange.source, "dsa"), partial(exchange.fetched, "dsa", span=SPAN)


def entry(hour: str, path: str = "", query: str = "st=1") -> dict[str, str]:
    return {"datetime": f"2026-11-{hour}", "url": f"{LINKS}/{path or hour.replace(' ', '/')}?{query}"}


def listed(**hosts: list[dict[str, str]]) -> httpx.Response:
    data = {name.replace("_", "."): entries for name, entries in hosts.items()}
    return ok(orjson.dumps({"code": 0, "message": "", "codeDesc": "Success", "data": data}))


def page(total: int, *entries: dict[str, object]) -> httpx.Response:
    return ok(orjson.dumps({"Response": {"DomainLogs": [*entries], "TotalCount": total, "RequestId": "r"}}))


def log(hour: str, area: str = "mainland") -> dict[str, object]:
    link = f"http://log-download.cdn.qcloud.com/{area}/{hour.replace(' ', '/')}?st=1"
    return {"StartTime": f"2026-11-{hour}", "EndTime": "", "LogPath": link, "Area": area, "LogName": "", "FileSize": 1}


def downloads(script: Script) -> Iterator[str]:
    return (request.url.path for request in script.requests if request.method == "GET")


def test_the_legacy_api_is_asked_by_day_and_ten_hosts() -> None:
    script = Script([listed()])
    hosts = [f"h{number:02}.test" for number in range(11)]
    span = Span(NOW + 2 * HOUR, NOW + 4 * HOUR)  # 23:00 to 01:00 in the provider's zone
    parts = fetched(script, span=span, hosts=hosts)
    forms = [parse_qs(request.content.decode()) for request in script.requests]
    assert [(form["startDate"], form["endDate"]) for form in forms] == 2 * [(["2026-11-22"],) * 2] + 2 * [
        (["2026-11-23"],) * 2
    ]
    assert [orjson.loads(form["hosts"][0]) for form in forms] == 2 * [hosts[:10], hosts[10:]]
    assert {form["Action"][0] for form in forms} == {"GetDsaHostLogs"}
    assert str(script.requests[0].url) == "https://dsa.api.qcloud.com/v2/index.php"
    assert [part.role for part in parts] == ["listing"] * 4


def test_the_cdn_api_is_asked_by_host_and_page_in_the_providers_zone() -> None:
    script = Script([page(2, log("22 20:00:00")), page(2, log("22 21:00:00")), page(0), ok(b"lines")])
    parts = fetched(script, api="cdn", hosts=["a.test", "b.test"], area="global")
    asked = [orjson.loads(request.content) for request in script.requests[:3]]
    assert asked[0] == {
        "Domain": "a.test",
        "StartTime": "2026-11-22 21:00:00",
        "EndTime": "2026-11-22 22:00:00",
        "Area": "global",
        "LogType": "access",
        "Offset": 0,
        "Limit": 1000,
    }
    assert [(one["Domain"], one["Offset"]) for one in asked] == [("a.test", 0), ("a.test", 1), ("b.test", 0)]
    assert script.requests[0].headers["x-tc-action"] == "DescribeCdnDomainLogs"
    assert script.requests[0].headers["x-tc-version"] == "2018-06-06"
    assert str(script.requests[0].url) == "https://cdn.tencentcloudapi.com/"
    assert list(downloads(script)) == ["/mainland/22/21:00:00"]
    assert [part.role for part in parts] == ["listing", "listing", "listing", "data"]


def test_a_file_says_its_host_and_hour_and_not_the_signature_of_its_link() -> None:
    listing, data = fetched(listed(a_test=[entry("22 21:00:00")]), ok(b"lines"))
    assert listing.role == "listing"
    assert (data.role, data.asked, data.own) == ("data", None, None)
    assert data.extra == {"host": "a.test", "hour": "2026-11-22T13:00:00Z"}
    assert "st=1" not in str(data.request)


AREAS = [log("22 21:00:00", "overseas"), log("22 21:00:00", "mainland")]
NO_LINK: list[dict[str, object]] = [{"data": {}}, {"data": []}, {"data": {"a.test": []}}, {"code": 0, "data": {}}]
#: What is said of files -> fields of the source, what is listed for two hours, and the paths that are downloaded.
DOWNLOADED: dict[str, tuple[dict[str, object], httpx.Response, list[str]]] = {
    "only those are whose hour begins in the window": (
        {}, listed(a_test=[entry(f"22 {hour}:00:00") for hour in range(20, 24)]), ["/22/21:00:00", "/22/22:00:00"],
    ),
    "in another time zone it is another hour": (
        {"time_zone": "+05:30"}, listed(a_test=[entry(f"22 {hour}:30:00") for hour in (17, 18, 21)]), ["/22/18:30:00"],
    ),
    "by host and hour, whatever the order of the listing": (
        {"hosts": ["B.test", "a.test", "a.test"]},
        listed(b_test=[entry("22 22:00:00", "b/22"), entry("22 21:00:00", "b/21")], A_test=[entry("22 21:00:00", "a")]),
        ["/a", "/b/21", "/b/22"],
    ),
    "one that is listed twice is once": (
        {}, listed(a_test=[entry("22 21:00:00", query=f"st={number}") for number in (1, 2)]), ["/22/21:00:00"],
    ),
    "each area has its own": (
        {"api": "cdn", "area": "global"}, page(2, *AREAS), ["/mainland/22/21:00:00", "/overseas/22/21:00:00"],
    ),
    "an empty page of null has none": (
        {"api": "cdn"}, ok(b'{"Response":{"DomainLogs":null,"TotalCount":0,"RequestId":"r"}}'), [],
    ),
    **{f"without a link there was no traffic: {body}": ({}, ok(orjson.dumps(body)), []) for body in NO_LINK},
}  # fmt: skip


@pytest.mark.parametrize("what", DOWNLOADED)
def test_which_files_are_downloaded_once_and_in_order(what: str) -> None:
    fields, listing, paths = DOWNLOADED[what]
    script = Script([listing, ok(b"lines")])
    parts = fetched(script, span=Span(NOW, NOW + 2 * HOUR), **fields)
    assert list(downloads(script)) == paths
    assert [part.role for part in parts] == ["listing", *(["data"] * len(paths))]


def test_two_files_for_one_hour_are_no_guess_which_to_take() -> None:
    two = [entry("22 21:00:00", "one"), entry("22 21:00:00", "two")]
    with pytest.raises(MalformedError, match="two different files"):
        fetched(listed(a_test=two))


def test_pages_that_end_before_the_total_are_a_mismatch() -> None:
    with pytest.raises(MismatchError, match="1 of 3"):
        fetched(page(3, log("22 21:00:00")), page(3), api="cdn")


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("dsa", b'{"code":0,"data":{"other.test":[]}}'),
        ("dsa", b'{"code":0,"data":{"a.test":{}}}'),
        ("dsa", b'{"code":0,"data":{"a.test":[{"datetime":"2026-11-22 21:00:00"}]}}'),
        ("dsa", BAD_HOUR % b"tomorrow"),
        ("dsa", b'{"code":0,"data":{"a.test":[{"datetime":"2026-11-22T21:00:00Z","url":"http://x"}]}}'),
        *(("dsa", body) for body in (b'{"code":0,"data":["a.test"]}', b'{"code":0}', b"[]", b"not json")),
        ("cdn", b'{"Response":{"DomainLogs":[]}}'),
        ("cdn", b'{"Response":{"TotalCount":1}}'),
        ("cdn", BAD_START % b"x"),
        *(("dsa", BAD_HOUR % hour) for hour in BAD_HOURS),
        *(("cdn", BAD_START % hour) for hour in BAD_HOURS),
    ],
)
def test_a_listing_that_is_not_as_documented_is_malformed(api: str, body: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        fetched(ok(body), api=api)
    assert "http://x" not in str(caught.value)


@pytest.mark.parametrize(
    "listing",
    [
        listed(**{"b" * 1_000_000: [entry("22 21:00:00")]}),
        page(2, log("22 21:00:00", "a" * 1_000_000), log("22 21:00:00", "a" * 1_000_000) | {"LogPath": "http://x"}),
        listed(a_test=[{"datetime": "2026-11-22 21:00:00", "url": "http://" + "h" * 60_000 + "/"}]),
        listed(a_test=[{"datetime": "2026-11-22 21:00:00", "url": "s" * 60_000 + "://h/"}]),
        listed(**{"k" * 100_000: [{"": ""}] * 10_000}),
        ok(b'{"data":{"%b":%b1%b}}' % (b"k" * 1_000_000, b"[" * 90, b"]" * 90)),
        page(1, *[dict[str, object]()] * 100_000),
    ],
    ids=["host", "area", "link", "scheme", "host of many files", "host without files", "many files"],
)
def test_an_error_repeats_no_text_of_a_listing_at_any_length(listing: httpx.Response) -> None:
    api = "cdn" if b"DomainLogs" in listing.content else "dsa"
    with pytest.raises(ProviderError) as caught:
        fetched(listing, api=api)
    assert len(str(caught.value)) < 1_000


def test_an_expired_link_is_listed_anew_once() -> None:
    gone = answer(403)
    old, new = (listed(a_test=[entry("22 21:00:00", query=f"st={number}")]) for number in (1, 2))
    script = Script([old, gone, new, ok(b"lines")])
    parts = fetched(script)
    assert [part.role for part in parts] == ["listing", "listing", "data"]
    assert script.requests[-1].url.query == b"st=2"
    with pytest.raises(LinkExpiredError):
        fetched(old, gone, new, gone)


def test_a_link_that_expires_later_again_ends_the_visit() -> None:
    span = Span(NOW, NOW + 2 * HOUR)
    both = listed(a_test=[entry("22 21:00:00"), entry("22 22:00:00")])
    script = Script([both, answer(404), both, ok(b"one"), answer(404)])
    with pytest.raises(LinkExpiredError):
        fetched(script, span=span)


def test_a_link_to_a_host_that_is_not_admitted_is_refused() -> None:
    script = Script([listed(a_test=[{"datetime": "2026-11-22 21:00:00", "url": "http://evil.test/"}])])
    with pytest.raises(ForbiddenError, match="download_hosts"):
        fetched(script)


@pytest.mark.parametrize(
    ("api", "base", "host", "days", "pace"),
    [
        ("cdn", "https://cdn.tencentcloudapi.com/", "log-download.cdn.qcloud.com", 30, 1200),
        ("dsa", "https://dsa.api.qcloud.com/", "dsa-log-download.cdn.qcloud.com", 40, 100),
    ],
)
def test_each_api_has_the_defaults_of_its_page(api: str, base: str, host: str, days: int, pace: int) -> None:
    found = source(api=api)
    assert (str(found.base_url), found.download_hosts, found.pace) == (base, (host,), pace)
    assert found.retention == dt.timedelta(days=days)
    assert (found.delay, found.revisit) == (2 * HOUR, (6 * HOUR, 24 * HOUR))
    assert source(api=api, pace=7, retention="P3D", download_hosts=[]).pace == 7
    assert source(api=api, download_hosts=[]).download_hosts == ()


def test_the_api_has_no_default() -> None:
    with pytest.raises(ValidationError) as caught:
        DsaSource.model_validate({"secret": "s", "hosts": ["a.test"]})
    assert [error["loc"] for error in caught.value.errors()] == [("api",)]


def test_an_error_of_the_listing_keeps_its_answer() -> None:
    body = b'{"code":4100,"message":"Authentication failed.","codeDesc":"AuthFailure"}'
    with pytest.raises(ProviderError, match="code 4100 AuthFailure: Authentication failed") as caught:
        fetched(ok(body))
    assert caught.value.part is not None
    assert (caught.value.issue, caught.value.part.role) == ("forbidden", "error")
