"""What a response amounts to as HTTP: its status, whether it is whole, and HTML where data should be."""

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
    repeated,
)
from logarchive.net.pacing import http_date
from logarchive.net.spool import Spooled
from logarchive.part import Part
from logarchive.record.body import ERROR_BYTES, beginning

type Fault = Callable[[Part], ProviderError | None]

#: When a signature is refused and the clocks differ by at least this much, the error says so.
SKEW_SECONDS = 60

#: The headers of a response that its manifest keeps; a provider may add its own.
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
        "x-ratelimit-remaining",
        "x-request-id",
    ]
)

#: Codings that nothing here undoes. A gzip is known by its content, and what else servers write there is no coding.
_UNREAD: Final = frozenset({"br", "compress", "x-compress", "dcb", "dcz", "deflate", "exi", "pack200-gzip", "zstd"})
_GOOD: Final = frozenset({200, 201, 204})
_FORBIDDEN: Final = frozenset({401, 403, 407})
_UNAVAILABLE: Final = frozenset({202, 408, 425})
_GONE: Final = frozenset({403, 404, 410})
_SERVER: Final = 500
_TOO_MUCH: Final = frozenset({413, 504})


def fault(part: Part) -> ProviderError | None:
    """Return the error that an API's response is by its status, or None. HTML under 200 is retried, then malformed."""
    status = part.status
    if status in _GOOD:
        return _html(part)
    if status in _FORBIDDEN:
        return ForbiddenError(described(part))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(described(part))
    if status >= _SERVER or status in _UNAVAILABLE | _TOO_MUCH:
        return (TooMuchError if status in _TOO_MUCH else UnavailableError)(described(part))
    if httpx.codes.is_redirect(status):
        # Credentials are not sent on, and a signature is for one host and path only.
        return MalformedError(f"HTTP {status}, a redirect, which is not followed: is base_url right?")
    return MalformedError(described(part))


def forbidden(fault: Fault) -> Fault:
    """Return `fault` with one change: under 401, 403 or 407 its error is a ForbiddenError, whatever the body says."""

    def stricter(part: Part) -> ProviderError | None:
        error = fault(part)
        return ForbiddenError(str(error)) if error and part.status in _FORBIDDEN else error

    return stricter


def download_fault(part: Part) -> ProviderError | None:
    """Return the error that a download host's response is, or None.

    Its body is not repeated in the message, because it may contain the signed link.
    """
    if part.status in _GONE:
        return LinkExpiredError(f"HTTP {part.status}: the link is not valid, or has expired")
    error = fault(part)
    if error is not None:
        error.args = (f"HTTP {part.status} from the download host, and no file",)
    return error


def unusable(response: httpx.Response, body: Spooled) -> ProviderError | None:
    """Return the error of a body that is cut, that may be cut, or is packed in a way that was not requested."""
    headers, length = response.headers, response.headers.get("content-length")
    if "transfer-encoding" in headers or response.status_code == HTTPStatus.NO_CONTENT:
        length = str(body.size)
    # Without a length, an empty body looks the same as one that was cut before its first byte.
    if length != str(body.size) and (length or not body.size):
        return UnavailableError(f"the body was cut: {body.size} of {length or 'unknown'} bytes")
    encoding = headers.get("content-encoding", "")
    if not _UNREAD.isdisjoint(name.strip() for name in encoding.lower().split(",")):
        return MalformedError(f"Content-Encoding {repeated(encoding)}, but the request accepts only identity")
    return None


def skew(part: Part) -> str:
    """Say how far this clock is from the provider's, if that may be why a signature was refused."""
    theirs = http_date(part.headers.get("date"))
    seconds = 0.0 if theirs is None else (part.time - theirs).total_seconds()
    if abs(seconds) < SKEW_SECONDS:
        return ""
    return f" (this clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the provider's)"


def described(part: Part) -> str:
    """Return status and reason, in the provider's words where they are readable."""
    try:
        body = beginning(part, ERROR_BYTES)
        text = body.decode("utf-8", "replace")
        if len(body) == ERROR_BYTES:  # half a secret would not be masked: leave out the last word
            text = text[: -len(text.split()[-1])] if text.split() else ""
    except MalformedError:
        text = ""
    if title := re.search(r"<title>([^<]*+)</title>", text, re.IGNORECASE):
        text = title[1]
    return f"HTTP {part.status}: {' '.join(text.split()) or 'no body'}"


def _html(part: Part) -> ProviderError | None:
    if part.suffix != ".html":
        return None
    error = MalformedError(f"HTML where data should be: {described(part)}")
    error.retryable = True
    return error
