"""The events of NAVER's API Gateway: time, level, type and message, as on the page "dashboardevent-events".

The page has one sample, of type ES020; the messages of the other types are undocumented and played in its form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import orjson

from tests.simulator.record import Record, quiet
from tests.simulator.traffic import offsets, visibility
from tests.simulator.world import HOUR_MS, from_ms

if TYPE_CHECKING:
    from tests.simulator.apigateway import ApigatewaySwitches
    from tests.simulator.world import World

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


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the events of one hour from the seed, the hour and the switches alone; times are whole seconds."""

    world: World
    switches: ApigatewaySwitches

    def __call__(self, hour_ms: int, _host: str = "") -> list[Record]:
        """Return the events of the hour."""
        if quiet(hour_ms, self.switches.quiet):
            return []
        rng = self.world.random("apigateway", hour_ms)
        records: list[Record] = []
        for offset in offsets(rng, hour_ms, self.switches, self.world.scale, step_ms=1000):
            self._put(records, rng, hour_ms, hour_ms + offset)
        return records + self._bad(rng, hour_ms)

    def _put(self, records: list[Record], rng: Random, hour_ms: int, time_ms: int) -> None:
        chance = rng.random()
        text, kind = event(rng, time_ms, rng.choice(TYPES)), "plain"
        if chance < self.switches.odd_fraction:
            text, kind = rng.choice(ODD)(text), "odd"
        records.append(self._held(rng, hour_ms, time_ms, text, kind))
        if chance > 1 - self.switches.duplicate_fraction:
            again = (self._held(rng, hour_ms, time_ms, text, "duplicate") for _ in range(rng.randint(1, 3)))
            records.extend(again)

    def _held(self, rng: Random, hour_ms: int, time_ms: int, text: str, kind: str) -> Record:
        visible_ms, fleeting = visibility(rng, hour_ms, time_ms, self.switches)
        return Record(time_ms, visible_ms, text.encode(), hour_ms, kind, fleeting, by_day=True)

    def _bad(self, rng: Random, hour_ms: int) -> list[Record]:
        """Return the events without a readable time, and those that are no JSON."""
        bad: list[Record] = []
        for number in range(self.switches.unreadable_times):
            stamp = UNREADABLE_TIMES[number % len(UNREADABLE_TIMES)]
            text = event(rng, hour_ms, "ES020")
            bad.append(self._wrong(rng, hour_ms, f'{{"time":{stamp}{text[29:]}', "unreadable_time"))
        for number in range(self.switches.unparsable):
            text = UNPARSABLE[number % len(UNPARSABLE)] % (from_ms(hour_ms) + HOME).isoformat(" ")[:19]
            bad.append(self._wrong(rng, hour_ms, text, "unparsable"))
        return bad

    def _wrong(self, rng: Random, hour_ms: int, text: str, kind: str) -> Record:
        time_ms = hour_ms + rng.randrange(HOUR_MS // 1000) * 1000
        return Record(time_ms, time_ms, text.encode(), hour_ms, kind, by_day=True)
