"""Pages count only if nothing moved while they were read; and records are counted once, where they are fetched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logarchive.errors import MismatchError, UnavailableError
from logarchive.net.exchange import Exchange
from logarchive.part import Part
from logarchive.provider.paging import Counted, Page, announced, numbered
from logarchive.record.layout import JsonLayout
from logarchive.visit.collection import Collection
from logarchive.window import Span
from tests.scenario import some
from tests.unit import visit

SIZE = 3
LAYOUT = JsonLayout(path="items")


class Book:
    """Answers with pages in turn, the last one again and again, and remembers what was asked."""

    def __init__(
        self, *pages: Sequence[object], totals: Sequence[int | None] = (None,), more: Sequence[bool | None] = (None,)
    ) -> None:
        self.pages, self.totals, self.more = pages, totals, more
        self.asked: list[tuple[int, int]] = []

    def __call__(self, number: int, before: int) -> Page:
        turn = len(self.asked)
        self.asked.append((number, before))
        items, total, more = (said[min(turn, len(said) - 1)] for said in (self.pages, self.totals, self.more))
        return Page(visit.part(b"", key=f"{turn}"), [*items], total, more)  # type: ignore[misc, arg-type] # one of each

    def read(self, first: Page | None = None) -> list[Page]:
        return list(numbered(self, SIZE, first))


#: What is read -> pages, the last of them again the first if there are more than one, and what is asked for.
READ: dict[str, tuple[Book, list[str], list[tuple[int, int]]]] = {
    "without a total a page that is not full is the last": (
        *(Book("abc", "de", "abc"), ["abc", "de", "abc"]),
        [(0, 0), (1, 3), (0, 0)],
    ),
    "one that is more than full is not": (Book("abcd", "", "abcd"), ["abcd", "", "abcd"], [(0, 0), (1, 4), (0, 0)]),
    **{f"a single page is not read again: {one}": (Book(one), [one], [(0, 0)]) for one in ("", "a", "ab")},
    **{f"nor with its total: {one}": (Book(one, totals=[len(one)]), [one], [(0, 0)]) for one in ("", "a", "ab")},
    "with a total short pages are followed until it is reached": (
        *(Book("ab", "c", "de", "ab", totals=[5]), ["ab", "c", "de", "ab"]),
        [(0, 0), (1, 2), (2, 3), (0, 0)],
    ),
    "a total that one full page holds may be the page's own": (
        *(Book("abc", "", "abc", totals=[3]), ["abc", "", "abc"]),
        [(0, 0), (1, 3), (0, 0)],
    ),
    "where pages say whether more follow, a short one is followed": (
        *(Book("a", "abc", "a", more=[True, False, True]), ["a", "abc", "a"]),
        [(0, 0), (1, 1), (0, 0)],
    ),
    "and a full one may be the last": (Book("abc", more=[False]), ["abc"], [(0, 0)]),
}


@pytest.mark.parametrize("what", READ)
def test_pages_are_read_to_the_last_one_and_then_the_first_again(what: str) -> None:
    book, items, asked = READ[what]
    pages = book.read()
    assert [page.items for page in pages] == [[*one] for one in items]
    assert [page.part.role for page in pages] == [*["data"] * (len(items) - 1 or 1), "listing"][: len(items)]
    assert book.asked == asked


def test_a_first_page_that_is_there_already_is_not_asked_for_but_read_again_at_the_end() -> None:
    book = Book("d", "abc")
    first = Page(visit.part(b"", key="first"), [*"abc"], None)
    pages = book.read(first)
    assert [page.part.key for page in pages] == ["first", "0", "1"]
    assert book.asked == [(1, 3), (0, 0)]


@pytest.mark.parametrize(
    ("book", "said", "came"),
    [
        (Book("abc", "d", totals=[4, 5]), "the total moved from 4 to 5", 2),
        (Book("abc", "d", totals=[4, None]), "the total moved from 4 to None", 2),
        (Book("abc", "", totals=[None, 3]), "the total moved from None to 3", 2),
        (Book("abc", "", totals=[4]), "3 records came where 4 were announced", 2),
        (Book("abc", "def", totals=[4]), "6 records came where 4 were announced", 2),
        (Book("abc", "", totals=[2]), "3 records came where 2 were announced", 2),
        (Book("ab", totals=[1]), "2 records came where 1 were announced", 1),
        (Book("", totals=[1]), "0 records came where 1 were announced", 1),
        (Book("abc", "d", "xab", totals=[4]), "the first page reads differently", 3),
        (Book("abc", "d", "abc", totals=[4, 4, 5]), "the first page reads differently", 3),
        (Book("abc", "d", "ab"), "the first page reads differently", 3),
        (Book("abc", "", more=[True]), "a page without records says that more follow", 2),
        (Book("ab", more=[True]), "the same page was returned twice", 11),
        (Book("abc", "d", totals=[5], more=[True, False]), "4 records came where 5 were announced", 2),
        (Book("abc", "d", "abc", more=[True, False]), "the first page reads differently", 3),
    ],
)
def test_what_moved_is_a_mismatch_and_every_page_that_came_is_kept(book: Book, said: str, came: int) -> None:
    reading = numbered(book, SIZE)
    pages_in_turn = [*book.pages, *(came - len(book.pages)) * book.pages[-1:]]
    assert [next(reading).items for _ in range(came)] == [[*page] for page in pages_in_turn[:came]]
    with pytest.raises(MismatchError, match=said):
        next(reading)


def test_the_total_is_announced_once_and_only_by_data() -> None:
    pages = Book("abc", "d", "abc", totals=[4]).read()
    looked_at = Page(visit.part(b""), [*"xyz"], 9).listing()
    parts = list(announced(iter([looked_at, *pages])))
    assert [part.role for part in parts] == ["listing", "data", "data", "listing"]
    assert [part.announced for part in parts] == [None, 4, 0, None]
    assert [part.count for part in parts] == [None, 3, 1, None]


def test_no_total_is_announced_as_none_and_zero_as_zero() -> None:
    assert [part.announced for part in announced(iter(Book("abc", "d", "abc").read()))] == [None, None, None]
    assert [part.announced for part in announced(iter(Book("", totals=[0]).read()))] == [0]


def document(*records: bytes) -> Part:
    return visit.part(b'{"code":0,"items":[' + b",".join(records) + b"]}")


@given(st.integers(0, 40), st.integers(1, 200_000))
def test_every_record_is_counted_in_however_many_blocks_they_come(count: int, size: int) -> None:
    size = min(size, 3_000_000 // (count + 1))
    page = Counted(document(*(b'{"n":%d,"x":"%b"}' % (n, b"x" * size) for n in range(count))), LAYOUT)
    assert (page.part.count, page.count) == (count, count)
    assert (page.last("n") or {}).get("n") == (count - 1 if count else None)
    assert page.around == {"code": 0, "items": []}


@pytest.mark.parametrize("records", [[], [b'{"sort":[1]}', b"7"]])
def test_there_is_no_last_record_where_it_is_none(records: list[bytes]) -> None:
    page = Counted(document(*records), LAYOUT)
    assert (page.count, page.part.count, page.last("sort")) == (len(records), len(records), None)


class Capped:
    """A provider with a cap, whose answers say, or do not say, how many records they hold."""

    def __init__(self, *counts: int | None) -> None:
        self.counts = counts
        self.asked = 0

    def cap(self, _source: object) -> int:
        return 4

    def fetch(self, *_: object) -> Iterator[Part]:
        """Answer with nothing readable where a count is told: reading it would be an error."""
        self.asked += 1
        counts = self.counts if self.asked == 1 else (0,)
        return (visit.part(b"[{}]" if count is None else b"{unread", count=count) for count in counts)


@pytest.mark.parametrize(
    ("counts", "asked"),
    [((3,), 1), ((4,), 3), ((2, 1), 1), ((2, 2), 3), ((0, 0), 1), ((None, None), 1), ((None,) * 4, 3)],
)
def test_the_cap_goes_by_the_counts_where_all_are_told_and_reads_the_answers_where_one_is_not(
    counts: tuple[int | None, ...], asked: int
) -> None:
    capped = Capped(*counts)
    unused: Any = None
    provider = replace(visit.provider(), fetch=capped.fetch, cap=capped.cap)
    collection = Collection(
        provider, unused, Exchange(unused, unused, unused), lambda part: part.replace(key=f"{id(part)}")
    )
    collection.gather(visit.WINDOW)
    assert capped.asked == asked


def test_where_the_shortest_range_still_reaches_the_cap_the_visit_is_truncated_and_keeps_what_it_got() -> None:
    busy = Span(visit.WINDOW.start + dt.timedelta(minutes=7), visit.WINDOW.start + dt.timedelta(minutes=7, seconds=1))

    def fetch(_api: object, _source: object, span: Span) -> Iterator[Part]:
        yield visit.part(b"{unread", count=4 if span.start <= busy.start < span.end else 0)

    unused: Any = None
    second, none = dt.timedelta(seconds=1), dt.timedelta(0)
    provider = replace(visit.provider(), fetch=fetch, cap=Capped().cap, margin=none, resolution=second)
    collection = Collection(provider, unused, Exchange(unused, unused, unused), lambda part: part.replace(key="raw"))
    held = [collection.parts[number] for number in collection.gather(visit.WINDOW)]
    assert collection.truncated
    assert [part.own for part in held if part.count == 4] == [busy]
    assert sum(some(part.own).length.total_seconds() for part in held) == 3600
    assert {(part.role, part.count) for part in collection.parts if part not in held} == {("superseded", 4)}


def test_what_was_read_while_the_list_changed_is_superseded_by_what_was_read_after() -> None:
    readings = iter(("1", "2"))

    def fetch(_api: object, _source: object, _span: Span) -> Iterator[Part]:
        reading = next(readings)
        yield visit.part(b"[]", key=reading)
        if reading == "1":
            raise MismatchError("the total has changed")

    unused: Any = None
    collection = Collection(
        replace(visit.provider(), fetch=fetch), unused, Exchange(unused, unused, unused), lambda part: part
    )
    assert collection.gather(visit.WINDOW) == [1]
    assert [part.role for part in collection.parts] == ["superseded", "data"]
    assert collection.parts[0].extra == {"superseded_by": ["2"]}


def test_a_request_that_fails_without_a_response_keeps_no_earlier_response_again() -> None:
    unused: Any = None
    exchange = Exchange(unused, unused, unused)

    def fetch(_api: object, _source: object, _span: Span) -> Iterator[Part]:
        exchange.last = visit.part(b"[]", count=0)
        yield exchange.last
        raise UnavailableError("connection refused")

    collection = Collection(replace(visit.provider(), fetch=fetch), unused, exchange, lambda part: part)
    with pytest.raises(UnavailableError):
        collection.gather(visit.WINDOW)
    assert [part.role for part in collection.parts] == ["data"]


def test_a_request_that_fails_without_a_response_keeps_none_of_the_reading_before() -> None:
    unused: Any = None
    exchange = Exchange(unused, unused, unused)
    readings = iter(("1", "2"))

    def fetch(_api: object, _source: object, _span: Span) -> Iterator[Part]:
        if next(readings) == "2":
            raise UnavailableError("connection refused")
        exchange.last = visit.part(b"[]")
        raise MismatchError("the total has changed")
        yield

    collection = Collection(replace(visit.provider(), fetch=fetch), unused, exchange, lambda part: part)
    with pytest.raises(UnavailableError):
        collection.gather(visit.WINDOW)
    assert [part.role for part in collection.parts] == ["error"]


@pytest.mark.parametrize(
    ("longest", "asked"),
    [(None, 1), (dt.timedelta(hours=1), 2), (dt.timedelta(minutes=15), 5), (dt.timedelta(hours=2), 1)],
)
def test_no_request_asks_for_more_than_the_longest_range_and_together_they_ask_for_all(
    longest: dt.timedelta | None, asked: int
) -> None:
    spans: list[Span] = []

    def fetch(_api: object, _source: object, span: Span) -> Iterator[Part]:
        spans.append(span)
        yield visit.part(b"[]", count=0)

    unused: Any = None
    provider = replace(visit.provider(), fetch=fetch, longest_range=longest)
    collection = Collection(provider, unused, Exchange(unused, unused, unused), lambda part: part)
    assert collection.gather(visit.WINDOW) == [*range(asked)]
    whole = visit.WINDOW.length + 2 * provider.margin
    assert max(span.length for span in spans) == min(longest or whole, whole)
    own = [part.own for part in collection.parts if part.own]
    assert (own[0].start, own[-1].end) == (visit.WINDOW.start, visit.WINDOW.end)
    assert all(left.end == right.start for left, right in pairwise(own))
    assert spans == [part.widened(provider.margin) for part in own]
