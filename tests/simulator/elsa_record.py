"""The log records of the ELSA project: the fields of the page "ELSA 1.5.1" and "SDK HTTP", and many custom ones.

How records look on the output side is undocumented; we play the stored fields with `logTime` and `sendTime` in epoch
milliseconds (the switch `time_format` plays the others).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.simulator.record import Record
from tests.simulator.traffic import Habits, Maker, offsets
from tests.simulator.world import HOUR_MS

BODIES = (
    "GET /api/orders/{a} 200 in {b} ms",
    "Order {a} paid: ₩{b},900 via KakaoPay",
    "주문 {a} 이(가) 접수되었습니다 (지연 {b}ms)",
    "订单 {a} 已发货、用时 {b} 毫秒",
    'user said \\"hello\\" 👋 in room {a}',
    "java.lang.IllegalStateException: pool {a} exhausted\\n\\tat com.example.Pool.take(Pool.java:{b})\\n\\tat Main.run",
    "path C:\\\\temp\\\\{a}.log rotated\\t{b} bytes",
    "cache miss for key session:{a}, loaded from replica {b}",
    "한글과 emoji 🎉 \\u0000 \\u001b[31mred\\u001b[0m {a}/{b}",
    "retrying payment {a}, attempt {b} of 5; upstream said 503 Service Unavailable and asked to come back later",
)
LEVELS = (
    ('"INFO"',) * 10 + ('"WARN"',) * 3 + ('"ERROR"',) * 2 + ('"DEBUG"', '"DEBUG"', '"TRACE"', '"FATAL"', "20", '"40"')
)
HOSTS = (
    *(f'"10.20.{n // 4}.{n}"' for n in range(12)),
    '"web-01.example.com"',
    '"web-02.example.com"',
    '"배치-서버"',
)
EXTRA: tuple[Callable[[int], str], ...] = (
    lambda r: f',"orderId":{r & 0xFFFFFF},"amount":{r >> 8 & 0xFFFF}.{r & 7}0,"currency":"KRW"',
    lambda r: (
        f',"user":{{"id":{r & 0xFFFF},"tier":"gold","tags":["a","b{r & 3}"]}},"ok":{"true" if r & 1 else "false"}'
    ),
    lambda r: f',"traceId":"{r & (1 << 64) - 1:016x}","span":{{"id":"{r & 0xFFFFFF:06x}","ms":{r >> 4 & 1023}}}',
    lambda r: f',"ExceptionType":"java.lang.Exception{r & 7}","Location":null,"retry":{r & 3}',
    lambda r: f',"ratio":{(r & 0xFFFF) / 65536:.4f},"size":{r >> 16 & 0xFFFFFF},"지역":"서울","empty":""',
    lambda _: "",
)
ODD = (
    ',"price":1.10,"big":1e3,"small":1E-7,"zero":-0.0,"exact":12345678901234567890.123456789',
    ',"account":{"id":1,"name":"kim"},"account.id":"dotted","account.name":null',
    ',"UserID":1,"userId":"2","USERID":3.0,"userid ":"space"',
    ',"huge":18446744073709551616,"negative":-9223372036854775809,"max":9223372036854775807',
    ',"emptyObject":{},"emptyArray":[],"nested":{"a":{"b":{"c":[1,{"d":null}]}},"e":{}}',
    ',"matrix":[[1,2],[3.10,"x"],[]],"flags":[true,false,null],"date":"2026-11-22T13:00:00+09:00"',
    ',"time":"mine","source":"mine","record_id":"mine","attributes":{"a":"1"},"severity_text":"mine","":"empty key"',
    ',"quote\\"key":"v","new\\nline":"v","스키마":{"버전":"1.0"},"emoji😀":"😀","escaped":"\\ud83d\\ude00\\u00e9\\/"',
)
TYPED = (
    ("host", "17"),
    ("host", '{"ip":"10.0.0.1"}'),
    ("body", "null"),
    ("body", '{"message":"structured","code":7}'),
    ("body", '["a","b"]'),
    ("body", '""'),
    ("logLevel", "null"),
    ("logLevel", "10.5"),
    ("logLevel", '"²"'),
    ("logLevel", "true"),
    ("projectVersion", "2"),
    ("projectVersion", "1.10"),
    ("projectName", "false"),
    ("sendTime", "null"),
)
UNREADABLE_TIMES = ("null", '"yesterday"', "{}", '""', "true")
UNPARSABLE = (b'{"logTime":%d,"body":nope}', b'{"logTime":%d,"body":"unquoted}', b'{"logTime":%d "body":"no comma"}')
HOSTILE = (
    b'{"body":"not a number","logTime":%d,"ratio":NaN}',
    b'{"body":"twice","logTime":%d,"key":1,"key":2}',
    b'{"body":"lone \\ud800 surrogate","logTime":%d}',
    b'{"body":"invalid \xff\xfe UTF-8","logTime":%d}',
)
FORMATS: dict[str, Callable[[int], str]] = {"ms": str, "us": lambda ms: str(ms * 1000)}
PEAK_MS = 1_234_000
MAX_COUNT = 200_000


@dataclass(slots=True)
class ElsaSwitches(Habits):
    """What tests may change. The second group shapes records, as all of `Habits` does."""

    layout: str = "array"  # one of elsa_body.LAYOUTS; a request for CSV plays csv
    empty: str = "array"  # one of elsa_body.EMPTY
    exclusive_end: bool = False
    cap: int = MAX_COUNT  # a lower one than the documented count, so that tests reach it cheaply
    cut: str = "newest"  # which end is cut off at the cap: newest or oldest
    order: str = "ascending"  # or descending

    records_an_hour: float = 2100
    odd_fraction: float = 0.02
    burst: int = 50_000
    burst_phase: int = 14  # the burst is in hours whose number since the epoch is this modulo 48
    time_format: str = "ms"  # a key of elsa_record.FORMATS
    hostile: int = 0  # an hour: NaN, a key twice, a lone surrogate, invalid UTF-8

    def is_burst(self, hour_ms: int) -> bool:
        """Say whether the burst is in this hour."""
        return hour_ms // HOUR_MS % 48 == self.burst_phase


class ElsaMaker(Maker[ElsaSwitches]):
    """Makes the records of the project."""

    def made(self, rng: Random, hour_ms: int, host: str) -> list[Record]:
        records: list[Record] = []
        for offset in self._offsets(rng, hour_ms):
            self._put(records, rng, hour_ms, offset)
        return records + self._bad(rng, hour_ms)

    def _offsets(self, rng: Random, hour_ms: int) -> list[int]:
        found = offsets(rng, hour_ms, self.switches, self.world.scale)
        if self.switches.is_burst(hour_ms):
            found += _burst(rng, int(self.switches.burst * self.world.scale))
        return sorted(found)

    def _put(self, records: list[Record], rng: Random, hour_ms: int, offset: int) -> None:
        time_ms, chance = hour_ms + offset, rng.random()
        kind = "odd" if chance < self.switches.odd_fraction else "plain"
        text = (self._odd if kind == "odd" else self._plain)(rng, time_ms)
        records.append(self.held(rng, hour_ms, time_ms, text, kind))
        if chance > 1 - self.switches.duplicate_fraction:
            records.append(self.held(rng, hour_ms, time_ms, text, "duplicate"))

    def _plain(self, rng: Random, time_ms: int) -> str:
        r = rng.getrandbits(64)
        body = BODIES[r % len(BODIES)].replace("{a}", str(r >> 40)).replace("{b}", str(r >> 30 & 1023))
        when = FORMATS[self.switches.time_format]
        times = f'"logTime":{when(time_ms)},"sendTime":{when(time_ms + (r >> 5 & 1023))}'
        return (
            f'{{"projectName":"checkout","projectVersion":"1.{r >> 20 & 3}.0","body":"{body}"'
            f',"logLevel":{LEVELS[(r >> 3) % len(LEVELS)]},"logType":"nelo2-log","logSource":"json"'
            f',"host":{HOSTS[(r >> 11) % len(HOSTS)]},{times}'
            f',"requestId":"{r:016x}","thread":"http-nio-8080-exec-{r & 31}"{EXTRA[(r >> 17) % len(EXTRA)](r)}}}'
        )

    def _odd(self, rng: Random, time_ms: int) -> str:
        text = self._plain(rng, time_ms)
        if rng.random() < 0.5:
            return text[:-1] + rng.choice(ODD) + "}"
        name, value = rng.choice(TYPED)
        return replaced(text, name, value)

    def _bad(self, rng: Random, hour_ms: int) -> list[Record]:
        """Return the records without a readable time, those that are no JSON, and those that few can read."""
        bad: list[Record] = []

        def put(kind: str, count: int, text: Callable[[int, int], bytes]) -> None:
            for number in range(count):
                time_ms = hour_ms + rng.randrange(HOUR_MS)
                bad.append(Record(time_ms, time_ms, text(number, time_ms), hour_ms, kind))

        def timeless(number: int, time_ms: int) -> bytes:
            value = UNREADABLE_TIMES[number % len(UNREADABLE_TIMES)]
            return replaced(self._plain(rng, time_ms), "logTime", value).encode()

        put("unreadable_time", self.switches.unreadable_times, timeless)
        put("unparsable", self.switches.unparsable, lambda n, ms: UNPARSABLE[n % len(UNPARSABLE)] % ms)
        put("hostile", self.switches.hostile, lambda n, ms: HOSTILE[n % len(HOSTILE)] % ms)
        return bad


def replaced(text: str, name: str, value: str) -> str:
    """Return a record's text with another value for one of its scalar keys."""
    start = text.index(f'"{name}":') + len(name) + 3
    return text[:start] + value + text[_end_of_scalar(text, start) :]


def _end_of_scalar(text: str, start: int) -> int:
    if text[start] != '"':
        return min(at for at in (text.find(",", start), text.find("}", start)) if at > 0)
    at = start + 1
    while text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _burst(rng: Random, count: int) -> list[int]:
    """Return offsets: half of them in a steep hill off the middle, 300 more in one second of it, 25 in one ms."""
    hill = (int(rng.gauss(PEAK_MS, 30_000)) for _ in range(count // 2))
    flat = [rng.randrange(HOUR_MS) for _ in range(count - count // 2)]
    second = [PEAK_MS + rng.randrange(1000) for _ in range(min(count, 300))]
    return [offset for offset in hill if 0 <= offset < HOUR_MS] + flat + second + [PEAK_MS + 500] * min(count, 25)
