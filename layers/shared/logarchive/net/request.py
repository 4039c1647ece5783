"""One request as a provider makes it: how it is sent, and what the manifest says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from logarchive.net.redaction import Redaction
from logarchive.provider.provider import Json
from logarchive.record.exact_json import compact

#: A manifest repeats at most this much of each part of a request: what a source's parameter can hold.
DESCRIBED_CHARACTERS = 8_192


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request before it is signed; `url` has a query only if it is a download link."""

    method: str
    url: str
    params: Mapping[str, str | int] | None = None
    json: Json | None = None
    data: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def built(self, timeout: httpx.Timeout) -> httpx.Request:
        """Return it as it is sent. The query is encoded here, once: what is signed is what is sent."""
        query = f"?{urlencode(self.params, quote_via=quote, safe='')}" if self.params else ""
        headers = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "logarchive"} | dict(self.headers)
        content = None
        if self.json is not None:
            headers["content-type"], content = "application/json", compact(self.json)
        elif self.data is not None:
            headers["content-type"], content = "application/x-www-form-urlencoded", urlencode(self.data).encode()
        extensions = {"timeout": timeout.as_dict()}
        return httpx.Request(self.method, self.url + query, headers=headers, content=content, extensions=extensions)

    def described(self, redaction: Redaction) -> dict[str, Any]:
        """Return it for the manifest: without signature, secret, or the query of a download link."""
        content = {"params": self.params, "json": self.json, "form": self.data, "headers": self.headers}
        whole = {"method": self.method, "url": self.address} | {name: value for name, value in content.items() if value}
        return {name: redaction.brief(value, DESCRIBED_CHARACTERS) for name, value in whole.items()}

    @property
    def address(self) -> str:
        """The URL without query and fragment."""
        return self.url.partition("#")[0].partition("?")[0]


def joined(base: str, path: str) -> str:
    """Put a path below a base URL, which may end in the beginning of that path: vendors write `/api/v1` in both."""
    base = base.rstrip("/")
    shared = path
    while shared and not base.endswith(shared):
        shared = shared.rpartition("/")[0]
    return base + path[len(shared) :]
