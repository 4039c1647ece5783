"""What the providers have in common: the sources they refuse, and what `fetch` makes of an API, good or bad."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.dsa.app import FACTS
from logarchive.errors import ForbiddenError, MalformedError, MismatchError, OutOfTimeError, ProviderError
from tests.simulator import Simulator
from tests.simulator.security365 import API_KEY, TOKEN
from tests.truth.parquet import rows as rows_of
from tests.truth.truth import ROWS
from tests.unit import visit
from tests.unit.exchange import (
    HOUR,
    HOUR_MS,
    Reply,
    Time,
    answer,
    built,
    collection,
    fetched,
    ok,
    same,
    secret,
    simulated,
    source,
)
from tests.unit.listing import Total, event_log, events, of_all, of_the_page, policies, policy_log
from tools.registry import providers

#: No policy's id: it is ASCII digits, with no sign, no zero before them and at most 18.
WRONG_IDS = ["-1", "1 ", "1" * 19, "0127", "00", "+1", "\u0661\u0662", "\uff11", True, False, None, 1.0, -3]
#: Provider -> field of a source -> what it must not be.
REFUSED: Mapping[str, Mapping[str, Sequence[object]]] = {
    "apigateway": {
        "time_zone": ["Asia/Seoul", "+09:60", "09:00"],
        "levels": [[], ["INFO"]],
        "types": [[], ["ES030"]],
        "page_size": [0, 10_001, "100"],
        "limit": [5],
    },
    "dsa": {
        "api": [None, "ecdn"],
        "hosts": [[], [""]],
        "area": ["mars"],
        "time_zone": ["Asia/Shanghai", "+25:00"],
        "download_hosts": [["http://h"]],
        "signature_method": ["md5"],
        "revisit": [["PT6H", "PT1H"]],
    },
    "elsa": {
        "include_fields": [["body"], []],
        "project_key": ["", "x" * 54],
        "project_id": ["16706", True, -1, 2**63],
        "count": [0, 200_001],
        "format": ["XML"],
        "project_idd": [1],
    },
    "multidrm": {
        "policy_ids": [[], "every", [""], *(["1", one] for one in WRONG_IDS)],
        "region_code": ["kr", "K", "KR\n"],
        "end_time_parameter": ["endtime"],
        "policy_id": ["1"],
    },
    "security365": {
        "base_url": [None, "https://user:pass@logs.example.com"],
        "referer": [
            None,
            "example.com",
            "https://",
            *(f"https://a.test{end}" for end in (" b", "\r\nX: y", "/\u00e9")),
        ],
        "page_size": [1, 10_001, "10"],
        "body": ["nested"],
        "headers": [
            *({"X Y": "v"}, {"": "v"}, {"X-Y": "v\r\nX-Z: w"}, {"X-Y": "\u00e9"}),
            # They hold credentials, or are the client's own.
            *({"Authorization": "Bearer x"}, {"COOKIE": "a=b"}, {"referer": "https://a.test"}, {"Host": "a.test"}),
            *({"Content-Type": "text/plain"}, {"content-length": "1"}, {"Transfer-Encoding": "chunked"}),
            *({"Proxy-Authorization": "Basic eA=="}, {"proxy-authorization": "{api_key}"}, {"Accept-Encoding": "br"}),
            *({"Connection": "close"}, {"TE": "trailers"}, {"Upgrade": "h2c"}, {"Expect": "100-continue"}),
            *({"X-API-KEY": "literal"}, {"x-api-key": "{api-key}"}, {"X-Api-Key": ""}),
            *({"X-Tenant": "a", "x-tenant": "b"}, {"X-API-KEY": "{api_key}", "x-api-key": "{api_key}"}),
        ],
        "licence": ["x"],
    },
}
#: What the error says besides the field's name.
SAID = {"include_fields": "must contain logTime", "revisit": "ascending"}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [(name, field, value) for name, fields in REFUSED.items() for field, values in fields.items() for value in values],
)
def test_a_wrong_source_is_refused_by_the_name_of_its_field(name: str, field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=rf"(?ms)^{field}\b.*{SAID.get(field, '')}"):
        source(name, **{field: value})


#: Provider -> changes of a source that make another feed of it, and changes that make none.
FEEDS: Mapping[str, tuple[Sequence[Mapping[str, object]], Mapping[str, object]]] = {
    "apigateway": (
        [{"base_url": "https://apigateway.apigw.gov-ntruss.com"}, {"time_zone": "+00:00"}],
        {"levels": ["ALERT"], "page_size": 1, "window": "P1D"},
    ),
    "dsa": ([{"api": "cdn"}], {"hosts": ["b.test"]}),
    "elsa": ([{"project_id": 1}, {"project_key": "other"}], {"base_url": "https://a.test", "count": 1}),
    "multidrm": (
        [{"base_url": "https://multi-drm.apigw.gov-ntruss.com"}, {"region_code": "JP"}],
        {"policy_ids": "all", "end_time_parameter": "endTIme"},
    ),
    "security365": (
        [{"base_url": "https://a.test"}, {"referer": "https://example.com/app/"}],
        {"page_size": 5, "body": "filters", "headers": {"X-Y": "z"}},
    ),
}


@pytest.mark.parametrize("name", FEEDS)
def test_what_a_source_asks_for_makes_another_feed_of_it_and_how_it_asks_does_not(name: str) -> None:
    others, same = FEEDS[name]
    feed_id = providers()[name].feed_id
    feeds = [feed_id(source(name)), *(feed_id(source(name, **fields)) for fields in others)]
    assert len(set(feeds)) == len(feeds)
    assert feed_id(source(name, **same)) == feeds[0]


#: Where the end is spelt otherwise, it is ignored: all that is later comes too, and is outside.
END_IGNORED = {"end_time_parameter": "endTIme"}
#: More records in this hour than one search gives, whose pages begin with the record of their key.
CROWD = {"crowd": 60_000, "crowd_phase": HOUR_MS // 3_600_000 % 168, "sort_time": "ns", "inclusive_key": True}
#: Provider, its source, and how the simulator plays it: every layout, signature, zone and way to count pages.
PLAYED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *(
        ("elsa", {}, {"layout": layout, "hostile": 0})
        for layout in ("array", "lines", "wrapper", "members", "csv", "bare_array", "bare_lines")
    ),
    *(
        ("apigateway", {"time_zone": zone}, {"order": order, "max_limit": 60})
        for zone, order in (("+09:00", "descending"), ("-11:00", "ascending"), ("+14:00", "ascending"))
    ),
    *(
        ("multidrm", {"policy_ids": ids}, {"policy_id_required": ids == "all", "deleted_vanish": False, **switches})
        for ids in (None, "all")
        for switches in ({}, {"total": False}, {"first_page": 0}, {"page_zero": "first"}, END_IGNORED)
    ),
    *(
        ("security365", {"body": body, "page_size": 40}, {"require_token": True, "require_api_key": True, "body": body})
        for body in ("flat", "filters")
    ),
    ("security365", {"page_size": 5_000}, CROWD),
    *(
        ("dsa", {"api": api, "hosts": ["www.example.com", "api.example.com"], "signature_method": method}, {})
        for api, method in (("cdn", "HmacSHA1"), ("dsa", "HmacSHA1"), ("dsa", "HmacSHA256"))
    ),
]


@pytest.mark.parametrize(("name", "fields", "switches"), PLAYED)
def test_an_api_as_played_accepts_the_signature_and_its_hour_becomes_the_true_rows(
    name: str, fields: dict[str, Any], switches: dict[str, Any]
) -> None:
    time, keys = Time(), secret(name)
    if name == "security365":
        keys = secret(name, token=TOKEN, api_key=API_KEY)
    with Simulator(clock=time, scale=0.2) as sim, simulated(name, sim, time, keys=keys, **fields) as api:
        sim.set(name, **switches)
        gathered = collection(name, api, **fields)
        gathered.gather(HOUR)
        due = [record for record in sim.truth(name, HOUR.start, HOUR.end) if record.served]
    made = built(name, gathered.parts, **fields)
    assert made.path
    assert made.numbers.strays == 0
    kept = slice(1) if switches.get("layout") == "csv" else slice(None)  # CSV loses the types of all but the time
    must = Counter(row and row[kept] for row in (ROWS[name](record.text) for record in due))
    held: Counter[Any] = Counter(one.row[kept] for one in rows_of(made.path.read_bytes()))
    assert held + Counter({None: made.numbers.rejects}) == must
    assert must.total() > (10_000 if "crowd" in switches else 40)


LONG = "x" * 70_000
#: An empty answer of the two APIs that have pages.
EMPTY: dict[str, dict[str, Any]] = {
    "apigateway": {"events": {"content": [], "total": 0}},
    "multidrm": {"success": True, "content": [], "total": 0},
}
ERRORS: list[dict[str, Any]] = [
    {"error": {"errorCode": "500", "message": "Endpoint Error"}},
    {"error": {"errorCode": 900}},
    {"errorCode": "200", "message": "Authentication Failed"},
    {"errorCode": 77777},
    {"responseError": {"returnCode": "1", "returnMessage": "why"}},
    {"error": "why"},
    *({"success": no} for no in (False, "false", 0, None)),
]


@pytest.mark.parametrize("more", ["", LONG])
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", EMPTY)
def test_an_error_beside_no_records_is_no_empty_window(name: str, error: Any, more: str) -> None:
    with pytest.raises(ProviderError):
        fetched(name, same(200, orjson.dumps(error | EMPTY[name] | error | {"more": more})))


@pytest.mark.parametrize("code", [0, "0"])
@pytest.mark.parametrize("name", EMPTY)
def test_a_code_of_zero_beside_what_came_is_no_error(name: str, code: object) -> None:
    [part] = fetched(name, ok(orjson.dumps(EMPTY[name] | {"errorCode": code, "message": "OK"})))
    assert (part.announced, part.count) == (0, 0)


#: Provider, and a document with a place for a number -> how many records it holds; None: it is malformed.
NUMBERS: list[tuple[str, bytes, int | None]] = [
    ("apigateway", b'{"x":%b,"events":{"content":[],"total":0}}', 0),
    ("apigateway", b'{"events":{"content":[%b],"total":1}}', 1),
    ("apigateway", b'{"events":{"content":[],"total":%b}}', None),
    ("apigateway", b'{"events":{"content":%b,"total":0}}', None),
    ("multidrm", b'{"x":[%b],"success":true,"content":[],"total":0}', 0),
    ("multidrm", b'{"success":true,"content":[],"total":%b}', 0),
    ("multidrm", b'{"success":%b,"content":[],"total":0}', None),
    ("security365", b'{"code":0,"maxScore":%b,"items":[]}', 0),
    ("security365", b'{"code":0,"total":%b,"items":[]}', 0),
    ("security365", b'{"code":%b,"items":[]}', None),
    ("security365", b'{"code":0,"items":%b}', None),
]


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"Infinity"])
@pytest.mark.parametrize(("name", "body", "count"), NUMBERS)
def test_what_is_no_number_is_read_and_counts_for_none(
    name: str, body: bytes, number: bytes, count: int | None
) -> None:
    reply = same(200, body % number)
    if count is None:
        with pytest.raises(MalformedError):
            fetched(name, reply)
    else:
        assert sum(part.count or 0 for part in fetched(name, reply) if part.role == "data") == count


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("name", ["apigateway", "elsa", "multidrm", "security365"])
@pytest.mark.parametrize(
    "body",
    [
        *(b'{"code":%d,"msg":"m"}' % code for code in (500, 61001, 61003)),
        b'{"code":0,"msg":"","total":0,"items":[]}',
        b'{"error":{"errorCode":"900","message":"m"}}',
        b'{"errorCode":100}',
        b'{"success":false,"error":{"code":280000,"message":"m"}}',
        *map(orjson.dumps, EMPTY.values()),
        *(b"<html></html>", b""),
    ],
)
def test_a_status_that_says_forbidden_is_believed(name: str, body: bytes, status: int) -> None:
    with pytest.raises(ForbiddenError):
        fetched(name, same(status, body))


def paged(name: str, count: int, total: Total, *, still: bool = False) -> Reply:
    """Play the list of one of the APIs that have pages."""
    if name == "apigateway":
        return event_log(events(count), total, still=still)
    return policy_log(policies(count), total, still=still)


@pytest.mark.parametrize("count", [101, 150, 200, 250])
@pytest.mark.parametrize("name", EMPTY)
def test_a_total_of_the_page_alone_is_a_mismatch_and_not_a_hundred_rows(name: str, count: int) -> None:
    with pytest.raises(MismatchError):
        fetched(name, paged(name, count, of_the_page))


@pytest.mark.parametrize("count", [101, 199, 200, 300, 400])
@pytest.mark.parametrize("name", EMPTY)
def test_a_place_that_is_not_honoured_is_a_mismatch_even_where_the_total_would_come_out(name: str, count: int) -> None:
    with pytest.raises(MismatchError):
        fetched(name, paged(name, count, of_all, still=True))


EVENT = b'{"time":"2026-11-22 19:30:00","level":"EVENT","type":"ES010","message":"m%d"}'
POLICY = b'{"policyId":1,"description":"m%d","timestamp":1795341600000}'
#: A record of each, and what the records stand in.
ELEMENTS = {
    "apigateway": (EVENT, b'{"events":{"content":[%b],"total":16}}'),
    "multidrm": (POLICY, b'{"success":true,"content":[%b],"total":16}'),
}
BROKEN = [b'{"message":"raw \n line feed"}', b'{"message":"not UTF-8 \xff"}', b"7", b'"text"', b"null"]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("name", ELEMENTS)
def test_one_element_that_is_no_record_is_one_reject_and_the_others_become_rows(name: str, broken: bytes) -> None:
    record, around = ELEMENTS[name]
    items = [*(record % n for n in range(7)), broken, *(record % n for n in range(7, 15))]
    [part] = fetched(name, ok(around % b",".join(items)))
    assert (part.announced, part.count) == (16, 16)
    made = built(name, [part])
    numbers = made.numbers
    assert (numbers.announced, numbers.fetched, numbers.rows, numbers.rejects) == (16, 16, 15, 1)
    assert sorted(row["body"] for row in visit.rows(made)) == sorted(f"m{n}" for n in range(15))
    assert [reject["index"] for reject in visit.rejects(made)] == [7]


#: A good document of each API.
GOOD: dict[str, Any] = {
    "apigateway": {"events": {"content": [{"time": "2026-11-22 22:30:00", "level": "EVENT"}] * 2, "total": 2}},
    "elsa": {"code": 0, "logs": [{"logTime": HOUR_MS, "body": "b", "error": {"errorCode": 0, "details": ""}}]},
    "multidrm": {"success": True, "content": [{"policyId": 1, "timestamp": HOUR_MS}], "total": 1, "error": None},
    "security365": {"code": 0, "msg": "", "total": 9, "items": [{"time": HOUR_MS, "sort": [HOUR_MS, "a"]}] * 2},
    "dsa": {"code": 0, "message": "", "codeDesc": "Success", "data": {"a.test": [
        {"datetime": "2026-11-22 18:00:00", "url": f"http://{FACTS['dsa']['download_hosts'][0]}/a"},
    ]}},
    "cdn": {"Response": {"TotalCount": 1, "RequestId": "r", "Error": {"Code": "", "Message": ""}, "DomainLogs": [
        {"StartTime": "2026-11-22 18:00:00", "LogPath": "http://a.test/a", "Area": "mainland"},
    ]}},
}  # fmt: skip
#: The fields of their sources.
FIELDS: dict[str, dict[str, Any]] = {
    "apigateway": {"page_size": 2},
    "multidrm": {"policy_ids": "all"},
    "security365": {"page_size": 2},
    "dsa": {"pace": None},
    "cdn": {"api": "cdn", "pace": None},
}
WORDS = ["", "0", "410", "9" * 5000, "0001-01-01 00:00:00", "9999-12-31 23:59:59", "AuthFailure.x", "ftp://a.test:1/"]
LEAVES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    st.sampled_from([0, -1, 2**63, -(10**30), 10**400, *WORDS]),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container of a document with each of its keys or positions."""
    items: list[tuple[Any, Any]] = [*document.items()] if isinstance(document, dict) else [*enumerate(document)]
    for key, value in items:
        yield document, key
        if isinstance(value, (dict, list)):
            yield from places(value)


@st.composite
def documents(draw: Callable[[st.SearchStrategy[Any]], Any], name: str) -> Any:
    """Return a good document with wrong values at up to three places, or any JSON at all."""
    document = json.loads(json.dumps(GOOD[name]))
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(list(places(document))))
        holder[key] = draw(JSON)
    return draw(st.just(document) | JSON)


@pytest.mark.parametrize("name", GOOD)
@settings(max_examples=40)
@given(data=st.data(), status=st.sampled_from([200, 200, 400, 429, 500]))
def test_any_document_ends_in_parts_or_an_error_of_the_provider(name: str, data: st.DataObject, status: int) -> None:
    body = json.dumps(data.draw(documents(name))).encode("utf-8", "surrogatepass")
    count = itertools.count(1)

    def reply(_request: httpx.Request) -> httpx.Response:
        if next(count) > 30:  # a total may announce pages without end
            raise OutOfTimeError
        return answer(status, body)

    with suppress(ProviderError, OutOfTimeError):
        fetched("dsa" if name == "cdn" else name, reply, **FIELDS.get(name, {}))
