"""What an answer amounts to as HTTP: its status, whether it is whole, and pages where data should be."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import httpx

from logarchive.errors import (
    ForbiddenError,
    LinkExpiredError,
    MalformedError,
    ProviderError,
    ThrottledError,
    TooMuchError,
    UnavailableError,
)
from logarchive.net.pacing import http_date
from logarchive.net.spool import Spooled
from logarchive.part import Part
from logarchive.record.body import ERROR_BYTES, beginning

type Fault = Callable[[Part], ProviderError | None]

#: A clock this far off is worth a word when a signature is refused.
SKEW_SECONDS = 60

#: What of an answer's headers its manifest keeps.
KEPT_HEADERS = frozenset(
    [
        "content-type",
        "content-length",
        "content-encoding",
        "content-disposition",
        "date",
        "etag",
        "last-modified",
        "retry-after",
        "x-ncp-trace-id",
        "x-ncp-apigw-error-code",
        "x-ncp-apigw-error-message",
        "x-ratelimit-remaining",
        "x-request-id",
    ]
)

_ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip"})
_GOOD: Final = frozenset({200, 201, 204})
_FORBIDDEN: Final = frozenset({401, 403, 407})
_UNAVAILABLE: Final = frozenset({202, 408, 425})
_GONE: Final = frozenset({403, 404, 410})
_REDIRECTS: Final = range(300, 400)
_SERVER: Final = 500
_TOO_MUCH: Final = frozenset({413, 504})


def fault(part: Part) -> ProviderError | None:
    """Return the error of an API's answer by its status, or None. A page under 200 is tried again, then malformed."""
    status = part.status
    if status in _GOOD:
        return _page(part)
    if status in _FORBIDDEN:
        return ForbiddenError(described(part))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(described(part))
    if status >= _SERVER or status in _UNAVAILABLE | _TOO_MUCH:
        return (TooMuchError if status in _TOO_MUCH else UnavailableError)(described(part))
    if status in _REDIRECTS:
        # Credentials are not sent on, and a signature is for one host and path only.
        return MalformedError(f"HTTP {status}, a redirect, which is not followed: is base_url right?")
    return MalformedError(described(part))


def forbidden(fault: Fault) -> Fault:
    """Return a fault for which a status that says forbidden stands, whatever the body says besides."""

    def found(part: Part) -> ProviderError | None:
        error = fault(part)
        return ForbiddenError(str(error)) if error and part.status in _FORBIDDEN else error

    return found


def link_fault(part: Part) -> ProviderError | None:
    """Return the error of a download's answer, or None. Its body is not repeated: it may hold the signed link."""
    if part.status in _GONE:
        return LinkExpiredError(f"HTTP {part.status}: the link is not valid, or no longer")
    error = fault(part)
    if error is not None:
        error.args = (f"HTTP {part.status} from the download host, and no file",)
    return error


def require_whole(response: httpx.Response, body: Spooled) -> None:
    """Raise for a body that was cut, that may have been, or that is packed in a way nobody asked for."""
    headers, length = response.headers, response.headers.get("content-length")
    if "transfer-encoding" in headers or response.status_code == HTTPStatus.NO_CONTENT:
        length = str(body.size)
    # An empty body that only the end of the connection ends cannot be told from one that never came.
    if length != str(body.size) and (length or not body.size):
        body.path.unlink()
        raise UnavailableError(f"the body was cut: {body.size} of {length or 'unknown'} bytes")
    if headers.get("content-encoding", "").lower() not in _ENCODINGS:
        body.path.unlink()
        raise MalformedError(f"Content-Encoding {headers['content-encoding']}, though none was asked for")


def skew(part: Part) -> str:
    """Say how far our clock is from the provider's, if that may be why a signature was refused."""
    theirs = http_date(part.headers.get("date"))
    seconds = 0.0 if theirs is None else (part.time - theirs).total_seconds()
    if abs(seconds) < SKEW_SECONDS:
        return ""
    return f" (this clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the provider's)"


def described(part: Part) -> str:
    """Say status and reason, in the provider's words as far as they are readable."""
    try:
        body = beginning(part, ERROR_BYTES)
        text = body.decode("utf-8", "replace")
        if len(body) == ERROR_BYTES:  # a secret that is cut would not be known as one: leave out the last word
            text = text[: -len(text.split()[-1])] if text.split() else ""
    except MalformedError:
        text = ""
    if title := re.search(r"<title>(.*?)</title>", text, re.IGNORECASE | re.DOTALL):
        text = title[1]
    said = " ".join(text.split()) or "no body"
    return f"HTTP {part.status}: {said}"


def _page(part: Part) -> ProviderError | None:
    if part.suffix != ".html":
        return None
    error = MalformedError(f"a page where data should be: {described(part)}")
    error.retryable = True
    return error
