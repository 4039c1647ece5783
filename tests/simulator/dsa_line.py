"""The lines of Tencent's access logs ("Log Management" of Dynamic Site Accelerator): the field list is the vendor's.

Text samples of real lines are not published: quoting, `NULL`, `(null)` and `-` are played as the tools that read
these files expect them. All lines are synthetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from tests.simulator.record import Record, quiet, whole
from tests.simulator.traffic import Habits, Maker
from tests.simulator.world import HOUR_MS, from_ms

NAMES = ("www", "api", "img", "static", "shop", "m", "video", "auth", "docs", "blog", "cdn", "rare")
HOSTS = tuple(f"{name}.example.com" for name in NAMES)
WEIGHTS = tuple(1 / (rank + 1.5) for rank in range(11))
PATHS = (
    "/",
    "/index.html",
    "/api/v1/items/{r}?page={q}&sort=desc",
    "/img/{r}.webp",
    "/search?q=%ED%95%9C%EA%B8%80&n={q}",
    "/a?b=c?d={q}",
    "/video/{r}/seg-{q}.ts",
    "/path/with%20space/{r}",
)
AGENTS = (
    '"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"',
    '"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1"',
    '"curl/8.11.0"',
    '"KAKAOTALK 10.8.3 (한국어)"',
    '"NULL"',
    '"-"',
    '""',
)
REFERERS = ("NULL",) * 4 + ('"https://www.example.com/"', '"https://search.example.com/?q=a b"', '"(null)"', "-", '"-"')
RANGES = ('"(null)"',) * 6 + ('"bytes=0-1023"', '"bytes=0-"', "NULL", '"-"', '"bytes=0-1, 5-9"')
STATUSES = ("200",) * 12 + ("206", "301", "302", "304", "304", "400", "403", "404", "404", "499", "500", "502", "504")
METHODS = ("GET",) * 12 + ("POST", "POST", "HEAD", "PUT", "OPTIONS", "DELETE")
PROTOCOLS = ("HTTP/1.1", "HTTP/2.0", "HTTP/2.0", "HTTP/1.0", "HTTP/3", "HTTP/1.1")
CACHE = ("miss", "miss", "hit", "MISS", "HIT", "-")
PROVINCES = ("22", "4", "1050", "1442", "0", "1", "-1", "146", "9999")
CARRIERS = ("2", "26", "1046", "38", "-1", "0", "43")
UNPARSABLE = (b"truncated 1.2.3.4", b"#Fields: time ip domain", b'20261122 "never closed', b"\x00\x01\x02")
UNREADABLE_TIMES = ("-", "NULL", "yesterday", "20261399250000")


def _digits(text: str) -> str:
    return text[:19].translate(_NO_SEPARATORS)


def _is_busy(host: str) -> bool:
    """Say whether a host's files always hold good lines: bad ones alone would be no log."""
    return HOSTS.index(host) < len(WEIGHTS)


_NO_SEPARATORS = str.maketrans("", "", "-:T")
STAMPS: dict[str, Callable[[int, timedelta], str]] = {
    "compact": lambda ms, zone: _digits((from_ms(ms) + zone).isoformat()),
    "quoted": lambda ms, zone: (from_ms(ms) + zone).strftime('"%Y-%m-%d %H:%M:%S"'),
    "epoch": lambda ms, _zone: str(ms // 1000),
}
GROWTH, GROWN_MS, PUBLISHED_MS = 0.05, 7_200_000, 1_800_000


@dataclass(slots=True)
class DsaSwitches(Habits):
    """What tests may change. The second group shapes lines, as all of `Habits` does."""

    packing: str = "gzip"  # or tar, packed likewise
    publish_after_seconds: float = 1800  # after the hour's end

    time_zone: str = "+08:00"
    quiet: list[int | str] = field(default_factory=lambda: [20])
    lines_an_hour: float = 3600
    fields: str = "15"  # 12, 15, 16 or mix
    time_format: str = "compact"  # a key of dsa_line.STAMPS
    late_max_seconds: float = 18_000  # after the hour's end
    early_fraction: float = 0.001  # lines whose time lies some seconds before the hour of their file

    @property
    def zone(self) -> timedelta:
        """The offset from UTC in which days, hours and lines are told."""
        return datetime.fromisoformat(f"2000-01-01T00:00{self.time_zone}").utcoffset() or timedelta()


class DsaMaker(Maker[DsaSwitches]):
    """Makes the lines of each host."""

    def made(self, rng: Random, hour_ms: int, host: str) -> list[Record]:
        records: list[Record] = []
        stamps: dict[int, str] = {}
        count = self._count(rng, hour_ms, host)
        for second in sorted(int(rng.random() * 3600) for _ in range(count)):
            self._put(records, rng, hour_ms + second * 1000, hour_ms, host, stamps)
        if _is_busy(host):
            self._put_bad(records, rng, hour_ms, host)
        return records

    def counts(self, hour_ms: int, host: str) -> int:
        """Return about how many lines a file has, without making them; 0 only if it has none."""
        if quiet(hour_ms, self.switches.quiet):
            return 0
        count = self._count(self.random(hour_ms, host), hour_ms, host)
        return count + _is_busy(host) * (self.switches.unreadable_times + self.switches.unparsable)

    def _count(self, rng: Random, hour_ms: int, host: str) -> int:
        """Return how many lines: less for each further host, a few a day for the last."""
        scale, rank = self.world.scale, HOSTS.index(host)
        if rank >= len(WEIGHTS):
            return whole(rng, 3 * scale) if rng.random() < 0.15 else 0
        curve = 1 + 0.5 * math.sin((hour_ms // HOUR_MS + 6) % 24 / 24 * 2 * math.pi)
        return whole(rng, self.switches.lines_an_hour * curve * scale * WEIGHTS[rank] / sum(WEIGHTS))

    def _put(
        self, records: list[Record], rng: Random, time_ms: int, hour_ms: int, host: str, stamps: dict[int, str]
    ) -> None:
        chance = rng.random()
        if chance < self.switches.early_fraction:
            time_ms = hour_ms - 1000 * (1 + int(rng.random() * 30))
        if time_ms not in stamps:
            stamps[time_ms] = STAMPS[self.switches.time_format](time_ms, self.switches.zone)
        line = self._line(rng, stamps[time_ms], host).encode()
        records.append(self._grown(rng, time_ms, line, hour_ms, host, "plain"))
        if chance > 1 - self.switches.duplicate_fraction:
            records.append(self._grown(rng, time_ms, line, hour_ms, host, "duplicate"))

    def _grown(self, rng: Random, time_ms: int, line: bytes, hour_ms: int, host: str, kind: str) -> Record:
        """Return the line with its visibility: most in 30 minutes, some while the file grows, a few after."""
        chance, switches, end_ms = rng.random(), self.switches, hour_ms + HOUR_MS
        fleeting = chance > 1 - switches.fleeting_fraction
        visible_ms = time_ms + int(chance * PUBLISHED_MS)
        if chance < switches.late_fraction:
            late_max_ms = int(switches.late_max_seconds * 1000)
            visible_ms = end_ms + GROWN_MS + int(rng.random() * (late_max_ms - GROWN_MS))
        elif chance < switches.late_fraction + GROWTH:
            visible_ms = end_ms + PUBLISHED_MS + int(rng.random() * (GROWN_MS - PUBLISHED_MS))
        return Record(time_ms, visible_ms, line, hour_ms, kind, fleeting, host)

    def _line(self, rng: Random, stamp: str, host: str) -> str:
        r = rng.getrandbits(64)
        path = PATHS[r % len(PATHS)].replace("{r}", str(r >> 44)).replace("{q}", str(r >> 30 & 63))
        address = f"2001:db8::{r & 0xFFFF:x}" if r & 63 == 7 else f"203.0.{r >> 8 & 127}.{r >> 15 & 255}"
        line = (
            f"{stamp} {address} {host} {path} {r >> 24 & 0xFFFFF} {PROVINCES[(r >> 3) % len(PROVINCES)]}"
            f" {CARRIERS[(r >> 5) % len(CARRIERS)]} {STATUSES[(r >> 7) % len(STATUSES)]}"
            f" {REFERERS[(r >> 9) % len(REFERERS)]} {r >> 50 & 2047} {AGENTS[(r >> 11) % len(AGENTS)]}"
            f" {RANGES[(r >> 13) % len(RANGES)]}"
        )
        fields = self.switches.fields if self.switches.fields != "mix" else ("12", "15", "16")[r % 3]
        if fields == "12":
            return line
        method, protocol = METHODS[(r >> 17) % len(METHODS)], PROTOCOLS[(r >> 19) % len(PROTOCOLS)]
        line += f" {method} {protocol} {CACHE[(r >> 21) % len(CACHE)]}"
        return line if fields == "15" else f"{line} {r & 0xFFFF if r & 7 else '-'}"

    def _put_bad(self, records: list[Record], rng: Random, hour_ms: int, host: str) -> None:
        for number in range(self.switches.unreadable_times):
            stamp = UNREADABLE_TIMES[number % len(UNREADABLE_TIMES)]
            line = self._line(rng, stamp, host).encode()
            records.append(Record(hour_ms, hour_ms, line, hour_ms, "unreadable_time", host=host))
        for number in range(self.switches.unparsable):
            line = UNPARSABLE[number % len(UNPARSABLE)]
            records.append(Record(hour_ms, hour_ms, line, hour_ms, "unparsable", host=host))
