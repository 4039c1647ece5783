"""What the tests of the simulated providers share: a fixed time, a client, and a signature of the page's formula."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from tests.simulator import NCLOUD_ACCESS_KEY, NCLOUD_SECRET_KEY, Record, Simulator
from tests.simulator.signature import ncloud

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
HOUR = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ONE_HOUR, DAY, MILLISECOND = timedelta(hours=1), timedelta(days=1), timedelta(milliseconds=1)
HTTP = httpx.Client(trust_env=False, timeout=30)
type Response = httpx.Response


def ms(moment: datetime) -> int:
    """Return epoch milliseconds."""
    return round(moment.timestamp() * 1000)


def signed(sim: Simulator, method: str, target: str, secret: str = NCLOUD_SECRET_KEY) -> dict[str, str]:
    """Return the headers of the API Gateway for a request of this moment."""
    stamp = str(ms(sim.now()))
    signature = ncloud(method, target, stamp, NCLOUD_ACCESS_KEY, secret)
    names = ("x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-signature-v2")
    return dict(zip(names, (stamp, NCLOUD_ACCESS_KEY, signature), strict=True))


def shown(sim: Simulator, provider: str, start: datetime, end: datetime) -> list[Record]:
    """Return what the truth says is visible now, the newest first."""
    return [record for record in sim.truth(provider, start, end) if record.visible_from <= sim.now()][::-1]
