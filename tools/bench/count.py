"""What is counted in place of timed: calls and bytes of `status` as a ledger grows, calls of a tick of many sources."""

import datetime as dt
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from logarchive.ledger.dynamodb import Condition, Item
from logarchive.ledger.entry import Entry, Head
from logarchive.numbers import WindowNumbers
from logarchive.runtime.metric import Tally
from logarchive.warning.signal import write_signals
from logarchive.window import Window
from tests.fake_aws import FakeTable
from tests.integration.stage import stage
from tests.scenario import HOUR, START, Scenario
from tools import stack

#: DynamoDB returns so much in one page of a query.
PAGE_BYTES = 1024 * 1024
#: Windows are planned in batches: the head and 99 more are one transaction.
_BATCH = 99


@dataclass
class CountedTable(FakeTable):
    """A table that counts the bytes it returns, and each page of a query as a call."""

    read: int = 0

    def get(self, partition: str, sort: str) -> Item | None:
        """Read an item."""
        item = super().get(partition, sort)
        self.read += _size(item)
        return item

    def query(self, key: Condition, *, index: str = "", backwards: bool = False) -> Iterator[Item]:
        """Read items, page by page."""
        read = 0
        for item in super().query(key, index=index, backwards=backwards):
            read, before = read + _size(item), read
            self.read += _size(item)
            self.calls += ["page"] * (read // PAGE_BYTES - before // PAGE_BYTES)
            yield item


def _size(item: Item | None) -> int:
    return len(json.dumps(item, default=str)) if item else 0


def status(hours: int) -> dict[str, int]:
    """Return the calls and bytes of `status` for a source with so many sealed windows.

    The second `status` counts: the first one may write down what later ones then need not read.
    """
    table = CountedTable()
    scenario = Scenario(world=[], table=table, source={"window": "PT1H", "start": "2021-01-01T00:00:00Z"})
    end = START
    begin = end - hours * HOUR
    head = Head(begin=begin, cursor=begin, begin_reason="start", feed_id="p/1")
    scenario.ledger.create(head, START)
    for first in range(0, hours, _BATCH):
        starts = [begin + hour * HOUR for hour in range(first, min(first + _BATCH, hours))]
        planned = scenario.ledger.plan(head, [_sealed(at) for at in starts], START, cursor=starts[-1] + HOUR)
        if not planned:
            raise RuntimeError("somebody else has planned")
        head = planned
    scenario.now = end
    scenario.act("status")
    table.calls.clear()
    table.read = 0
    source: dict[str, Any] = scenario.act("status")["sources"][0]
    if source["open"] or source["rows"] != 9000 * hours:
        raise RuntimeError(f"status said {source}")
    return {"calls": len(table.calls), "bytes": table.read}


def _sealed(start: dt.datetime) -> Entry:
    """Return the entry of an hour as its third visit has left it."""
    window = Window(start, start + HOUR)
    visits = tuple(f"{start + age * HOUR:%Y%m%dT%H%M%SZ}-0001" for age in (1, 2, 5))
    key = f"logs/provider=elsa/date={start:%Y-%m-%d}/shop-{start:%Y%m%dT%H%M%SZ}-PT1H.parquet"
    return Entry.model_validate(
        {
            "window_key": window.key,
            "state": "sealed",
            "attempt": 3,
            "committed": 3,
            "visits": visits,
            "manifest": f"raw/{key}/{visits[-1]}/manifest.json",
            "object": {"key": key, "etag": '"0"', "version": "v", "sha256": "0" * 64, "bytes": 1, "visits": visits},
            "numbers": WindowNumbers(rows=9000, fetched=9000),
            "mapping": 1,
        }
    )


def tick(sources: int) -> dict[str, float]:
    """Return the calls and seconds of a tick of so many sources that have nothing to do, on an emulator of AWS."""
    with (
        stack.ministack(stack.free_port()) as (endpoint, _process, _folder),
        stage(stack.aws(endpoint), START, scale=0.02) as on,
    ):
        for number in range(sources):
            on.put_source("elsa", f"s{number:04}")
        on.act("elsa", {"action": "tick"})
        calls: list[str] = []
        for client in (on.aws.ssm, on.aws.secrets, on.aws.functions, on.aws.table.table.meta.client):
            _count(client, calls)
        measured = Tally()
        begun = time.monotonic()
        on.act("elsa", {"action": "tick"})
        for number in range(sources):
            measured("LagSeconds", 0, f"s{number:04}")
        write_signals(on.aws.table, "elsa", measured, on.clock())  # as the handler does
        return {"calls": len(calls), "seconds": time.monotonic() - begun}


def _count(client: Any, calls: list[str]) -> None:  # noqa: ANN401 (any client)
    def count(**_keys: object) -> None:
        calls.append("call")

    client.meta.events.register("before-send", count)
