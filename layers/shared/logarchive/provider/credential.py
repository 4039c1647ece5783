"""Credentials in headers or in the body: added to each attempt when it is sent, and written nowhere else."""

from collections.abc import Generator, Mapping

import httpx
import orjson


class Credential(httpx.Auth):
    """Adds headers, and members to the JSON object in the body; the rest of the body stays byte for byte."""

    def __init__(self, headers: Mapping[str, str], members: Mapping[str, str]) -> None:
        """Take the headers and members to add; a header replaces one with the same name."""
        self._headers, self._members = headers, members

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Send a copy of the request with the credentials."""
        headers = httpx.Headers(request.headers)
        headers.update(self._headers)
        content = request.content
        if self._members:
            rest = content.removeprefix(b"{")
            content = orjson.dumps(self._members)[:-1] + (b"}" if rest == b"}" else b"," + rest)
            headers["content-length"] = str(len(content))
        yield httpx.Request(
            request.method, request.url, headers=headers, content=content, extensions=request.extensions
        )
