"""Credentials in headers or in the body: added to each attempt when it is sent, and written nowhere else.

The headers that a source may add are none, nor what the HTTP client sets itself.
"""

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

import httpx
import orjson


@dataclass
class Credential(httpx.Auth):
    """Adds headers, which replace those of the same name, and members to the JSON object in the body.

    The rest of the body stays byte for byte.
    """

    headers: Mapping[str, str] = field(repr=False)
    members: Mapping[str, str] = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Send a copy of the request with the credentials."""
        headers = httpx.Headers(request.headers)
        headers.update(self.headers)
        content = request.content
        if self.members:
            rest = content.removeprefix(b"{")
            content = orjson.dumps(self.members)[:-1] + (b"}" if rest == b"}" else b"," + rest)
            headers["content-length"] = str(len(content))
        yield httpx.Request(
            request.method, request.url, headers=headers, content=content, extensions=request.extensions
        )


_NOT_ALLOWED = {
    *("accept-encoding", "authorization", "connection", "content-length", "content-type", "cookie", "expect", "host"),
    *("proxy-authorization", "te", "transfer-encoding", "upgrade"),
}


def header_check(rules: Mapping[str, str | None]) -> Callable[[dict[str, str]], dict[str, str]]:
    """Return a validator of a source's headers.

    `rules` are the provider's own: a name in lower case -> what the value must contain; None: not allowed.
    """

    def check(headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[ -~]*", value):
                raise ValueError(
                    "each must be a name of letters, digits and -, with a value of printable ASCII; "
                    'for instance {"X-Tenant": "a"}'
                )
            needed = rules.get(name.lower(), "")
            if needed is None or name.lower() in _NOT_ALLOWED:
                raise ValueError(
                    f"{name} is not allowed here: credentials belong in the secret, or the archive sets it"
                )
            if needed not in value:
                raise ValueError(f"{name} must contain {needed}: the key itself belongs in the secret")
        if len({name.lower() for name in headers}) < len(headers):
            raise ValueError("the same name twice; upper and lower case are the same")
        return headers

    return check
