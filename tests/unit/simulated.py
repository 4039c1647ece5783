"""Requests to the simulated providers, as the vendors' pages describe them: each asks for the hour HOUR."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.simulator import HOSTS, KEYS, Simulator, source
from tests.simulator.elsa import PROJECT_ID, PROJECT_KEY
from tests.simulator.security365_record import REFERER
from tools.registry import providers

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
HOUR = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ONE_HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HTTP = httpx.Client(trust_env=False, timeout=30)


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


FIRST, LAST = ms(HOUR), ms(HOUR + ONE_HOUR) - 1
#: Of each API, its method and path, where its parameters stand, and what they are.
REQUESTS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "elsa": ("POST", "/elsa/api/v1/logs/download", "json", {
        "projectKey": PROJECT_KEY, "projectId": PROJECT_ID, "from": FIRST, "to": LAST, "limit": 1000, "count": 200_000,
    }),
    "apigateway": ("POST", "/apigateway/api/v1/dashboards/events/search", "json", {
        "timeZone": "+00:00", "from": "2026-11-22", "to": "2026-11-22", "limit": 100_000,
    }),
    "multidrm": ("GET", "/multidrm/api/v1/policy/policyLog", "params", {
        "pageNo": 1, "pageSize": 100, "startTime": FIRST, "endTime": LAST,
    }),
    "security365": ("POST", "/security365/v1/siems/externalSearch", "json", {
        "size": 10_000, "from": FIRST, "to": LAST, "sort": [{"time": "desc"}, {"_id": "asc"}],
    }),
    "dsa": ("POST", "/dsa/v2/index.php", "data", {
        "Action": "GetDsaHostLogs", "hosts": json.dumps(HOSTS[:1]), "startDate": "2026-11-22", "endDate": "2026-11-22",
    }),
    "cdn": ("POST", "/cdn/", "json", {
        "Domain": HOSTS[0], "StartTime": "2026-11-22 20:00:00", "EndTime": "2026-11-22 20:59:59",
    }),
}  # fmt: skip
HEADERS = {
    "multidrm": {"x-ncp-region_code": "KR", "content-type": "application/json"},
    "security365": {"referer": REFERER},
    "cdn": {"x-tc-version": "2018-06-06", "x-tc-action": "DescribeCdnDomainLogs"},
}


def ask(
    sim: Simulator, name: str, *, skew_seconds: int = 0, secret: str = "", headers: Mapping[str, str] = {}, **more: Any
) -> httpx.Response:
    """Ask a provider for HOUR; `more` are parameters of the request, None leaves one out.

    Our own code signs it: that it does so as the vendors' pages say is for the tests of signatures to prove.
    """
    method, path, place, parameters = REQUESTS[name]
    asked = {key: value for key, value in (parameters | more).items() if value is not None}
    provider = providers()["dsa" if name == "cdn" else name]
    document = source(provider.name, sim.url, secret="s", **({"api": name} if provider.name == "dsa" else {}))
    keys = KEYS[provider.secret_group]
    keys = keys | {list(keys)[-1]: secret or list(keys.values())[-1]}
    auth = provider.auth(
        provider.source.model_validate(document),
        provider.secret.model_validate(keys),
        lambda: sim.now() + timedelta(seconds=skew_seconds),
    )
    request: dict[str, Any] = {place: asked}
    return HTTP.request(method, sim.url + path, headers={**HEADERS.get(name, {}), **headers}, auth=auth, **request)


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
