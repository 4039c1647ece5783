"""A record as the provider holds it, and the shelf that makes records hour by hour."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import orjson

from tests.simulator.world import from_ms, hours, to_ms


@dataclass(slots=True, eq=False)
class Record:
    """One record: its exact bytes, when the provider shows it, and whether it was ever served whole.

    `kind` is plain, odd, duplicate, added, shifted, unreadable_time, unparsable or hostile. `hour_ms` is the hour it is
    filed under, which for `dsa` is the hour of its file and not always the hour of its time. `host` is the host of a
    line, or the policy of a policy's log. `by_day` says that whole days are asked for, so that it is served to those
    who want other hours too: that it was served obliges nobody then, unless it is fleeting.
    """

    time_ms: int
    visible_ms: int
    text: bytes
    hour_ms: int
    kind: str = "plain"
    fleeting: bool = False
    host: str = ""
    served_ms: int | None = None
    by_day: bool = False

    @property
    def time(self) -> datetime:
        """The record's own time."""
        return from_ms(self.time_ms)

    @property
    def visible_from(self) -> datetime:
        """The moment from which the provider shows it."""
        return from_ms(self.visible_ms)

    @property
    def hour(self) -> datetime:
        """The hour it is filed under."""
        return from_ms(self.hour_ms)

    @property
    def served(self) -> bool:
        """Whether a complete response ever held it."""
        return self.served_ms is not None

    @property
    def value(self) -> Any:
        """The record parsed as JSON."""
        return orjson.loads(self.text)

    def visible(self, now_ms: int, gone_after_ms: int) -> bool:
        """Say whether the provider shows it now; a fleeting one goes some time after it was first served."""
        if self.visible_ms > now_ms:
            return False
        return not (self.fleeting and self.served_ms is not None and now_ms >= self.served_ms + gone_after_ms)

    def due(self, visited_at: datetime) -> bool:
        """Say whether an archive must hold it, once its hour was last visited at that moment."""
        seen = self.served and (self.fleeting or not self.by_day)
        return seen or (not self.fleeting and self.visible_ms <= to_ms(visited_at))

    def state(self) -> dict[str, object]:
        """Return it as plain JSON values; bytes that are not UTF-8 are replaced, `text_hex` has them exactly."""
        state: dict[str, object] = {
            "time_ms": self.time_ms,
            "visible_from_ms": self.visible_ms,
            "hour_ms": self.hour_ms,
        }
        state |= {"served": self.served, "served_ms": self.served_ms, "fleeting": self.fleeting, "kind": self.kind}
        state |= {"host": self.host, "by_day": self.by_day, "text": self.text.decode("utf-8", "replace")}
        return state if self.text.isascii() or self.kind != "hostile" else state | {"text_hex": self.text.hex()}


class Shelf[R: Record]:
    """The records of a provider by hour and host: made when first asked for, then kept, sorted by time."""

    def __init__(self, make: Callable[[int, str], list[R]]) -> None:
        self._make = make
        self._made: dict[tuple[int, str], list[R]] = {}

    def hour(self, hour_ms: int, host: str = "") -> list[R]:
        """Return the records of an hour, seen or not."""
        key = (hour_ms, host)
        if key not in self._made:
            self._made[key] = sorted(self._make(hour_ms, host), key=_time_ms)
        return self._made[key]

    def holds(self, hour_ms: int, host: str = "") -> bool:
        """Say whether an hour was made already."""
        return (hour_ms, host) in self._made

    def between(self, hour_ms: int, start_ms: int, end_ms: int) -> Iterator[R]:
        """Yield the records of an hour whose time lies in the half-open range."""
        records = self.hour(hour_ms)
        low = bisect_left(records, start_ms, key=_time_ms)
        return iter(records[low : bisect_left(records, end_ms, lo=low, key=_time_ms)])

    def range(self, start_ms: int, end_ms: int) -> Iterator[R]:
        """Yield every record whose time lies in the half-open range, hour by hour."""
        for hour in hours(start_ms, end_ms):
            yield from self.between(hour, start_ms, end_ms)

    def visible(self, hour_ms: int, start_ms: int, end_ms: int, now_ms: int, gone_after_ms: int) -> list[R]:
        """Return the records of an hour whose time lies in the half-open range and that are shown now."""
        return [one for one in self.between(hour_ms, start_ms, end_ms) if one.visible(now_ms, gone_after_ms)]

    def newest_first(self, start_ms: int, end_ms: int, now_ms: int, gone_after_ms: int) -> list[R]:
        """Return what is shown now of a half-open range, the newest first."""
        end_ms = min(end_ms, now_ms + 1)
        found: list[R] = []
        for hour in reversed(hours(start_ms, end_ms)):
            found += reversed(self.visible(hour, start_ms, end_ms, now_ms, gone_after_ms))
        return found

    def add(self, record: R, host: str | None = None) -> R:
        """Put one more record on the shelf, with its own host unless another place is named."""
        insort(self.hour(record.hour_ms, record.host if host is None else host), record, key=_time_ms)
        return record


def _time_ms(record: Record) -> int:
    return record.time_ms


def quiet(hour_ms: int, hours: Iterable[int | str]) -> bool:
    """Say whether an hour is without traffic: an int is an hour of each UTC day, a text (2026-11-22T03) one hour."""
    moment = from_ms(hour_ms)
    return any(moment.hour == hour if isinstance(hour, int) else moment.isoformat().startswith(hour) for hour in hours)


def whole(rng: Random, mean: float) -> int:
    """Return a whole number near a mean, rounded up or down by chance so that small means are kept on average."""
    return int(mean) + (rng.random() < mean % 1)
