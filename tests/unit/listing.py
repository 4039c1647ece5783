"""Servers that give a list page by page, as the API Gateway's events and Multi DRM's policy log do, honestly or not."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import httpx
import orjson

from tests.unit.exchange import HOUR_MS, Reply, ok

#: How Multi DRM refuses a page that there is not.
NO_PAGE = b'{"success":false,"error":{"code":280003,"message":"pageNo"}}'

#: What a server says the total is, given how many records there are and how many are on the page.
type Total = Callable[[int, int], int | None]
#: What a server that counts pages from 1 does with page 0.
type Zero = Literal["error", "page 1", "empty"]


def of_all(count: int, _shown: int) -> int:
    return count


def of_the_page(_count: int, shown: int) -> int:
    return shown


def untold(_count: int, _shown: int) -> None:
    return None


def events(count: int) -> list[Any]:
    return [{"time": "2026-11-22 19:30:00", "level": "EVENT", "type": "ES010", "message": f"{n}"} for n in range(count)]


def policies(count: int, ids: Iterable[object] = (1,)) -> list[Any]:
    """Return so many records of each policy."""
    return [{"policyId": one, "description": f"{n}", "timestamp": HOUR_MS} for one in ids for n in range(count)]


def events_page(items: Sequence[Any] | None, total: object) -> httpx.Response:
    return ok(orjson.dumps({"events": {"content": items, "total": total}}))


def policies_page(items: Sequence[Any], total: object = None, **more: object) -> httpx.Response:
    told = {} if total is None else {"total": total}
    return ok(orjson.dumps({"success": True, "content": items, **told, **more}))


def event_log(held: Sequence[Any], total: Total = of_all, *, most: int = 10_000, still: bool = False) -> Reply:
    """Give at most so many events from where is asked for; `still`: always the first ones."""

    def reply(request: httpx.Request) -> httpx.Response:
        asked = orjson.loads(request.content)
        start = 0 if still else asked["offset"]
        shown = held[start : start + min(asked["limit"], most)]
        return events_page(shown, total(len(held), len(shown)))

    return reply


def policy_log(
    held: Sequence[Any],
    total: Total = of_all,
    *,
    first: int = 1,
    zero: Zero = "error",
    most: int = 100,
    still: bool = False,
) -> Reply:
    """Give pages of at most so many records, numbered from `first`; `still`: always the first one."""

    def reply(request: httpx.Request) -> httpx.Response:
        size = min(int(request.url.params["pageSize"]), most)
        number = 0 if still else int(request.url.params["pageNo"]) - first
        if number < 0 and zero == "error":
            return ok(NO_PAGE)
        start = max(number, 0) * size
        shown = held[:0] if number < 0 and zero == "empty" else held[start : start + size]
        return policies_page(shown, total(len(held), len(shown)))

    return reply
