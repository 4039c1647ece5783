"""Credentials go into the request that leaves, and into nothing that is told of it."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
from hypothesis import given
from hypothesis import strategies as st

from logarchive.provider.credential import Credential
from logarchive.record.exact_json import compact

URL = "https://logs.example.com/search?a=%20b"


def sent(credential: Credential, request: httpx.Request) -> httpx.Request:
    """Return what leaves: the flow sends one request, and wants no answer."""
    [leaving] = credential.sync_auth_flow(request)
    return leaving


def request(content: bytes = b"{}", headers: dict[str, str] | None = None) -> httpx.Request:
    return httpx.Request("POST", URL, content=content, headers=headers, extensions={"timeout": {"read": 1.0}})


def test_a_header_replaces_one_of_its_name_however_that_is_written() -> None:
    leaving = sent(
        Credential({"x-key": "secret"}, {}), request(headers={"X-KEY": "{api_key}", "Referer": "https://a.test"})
    )
    assert leaving.headers.get_list("X-Key") == ["secret"]
    assert leaving.headers["referer"] == "https://a.test"


def test_the_request_itself_is_left_as_it_was() -> None:
    before = request(b'{"a":1}', {"Referer": "https://a.test"})
    headers = dict(before.headers)
    leaving = sent(Credential({"authorization": "Bearer t"}, {"license": "L-1"}), before)
    assert leaving is not before
    assert (before.content, dict(before.headers)) == (b'{"a":1}', headers)
    assert (leaving.method, leaving.url, leaving.extensions) == (before.method, before.url, before.extensions)


@given(
    members=st.dictionaries(st.sampled_from(["license", "token"]), st.text(), max_size=2),
    body=st.dictionaries(st.text().map(lambda key: f"_{key}"), st.integers(-(2**63), 2**63) | st.text(), max_size=4),
)
def test_whatever_is_sent_holds_the_members_and_all_that_stood_there(
    members: dict[str, str], body: dict[str, Any]
) -> None:
    leaving = sent(Credential({}, members), request(compact(body)))
    assert orjson.loads(leaving.content) == members | body
    assert leaving.headers["content-length"] == str(len(leaving.content))
    assert leaving.content.endswith(compact(body).removeprefix(b"{"))
