"""The windows of a source, as the ledger's items tell them."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True)
class Window:
    """One window that is not split. `visited_at` is when its last good visit began; None before the first."""

    key: str
    start: dt.datetime
    end: dt.datetime
    visited_at: dt.datetime | None
    item: Mapping[str, Any]

    @property
    def slug(self) -> str:
        """The window's name in keys of the bucket."""
        return f"{self.start:%Y%m%dT%H%M%SZ}-{self.key.partition('/')[2]}"

    @property
    def date(self) -> str:
        """The partition it is stored under."""
        return f"{self.start:%Y-%m-%d}"


def read(table: "Table", provider: str, source: str) -> list[Window]:
    """Read the windows of a source, in order of time."""
    items: list[Mapping[str, Any]] = []
    following: Mapping[str, Any] = {}
    while True:
        condition = Key("source").eq(f"{provider}#{source}")
        answer = table.query(KeyConditionExpression=condition, ConsistentRead=True, **following)
        items += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return windows(items)
        following = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def windows(items: Iterable[Mapping[str, Any]]) -> list[Window]:
    """Return the windows among a source's items; those that were split are stood for by their halves."""
    found = [item for item in items if not item["window"].startswith("#") and item["state"] != "split"]
    return sorted(map(_window, found), key=lambda window: window.start)


def _window(item: Mapping[str, Any]) -> Window:
    start, _, length = item["window"].partition("/")
    begin = dt.datetime.fromisoformat(start)
    visits = [_moment(name) for name in item.get("visits") or ()]
    return Window(item["window"], begin, begin + _length(length), max(visits, default=None), item)


def _moment(visit: str) -> dt.datetime:
    return dt.datetime.strptime(visit[:15] + " +0000", "%Y%m%dT%H%M%S %z")


def _length(text: str) -> dt.timedelta:
    match = _LENGTH.fullmatch(text)
    assert match, text
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
