"""The events of NAVER's API Gateway: time, level, type and message, as on the page "dashboardevent-events".

The page has one sample, of type ES020; the messages of the other types are undocumented and played in its form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import orjson

from tests.simulator.record import Record
from tests.simulator.traffic import Habits, Maker, offsets
from tests.simulator.world import HOUR_MS, from_ms

LEVELS = {"ES010": "EVENT", "ES020": "EVENT", "EU400": "ALERT", "EU410": "ALARM", "EU420": "ALARM"}
MESSAGES: dict[str, str] = {
    "ES010": "A subscription of [{product}] has been requested by [{key}].",
    "ES020": "The status of subscription request for [{product}] requested by [{key}] has been changed to [{state}].",
    "EU400": "The quota of [{limit}] requests a month of [{product}] has been exceeded by [{key}].",
    "EU410": "The throttle of [{limit}] requests per second of [{product}] has been exceeded by [{key}].",
    "EU420": "The rate of [{limit}] requests a day of [{product}] has been exceeded by [{key}].",
}
TYPES = ("ES010",) * 3 + ("ES020",) * 4 + ("EU400",) + ("EU410",) * 6 + ("EU420",) * 2
PRODUCTS = ("test-***", "order-***", "payment-***", "회원-***", "search [beta]-***", "배송 조회-***")
KEYS = ("apiKey-***", "partner-***", "모바일앱-***", "batch \\ night-***", 'the "old" one-***')
STATES = ("Accepted", "Rejected", "Pending", "Canceled")
HOME = timedelta(hours=9)  # the zone in which the texts of the truth are told
_TIME = re.compile(rb'\{"time":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"')
ODD: tuple[Callable[[str], str], ...] = (
    lambda text: text[:-1] + ',"apiId":"8f2c","count":1.10,"tags":["a",null],"detail":{"region":"KR"}}',
    lambda text: text.replace('"level":"', '"level":"X'),
    lambda text: re.sub('"type":"[^"]*"', '"type":"EU430"', text),
    lambda text: re.sub('"level":"[^"]*"', '"level":null', text),
    lambda text: re.sub('"message":.*', '"message":null}', text),
    lambda text: re.sub('"message":.*', '"message":"여러 줄\\\\n\\\\ttab \\\\u0000 and 😀"}', text),
)
UNREADABLE_TIMES = ("null", '"yesterday"', '"2026-13-41 25:00:00"', '""')
UNPARSABLE = ('{"time":"%s","level":EVENT}', '{"time":"%s" "level":"EVENT"}')


def told(record: Record, zone: timedelta) -> bytes:
    """Return an event's text with its time told in a zone; without a readable time it is the same everywhere."""
    if zone == HOME or not _TIME.match(record.text):
        return record.text
    return b'{"time":"' + (record.time + zone).isoformat(" ")[:19].encode() + record.text[28:]


def level_and_type(record: Record) -> tuple[object, object]:
    """Return what the filters look at; nothing, if the text is no JSON."""
    try:
        value = record.value
    except orjson.JSONDecodeError:
        return None, None
    return value.get("level"), value.get("type")


def event(rng: Random, time_ms: int, kind: str) -> str:
    """Return an event of a type, its time told in +09:00."""
    r = rng.getrandbits(32)
    product, key, state = PRODUCTS[r % len(PRODUCTS)], KEYS[(r >> 8) % len(KEYS)], STATES[r >> 16 & 3]
    message = MESSAGES[kind].format(product=product, key=key, state=state, limit=10 ** (1 + (r >> 20 & 3)))
    local = (from_ms(time_ms) + HOME).isoformat(" ")[:19]
    said = json.dumps(message, ensure_ascii=False)
    return f'{{"time":"{local}","level":"{LEVELS[kind]}","type":"{kind}","message":{said}}}'


@dataclass(slots=True)
class ApigatewaySwitches(Habits):
    """What tests may change. The last group shapes records, as all of `Habits` does."""

    order: str = "descending"  # or ascending
    max_limit: int = 0  # a greater limit silently gives this many; 0: there is none

    shifting: str = ""  # grow: events appear while pages are read; swap: one appears as another goes, total stays
    shift_every: int = 1  # so many further pages bring one shift

    records_an_hour: float = 620
    fleeting_fraction: float = 0  # a fleeting event can go before the visit to its own hour: set it with care
    duplicate_fraction: float = 0.01


class ApigatewayMaker(Maker[ApigatewaySwitches]):
    """Makes the events of the account; times are whole seconds."""

    def made(self, rng: Random, hour_ms: int, host: str) -> list[Record]:
        records: list[Record] = []
        for offset in offsets(rng, hour_ms, self.switches, self.world.scale, step_ms=1000):
            self._put(records, rng, hour_ms, hour_ms + offset)
        records += self._bad(rng, hour_ms)
        for record in records:
            record.by_day = True
        return records

    def _put(self, records: list[Record], rng: Random, hour_ms: int, time_ms: int) -> None:
        chance = rng.random()
        text, kind = event(rng, time_ms, rng.choice(TYPES)), "plain"
        if chance < self.switches.odd_fraction:
            text, kind = rng.choice(ODD)(text), "odd"
        records.append(self.held(rng, hour_ms, time_ms, text, kind))
        if chance > 1 - self.switches.duplicate_fraction:
            records += [self.held(rng, hour_ms, time_ms, text, "duplicate") for _ in range(rng.randint(1, 3))]

    def _bad(self, rng: Random, hour_ms: int) -> Iterator[Record]:
        """Yield the events without a readable time, and those that are no JSON."""

        def wrong(text: str, kind: str) -> Record:
            time_ms = hour_ms + rng.randrange(HOUR_MS // 1000) * 1000
            return Record(time_ms, time_ms, text.encode(), hour_ms, kind)

        for number in range(self.switches.unreadable_times):
            stamp = UNREADABLE_TIMES[number % len(UNREADABLE_TIMES)]
            yield wrong(f'{{"time":{stamp}{event(rng, hour_ms, "ES020")[29:]}', "unreadable_time")
        for number in range(self.switches.unparsable):
            text = UNPARSABLE[number % len(UNPARSABLE)] % (from_ms(hour_ms) + HOME).isoformat(" ")[:19]
            yield wrong(text, "unparsable")
