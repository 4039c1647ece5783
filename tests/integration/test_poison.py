"""One hour that always answers badly, among 48 good ones: the good ones are sealed when they would be without it."""

import datetime as dt
import gzip
import importlib
import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from logarchive.action.archive import Archive
from logarchive.action.handler import act
from logarchive.ledger.entry import Entry
from logarchive.moment import HOUR, instant
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.source_loader import SourceLoader
from logarchive.store.bucket import Store
from tests.fake_aws import FakeS3, FakeSecrets, FakeSsm, FakeTable
from tests.simulator import (
    HOSTS,
    NCLOUD_ACCESS_KEY,
    NCLOUD_SECRET_KEY,
    PROJECT_ID,
    PROJECT_KEY,
    SECURITY365_LICENSE,
    SECURITY365_REFERER,
    TENCENT_SECRET_ID,
    TENCENT_SECRET_KEY,
    Simulator,
)
from tests.simulator.message import Request

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOURS, BAD_HOUR = 49, 7
STEP = dt.timedelta(minutes=5)
BASE = "http://127.0.0.1:9"
SOURCES: dict[str, dict[str, Any]] = {
    "elsa": {"base_url": f"{BASE}/elsa", "project_key": PROJECT_KEY, "project_id": PROJECT_ID},
    "apigateway": {"base_url": f"{BASE}/apigateway"},
    "multidrm": {"base_url": f"{BASE}/multidrm"},
    "security365": {"base_url": f"{BASE}/security365", "referer": SECURITY365_REFERER},
    "dsa": {"base_url": f"{BASE}/cdn", "api": "cdn", "hosts": [HOSTS[0]], "download_hosts": ["127.0.0.1:9"]},
}
SECRETS = {
    "la/ncloud/one": json.dumps({"access_key": NCLOUD_ACCESS_KEY, "secret_key": NCLOUD_SECRET_KEY}),
    "la/security365/one": json.dumps({"license": SECURITY365_LICENSE}),
    "la/dsa/one": json.dumps({"secret_id": TENCENT_SECRET_ID, "secret_key": TENCENT_SECRET_KEY}),
}


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
class World:
    """One source of one provider on stand-ins for AWS; `poison`: what the bad hour answers, body after body."""

    name: str
    poison: Iterator[bytes] | None
    now: dt.datetime = START
    visited: str = ""
    table: FakeTable = field(default_factory=FakeTable)
    s3: FakeS3 = field(default_factory=FakeS3)
    #: Window -> the number of the tick after which it was sealed.
    sealed: dict[str, int] = field(default_factory=dict[str, int])
    failures: list[Exception] = field(default_factory=list[Exception])

    def __post_init__(self) -> None:
        self.provider: Any = importlib.import_module(f"functions.{self.name}.app").provider
        self.simulator = Simulator(scale=0.02, clock=lambda: self.now)
        self.table.gate = self._note

    def live(self) -> None:
        """Let the schedule fire every five minutes until every window was due for its last visit."""
        for number in range((HOURS + 4) * 12):
            self.now = max(self.now, START + number * STEP)
            try:
                act(self.archive(), {"action": "tick", "inline": True})
            except Exception as error:  # noqa: BLE001 (an invocation may fail; the schedule goes on)
                self.failures.append(error)
            for entry in self.entries():
                if entry.state == "sealed":
                    self.sealed.setdefault(entry.window_key, number)

    def entries(self) -> list[Entry]:
        """Return the entries of all windows."""
        return [Entry.of_item(item) for (_, sort), item in self.table.items.items() if not sort.startswith("#")]

    def archive(self) -> Archive[Any, Any]:
        """Return the archive as a fresh invocation sees it; who sleeps moves the clock."""

        def sleep(seconds: float) -> None:
            self.now += dt.timedelta(seconds=seconds)

        invocation = Invocation(
            name=f"invocation-{self.now}",
            started=self.now,
            deadline=self.now + 3 * STEP,
            clock=lambda: self.now,
            sleep=sleep,
            log=lambda event, **_keys: None,
        )
        secret = f"la/{self.provider.secret_group}/one"
        source = {"secret": secret, "start": instant(START), "revisit": ["PT2H"], "delay": "PT5M", **SOURCES[self.name]}
        return Archive(
            provider=self.provider,
            table=self.table,  # type: ignore[arg-type] # drop-ins
            store=Store(self.s3, "bucket"),  # type: ignore[arg-type]
            source_loader=self._loader(FakeSsm({f"/la/sources/{self.name}/shop": json.dumps(source)})),
            dispatch=lambda _event: None,
            invocation=invocation,
            transport=httpx.MockTransport(self._serve),
        )

    def _loader(self, ssm: Any) -> SourceLoader[Any, Any]:
        secrets: Any = FakeSecrets(SECRETS)
        return SourceLoader(self.provider, ssm, secrets, f"/la/sources/{self.name}", "la", None)

    def _note(self, call: str, moment: str) -> None:
        """Remember which window was claimed last: it is the one that requests are for."""
        what = call.removeprefix("ddb.update ")
        if moment == "after" and what != call and not what.startswith("#"):
            self.visited = what

    def _serve(self, request: httpx.Request) -> httpx.Response:
        if self.poison is not None and self.visited.startswith(instant(START + BAD_HOUR * HOUR)[:13]):
            return httpx.Response(200, content=next(self.poison))
        target = request.url.raw_path.decode()
        asked = Request(request.method, target, {k.lower(): v for k, v in request.headers.items()}, request.content)
        answer = self.simulator.answer(asked)
        headers = {"Content-Type": answer.content_type, "Date": f"{self.now:%a, %d %b %Y %H:%M:%S GMT}"}
        return httpx.Response(answer.status, content=answer.body, headers=headers | answer.headers)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_an_hour_that_always_answers_badly_delays_no_other(name: str) -> None:
    without, poisoned = World(name, None), World(name, itertools.cycle(BODIES))
    without.live()
    poisoned.live()
    bad = instant(START + BAD_HOUR * HOUR)
    assert len(without.sealed) >= HOURS
    assert poisoned.sealed == {key: when for key, when in without.sealed.items() if not key.startswith(bad)}
    [entry] = [
        entry for entry in poisoned.entries() if entry.window.start <= START + BAD_HOUR * HOUR < entry.window.end
    ]
    assert entry.issue
    assert entry.manifest
    assert poisoned.failures == []
