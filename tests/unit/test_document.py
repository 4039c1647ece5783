"""JSON documents: where their records lie, what they are without records, and in how much time and memory."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any, cast

import pytest

from functions.elsa.app import fault
from functions.elsa.app import provider as elsa
from logarchive.errors import (
    ArchiveFailure,
    ForbiddenError,
    MalformedError,
    ProviderError,
    ThrottledError,
    TooLargeError,
    UnavailableError,
)
from logarchive.record.block import BLOCK_BYTES, BLOCK_ITEMS
from logarchive.record.layout import Layout
from logarchive.record.reader import blocks
from tests.unit import visit
from tests.unit.visit import START

ELSA = visit.provider(elsa.layout, columns=elsa.columns(cast("Any", None)))
LIST = b",".join([b'{"logTime":%d}' % START] * 3)
TIME = b'"logTime":%d' % START
#: Documents without a record -> the error that each is, wherever it is found.
ERRORS: dict[bytes, type[ProviderError]] = {
    b'{"error":{"errorCode":"900"},"logs":[]}': UnavailableError,
    b'{"error":{"errorCode":"210"},"logs":[%b]}' % LIST: ForbiddenError,
    b'{"errorCode":420}': ThrottledError,
    b'{"logs":[%b,{"errorCode":420}]}' % LIST: ThrottledError,
    b'{"data":{"list":[%b,7,{"error":{"errorCode":"900"}}]}}' % LIST: UnavailableError,
    b'{"success":false,"message":"time-out","logs":[]}': MalformedError,
    b'{"code":500,"message":"export failed"}': MalformedError,
    b'{"status":"failed","data":{"list":[]}}': MalformedError,
    b'{"success":false,"logs":[],"others":[]}': MalformedError,
    b'{"logs":[],"others":[1]}': MalformedError,
    b'{"a":[%b],"b":[%b]}' % (LIST, LIST): MalformedError,
    b'{"data":{"a":[%b]},"b":[%b]}' % (LIST, LIST): MalformedError,
    b'{"logs":[{"id":1}]}': MalformedError,
    b'{"logs":{}}': MalformedError,
    b'{"data":7}': MalformedError,
    b"{}": MalformedError,
}
#: Documents that hold records, or say that there are none -> how many rows they are.
WRAPPERS = {
    b'{"logs":[]}': 0,
    b'{"total":0,"data":{"list":[]}}': 0,
    b'{"total":0,"logs":[],"page":{"sort":[]}}': 0,
    b'{"logs":[%b]}' % LIST: 3,
    b'{"code":0,"data":{"list":[%b]}}' % LIST: 3,
    b'{"fields":[{"name":"x"}],"tags":[],"logs":[%b],"more":[1]}' % LIST: 3,
    b'{"code":0,"message":"ok","a":{"b":{"c":[%b]}},"score":NaN}' % LIST: 3,
    b'{"logs":[{"id":1},7,%b]}' % LIST: 3,
    b"{%b}" % TIME: 1,
    b'{"code":500,"inner":[%b],%b}' % (LIST, TIME): 1,
}
WAYS: dict[str, Callable[[bytes], bytes]] = {
    "bare": bytes,
    "large": lambda body: body[:1] + b'"pad":"%b"%b' % (b"x" * 70_000, b"," if body[1:2] != b"}" else b"") + body[1:],
    "indented": lambda body: body.replace(b",", b",\n  ").replace(b"{", b"{\n  "),
    "zip": visit.zipped,
    "gzip": gzip.compress,
    "large in zip": lambda body: visit.zipped(WAYS["large"](body)),
    "behind a member": lambda body: visit.zipped(b"[]", body),
}


def rows(body: bytes) -> int:
    return visit.visit(body, of=ELSA).numbers.rows


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", ERRORS)
def test_a_document_without_records_is_the_same_error_wherever_it_is_found(body: bytes, way: str) -> None:
    with pytest.raises(ERRORS[body]):
        rows(WAYS[way](body))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", WRAPPERS)
def test_the_records_of_a_document_are_found(body: bytes, way: str) -> None:
    assert rows(WAYS[way](body)) == WRAPPERS[body]


@pytest.mark.parametrize("body", [*ERRORS, *WRAPPERS])
def test_a_small_response_is_judged_before_it_is_kept_as_it_is_judged_in_an_archive(body: bytes) -> None:
    error = fault(visit.part(body, suffix=".json"))
    assert type(error) is ERRORS.get(body, type(None))


NO_LOG = {
    "a quoted text": b'"Internal" error',
    "a quoted document": rb'"{\"errorCode\":\"300\"}"',
    "a carriage return": b"a\rb",
    "two quotes": b'logTime,"a"b\n',
    "a text": b"Internal Server Error",
    "lines that are no records": b'{"code":500}\n{"code":500}\n',
    "lines of which one is an error": b'{%b}\n{"errorCode":"77777"}\n{%b}\n' % (TIME, TIME),
    "lines that end in an error": b"{%b}\n" % TIME * 9 + b'{"error":{"errorCode":77777},"logs":[]}',
    "lines that end in a failed export": b"{%b}\n" % TIME * 9 + b'{"code":500,"message":"export failed"}',
    "an array that ends in a time-out": b'[{%b},{"success":false,"message":"time-out","logs":[]}]' % TIME,
    "an array that ends in an error": b'[{%b},{"responseError":{"returnCode":"1"}}]' % TIME,
    "two arrays": b"[][]",
    "UTF-16": '[{"logTime":1}]'.encode("utf-16"),
    "an empty document and garbage": b'{"logs":[]} x',
    "a last line that is cut at a brace": b'{%b}\n{%b,"a":{"b":1}' % (TIME, TIME),
    "a last row that is cut": b"logTime,a\n%d,1\n%d" % (START, START),
    "braces without end": b'{"a":' * 100_000,
    "brackets without end": b"[" * 1_000_000,
    "a page": b"\xef\xbb\xbf <html>",
}


@pytest.mark.parametrize("name", NO_LOG)
def test_what_is_no_log_is_malformed(name: str) -> None:
    for way in ("bare", "zip", "gzip"):
        with pytest.raises(MalformedError):
            rows(WAYS[way](NO_LOG[name]))


@pytest.mark.parametrize(
    "element",
    [
        b'{"errorCode":null,"body":"x"}',
        b'{"level":"ERROR","errorCode":"PAY-12","body":"x"}',
        b'{"code":0,"message":"success"}',
        b'{"message":"hello"}',
    ],
)
def test_an_element_without_a_time_that_may_be_a_log_is_a_reject(element: bytes) -> None:
    assert rows(b"[{%b},%b]" % (TIME, element)) == 1


def test_a_number_may_lie_anywhere_on_the_border_of_two_blocks() -> None:
    number = b"-12.50e+10"
    for before in range(len(number)):
        begin = b'{"pad":"%b","number":' % (b"x" * (BLOCK_BYTES - before - 19))
        assert len(begin) == BLOCK_BYTES - before
        assert rows(b'%b%b,"logs":[%b]}' % (begin, number, LIST)) == 3


def test_a_record_has_its_place_among_records_that_a_document_wraps() -> None:
    built = visit.visit(b'{%b,"at":0}{"logs":[{%b,"at":1}]}{%b,"at":2}' % (TIME, TIME, TIME), of=ELSA)
    assert [(row["raw_index"], dict(row["attributes"])["at"]) for row in visit.rows(built)] == [
        (0, "0"),
        (1, "1"),
        (2, "2"),
    ]


def one(rest: bytes) -> bytes:
    return b'[{"logTime":%d,%b}]' % (START, rest)


#: Bodies that once took minutes or gigabytes -> rows, or the error.
DEAR: dict[str, tuple[bytes, int | type[ArchiveFailure]]] = {
    "one brace missing": (b'[{"logTime":1,"c":{"k":1}, %b]' % b",".join([b"{%b}" % TIME] * 20_000), MalformedError),
    "one key 40,000 times": (one(b",".join([b'"a":1'] * 40_000)), 1),
    "a key and its next names": (one(b",".join(b'"a#%d":1,"a":1' % (at + 2) for at in range(20_000))), 1),
    "a header of 20,000 commas": (b"," * 20_000 + b"logTime\n" + b"," * 20_000 + b"%d\n" % START, 1),
    "a header of two megabytes": (b"," * 2_000_000, MalformedError),
    "cut in a nested array": (b'[{"logTime":1,"c":[%b' % b",".join([b'{"a":1}'] * 40_000), MalformedError),
    "one text of 20 MB": (one(b'"body":"%b"' % (b"x" * 20_000_000)), 1),
    "one text of 20 MB, escaped": (one(b'"body":"%b"' % (rb"\n" * 10_000_000)), 1),
    "one line of 20 MB": (one(b'"body":"%b"' % (b"x" * 20_000_000))[1:-1] + b"\n", 1),
    "a text without end": (one(b'"body":"%b"' % (b"x" * 40_000_000)), TooLargeError),
    "a line without end": (b"{%b}\n" % TIME + b'{"x":"' + b"x" * 40_000_000, TooLargeError),
    "a cell without end": (b"logTime,a\n1," + b"x" * 40_000_000, TooLargeError),
    "a long key over 10,000 leaves": (
        one(b'"%b":{%b}' % (b"k" * 100_000, b",".join(b'"%d":1' % at for at in range(10_000)))),
        1,
    ),
    "a list of 2,000,000 numbers": (one(b'"a":[%b]' % b",".join([b"1.5"] * 2_000_000)), 0),
    "small numbers beside a long text in no record": (
        b'{"a":"%b","b":[%b]}' % (b"x" * 20_000_000, b",".join([b"1"] * 100_000)),
        TooLargeError,
    ),
    "18 lists of 250,000 floats in no record": (
        b'{"a":[%b]}' % b",".join([b"[%b]" % b",".join([b"1.5"] * 250_000)] * 18),
        TooLargeError,
    ),
    "one record with a list, of two megabytes": (
        b'{%b,"traces":["a",7,null,[],{}],"body":"%b"}' % (TIME, b"x" * 2_000_000),
        1,
    ),
    "2,000,000 numbers before a record of a document": (
        b'{"logs":[%b,{%b}]}' % (one(b'"a":[%b]' % b",".join([b"1.5"] * 2_000_000))[1:-1], TIME),
        1,
    ),
    "a line of 2,000,000 lists": (
        b"{%b}\n" % TIME + one(b'"a":[%b]' % b",".join([b"[]"] * 2_000_000))[1:-1] + b"\n",
        1,
    ),
    "small records behind a large one": (
        one(b'"body":"%b"},%b,{%b' % (b"x" * 16_000_000, b",".join([b'{%b,"x":1.5}' % TIME] * 20_000), TIME)),
        20_002,
    ),
    "a text of 2,000,000 commas": (one(b'"body":"%b"' % (b"," * 4_000_000)), 1),
    "nested deeply": (one(b'"a":%b%b' % (b"[" * 90_000, b"]" * 90_000)), 0),
}


@pytest.mark.parametrize("name", DEAR)
def test_no_document_takes_long(name: str) -> None:
    body, expected = DEAR[name]
    if isinstance(expected, int):
        assert rows(body) == expected
    else:
        with pytest.raises(expected):
            rows(body)


DENSE = one(b'"a":[%b]' % b",".join([b"[]"] * 500_000))[1:-1]
SMALL = b"{%b}" % TIME


#: A body of short records -> its layout, and how many there are.
SHORT: dict[bytes, tuple[Layout, int]] = {
    b"[" + b"17," * 40_000 + b"7]": (elsa.layout, 40_001),
    b"{%b}" % TIME + b"\n" + b"7\n" * 40_000: (elsa.layout, 40_001),
    b"{%b} " % TIME * 40_000: (elsa.layout, 40_000),
    b"logTime\n" + b"7\n" * 40_000 + b"7,7\n" * 40_000: (elsa.layout, 80_000),
    b"x\n" * 40_000: (visit.LINES, 40_000),
}


@pytest.mark.parametrize("body", SHORT, ids=lambda body: body[:12])
def test_a_block_holds_so_many_records_however_short_they_are(body: bytes) -> None:
    layout, count = SHORT[body]
    sizes = [len(block.items) for block in blocks(visit.part(body), layout, "logTime")]
    assert (sum(sizes), max(sizes) <= BLOCK_ITEMS) == (count, True)


@pytest.mark.parametrize("before", [0, 1, 40_000])
@pytest.mark.parametrize("way", ["array", "lines"])
def test_a_record_of_too_many_values_is_a_reject_wherever_it_stands(before: int, way: str) -> None:
    records = [SMALL] * before + [DENSE, SMALL]
    built = visit.visit(visit.lines(records) if way == "lines" else visit.array(records), of=ELSA)
    assert (built.numbers.rows, built.numbers.rejects) == (before + 1, 1)


@pytest.mark.parametrize("more", [b"", b',"x":1.50'])
def test_an_object_whose_names_would_be_too_long_is_kept_as_its_text(more: bytes) -> None:
    leaves = b",".join(b'"%d":1' % at for at in range(1000))
    key = b"k" * 1000
    built = visit.visit(one(b'"%b":{%b},"a":{"b":1}%b' % (key, leaves, more)), of=ELSA)
    attributes = dict(visit.rows(built)[0]["attributes"])
    assert attributes[key.decode()].encode() == b"{%b}" % leaves
    assert attributes["a"] == '{"b":1}'
