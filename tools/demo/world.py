"""What is played: the providers' traffic and their faults, and the sources that are configured."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from tests.simulator import HOSTS, secrets, source
from tests.truth import Place
from tools.registry import providers
from tools.stack import STACK

HOUR = dt.timedelta(hours=1)
#: How many hours that have ended are archived: the last two are too young for `dsa`, whose files grow so long.
HOURS = 51
CAP = 15_000
#: How many records a response holds at most; a full response is replaced by both halves of its range.
CAPS = {"elsa": CAP, "security365": 10_000}

SECRETS = secrets(STACK, "demo")
#: The functions must recover from each fault by themselves.
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "429", "provider": "elsa", "times": 3, "retry_after": 1},
    {"kind": "429", "provider": "apigateway", "times": 2, "retry_after": 1},
    {"kind": "fail", "provider": "multidrm", "times": 2, "code": "280000"},
    {"kind": "fail", "provider": "security365", "times": 2, "code": "61001"},
    {"kind": "fail", "provider": "dsa", "endpoint": "listing", "host": HOSTS[0], "times": 2, "code": "LimitExceeded"},
    {"kind": "503", "provider": "dsa", "endpoint": "download", "times": 2},
    {"kind": "cut_body", "provider": "dsa", "endpoint": "download"},
    {"kind": "expired_link", "provider": "dsa", "endpoint": "download"},
)
FAULT_NAMES = {
    "429": "throttled (429 with Retry-After)",
    "fail": "failed under HTTP 200 (a code in the body)",
    "503": "failed (503)",
    "cut_body": "closed the connection in the middle of a file",
    "expired_link": "refused an expired link",
}


@dataclass(frozen=True)
class DemoSource:
    """One source: its name, its JSON document, and the simulator's hosts that it archives."""

    provider: str
    name: str
    document: dict[str, Any]
    hosts: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The source as people name it, `elsa/checkout`."""
        return f"{self.provider}/{self.name}"

    @property
    def place(self) -> Place:
        """Where its things lie in the bucket."""
        return Place(self.provider, self.name)

    @property
    def last_age(self) -> dt.timedelta:
        """The age at which its windows are sealed."""
        return HOUR * int(str(self.document["revisit"][-1]).removeprefix("PT").removesuffix("H"))

    @property
    def window(self) -> dt.timedelta:
        """The length of its windows."""
        return HOUR * int(str(self.document.get("window", "PT1H")).removeprefix("PT").removesuffix("H"))

    @property
    def workers(self) -> int:
        """How many workers may be at work on it at once."""
        return int(self.document.get("workers", 1))


def hour(moment: dt.datetime) -> dt.datetime:
    """Return the start of the hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def sources(url: str, now: dt.datetime) -> tuple[DemoSource, ...]:
    """Return the sources to archive, all of whose addresses are the simulator's."""
    start = f"{hour(now) - HOURS * HOUR:%Y-%m-%dT%H:%M:%SZ}"

    def demo(provider: str, name: str, *revisit: str, hosts: tuple[str, ...] = (), **configured: object) -> DemoSource:
        secret = f"{STACK}/{providers()[provider].secret_group}/demo"
        configured |= {"secret": secret, "start": start, "revisit": revisit} | ({"hosts": hosts} if hosts else {})
        return DemoSource(provider, name, source(provider, url, **configured), hosts)

    return (
        demo("elsa", "checkout", "PT1H", "PT6H", workers=2, count=CAP),
        # These two return whole days, or policies: longer windows.
        demo("apigateway", "account", "PT1H", "PT6H", window="PT6H", page_size=500),
        demo("multidrm", "site", "PT1H", "PT6H", window="PT6H"),
        demo("security365", "portal", "PT1H", "PT6H"),
        demo("dsa", "edge", "PT4H", "PT8H", workers=2, api="cdn", hosts=HOSTS[:5]),
        demo("dsa", "legacy", "PT4H", "PT8H", api="dsa", hosts=HOSTS[7:]),
    )


def broken(url: str) -> DemoSource:
    """Return a source with a typing error."""
    document = {"secret": f"{STACK}/ncloud/demo", "project_key": "Pb124_search", "project_idd": 16707}
    return DemoSource("elsa", "typo", {**document, "base_url": f"{url}/elsa"})


def orders(now: dt.datetime) -> dict[str, Any]:
    """Return the orders for the simulator before anything is archived."""
    busiest = int(hour(now).timestamp()) // 3600 - 30
    elsa = {"records_an_hour": 2200, "burst": 40_000, "burst_phase": busiest % 48, "unreadable_times": 1}
    dsa = {"lines_an_hour": 3200, "unparsable": 1}
    lossy = {"fleeting_fraction": 0.002}
    switches = {
        "elsa": elsa | lossy,
        "apigateway": {"records_an_hour": 150},
        "multidrm": {"records_an_hour": 150} | lossy,
        "security365": {"crowd_phase": (busiest - 3) % 168, "unreadable_times": 1} | lossy,
        "dsa": dsa | lossy,
    }
    return {"switches": switches, "faults": list(FAULTS)}


def late(source: DemoSource, start: dt.datetime, count: int) -> list[dict[str, Any]]:
    """Return records of one hour that the provider shows only now, spread over the hour."""
    moments = [start + HOUR * (number + 0.5) / count for number in range(count)]
    text = LATE[source.provider]
    host = source.hosts[0] if source.hosts else ""
    return [
        {"provider": source.provider, "time": moment.isoformat(), "text": text(moment, number, host), "host": host}
        for number, moment in enumerate(moments)
    ]


def _late_record(moment: dt.datetime, number: int, _host: str) -> str:
    record = {"projectName": "checkout", "projectVersion": "1.3.0", "body": f"order {number} paid, reported late"}
    return json.dumps(record | {"logLevel": "WARN", "logTime": int(moment.timestamp() * 1000), "orderId": number})


def _late_line(moment: dt.datetime, number: int, host: str) -> str:
    local = moment + 8 * HOUR
    start = f"{local:%Y%m%d%H%M%S} 203.0.113.{number % 256} {host} /late"
    return f'{start} 512 22 2 200 NULL 12 "curl/8.11.0" "(null)" GET HTTP/2.0 hit'


def _late_event(moment: dt.datetime, number: int, _host: str) -> str:
    local = f"{moment + 9 * HOUR:%Y-%m-%d %H:%M:%S}"
    return json.dumps(
        {"time": local, "level": "ALARM", "type": "EU400", "message": f"quota exceeded, told late: {number}"}
    )


def _late_policy(moment: dt.datetime, number: int, _host: str) -> str:
    described = f"Policy 0 - default{number} update completed"
    return json.dumps({"policyId": 0, "description": described, "timestamp": int(moment.timestamp() * 1000)})


def _late_item(moment: dt.datetime, number: int, _host: str) -> str:
    ms = int(moment.timestamp() * 1000)
    event = {
        "logLevel": "WARN",
        "event": "DOC_OPEN",
        "description": "opened offline, told late",
        "detail": '{"offline":true}',
    }
    return json.dumps({"time": ms, "userId": "kim@socam.info", **event, "sort": [ms, f"{number:064X}"]})


#: A record as each provider returns it.
LATE = {
    "elsa": _late_record,
    "apigateway": _late_event,
    "multidrm": _late_policy,
    "security365": _late_item,
    "dsa": _late_line,
}
