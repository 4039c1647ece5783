"""The security365 provider: what goes on the wire and what is written down, how it pages, and its errors."""

from functools import partial

import httpx
import orjson
import pytest
from pydantic import ValidationError

from functions.security365.app import provider
from logarchive.errors import (
    ConfigError,
    ForbiddenError,
    MalformedError,
    ProviderError,
    ThrottledError,
    UnavailableError,
)
from tests.simulator.security365 import LICENSE
from tests.unit import exchange, visit
from tests.unit.exchange import HOUR, HOUR_MS, Reply, Script, answer, built, ok, same

EMPTY = b'{"code":0,"msg":"","total":0,"items":[]}'
YEAR_MS = 365 * 86_400_000
source, secret = partial(exchange.source, "security365"), partial(exchange.secret, "security365")
fetched = partial(exchange.fetched, "security365")


def test_one_request_asks_for_the_span_to_its_last_millisecond() -> None:
    script = Script([ok(EMPTY)])
    [part] = fetched(script, referer="https://Example.com/app")
    [request] = script.requests
    assert (request.method, str(request.url)) == ("POST", "https://logs.example.com/v1/siems/externalSearch")
    assert orjson.loads(request.content) == {
        "license": LICENSE,
        "size": 10000,
        "sort": [{"time": "desc"}, {"_id": "asc"}],
        "from": 1795341600000,
        "to": 1795345199999,
    }
    assert request.headers["referer"] == "https://Example.com/app"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.content))
    assert not {"authorization", "x-api-key"} & set(request.headers)
    assert (part.asked, part.count, part.announced) == (HOUR, 0, None)


def test_the_range_may_lie_within_filters() -> None:
    script = Script([ok(EMPTY)])
    fetched(script, body="filters", page_size=3)
    asked = orjson.loads(script.requests[0].content)
    assert asked["filters"] == {"from": 1795341600000, "to": 1795345199999}
    assert not {"from", "to"} & asked.keys()
    assert asked["size"] == 3


#: The source's headers -> those that are sent.
SENT: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"X-Tenant": "t"}, {"x-api-key": "k-e-y", "x-tenant": "t"}),
    (
        {"X-Client-Key": "v1 {api_key}", "X-Other": "{api_key}{api_key}", "X-Plain": "{key}"},
        {"x-client-key": "v1 k-e-y", "x-other": "k-e-yk-e-y", "x-plain": "{key}"},
    ),
    *(({name: "{api_key}", "X-Tenant": "t"}, {"x-api-key": "k-e-y"}) for name in ("X-API-KEY", "x-api-key")),
]


@pytest.mark.parametrize(("headers", "wanted"), SENT)
def test_the_key_goes_where_headers_say_and_nowhere_else(headers: dict[str, str], wanted: dict[str, str]) -> None:
    script = Script([ok(EMPTY)])
    [part] = fetched(script, keys=secret(token="tok", api_key="k-e-y"), headers=headers)
    sent = script.requests[0].headers
    assert {name: sent.get_list(name) for name in wanted} == {name: [value] for name, value in wanted.items()}
    assert (sent["authorization"], "x-api-key" in sent) == ("Bearer tok", "x-api-key" in wanted)
    assert part.request["headers"] == {"referer": source().referer, **headers}


def test_a_place_for_a_key_that_the_secret_lacks_is_an_error_of_the_source() -> None:
    with pytest.raises(ConfigError, match=r"headers: .* needs `api_key` in the secret"):
        fetched(ok(EMPTY), headers={"X-Client-Key": "{api_key}"})


def test_no_credential_is_told_of_a_request() -> None:
    keys = secret(token="tokentoken", api_key="keykeykey")
    [part] = fetched(ok(EMPTY, x_request_id=f"for {LICENSE}"), keys=keys)
    told = repr((part.request, part.headers))
    assert "externalSearch" in told
    assert not [value for value in (LICENSE, "tokentoken", "keykeykey", "license") if value in told]


def test_each_attempt_carries_the_licence_anew() -> None:
    script = Script([answer(503), httpx.ConnectError("cut"), ok(EMPTY)])
    fetched(script, keys=secret(token="tok"))
    first, *others = script.requests
    assert len(others) == 2
    assert orjson.loads(first.content)["license"] == LICENSE
    assert {(one.content, one.headers["authorization"]) for one in others} == {(first.content, "Bearer tok")}


@pytest.mark.parametrize("wrong", ["", " ", "a b", "key\n", "\u00e9"])
@pytest.mark.parametrize("name", ["license", "token", "api_key"])
def test_a_wrong_secret_is_refused_by_name_and_not_repeated(name: str, wrong: str) -> None:
    with pytest.raises(ValidationError, match=name) as caught:
        secret(**{name: f"{wrong}hush{wrong}" if wrong else ""})
    assert "hush" not in str(caught.value)


#: Bodies that are no answer, cut or at odds with themselves: none of them is an empty window.
NO_ANSWER = [
    b'{"msg":"","total":0,"items":[]}',
    b'{"code":null,"items":[]}',
    b'{"code":0,"msg":"","total":0}',
    b'{"code":0,"items":{}}',
    *(b"[]", b"", b" \n"),
    *(
        b'{"code":0,"items":' + rest
        for rest in (b"null", b"nul", b"null}garbage", b'null}{"code":61001}', b"[]", b"[]}]")
    ),
    *(b'{"code":0,"items":[],%b}' % why for why in (b'"success":false', b'"success":"no"', b'"error":"why"')),
    *(b'{"code":0,"total":5,"items":%b}' % items for items in (b"[]", b"null")),
    *(b'{"code":0,"msg":"%b","items":%b' % (b"x" * 70_000, rest) for rest in (b"null", b"[]}garbage")),
]


@pytest.mark.parametrize(
    ("status", "body", "kind", "attempts"),
    [
        (200, b'{"code":61001,"msg":"fail to search"}', UnavailableError, 4),
        (400, b'{"code":61001,"msg":"fail to search"}', UnavailableError, 4),
        (200, b'{"code":"61002","msg":"Referer does not match"}', ForbiddenError, 1),
        (500, b'{"code":61002,"msg":"Referer does not match"}', ForbiddenError, 1),
        (200, b'{"code":61003,"msg":"JSON"}', MalformedError, 1),
        (404, b'{"code":61003,"msg":"JSON"}', MalformedError, 1),
        (200, b'{"code":61999,"msg":"new"}', MalformedError, 1),
        (200, b'{"code":401,"msg":"Unauthorized"}', ForbiddenError, 1),
        (403, b'{"code":1,"msg":"address"}', ForbiddenError, 1),
        (200, b'{"code":429,"msg":"limit"}', ThrottledError, 4),
        (429, b"{}", ThrottledError, 4),
        (500, EMPTY, UnavailableError, 4),
        (404, b'{"code":404}', MalformedError, 1),
        (204, b"", MalformedError, 1),
        (200, b"<html>maintenance</html>", MalformedError, 4),
        *((200, body, MalformedError, 1) for body in NO_ANSWER),
    ],
)
def test_an_error_is_no_empty_window_under_whatever_status(
    status: int, body: bytes, kind: type[ProviderError], attempts: int
) -> None:
    script = Script([same(status, body)])
    with pytest.raises(kind):
        fetched(script)
    assert len(script.requests) == attempts


def test_a_record_is_known_by_the_second_value_of_its_sort() -> None:
    assert provider.unique_id is not None
    sorts = [[1, "a"], [1, "b", "c"], ["d"], [1, 2], "ef", None]
    assert provider.unique_id.convert(sorts) == ["a", "b", None, None, None, None]


@pytest.mark.parametrize(
    ("record", "left"),
    [
        ('{"time":%d,"sort":[%d,"a"]}', []),
        ('{"sort":[%d,"a"],"time":%d,"sort":[1]}', [("sort#2", "[1]")]),
        ('{"time":%d,"sort":[%d,"a"],"score":1.50}', [("score", "1.50")]),
        ('{"time":%d,"sort":[%d1,"a"]}', [("sort", f'[{HOUR_MS}1,"a"]')]),
        ('{"time":%d,"sort":[%d.0,"a"]}', [("sort", f'[{HOUR_MS}.0,"a"]')]),
        ('{"time":%d,"sort":["%d","a"]}', [("sort", f'["{HOUR_MS}","a"]')]),
        ('{"time":%d,"sort":[%d,""]}', [("sort", f'[{HOUR_MS},""]')]),
        ('{"time":%d,"sort":[%d,"a",1]}', [("sort", f'[{HOUR_MS},"a",1]')]),
        ('{"time":"%d","sort":[%d,"a"]}', [("time", f"{HOUR_MS}"), ("sort", f'[{HOUR_MS},"a"]')]),
    ],
)
def test_a_sort_is_left_out_only_where_it_is_time_and_id(record: str, left: list[tuple[str, str]]) -> None:
    body = f'{{"code":0,"items":[{record % (HOUR_MS, HOUR_MS)}]}}'.encode()
    [row] = visit.rows(visit.visit(body, of=provider, source=source()))
    assert row["attributes"] == left


def page(*sorts: str, total: int = 0, space: str = "") -> httpx.Response:
    items = ",".join(f'{{"time":{HOUR_MS},"sort":{one}}}' for one in sorts)
    return ok(f'{space}{{"code":0,"msg":"",{space}"total":{total},"items":[{items}]}}'.encode())


def key(number: int) -> str:
    return f'[{HOUR_MS},"{number:05}"]'


def serving(count: int) -> Reply:
    """Answer with the records that stand behind the key, as many as are asked for."""

    def reply(request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content)
        first = int(asked["pagination_key"][1]) + 1 if "pagination_key" in asked else 0
        return page(*map(key, range(first, min(first + asked["size"], count))), total=asked["size"])

    return reply


NUMBERS = ["1795341600000123456", "9007199254740993", "123456789012345678901234567890", "-0", '"\\ud800"']


@pytest.mark.parametrize(
    "last",
    [
        *(f'[{first},"A"]' for first in (*NUMBERS, "1.7534E12", "1.5E-9", "1795341600000.10")),
        *(f'[{HOUR_MS},"78E122C0"]', f'[{HOUR_MS},"\uac00",null,true]'),
    ],
)
def test_the_last_sort_is_sent_back_digit_for_digit(last: str) -> None:
    script = Script([page('[1,"x"]', last), page()])
    fetched(script, page_size=2)
    assert b"pagination_key" not in script.requests[0].content
    assert b'"pagination_key":%b}' % last.encode() in script.requests[1].content


def test_all_but_the_key_stays_the_same_from_page_to_page() -> None:
    script = Script([serving(5)])
    fetched(script, page_size=2)
    asked = [orjson.loads(request.content) for request in script.requests]
    assert [one.pop("pagination_key", None) for one in asked] == [None, [HOUR_MS, "00001"], [HOUR_MS, "00003"]]
    assert asked[0] == asked[1] == asked[2]


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_short_or_empty_page_is_the_last_one(count: int, requests: int) -> None:
    script = Script([serving(count)])
    parts = fetched(script, page_size=2)
    assert len(script.requests) == len(parts) == requests
    assert sum(part.count or 0 for part in parts) == count
    assert {part.announced for part in parts} == {None}


@pytest.mark.parametrize(
    ("size", "counts"), [(10_000, [10_000]), (5_000, [5_000] * 2), (4_000, [4_000] * 3), (3_333, [3_333] * 4)]
)
def test_reading_stops_where_ten_thousand_have_come(size: int, counts: list[int]) -> None:
    assert [part.count for part in fetched(serving(99_000), page_size=size)] == counts
    assert provider.cap(source()) == 10_000


def test_one_less_than_ten_thousand_is_no_reason_to_stop() -> None:
    assert [part.count for part in fetched(serving(9_999), page_size=3_333)] == [3_333, 3_333, 3_333, 0]


@pytest.mark.parametrize(
    ("total", "space", "requests"),
    [(0, "", 1), (1, "", 1), (2, "", 1), (3, "", 2), (9, " \n ", 2), (10, "", 1), (10, " \n ", 1), (11, "", 2)],
)
def test_a_page_of_two_of_ten_is_followed_up_only_if_the_total_is_more_than_two_and_not_ten(
    total: int, space: str, requests: int
) -> None:
    script = Script([page(key(1), key(2), total=total, space=space), page(total=total)])
    assert len(fetched(script, page_size=10)) == len(script.requests) == requests


def test_a_service_that_gives_fewer_than_asked_for_is_followed_to_its_total() -> None:
    script = Script([page(key(1), key(2), total=5), page(key(3), key(4), total=5), page(key(5), total=5)])
    assert [part.count for part in fetched(script, page_size=10)] == [2, 2, 1]


@pytest.mark.parametrize("last", [key(2), "null", '"text"', "{}"])
def test_a_page_that_leads_nowhere_is_malformed(last: str) -> None:
    script = Script([page(key(1), key(2)), page(key(1), last)])
    with pytest.raises(MalformedError, match="no next page can be requested"):
        fetched(script, page_size=2)
    assert len(script.requests) == 2


REFERER = '{"code":61002,"msg":"Referer\uac00 \ub2e4\ub985\ub2c8\ub2e4"}'


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body", [b"\xef\xbb\xbf" + REFERER.encode(), REFERER.encode("cp949"), b"\xef\xbb\xbf \n" + REFERER.encode()]
)
def test_a_code_is_seen_in_whatever_encoding(body: bytes, status: int) -> None:
    with pytest.raises(ForbiddenError, match="61002"):
        fetched(same(status, body))


@pytest.mark.parametrize("items", [b"[]", b"null", b"[" + b",".join([b'{"a":"%b"}' % (b"y" * 200)] * 400) + b"]"])
@pytest.mark.parametrize("first", ["msg", "items"])
def test_an_error_that_is_too_long_to_look_like_one_is_still_one(items: bytes, first: str) -> None:
    members = [b'"msg":"%b"' % (b"x" * 70_000), b'"items":' + items]
    told = b",".join(members if first == "msg" else members[::-1])
    for body in (b'{"code":61001,' + told + b"}", b"{" + told + b',"code":"61001"}'):
        with pytest.raises(UnavailableError, match="61001"):
            fetched(same(200, body))


@pytest.mark.parametrize("rest", [b"}", b',"items":[]}', b',"items":null}', b',"items":[{"time":1795341600000}]}'])
@pytest.mark.parametrize("code", [b"61001", b'"61002"', b"77777", b"null"])
@pytest.mark.parametrize("space", [0, 511, 512, 600])
def test_an_error_far_behind_white_space_is_one(space: int, code: bytes, rest: bytes) -> None:
    with pytest.raises(ProviderError):
        fetched(same(200, b" " * space + b'{"code":' + code + rest))


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
    first_ms: int, step_ms: int, requests: int, body: str
) -> None:
    script = Script([search(first_ms, step_ms)])
    api = exchange.scripted("security365", script)
    with pytest.raises(MalformedError, match="ignores the requested range"):
        exchange.collection("security365", api, page_size=50, body=body).gather(HOUR)
    assert len(script.requests) == api.requests == requests


@pytest.mark.parametrize("sort", ['[1795341600000,""]', "[1795341600000,null]", "[1795341600000]", "[]", "null"])
@pytest.mark.parametrize("bodies", [("one", "two"), ("same", "same")])
def test_an_id_that_is_empty_is_none_and_two_records_stay_two(sort: str, bodies: tuple[str, str]) -> None:
    items = ",".join(f'{{"time":{HOUR_MS},"description":"{body}","sort":{sort}}}' for body in bodies)
    made = built("security365", [visit.part(f'{{"code":0,"items":[{items}]}}'.encode(), asked=HOUR)])
    assert (made.numbers.rows, made.numbers.duplicates) == (2, 0)
    assert len({row["record_id"] for row in visit.rows(made)} - {""}) == 2
