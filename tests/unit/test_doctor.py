"""`doctor`: each check fails in its own way, for each provider; one request a source, no write, no secret in a word."""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest

from logarchive.action.handler import act
from logarchive.action.result import Result
from logarchive.checkup import stack
from logarchive.checkup.examination import MOST_CHARACTERS
from logarchive.checkup.public import only_public
from logarchive.checkup.record_time import record_time
from logarchive.column.convert import FieldMapping, epoch_ms
from logarchive.ledger.entry import Entry, Head
from logarchive.moment import DAY, HOUR, MINUTE, SECOND, to_epoch_ms
from logarchive.part import Part
from logarchive.provider.check import Check, RecordTime
from logarchive.provider.provider import Api
from logarchive.provider.source import Source
from logarchive.runtime.metric import Tally
from logarchive.warning.condition import Seen, holding
from logarchive.warning.kind import Condition
from logarchive.warning.signal import ProofSignals, ProviderSignals, SourceSignals
from logarchive.window import Span
from tests.fake_aws import FakeSecrets, refused
from tests.scenario import Scenario, some, zipped
from tests.simulator import Simulator, access
from tests.unit.exchange import answer
from tools.registry import providers

NOW = dt.datetime(2026, 11, 20, 13, 0, tzinfo=dt.UTC)
#: Of dsa both APIs.
APIS = sorted({*providers(), "cdn"})
KST = dt.timezone(9 * HOUR)


def provider_of(api: str) -> str:
    return "dsa" if api == "cdn" else api


def archive_of(api: str, url: str = "http://127.0.0.1:9", **configured: object) -> Scenario:
    """Return an archive whose one source is at that address."""
    name = provider_of(api)
    provider = providers()[name]
    fields = {"api": api, "hosts": ["www.example.com"]} if name == "dsa" else {}
    source = {"secret": f"la/{provider.secret_group}/two", **access.source(name, url, **fields), **configured}
    secrets = {name: json.dumps(keys) for name, keys in access.secrets("la", "two").items()}
    return Scenario([], provider=provider, now=NOW, sources={"shop": source}, secrets=secrets)


def examined(here: Scenario, **event: object) -> Result:
    """Let the function do `doctor` as it does in AWS, over the network, and return its result."""
    return act(replace(here.archive(), transport=None), {"action": "doctor", **event})


def answered(here: Scenario, reply: Callable[[httpx.Request], httpx.Response]) -> Result:
    here.answer = reply
    return act(here.archive(), {"action": "doctor"})


def checks(result: Result, source: str = "shop") -> dict[str, tuple[str, str]]:
    [found] = [one for one in result["sources"] if one["source"] == source]
    return {check["check"]: (check["verdict"], check["said"]) for check in found["checks"]}


def verdicts(result: Result) -> dict[str, str]:
    return {name: verdict for name, (verdict, _) in checks(result).items()}


@pytest.mark.parametrize("api", APIS)
def test_a_good_source_is_good_after_one_request_and_nothing_was_written(api: str) -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of(api, sim.url, retention="P30D")
        tally = Tally()
        archive = replace(here.archive(count=tally), transport=None)
        found = verdicts(act(archive, {"action": "doctor"}))
        assert sim.count(provider_of(api)) == 1
    own = {"logging": "ok"} if provider_of(api) == "dsa" else {}
    assert found == own | {"archive_from": "skipped"} | dict.fromkeys(
        ("configuration", "secret", "request", "clock", "record_time", "ledger", "name", "retention", "bucket"), "ok"
    )
    assert {call.split()[0] for call in [*here.table.calls, *here.s3.calls]} == {"ddb.query", "s3.list"}
    assert (here.table.items, here.s3.objects, here.dispatched, tally.total) == ({}, {}, [], {})


@pytest.mark.parametrize("api", APIS)
def test_a_wrong_key_is_refused_once_and_every_other_check_is_made(api: str) -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of(api, sim.url)
        [(name, keys)] = [
            (name, keys) for name, keys in access.secrets("la", "two").items() if name in str(here.sources)
        ]
        here.secrets[name] = json.dumps(keys | {[*keys][-1]: "Wrong-Key-1234"})
        result = examined(here)
        assert sim.count(provider_of(api)) == 1
    found = checks(result)
    assert (found["request"][0], found["clock"][0], found["record_time"][0]) == ("fail", "ok", "skipped")
    assert result["sources"][0]["verdict"] == "fail"
    assert found["bucket"][0] == found["ledger"][0] == "ok"
    assert not [value for value in ("Wrong-Key-1234", *access.HIDDEN) if value in json.dumps(result)]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("off", "verdict"), [(59, "ok"), (-60, "warn"), (60, "warn"), (299, "warn"), (300, "fail"), (-900, "fail")]
)
def test_a_clock_that_differs_is_told_by_the_date_of_the_response_even_of_a_refusal(
    api: str, off: int, verdict: str
) -> None:
    with Simulator(clock=lambda: NOW + off * dt.timedelta(seconds=1)) as sim:
        found = checks(examined(archive_of(api, sim.url)))
    assert found["clock"][0] == verdict
    assert f"{abs(off)} s {'behind' if off > 0 else 'ahead of'} the provider's" in found["clock"][1]


@pytest.mark.parametrize(
    ("fault", "verdict", "said", "do"),
    [
        ("401", "fail", "401", "if the check `clock` is ok: correct the keys in the secret, or their rights"),
        ("429", "warn", "429", "nothing, if this goes away"),
        ("503", "fail", "503", "check base_url, and whether the function's network leads to it; or"),
        ("html", "fail", "HTML", "check base_url and the source's own fields"),
        ("reset", "fail", "POST http", "check base_url, and whether the function's network leads to it; or"),
    ],
)
def test_a_request_that_fails_is_sent_only_once_whatever_a_visit_would_do(
    fault: str, verdict: str, said: str, do: str
) -> None:
    with Simulator(clock=lambda: NOW) as sim:
        sim.fault(fault, "elsa", times=None)
        result = examined(archive_of("elsa", sim.url))
        assert sim.count("elsa") == 1
    [check] = [check for check in result["sources"][0]["checks"] if check["check"] == "request"]
    assert check["verdict"] == verdict
    assert said in check["said"]
    assert check["do"].startswith(do)


@pytest.mark.parametrize("api", APIS)
def test_an_address_where_nobody_listens_fails(api: str) -> None:
    found = checks(examined(archive_of(api)))
    assert (found["request"][0], found["clock"][0]) == ("fail", "skipped")


def test_a_provider_that_does_not_respond_is_given_up_after_half_a_minute() -> None:
    here = archive_of("elsa")

    def slow(_request: httpx.Request) -> httpx.Response:
        here.now += 31 * SECOND
        raise httpx.ReadTimeout("no byte")

    found = checks(answered(here, slow))["request"]
    assert found == ("fail", "the time ran out while the provider was sending its response")


def test_a_header_that_needs_a_key_which_the_secret_lacks_fails_as_a_request() -> None:
    here = archive_of("security365", headers={"x-key": "{api_key}"})
    found = checks(answered(here, lambda _request: records("security365", 1)))
    assert found["request"] == ("fail", "ConfigError: headers: {api_key} needs `api_key` in the secret, which has none")


@pytest.mark.parametrize(("api", "hours"), [("elsa", 7), ("cdn", 24)])
def test_records_are_asked_for_by_hours_and_files_by_a_day(api: str, hours: int) -> None:
    asked: list[dict[str, Any]] = []

    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return records(api, written(api, NOW))

    answered(archive_of(api), reply)
    [body] = asked
    if api == "elsa":
        assert body["to"] - body["from"] == hours * 3_600_000 - 1
    else:
        assert (body["StartTime"], body["EndTime"]) == ("2026-11-19 21:00:00", "2026-11-20 21:00:00")


SECRETS: dict[str, tuple[str | None, str, str]] = {
    "gone": (None, "ResourceNotFoundException", "create-secret --name la/"),
    "no JSON": ("hush-hush", "the document is no JSON", "put-secret-value --secret-id la/"),
    "empty": ("{}", "missing", "put-secret-value --secret-id la/"),
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_that_cannot_be_used_fails_and_no_request_is_sent(api: str, kind: str) -> None:
    text, said, do = SECRETS[kind]
    here = archive_of(api)
    for name in list(here.secrets):
        here.secrets.pop(name)
        here.secrets |= {name: text} if text is not None else {}
    result = examined(here)
    [check] = [check for check in result["sources"][0]["checks"] if check["check"] == "secret"]
    assert check["verdict"] == "fail"
    assert said in check["said"]
    assert do in check["do"]
    assert "hush" not in json.dumps(result)
    assert verdicts(result)["request"] == "skipped"


def test_the_command_for_an_incomplete_secret_names_the_keys_that_it_must_have() -> None:
    here = archive_of("security365")
    here.secrets["la/security365/two"] = "{}"
    [check] = [check for check in examined(here)["sources"][0]["checks"] if check["check"] == "secret"]
    assert check["do"].endswith('in the file {"license": "…"}')


# The latest time in a response, in each provider's own form.


def records(api: str, time: object) -> httpx.Response:
    """Return the response with one record, or file, of that time."""
    file = {"LogPath": "http://x.test/a", "StartTime": time}
    bodies: Mapping[str, Any] = {
        "apigateway": {"events": {"content": [{"time": time, "level": "EVENT"}], "total": 1}},
        "multidrm": {"success": True, "content": [{"policyId": 0, "timestamp": time}], "total": 1},
        "security365": {"code": 0, "total": 1, "items": [{"time": time, "sort": [time, "a"]}]},
        "cdn": {"Response": {"DomainLogs": [file], "TotalCount": 1, "RequestId": "r"}},
        "dsa": {"code": 0, "data": {"www.example.com": [{"datetime": time, "url": "http://x.test/a"}]}},
    }
    body = zipped([{"logTime": time, "body": "b"}]) if api == "elsa" else json.dumps(bodies[api]).encode()
    return answer(200, body)


def written(api: str, moment: dt.datetime) -> object:
    """Return a moment as the provider writes it; a file has the beginning of its hour."""
    if provider_of(api) == "dsa":
        return f"{moment.astimezone(dt.timezone(8 * HOUR)):%Y-%m-%d %H:00:00}"
    return f"{moment.astimezone(KST):%Y-%m-%d %H:%M:%S}" if api == "apigateway" else to_epoch_ms(moment)


def told(api: str, time: object) -> tuple[str, str]:
    return checks(answered(archive_of(api), lambda _request: records(api, time)))["record_time"]


#: What a time in UTC is taken for that is read as one of +09:00: where the range is not whole days, it lies before it.
BEFORE = {"elsa", "multidrm", "security365"}


@pytest.mark.parametrize("api", APIS)
def test_the_newest_record_is_neither_in_the_future_nor_off_by_a_zone(api: str) -> None:
    newest = NOW - (HOUR if provider_of(api) == "dsa" else MINUTE)
    assert told(api, written(api, newest))[0] == "ok"
    for off in (HOUR, 9 * HOUR):
        verdict, said = told(api, written(api, newest + off + 7 * MINUTE))
        assert (verdict, said[-13:]) == ("fail", "in the future")
    verdict, said = told(api, written(api, newest - 9 * HOUR))
    assert verdict == ("fail" if api in BEFORE else "warn")
    assert ("before the range that was asked for" if api in BEFORE else "read as one of +0") in said


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (-5 * MINUTE, "ok"),
        (-5 * MINUTE - SECOND, "fail"),
        (8 * HOUR - SECOND, "ok"),
        (8 * HOUR, "warn"),
        (8 * HOUR + 20 * MINUTE, "warn"),
        (8 * HOUR + 20 * MINUTE + SECOND, "ok"),
        (9 * HOUR, "warn"),
        (3653 * DAY, "ok"),
        (3653 * DAY + SECOND, "fail"),
    ],
)
def test_an_age_is_suspicious_where_a_zone_or_a_unit_could_make_it(age: dt.timedelta, verdict: str) -> None:
    found = record_time(RecordTime("t", NOW - age), NOW, 20 * MINUTE, None)
    assert (found.verdict, bool(found.do)) == (verdict, verdict != "ok")


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW - 7 * HOUR - 5 * MINUTE, "7 h 5 min ago; the provider may hold newer records"),
        (NOW - 7 * HOUR - 6 * MINUTE, "6 min before the range that was asked for"),
        (dt.datetime(1970, 1, 21, tzinfo=dt.UTC), "are the times in another unit?"),
    ],
)
def test_what_was_not_asked_for_is_of_another_zone_or_if_it_is_near_1970_of_another_unit(
    moment: dt.datetime, said: str
) -> None:
    asked = Span(NOW - 7 * HOUR, NOW)
    assert record_time(RecordTime("t", moment), NOW, 20 * MINUTE, asked).said.endswith(said)


def test_how_late_the_newest_record_usually_is_makes_a_zone_more_or_less_likely() -> None:
    ages = (8 * HOUR + 20 * MINUTE, 8 * HOUR + 21 * MINUTE)
    assert [told("apigateway", written("apigateway", NOW - age))[0] for age in ages] == ["warn", "ok"]


@pytest.mark.parametrize("api", ["elsa", "multidrm", "security365"])
@pytest.mark.parametrize(
    ("factor", "verdict", "said"),
    [
        (10**6, "warn", "it is in nanoseconds"),
        (1000, "warn", "it is in microseconds"),
        (0.001, "warn", "it is in seconds"),
        (0.1, "fail", "cannot be read"),
    ],
)
def test_a_time_in_another_unit_is_told(api: str, factor: float, verdict: str, said: str) -> None:
    found = told(api, int(to_epoch_ms(NOW - MINUTE) * factor))
    assert found[0] == verdict
    assert said in found[1]


def test_a_time_decades_ago_was_read_in_the_wrong_unit() -> None:
    assert told("apigateway", "1970-01-21 10:00:00")[0] == "fail"


@pytest.mark.parametrize("api", APIS)
def test_a_response_without_a_record_leaves_nothing_to_look_at(api: str) -> None:
    empty: Mapping[str, Any] = {
        "apigateway": {"events": {"content": [], "total": 0}},
        "multidrm": {"success": True, "content": [], "total": 0},
        "security365": {"code": 0, "total": 0, "items": []},
        "cdn": {"Response": {"DomainLogs": None, "TotalCount": 0, "RequestId": "r"}},
        "dsa": {"code": 0, "data": []},
        "elsa": [],
    }
    body = zipped([]) if api == "elsa" else json.dumps(empty[api]).encode()
    found = checks(answered(archive_of(api), lambda _request: answer(200, body)))
    assert (found["request"][0], found["record_time"][0]) == ("ok", "skipped")
    if provider_of(api) == "dsa":
        assert found["logging"] == ("warn", "no file of the last day is listed for www.example.com")


def test_a_response_whose_records_cannot_be_read_fails() -> None:
    body = zipped([{"logTime": 1}])[:-30]
    found = checks(answered(archive_of("elsa"), lambda _request: answer(200, body)))
    assert found["record_time"][0] == "fail"
    assert found["record_time"][1].startswith("the response cannot be read: ")


def no_fault(_part: Part) -> None:
    """Find no error in any response."""


def nested(_source: object) -> Mapping[str, FieldMapping]:
    """Map a time that lies in an object."""
    return {"time": FieldMapping("meta.time", epoch_ms)}


@pytest.mark.parametrize(
    ("times", "verdict", "said"),
    [
        ([to_epoch_ms(NOW)], "ok", f"{to_epoch_ms(NOW)}, read as 2026-11-20T13:00:00Z"),
        ([to_epoch_ms(NOW) / 1000 + 0.5], "ok", "1795179600.5, read as 2026-11-20T13:00:00Z"),
        ([to_epoch_ms(NOW - HOUR), to_epoch_ms(NOW), "soon"], "ok", "read as 2026-11-20T13:00:00Z"),
        (["soon"], "fail", "the time soon cannot be read"),
        ([None], "fail", "the time None cannot be read"),
        (["2026-11-20 22:00:00"], "fail", "9 h 0 min in the future"),
    ],
)
def test_the_time_is_read_as_in_a_visit_wherever_its_key_lies(times: list[object], verdict: str, said: str) -> None:
    here = archive_of("elsa")
    here.provider = replace(here.provider, columns=nested, fault=no_fault)
    body = zipped([{"meta": {"time": time}} for time in times])
    found = checks(answered(here, lambda _request: answer(200, body)))["record_time"]
    assert found[0] == verdict
    assert said in found[1]


def lines(api: Api, _source: object, _span: Span) -> Iterator[Part]:
    """Ask for lines."""
    yield api.request("GET", "/lines")


@pytest.mark.parametrize(
    ("line", "verdict", "said"),
    [
        (b'20261120205900 1.2.3.4 a.test /x 5 22 2 200 NULL 1 "curl" "-"', "ok", "2026-11-20T12:59:00Z, 1 min ago"),
        (b"no line of a log", "fail", "the time of a record ("),
    ],
)
def test_the_time_of_a_log_line_is_read_as_in_a_visit(line: bytes, verdict: str, said: str) -> None:
    here = archive_of("dsa")
    here.provider = replace(here.provider, fetch=lines, fault=no_fault, newest=None, checks={})
    found = checks(answered(here, lambda _request: answer(200, line + b"\n")))["record_time"]
    assert found[0] == verdict
    assert said in found[1]


def nothing(_api: Api, _source: object, _span: Span) -> Iterator[Part]:
    """Ask for nothing."""
    yield from ()


def test_nothing_is_asked_where_a_visit_sends_no_request() -> None:
    here = archive_of("elsa")
    here.provider = replace(here.provider, fetch=nothing)
    found = checks(answered(here, lambda _request: records("elsa", 1)))
    assert (found["request"][0], found["clock"][0], found["record_time"][0]) == ("skipped",) * 3


def two_links(api: Api, _source: object, _span: Span) -> Iterator[Part]:
    """Store ids, and follow a link before the first part."""
    assert api.remember(["b", "a"]) == ("a", "b")
    api.download("http://files.example.com/a")
    yield api.download("http://files.example.com/b")


def file_hosts(_source: object) -> list[str]:
    """Allow the host of the links."""
    return ["files.example.com"]


def test_a_link_is_followed_only_as_the_first_request_and_no_id_is_stored() -> None:
    here, paths = archive_of("elsa"), list[str]()
    here.provider = replace(here.provider, fetch=two_links, download_hosts=file_hosts)

    def reply(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return records("elsa", to_epoch_ms(NOW))

    assert checks(answered(here, reply))["record_time"][0] == "ok"
    assert (paths, here.table.items) == (["/a"], {})


@pytest.mark.parametrize(("api", "most"), [("cdn", 1), ("dsa", 10)])
def test_hosts_beyond_one_request_are_named_and_not_asked_for(api: str, most: int) -> None:
    hosts = [f"h{number:02}.example.com" for number in range(12)]
    requests: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return records(api, "2026-11-20 19:00:00")

    _, said = checks(answered(archive_of(api, hosts=hosts), reply))["logging"]
    assert len(requests) == 1
    assert said.partition("not asked for")[2].count("example.com") == 12 - most


def test_the_newest_file_of_a_listing_counts() -> None:
    files = [{"LogPath": f"http://x.test/{hour}", "StartTime": f"2026-11-20 {hour}:00:00"} for hour in (18, 19, 17)]
    body = json.dumps({"Response": {"DomainLogs": files, "TotalCount": 3, "RequestId": "r"}}).encode()
    assert (
        "2026-11-20 19:00:00"
        in checks(answered(archive_of("cdn"), lambda _request: answer(200, body)))["record_time"][1]
    )


def test_multidrm_asks_for_the_log_and_not_for_the_list_of_policies() -> None:
    paths: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return records("multidrm", to_epoch_ms(NOW))

    assert checks(answered(archive_of("multidrm", policy_ids="all"), reply))["request"][0] == "ok"
    assert [path.rpartition("/")[2] for path in paths] == ["policyLog"]


# What is ours: the ledger, the bucket, ArchiveFrom, retention.


@pytest.mark.parametrize(
    ("service", "failed", "skipped"),
    [("ddb", "ledger", ["name", "archive_from", "retention"]), ("s3", "bucket", ["archive_from"])],
)
def test_what_aws_refuses_is_a_check_that_fails_and_not_an_error_of_the_invocation(
    service: str, failed: str, skipped: list[str]
) -> None:
    here = archive_of("elsa")

    def gate(call: str, _moment: str) -> None:
        if call.startswith(service):
            raise refused("AccessDeniedException", 400)

    here.gate = gate
    result = answered(here, lambda _request: answer(200, zipped([]), date="Fri, 20 Nov 2026 13:00:00 GMT"))
    found = verdicts(result)
    assert [name for name, verdict in found.items() if verdict == "fail"] == [failed]
    assert [name for name, verdict in found.items() if verdict == "skipped"] == ["record_time", *skipped]
    [check] = [check for check in result["sources"][0]["checks"] if check["check"] == failed]
    assert "AccessDeniedException" in check["said"]
    assert check["do"].startswith("compare the function's role")


class Throttled(FakeSecrets):
    """Secrets that AWS does not return now."""

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 (the AWS SDK's own spelling)
        raise refused("ThrottlingException", 400)


def test_a_secret_that_aws_does_not_return_now_fails_with_what_aws_says() -> None:
    archive = archive_of("elsa").archive()
    loader = replace(archive.source_loader, secrets=cast("Any", Throttled()))
    [one] = act(replace(archive, source_loader=loader), {"action": "doctor"})["sources"]
    [check] = [check for check in one["checks"] if check["check"] == "secret"]
    assert (check["verdict"], check["do"].partition(",")[0]) == ("fail", "compare the function's role")
    assert "ThrottlingException" in check["said"]


def test_what_nobody_foresaw_in_a_check_is_no_refusal_of_aws() -> None:
    here = archive_of("elsa")

    def broken(_part: Part, _source: object) -> Check:
        raise ZeroDivisionError

    here.provider = replace(here.provider, checks={"own": broken})
    result = answered(here, lambda _request: records("elsa", to_epoch_ms(NOW)))
    [check] = [check for check in result["sources"][0]["checks"] if check["check"] == "own"]
    assert (check["verdict"], check["do"].partition(":")[0]) == ("fail", "this should not happen")


def test_only_windows_that_wait_for_a_visit_are_open() -> None:
    here = archive_of("elsa", start="2026-11-20T10:00:00Z")
    here.act("tick")
    [first, *_] = here.entries()
    held = here.ledger.claim(first, "w", NOW, NOW + HOUR)
    here.ledger.commit(some(held), some(held).replace(state="sealed", due_at=None), NOW)
    assert checks(answered(here, lambda _request: records("elsa", 1)))["ledger"][1].endswith("open windows: 2")


def test_a_paused_source_is_checked_and_said_to_be_paused() -> None:
    found = checks(answered(archive_of("elsa", enabled=False), lambda _request: records("elsa", to_epoch_ms(NOW))))
    assert found["configuration"] == ("ok", 'all fields are valid; "enabled" is false: nothing is planned or visited')
    assert found["request"][0] == "ok"


def test_the_log_names_the_checks_that_are_not_good_and_nothing_of_what_they_say() -> None:
    here, logged = archive_of("elsa"), list[dict[str, Any]]()
    archive = here.archive()

    def log(event: str, **keys: Any) -> None:
        logged.append({"event": event, **keys})

    here.answer = lambda _request: records("elsa", to_epoch_ms(NOW))
    invocation = replace(archive.invocation, log=log)
    assert act(replace(archive, invocation=invocation), {"action": "doctor"})["ok"] is True
    assert logged == [{"event": "source.examined", "source": "shop", "verdict": "warn", "failed": ["retention"]}]


def test_a_name_that_belongs_to_another_project_fails() -> None:
    here = archive_of("elsa")
    here.act("tick")
    cast("dict[str, Any]", here.sources)["shop"]["project_id"] += 1
    result = answered(here, lambda _request: records("elsa", to_epoch_ms(NOW)))
    assert checks(result)["name"][0] == "fail"


def source(**fields: object) -> Source:
    return Source.model_validate({"secret": "s", "base_url": "http://localhost", **fields})


def head(begin: dt.datetime, reason: str) -> Head:
    return Head.model_validate({"begin": begin, "cursor": NOW, "begin_reason": reason, "feed_id": "f"})


def open_since(start: dt.datetime) -> Entry:
    return Entry(window_key=f"{start:%Y-%m-%dT%H:%M:%SZ}/PT1H", state="planned", due_at=NOW)


@pytest.mark.parametrize(
    ("fields", "begun", "first_day", "verdict"),
    [
        ({}, None, None, "skipped"),
        ({}, None, NOW - DAY, "ok"),
        ({}, None, NOW, "ok"),
        ({}, None, NOW + DAY, "fail"),
        ({"retention": "P30D"}, None, NOW - 40 * DAY, "ok"),
        ({"retention": "P30D"}, None, NOW - 20 * DAY, "warn"),
        ({"retention": "P30D", "start": NOW - DAY}, None, NOW - 20 * DAY, "ok"),
        ({"retention": "P30D"}, head(NOW - 20 * DAY, "archive_from"), NOW - 20 * DAY, "warn"),
        ({"retention": "P30D"}, head(NOW - 5 * DAY, "first_tick"), NOW - 20 * DAY, "ok"),
    ],
)
def test_archivefrom_is_early_enough_or_says_what_it_leaves_out(
    fields: dict[str, object], begun: Head | None, first_day: dt.datetime | None, verdict: str
) -> None:
    assert stack.archive_from(source(**fields), begun, first_day, NOW).verdict == verdict


@pytest.mark.parametrize(
    ("fields", "begun", "oldest", "verdict"),
    [
        ({}, None, None, "warn"),
        ({"retention": "P2D"}, None, None, "ok"),
        ({"retention": "P2D", "start": NOW - 3 * DAY}, None, None, "warn"),
        ({"retention": "P2D", "start": NOW - DAY}, None, None, "ok"),
        ({"retention": "P2D"}, NOW, None, "ok"),
        ({"retention": "P2D"}, NOW, NOW - DAY, "ok"),
        ({"retention": "P2D", "start": NOW - 2 * DAY}, None, None, "ok"),
        ({"retention": "P2D"}, NOW, NOW - 36 * HOUR, "ok"),
        ({"retention": "P2D"}, NOW, NOW - 36 * HOUR - MINUTE, "warn"),
        ({"retention": "P2D"}, NOW, NOW - 47 * HOUR - 30 * MINUTE, "warn"),
        ({"retention": "P2D"}, NOW, NOW - 48 * HOUR, "warn"),
        ({"retention": "P2D"}, NOW, NOW - 48 * HOUR - MINUTE, "fail"),
    ],
)
def test_retention_is_compared_with_the_oldest_window_that_is_open(
    fields: dict[str, object], begun: dt.datetime | None, oldest: dt.datetime | None, verdict: str
) -> None:
    entries = [open_since(oldest)] if oldest else []
    shown = head(begun, "start") if begun else None
    assert stack.retention(source(**fields), shown, entries, NOW).verdict == verdict


@pytest.mark.parametrize(("left", "soon"), [(12 * HOUR - MINUTE, True), (12 * HOUR, False)])
def test_doctor_and_the_warning_speak_of_a_loss_from_the_same_moment_on(left: dt.timedelta, soon: bool) -> None:
    oldest = NOW + left - 2 * DAY
    found = stack.retention(source(retention="P2D"), head(oldest, "start"), [open_since(oldest)], NOW)
    signals = ProviderSignals(sources={"shop": SourceSignals(measured_at=NOW, lost_at=NOW + left)})
    held = holding(Seen(NOW, NOW, {"elsa": signals}, {}, ProofSignals(), None))
    assert (found.verdict == "warn", Condition("loss_soon", "elsa/shop") in held) == (soon, soon)


def test_a_start_that_is_too_early_is_told_with_one_that_is_not() -> None:
    found = stack.retention(source(retention="P2D", start=NOW - 3 * DAY), None, [], NOW)
    assert found.do.endswith("for instance 2026-11-18T14:00:00Z")


def test_what_was_written_is_said_and_before_that_who_will_show_it() -> None:
    here = archive_of("elsa", start="2026-11-20T11:00:00Z")

    def reply(_request: httpx.Request) -> httpx.Response:
        return records("elsa", to_epoch_ms(NOW))

    before = checks(answered(here, reply))
    here.act("tick", inline=True)
    after = checks(answered(here, reply))
    assert before["ledger"][1].endswith("whether it can be written, the first tick shows")
    assert before["bucket"][1].endswith("whether it can be written, the first visit shows")
    assert before["name"][1] == "new to the ledger"
    assert after["ledger"][1] == "can be read, and was written; open windows: 2"
    assert "can be listed, and was written: raw/provider=elsa/source=shop/" in after["bucket"][1]
    assert after["name"][1].endswith("since 2026-11-20T11:00:00Z")


# Several sources, and sources that are not written yet.


def test_one_source_hides_no_other_and_each_has_its_verdict() -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of("elsa", sim.url, retention="P30D")
        good = cast("dict[str, Any]", here.sources)["shop"]
        here.sources = {
            "broken": {**good, "project_idd": 1},
            "elsewhere": {**good, "base_url": "http://127.0.0.1:9", "project_id": 2},
            "shop": good,
        }
        here.parameters = {"/la/sources/elsaa/checkout": "{}"}
        result = examined(here)
    assert {one["source"]: one["verdict"] for one in result["sources"]} == {
        "broken": "fail", "elsewhere": "fail", "shop": "ok",
    }  # fmt: skip
    assert checks(result, "broken")["configuration"] == ("fail", "project_idd: unknown field; did you mean project_id?")
    assert checks(result, "broken")["secret"][0] == "skipped"
    assert [error["source"] for error in result["errors"]] == ["elsaa/checkout"]
    assert here.events.count("source.examined") == 3


def test_a_bug_of_a_check_is_said_without_its_text_which_may_hold_anything() -> None:
    here = archive_of("elsa")

    def broken(_source: object) -> str:
        raise ZeroDivisionError(access.HIDDEN[0])

    here.provider = replace(here.provider, feed_id=broken)
    result = answered(here, lambda _request: records("elsa", to_epoch_ms(NOW)))
    assert checks(result) == {"doctor": ("fail", "ZeroDivisionError: this is a bug of doctor")}
    assert "source.failed" in here.events


def test_a_doctor_that_runs_out_of_time_says_with_which_source_to_go_on() -> None:
    here = archive_of("elsa")
    good = cast("dict[str, Any]", here.sources)["shop"]
    here.sources = {name: {**good, "project_id": number} for number, name in enumerate("abcd")}

    def slow(_request: httpx.Request) -> httpx.Response:
        here.now += 8 * MINUTE
        return records("elsa", to_epoch_ms(NOW))

    first = answered(here, slow)
    rest = act(here.archive(), {"action": "doctor", "start": first["next"]})
    assert [one["source"] for one in first["sources"] + rest["sources"]] == list("abcd")
    assert (first["next"], rest["next"]) == ("c", None)


def test_an_unknown_source_is_refused() -> None:
    result = examined(archive_of("elsa"), source="typo")
    assert (result["ok"], result["errors"][0]["error"]) == (False, "no source 'typo' under /la/sources/elsa")


def document(here: Scenario, **fields: object) -> dict[str, Any]:
    return {**cast("dict[str, Any]", here.sources)["shop"], **fields}


@pytest.mark.parametrize("api", APIS)
def test_a_document_is_checked_like_a_source_if_a_written_one_uses_its_address(api: str) -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of(api, sim.url)
        before = dict(here.sources or {})
        result = examined(here, source="new", document=document(here, retention="P30D"))
        assert sim.count(provider_of(api)) == 1
    assert checks(result, "new")["request"][0] == "ok"
    assert [one["source"] for one in result["sources"]] == ["new"]
    assert here.sources == before
    assert (here.table.items, here.s3.objects) == ({}, {})


@pytest.mark.parametrize("api", APIS)
def test_the_secret_of_a_document_is_sent_to_no_address_that_only_the_event_names(api: str) -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of(api, "http://10.1.2.3")
        result = examined(here, source="new", document=document(here, base_url=f"{sim.url}/{api}"))
        assert sim.count(provider_of(api)) == 0
    verdict, said = checks(result, "new")["request"]
    assert (verdict, said.partition(":")[0]) == ("skipped", "not sent")
    assert checks(result, "new")["secret"][0] == "ok"


def keys_of(here: Scenario) -> dict[str, str]:
    """Return the credentials of the one source, and forget them: the secret is not written yet."""
    return cast("dict[str, str]", json.loads(here.secrets.pop(document(here)["secret"])))


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("changed", "request_"), [({}, "ok"), ({"": "Wrong-Key-1234"}, "fail")])
def test_credentials_of_an_event_are_used_in_place_of_a_secret_and_never_repeated(
    api: str, changed: dict[str, str], request_: str
) -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of(api, sim.url, retention="P30D")
        keys = keys_of(here)
        keys[[*keys][-1]] = changed.get("", keys[[*keys][-1]])
        result = examined(here, source="new", document=document(here), credentials=keys)
        assert sim.count(provider_of(api)) == 1
    found = checks(result, "new")
    assert (found["secret"][0], found["request"][0]) == ("ok", request_)
    assert ("correct the keys that were given, or" in json.dumps(result)) == (request_ == "fail")
    assert not [value for value in keys.values() if value in json.dumps(result)]


def test_credentials_of_an_event_that_are_not_complete_say_which_and_nothing_is_sent() -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of("elsa", sim.url)
        given = {"access_key": "Hidden 1", "secret_keys": "Hidden 2"}
        result = examined(here, source="new", document=document(here), credentials=given)
        assert sim.count("elsa") == 0
    verdict, said = checks(result, "new")["secret"]
    assert (verdict, "secret_keys: unknown field" in said, "secret_key: missing" in said) == ("fail", True, True)
    assert "Hidden" not in json.dumps(result)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_credentials_of_an_event_are_not_sent_to_a_private_address_that_only_the_event_names(host: str) -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of("elsa", "http://10.1.2.3")
        there = document(here, base_url=f"{sim.url}/elsa".replace("127.0.0.1", host))
        result = examined(here, source="new", document=there, credentials=keys_of(here))
        assert sim.count("elsa") == 0
    verdict, said = checks(result, "new")["request"]
    assert (verdict, "no public address" in said) == ("skipped", True)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize(("path", "request_"), [("/elsa/", "ok"), ("", "skipped"), ("/elsa/other", "skipped")])
def test_at_the_address_of_a_written_source_an_event_chooses_no_other_path(
    path: str, request_: str, given: bool
) -> None:
    with Simulator(clock=lambda: NOW) as sim:
        here = archive_of("elsa", sim.url)
        assert document(here)["base_url"] == f"{sim.url}/elsa"
        event = {"credentials": keys_of(here)} if given else {}
        result = examined(here, source="new", document=document(here, base_url=f"{sim.url}{path}"), **event)
        assert sim.count("elsa") == (request_ == "ok")
    assert checks(result, "new")["request"][0] == request_


def test_a_public_address_is_admitted_only_if_the_rule_behind_it_admits_it() -> None:
    admit = only_public(lambda _host, _port, addresses: addresses[:2])
    assert admit("a.example", 443, ["8.8.8.8", "10.0.0.1", "9.9.9.9"]) == ["8.8.8.8"]
    assert admit("a.example", 443, []) == []


def test_a_document_at_the_vendor_s_own_address_needs_no_written_source() -> None:
    here = archive_of("elsa")
    [(_, written_source)] = (here.sources or {}).items()
    fields = {name: value for name, value in written_source.items() if name != "base_url"}
    here.sources, hosts = {}, list[str]()

    def reply(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return records("elsa", to_epoch_ms(NOW))

    here.answer = reply
    for base in ({}, {"base_url": "https://elsa.apigw.ntruss.com/api/v1"}):
        result = act(here.archive(), {"action": "doctor", "source": "new", "document": {**fields, **base}})
        assert checks(result, "new")["request"][0] == "ok"
    assert hosts == ["elsa.apigw.ntruss.com"] * 2


def test_a_wrong_document_is_told_field_by_field_and_a_secret_of_another_group_is_not_read() -> None:
    here = archive_of("elsa")
    wrong = examined(here, source="new", document=document(here, window="1h"))
    assert checks(wrong, "new")["configuration"][1].startswith("window: is no ISO 8601 duration")
    other = examined(here, source="new", document=document(here, secret="la/dsa/two"))
    assert checks(other, "new")["configuration"][0] == "fail"
    assert checks(other, "new")["secret"][0] == "skipped"


def test_a_document_under_a_name_in_use_is_compared_with_what_the_name_archives() -> None:
    here = archive_of("elsa")
    here.act("tick")
    result = examined(here, source="shop", document=document(here, project_id=99))
    assert checks(result)["name"][0] == "fail"


def test_what_a_provider_repeats_of_a_secret_is_masked_before_it_is_cut() -> None:
    here, access_key, key = archive_of("elsa"), "Zq9-access", "Wx8-hidden/Value"
    here.secrets["la/ncloud/two"] = json.dumps({"access_key": access_key, "secret_key": key})

    def echo(request: httpx.Request) -> httpx.Response:
        text = f"{'x' * (MOST_CHARACTERS - 20)}{key} {request.headers['x-ncp-iam-access-key']}"
        return answer(401, json.dumps({"error": {"errorCode": "200", "message": f"{key} {text}"}}).encode())

    said = json.dumps(answered(here, echo))
    assert "***" in said
    assert not [part for part in (access_key[:5], key[:5]) if part in said]
