"""What a client must be told of the simulated providers: credentials, and the fields of a source that finds them."""

from typing import Any

from tests.simulator import gateway, security365, tencent
from tests.simulator.dsa_line import HOSTS
from tests.simulator.elsa import PROJECT_ID, PROJECT_KEY
from tests.simulator.security365_record import REFERER

#: By the group of providers that share a secret.
KEYS: dict[str, dict[str, str]] = {
    "ncloud": {"access_key": gateway.ACCESS_KEY, "secret_key": gateway.SECRET_KEY},
    "security365": {"license": security365.LICENSE},
    "dsa": {"secret_id": tencent.SECRET_ID, "secret_key": tencent.SECRET_KEY},
}
#: What must be written down nowhere.
HIDDEN = (gateway.SECRET_KEY, tencent.SECRET_KEY, security365.LICENSE)
#: What a source of each provider must say besides its address.
FIELDS: dict[str, dict[str, Any]] = {
    "elsa": {"project_key": PROJECT_KEY, "project_id": PROJECT_ID},
    "apigateway": {},
    "multidrm": {},
    "security365": {"referer": REFERER},
    "dsa": {"api": "cdn", "hosts": list(HOSTS[:1])},
}


def secrets(prefix: str, name: str) -> dict[str, dict[str, str]]:
    """Return the secrets of all providers by their names in Secrets Manager."""
    return {f"{prefix}/{group}/{name}": keys for group, keys in KEYS.items()}


def source(provider: str, url: str, **configured: object) -> dict[str, Any]:
    """Return the document of a source, all of whose addresses are those of a simulator."""
    fields = FIELDS[provider] | configured
    hosts = {"download_hosts": [url.removeprefix("http://")]} if "api" in fields else {}
    return {"base_url": f"{url}/{fields.get('api', provider)}"} | hosts | fields
