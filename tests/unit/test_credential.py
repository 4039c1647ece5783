"""Credentials go into the request that leaves; test_security365 shows that nothing told of it has them."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
from hypothesis import given
from hypothesis import strategies as st

from logarchive.provider.credential import Credential
from logarchive.record.exact_json import compact


def test_the_request_itself_is_left_as_it_was() -> None:
    before = httpx.Request("POST", "https://a.test/?a=%20b", content=b'{"a":1}', extensions={"timeout": {"read": 1.0}})
    headers = dict(before.headers)
    [leaving] = Credential({"authorization": "Bearer t"}, {"license": "L-1"}).sync_auth_flow(before)
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
    [leaving] = Credential({}, members).sync_auth_flow(httpx.Request("POST", "https://a.test", content=compact(body)))
    assert orjson.loads(leaving.content) == members | body
    assert leaving.headers["content-length"] == str(len(leaving.content))
    assert leaving.content.endswith(compact(body).removeprefix(b"{"))
