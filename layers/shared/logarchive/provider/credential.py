"""Credentials in headers or in the body: added to each attempt when it is sent, and written nowhere else."""

from collections.abc import Generator, Mapping
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
