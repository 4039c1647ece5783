"""NAVER Cloud's API Gateway, which stands before several of its services: its signature v2 and its errors.

api.ncloud-docs.com/docs/common-ncpapi; errors: api-gov.ncloud-docs.com/docs/api-call-lgc-errorhandling.
"""

import base64
import hashlib
import hmac
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx
from pydantic import Field

from logarchive.errors import (
    ForbiddenError,
    MalformedError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TooMuchError,
    UnavailableError,
)
from logarchive.moment import Clock, to_epoch_ms
from logarchive.part import Part
from logarchive.provider.secret import Key, Secret
from logarchive.record.body import error_document

#: Error code -> what it means.
KINDS: Mapping[str, type[ProviderError]] = {
    "100": MalformedError,  # bad request
    "200": ForbiddenError,  # authentication failed
    "210": ForbiddenError,  # permission denied
    "300": MalformedError,  # not found
    "400": QuotaError,
    "410": ThrottledError,
    "420": ThrottledError,
    "430": TooMuchError,  # request entity too large
    "500": UnavailableError,  # endpoint error
    "510": TooMuchError,  # endpoint time-out
    "900": UnavailableError,  # unexpected error
}

TRACE_ID, ERROR_CODE, ERROR_MESSAGE = "x-ncp-trace-id", "x-ncp-apigw-error-code", "x-ncp-apigw-error-message"
#: Response headers that a provider's manifests keep, and that `fault` reads.
KEPT_HEADERS = frozenset({TRACE_ID, ERROR_CODE, ERROR_MESSAGE})


class Keys(Secret):
    """The secret of a NAVER source: an API authentication key of the main or a sub account."""

    access_key: Key = Field(description="access key ID")
    secret_key: Key = Field(description="secret key, used as text")


@dataclass
class Signature(httpx.Auth):
    """Signs method, path and query as sent, and the time of the attempt; the body is not signed."""

    keys: Keys
    #: Each attempt reads it: a time five minutes off is refused.
    clock: Clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the three headers."""
        timestamp = str(to_epoch_ms(self.clock()))
        request.headers["x-ncp-apigw-timestamp"] = timestamp
        request.headers["x-ncp-iam-access-key"] = self.keys.access_key.get_secret_value()
        request.headers["x-ncp-apigw-signature-v2"] = signature(
            request.method, request.url.raw_path.decode("ascii"), timestamp, self.keys
        )
        yield request


def auth(_source: object, keys: Keys, clock: Clock) -> Signature:
    """Return the signature as a provider's `auth`."""
    return Signature(keys, clock)


def signature(method: str, target: str, timestamp: str, keys: Keys) -> str:
    """Return the signature; `target` is everything after the host, as on the request line."""
    text = f"{method} {target}\n{timestamp}\n{keys.access_key.get_secret_value()}"
    digest = hmac.digest(keys.secret_key.get_secret_value().encode(), text.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode("ascii")


def fault(part: Part) -> ProviderError | None:
    """Return the gateway's error in a response of any status, or None."""
    code, message = stated(error_document(part) or {}) or (part.headers.get(ERROR_CODE), "")
    if code is None:
        return None
    message = message or part.headers.get(ERROR_MESSAGE, "")
    trace = part.headers.get(TRACE_ID)
    text = f"HTTP {part.status}, errorCode {code}: {message}" + (f" (x-ncp-trace-id {trace})" if trace else "")
    kind = KINDS.get(code)
    if kind is None and part.status >= 400:  # noqa: PLR2004 (HTTP: the status says more than an unknown code)
        return None
    return (kind or MalformedError)(text)


def failure(document: Mapping[str, Any]) -> ProviderError | None:
    """Return the gateway's error that a document holds, under whatever key."""
    code, message = stated(document) or ("", "")
    return KINDS.get(code, MalformedError)(f"errorCode {code}: {message}") if code else None


def failed(document: Mapping[str, Any]) -> bool:
    """Return whether a document says in any way that it is an error, whatever else it holds."""
    return document.get("success", True) is not True or bool(document.get("error")) or stated(document) is not None


def stated(document: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return code and message of an error in any of the shapes seen; None if a document has none.

    The code is a number in the documentation's table and a text in its samples. Sibling services return 0 for success.
    """
    shapes = (("error", "errorCode", "message"), ("responseError", "returnCode", "returnMessage"))
    named = ((document.get(name), code, message) for name, code, message in shapes)
    for inner, code, message in (*named, (document, "errorCode", "message")):
        error: Mapping[str, Any] = cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else {}
        if str(error.get(code) or 0) != "0":
            details = f" ({error['details']})" if error.get("details") else ""
            return str(error[code]), f"{error.get(message, '')}{details}"
    return None
