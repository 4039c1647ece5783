"""How the multidrm provider pages: every record once, whether pages count from 1 or 0 and whether a total is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import httpx
import orjson
import pytest

from functions.multidrm.app import MultidrmSource, provider
from logarchive.errors import MalformedError, MismatchError
from logarchive.part import Part
from logarchive.record.body import document
from logarchive.window import Span
from tests.unit.exchange import KEYS, NOW, Script, Time, ok, opened

SPAN = Span(NOW.replace(hour=10), NOW.replace(hour=11))
SOURCE = MultidrmSource.model_validate({"secret": "s"})

type Reply = Callable[[httpx.Request], httpx.Response]
#: What a server that counts from 1 does with page 0.
type Zero = Literal["error", "page 1", "empty"]


def fetched(directory: Path, *answers: Reply | httpx.Response) -> list[Part]:
    script = Script(answers)
    return list(provider.fetch(opened(provider, SOURCE, KEYS, directory, script, Time()), SOURCE, SPAN))


def items(count: int) -> list[dict[str, Any]]:
    return [{"policyId": 1, "description": f"{number}", "timestamp": 1795341600000} for number in range(count)]


def page(content: list[dict[str, Any]], total: int | None) -> httpx.Response:
    told = {} if total is None else {"total": total}
    return ok(orjson.dumps({"success": True, "content": content, **told}))


def serving(count: int, first: int, *, told: bool, zero: Zero = "error", most: int = 100) -> Reply:
    """Play a list of so many records whose pages count from `first` and hold at most `most`."""
    held = items(count)

    def reply(request: httpx.Request) -> httpx.Response:
        size = min(int(request.url.params["pageSize"]), most)
        number = int(request.url.params["pageNo"]) - first
        if number < 0 and zero == "error":
            return ok(b'{"success":false,"error":{"code":280003,"message":"pageNo"}}')
        start = max(number, 0) * size
        content = [] if number < 0 and zero == "empty" else held[start : start + size]
        return page(content, count if told else None)

    return reply


def told_by(parts: list[Part]) -> list[str]:
    return [item["description"] for part in parts if part.role == "data" for item in document(part)["content"]]


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("count", [0, 1, 50, 99, 100, 101, 199, 200, 201, 299, 300, 301, 400])
def test_every_record_comes_once_and_in_order(tmp_path: Path, count: int, first: int, *, told: bool) -> None:
    for zero in ("error", "page 1", "empty"):
        parts = fetched(tmp_path, serving(count, first, told=told, zero=zero))
        assert told_by(parts) == [f"{number}" for number in range(count)]
        data = [part for part in parts if part.role == "data"]
        assert sum(part.count or 0 for part in data) == count
        assert sum(part.announced or 0 for part in data) == (count if told else 0)
        assert (data[0].announced is None) != told


@pytest.mark.parametrize("count", [0, 1, 50, 99])
def test_a_total_that_one_short_page_holds_takes_one_request(tmp_path: Path, count: int) -> None:
    assert [part.role for part in fetched(tmp_path, serving(count, 1, told=True))] == ["data"]


def test_a_total_that_one_full_page_holds_takes_an_empty_page_more_and_the_first_again(tmp_path: Path) -> None:
    parts = fetched(tmp_path, serving(100, 1, told=True))
    assert [part.role for part in parts] == ["data", "data", "listing"]
    assert [part.count for part in parts] == [100, 0, None]
    assert [part.announced for part in parts] == [100, 0, None]


@pytest.mark.parametrize(("first", "zero"), [(1, "error"), (1, "page 1"), (0, "error")])
def test_a_server_that_gives_fewer_than_asked_for_is_followed_to_its_total(
    tmp_path: Path, first: int, zero: Zero
) -> None:
    parts = fetched(tmp_path, serving(170, first, told=True, zero=zero, most=30))
    assert told_by(parts) == [f"{number}" for number in range(170)]


def test_a_record_that_comes_between_the_looks_at_pages_one_and_zero_is_a_mismatch(tmp_path: Path) -> None:
    before, after = items(101)[1:], items(100)
    with pytest.raises(MismatchError, match="the same page was returned twice"):
        fetched(tmp_path, page(before, None), page(after, None), page(after, None))


def test_a_first_page_that_fails_is_an_error_and_no_sign_of_another_index(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="281003"):
        fetched(tmp_path, ok(b'{"success":false,"error":{"code":281003,"message":"site"}}'), page(items(1), 1))
