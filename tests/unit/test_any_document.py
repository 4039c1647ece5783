"""Whatever JSON document an API answers with, each provider's `fetch` ends in parts or in an error that is declared."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.dsa.app import FACTS
from functions.dsa.app import provider as dsa
from logarchive.errors import OutOfTimeError, ProviderError
from logarchive.provider.provider import Provider
from logarchive.window import Span
from tests.unit.exchange import NOW, Time, answer, opened
from tools.registry import providers

HOUR = Span(NOW, NOW + dt.timedelta(hours=1))
SECRETS: dict[str, dict[str, str]] = {
    "dsa": {"secret_id": "secretIdFoo", "secret_key": "secretKeyBar"},
    "security365": {"license": "licence-one"},
}
NCLOUD = {"access_key": "accessKey", "secret_key": "secretKey"}
SOURCES: dict[str, dict[str, Any]] = {
    "apigateway": {"page_size": 2},
    "elsa": {"project_key": "shop", "project_id": 7},
    "multidrm": {"policy_ids": "all"},
    "security365": {"base_url": "https://a.test", "referer": "https://a.test", "page_size": 2},
    "dsa": {"api": "dsa", "hosts": ["a.test"], "pace": None},
    "cdn": {"api": "cdn", "hosts": ["a.test"], "pace": None},
}
_TIME = 1795352400000
#: A good document of each API.
GOOD: dict[str, Any] = {
    "apigateway": {"events": {"content": [{"time": "2026-11-22 22:30:00", "level": "EVENT"}] * 2, "total": 2}},
    "elsa": {"code": 0, "logs": [{"logTime": _TIME, "body": "b", "error": {"errorCode": 0, "details": ""}}]},
    "multidrm": {"success": True, "content": [{"policyId": 1, "timestamp": _TIME}], "total": 1, "error": None},
    "security365": {"code": 0, "msg": "", "total": 9, "items": [{"time": _TIME, "sort": [_TIME, "a"]}] * 2},
    "dsa": {
        "code": 0,
        "message": "",
        "codeDesc": "Success",
        "data": {
            "a.test": [{"datetime": "2026-11-22 21:00:00", "url": f"http://{FACTS['dsa']['download_hosts'][0]}/a"}]
        },
    },
    "cdn": {
        "Response": {
            "DomainLogs": [{"StartTime": "2026-11-22 21:00:00", "LogPath": "http://a.test/a", "Area": "mainland"}],
            "TotalCount": 1,
            "RequestId": "r",
            "Error": {"Code": "", "Message": ""},
        }
    },
}
WORDS = ["", "0", "410", "9" * 5000, "0001-01-01 00:00:00", "9999-12-31 23:59:59", "AuthFailure.x", "ftp://a.test:1/"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**63, -(10**30), 10**400]),
    st.floats(),
    st.text(max_size=9),
    st.sampled_from(WORDS),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container of a document with each of its keys or positions."""
    items: list[tuple[Any, Any]] = [*document.items()] if isinstance(document, dict) else [*enumerate(document)]
    for key, value in items:
        yield document, key
        if isinstance(value, (dict, list)):
            yield from places(value)


@st.composite
def documents(draw: Callable[[st.SearchStrategy[Any]], Any], name: str) -> Any:
    """Return a good document with wrong values at up to three places, or any JSON at all."""
    document = json.loads(json.dumps(GOOD[name]))
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(list(places(document))))
        holder[key] = draw(JSON)
    return draw(st.just(document) | JSON)


def ends(name: str, directory: Path, document: Any, status: int) -> None:
    """Fetch from an API that gives the same answer to everything."""
    provider: Provider[Any, Any] = dsa if name == "cdn" else providers()[name]
    source = provider.source.model_validate({"secret": "s", **SOURCES[name]})
    secret = provider.secret.model_validate(SECRETS.get(provider.name, NCLOUD))
    body = json.dumps(document).encode("utf-8", "surrogatepass")
    count = 0

    def reply(_request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        if count > 30:  # a total may announce pages without end
            raise OutOfTimeError
        return answer(status, body)

    try:
        for _ in provider.fetch(opened(provider, source, secret, directory, reply, Time()), source, HOUR):
            pass
    except (ProviderError, OutOfTimeError):
        pass


@pytest.mark.parametrize("name", sorted(GOOD))
@settings(max_examples=40, deadline=None)
@given(data=st.data(), status=st.sampled_from([200, 200, 400, 429, 500]))
def test_any_document_ends_in_parts_or_an_error_of_the_provider(name: str, data: st.DataObject, status: int) -> None:
    document = data.draw(documents(name))
    with TemporaryDirectory() as directory:
        ends(name, Path(directory), deepcopy(document), status)
