"""Requests to the simulated providers, written by hand from the vendors' pages: each asks for the hour HOUR."""

import io
import itertools
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

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
from tests.simulator.signature import api2, ncloud, tc3

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
HOUR = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ONE_HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HTTP = httpx.Client(trust_env=False, timeout=30)
PATHS = {
    "elsa": "/elsa/api/v1/logs/download",
    "apigateway": "/apigateway/api/v1/dashboards/events/search",
    "multidrm": "/multidrm/api/v1/policy/policyLog",
    "security365": "/security365/v1/siems/externalSearch",
    "dsa": "/dsa/v2/index.php",
    "cdn": "/cdn/",
}
_NONCES = itertools.count(1)


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def ask(
    sim: Simulator, name: str, *, skew_seconds: int = 0, secret: str = "", headers: Mapping[str, str] = {}, **more: Any
) -> httpx.Response:
    """Ask a provider for HOUR; `more` are parameters of the request, None leaves one out."""
    asked = {key: value for key, value in (_parameters(name) | more).items() if value is not None}
    stamp = ms(sim.now()) + skew_seconds * 1000
    if name == "dsa":
        return _api2(sim, asked, stamp // 1000, secret or TENCENT_SECRET_KEY)
    if name == "cdn":
        return _tc3(sim, asked, stamp // 1000, secret or TENCENT_SECRET_KEY)
    if name == "security365":
        return HTTP.post(sim.url + PATHS[name], json=asked, headers={"Referer": SECURITY365_REFERER} | dict(headers))
    get = name == "multidrm"
    target = PATHS[name] + (f"?{urlencode(asked)}" if get else "")
    method = "GET" if get else "POST"
    signature = ncloud(method, target, str(stamp), NCLOUD_ACCESS_KEY, secret or NCLOUD_SECRET_KEY)
    signed = {"x-ncp-apigw-timestamp": str(stamp), "x-ncp-iam-access-key": NCLOUD_ACCESS_KEY}
    signed |= {"x-ncp-apigw-signature-v2": signature, "x-ncp-region_code": "KR", "content-type": "application/json"}
    content = None if get else json.dumps(asked).encode()
    return HTTP.request(method, sim.url + target, content=content, headers=signed | dict(headers))


def _parameters(name: str) -> dict[str, Any]:
    first, last = ms(HOUR), ms(HOUR + ONE_HOUR) - 1
    if name == "elsa":
        where = {"projectKey": PROJECT_KEY, "projectId": PROJECT_ID}
        return where | {"from": first, "to": last, "limit": 1000, "count": 200_000}
    if name == "apigateway":
        return {"timeZone": "+00:00", "from": "2026-11-22", "to": "2026-11-22", "limit": 100_000}
    if name == "multidrm":
        return {"pageNo": 1, "pageSize": 100, "startTime": first, "endTime": last}
    if name == "security365":
        asked = {"size": 10_000, "from": first, "to": last, "sort": [{"time": "desc"}, {"_id": "asc"}]}
        return asked | {"license": SECURITY365_LICENSE}
    if name == "dsa":
        return {"hosts": json.dumps(HOSTS[:1]), "startDate": "2026-11-22", "endDate": "2026-11-22"}
    return {"Domain": HOSTS[0], "StartTime": "2026-11-22 20:00:00", "EndTime": "2026-11-22 20:59:59"}


def _api2(sim: Simulator, asked: dict[str, Any], stamp: int, secret: str) -> httpx.Response:
    form = {"Action": "GetDsaHostLogs", "SecretId": TENCENT_SECRET_ID, "Nonce": str(next(_NONCES))}
    form |= {"Timestamp": str(stamp)} | asked
    form["Signature"] = api2("POST", urlsplit(sim.url).netloc, PATHS["dsa"], form, secret)
    return HTTP.post(sim.url + PATHS["dsa"], data=form)


def _tc3(sim: Simulator, asked: dict[str, Any], stamp: int, secret: str) -> httpx.Response:
    content = json.dumps(asked).encode()
    headers = {"host": urlsplit(sim.url).netloc, "content-type": "application/json", "x-tc-version": "2018-06-06"}
    headers |= {"x-tc-action": "DescribeCdnDomainLogs", "x-tc-timestamp": str(stamp)}
    signature = tc3("/", headers, ["content-type", "host"], content, "cdn", secret)
    scope = f"{TENCENT_SECRET_ID}/{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d}/cdn/tc3_request"
    authorization = f"TC3-HMAC-SHA256 Credential={scope}, SignedHeaders=content-type;host, Signature={signature}"
    return HTTP.post(sim.url + PATHS["cdn"], content=content, headers=headers | {"authorization": authorization})


def refusal(name: str, response: httpx.Response) -> tuple[int, Any]:
    """Return the HTTP status and the vendor's code of an error; the code is None if it is none."""
    body: dict[str, Any] = response.json() if "json" in response.headers["content-type"] else {}
    if name == "cdn":
        return response.status_code, body["Response"].get("Error", {}).get("Code")
    error: dict[str, Any] = body.get("error", body)
    code: object = error.get("errorCode", error.get("code"))
    return response.status_code, code or None


def records(name: str, response: httpx.Response) -> list[Any]:
    """Return the records of a response."""
    if name == "elsa":
        return [one for content in members(response) for one in json.loads(content)]
    body = response.json()
    found: list[Any] = body["events"]["content"] if name == "apigateway" else body.get("content", body.get("items"))
    return found


def members(response: httpx.Response) -> list[bytes]:
    """Return the contents of a zip."""
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return [archive.read(info) for info in archive.infolist()]


def links(sim: Simulator, host: str = HOSTS[0]) -> dict[str, str]:
    """Return the links of a host's day by their hours in +08:00, such as `2026-11-22 20:00:00`."""
    listed = ask(sim, "dsa", hosts=json.dumps([host])).json()["data"][host]
    return {one["datetime"]: one["url"] for one in listed}
