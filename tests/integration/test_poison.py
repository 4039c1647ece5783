"""One hour that always answers badly, among 48 good ones: the good ones are sealed when they would be without it."""

import datetime as dt
import gzip
import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from logarchive.ledger.entry import Entry
from logarchive.moment import HOUR, instant
from tests.integration.stage import PROVIDERS
from tests.scenario import START, Scenario
from tests.simulator import Simulator, secrets, source
from tests.simulator.message import Request

HOURS, BAD_HOUR = 49, 7
STEP = dt.timedelta(minutes=5)


def _zip(body: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.json"), body)
    return file.getvalue()


#: Bodies under HTTP 200 that are a good answer of no provider.
BODIES: tuple[bytes, ...] = (
    b'"Internal" error',
    b'"{\\"errorCode\\":\\"300\\"}"',
    b"a\rb",
    b'{"elapsed": NaN, "logTime": }',
    b'{"code": 0, "maxScore": NaN',
    b"<html><body>maintenance</body></html>",
    b"\xef\xbb\xbf<html>maintenance</html>",
    b"Internal Server Error",
    b"null",
    b"true",
    b"17",
    b'""',
    b"[1, 2",
    b'[{"logTime": 1, "c": {"k": 1}, {"logTime": 2}]',
    b'{"error": {"errorCode": "900", "message": "unexpected"}}',
    b'{"error": {"errorCode": "400"}, "logs": []}',
    b'{"success": false, "message": "time-out", "logs": []}',
    b'{"code": 500, "message": "export failed"}',
    b'{"code": 4100, "message": "no"}',
    b'{"Response": {"Error": {"Code": "InternalError", "Message": "x"}, "RequestId": "1"}}',
    b'{"a": {"b": {"c": 1}}}',
    b"\x00" * 100,
    b"\xff\xfe{\x00}\x00",
    b"PK\x03\x04 cut",
    _zip(b'{"error": {"errorCode": "900"}, "logs": []}'),
    _zip(b'{"success": false, "message": "time-out", "logs": []}'),
    _zip(b'{"code": 500, "message": "export failed"}'),
    _zip(b"<html>maintenance</html>"),
    _zip(b'{"logTime": 1')[:-30],
    _zip(b"x" * 5000)[:60],
    gzip.compress(b"<html>maintenance</html>"),
    gzip.compress(b'{"code": 5, "msg": "no"}')[:-5],
    gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"deep")))))),
    b"\x1f\x8b\x08 no gzip",
    b"BZh91AY&SY" + b"\x00" * 20,
    b"\xfd7zXZ\x00" + b"\x00" * 20,
    b"\x28\xb5\x2f\xfd" + b"\x00" * 20,
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"' + b"k" * 100_000 + b'": 1}',
)


@dataclass
class World(Scenario):
    """One source of one provider, which the simulator plays; `poison`: what the bad hour answers, body after body."""

    poison: Iterator[bytes] | None = None
    visited: str = ""
    #: Window -> the number of the tick after which it was sealed.
    sealed: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        super().__post_init__()
        self.simulator = Simulator(scale=0.02, clock=lambda: self.now)
        self.sleep, self.gate = self._pass, self._note

    def _pass(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def bad_hour(self) -> list[Entry]:
        """Return the entries of the window that answers badly."""
        return [entry for entry in self.entries() if entry.window.start <= START + BAD_HOUR * HOUR < entry.window.end]

    def live(self) -> None:
        """Let the schedule fire every five minutes until every window was due for its last visit."""
        for number in range((HOURS + 4) * 12):
            self.now = max(self.now, START + number * STEP)
            self.tick()
            for entry in self.entries():
                if entry.state == "sealed":
                    self.sealed.setdefault(entry.window_key, number)

    def _note(self, call: str, moment: str) -> None:
        """Remember which window was claimed last: it is the one that requests are for."""
        what = call.removeprefix("ddb.update ")
        if moment == "after" and what != call and not what.startswith("#"):
            self.visited = what

    def _serve(self, request: httpx.Request, now: dt.datetime) -> httpx.Response:
        if self.poison is not None and self.visited.startswith(instant(START + BAD_HOUR * HOUR)[:13]):
            return httpx.Response(200, content=next(self.poison))
        target = request.url.raw_path.decode()
        asked = Request(request.method, target, {k.lower(): v for k, v in request.headers.items()}, request.content)
        answer = self.simulator.answer(asked)
        headers = {"Content-Type": answer.content_type, "Date": f"{self.now:%a, %d %b %Y %H:%M:%S GMT}"}
        return httpx.Response(answer.status, content=answer.body, headers=headers | answer.headers)


def lived(name: str, poison: Iterator[bytes] | None = None) -> World:
    common = {"secret": f"la/{PROVIDERS[name].secret_group}/one", "start": instant(START)}
    document = source(name, "http://127.0.0.1:9", revisit=["PT2H"], delay="PT5M", **common)
    keys = {secret: json.dumps(values) for secret, values in secrets("la", "one").items()}
    world = World([], sources={"shop": document}, secrets=keys, provider=PROVIDERS[name], poison=poison)
    world.live()
    return world


@pytest.mark.slow
@pytest.mark.parametrize("name", PROVIDERS)
def test_an_hour_that_always_answers_badly_delays_no_other(name: str) -> None:
    without, poisoned = lived(name), lived(name, itertools.cycle(BODIES))
    bad = instant(START + BAD_HOUR * HOUR)
    assert len(without.sealed) >= HOURS
    assert poisoned.sealed == {key: when for key, when in without.sealed.items() if not key.startswith(bad)}
    assert [entry.issue for entry in poisoned.bad_hour() if entry.manifest]
    # The back-off has let only some of the bodies come.
    for body in BODIES:
        poisoned.poison = itertools.repeat(body)
        failures = sum(entry.failures for entry in poisoned.bad_hour())
        poisoned.act("backfill", source="shop", start=bad, end=instant(START + (BAD_HOUR + 1) * HOUR), inline=True)
        after = poisoned.bad_hour()
        assert all(entry.state == "planned" and entry.issue for entry in after), body[:60]
        assert sum(entry.failures for entry in after) > failures, body[:60]
