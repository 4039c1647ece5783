"""A small archive, made by the real code on stand-ins for AWS. The docs show it as an example."""

import datetime as dt
import io
import json
import zipfile
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from logarchive.action.handler import act
from tests.scenario import START, Scenario, read_rows

MINUTE = dt.timedelta(minutes=1)
SOURCE = {"window": "PT1H", "project_key": "Pb123_shop", "project_id": 16706}
#: A minute after the first window is due.
NOW = START + 66 * MINUTE
#: What a provider whose clock is ahead answers, and the time that it believes in.
REFUSAL = {"error": {"errorCode": "200", "message": "Authentication Failed"}}
AHEAD = NOW + 10 * MINUTE
RECORDS = (
    {
        "logTime": int((START + 12 * MINUTE).timestamp() * 1000) + 345,
        "logLevel": "ERROR",
        "projectName": "shop",
        "projectVersion": "1.3.0",
        "host": "10.0.3.7",
        "body": "payment refused",
        "ExceptionType": "CardError",
        "order": {"id": 4711, "items": ["a", "b"]},
    },
    {"logTime": int((START + 13 * MINUTE).timestamp() * 1000), "logLevel": "INFO", "body": "order 4712 paid"},
)


@dataclass(frozen=True)
class Sample:
    """The result of one tick, the objects that it wrote, the result of `status` after it, and that of a `doctor`.

    Before the `doctor` the provider's clock was set ten minutes ahead, so that it refuses signatures.
    """

    tick: dict[str, Any]
    status: dict[str, Any]
    doctor: dict[str, Any]
    objects: dict[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the one visit."""
        content: dict[str, Any] = json.loads(self._ending("manifest.json"))
        return content

    @property
    def row(self) -> dict[str, Any]:
        """The row of the first record, without its NULLs."""
        first = read_rows(self._ending(".parquet"))[0]
        return {name: value for name, value in first.items() if value is not None}

    def _ending(self, suffix: str) -> bytes:
        return next(body for key, body in self.objects.items() if key.endswith(suffix))


@cache
def sample() -> Sample:
    """Run one tick, an hour after the source's start."""
    body = _zipped(b"[" + b",".join(json.dumps(record).encode() for record in RECORDS) + b',{"logLevel":"INFO"}]')
    scenario = Scenario(world=[], now=NOW, source=SOURCE, answer=lambda _request: httpx.Response(200, content=body))
    tick = scenario.tick()
    status = act(scenario.archive(), {"action": "status"})
    scenario.answer = lambda _request: httpx.Response(
        401, json=REFUSAL, headers={"date": f"{AHEAD:%a, %d %b %Y %T GMT}"}
    )
    doctor = act(scenario.archive(), {"action": "doctor"})
    return Sample(tick, status, doctor, {key: stored.body for key, stored in sorted(scenario.s3.objects.items())})


def _zipped(content: bytes) -> bytes:
    """Return a zip that is the same bytes on every machine: nothing in it is compressed."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as file:
        file.writestr(zipfile.ZipInfo("logs.json"), content)
    return body.getvalue()
