"""Tencent Cloud's two generations of APIs, 2.0 and 3.0: signatures, listings, and the errors they put under HTTP 200.

API 2.0 (retired): cloud.tencent.com/document/api/570/13932; 3.0: cloud.tencent.com/document/api/228/30977.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode

import httpx
from pydantic import AliasChoices, AliasPath, BaseModel, BeforeValidator, FailFast, Field, NaiveDatetime

from logarchive.errors import ForbiddenError, MalformedError, ProviderError, ThrottledError, UnavailableError
from logarchive.moment import Clock
from logarchive.part import Part
from logarchive.provider.secret import Key, Secret
from logarchive.record.body import error_document

#: Where the nodes are. Of each area a source of `cdn` is listed other files; `global` may be those of both.
Area = Annotated[
    Literal["mainland", "overseas", "global"],
    Field(json_schema_extra={"selects": {"where": {"api": "cdn"}, "all": "global"}}),
]
type SignatureMethod = Literal["HmacSHA1", "HmacSHA256"]

ALGORITHM = "TC3-HMAC-SHA256"
SIGNED_HEADERS = "content-type;host"

#: API 2.0's codes by first digits. 4400 is the rate limit; 4500 a Nonce or Timestamp, which is new in each attempt.
KINDS_2: Mapping[str, type[ProviderError]] = {
    "4400": ThrottledError,
    "4500": UnavailableError,
    "4000": MalformedError,
    "41": ForbiddenError,
    "42": ForbiddenError,
    "43": ForbiddenError,
    "5100": UnavailableError,
    "6000": UnavailableError,
    "6200": UnavailableError,
}
#: API 3.0's codes, by the name before the first dot.
KINDS_3: Mapping[str, type[ProviderError]] = {
    "AuthFailure": ForbiddenError,
    "UnauthorizedOperation": ForbiddenError,
    "RequestLimitExceeded": ThrottledError,
    "LimitExceeded": ThrottledError,
    "InternalError": UnavailableError,
    "FailedOperation": UnavailableError,
    "ResourceUnavailable": UnavailableError,
}


class Keys(Secret):
    """The secret of a Tencent source: an API key (CAM)."""

    secret_id: Key = Field(description="SecretId")
    secret_key: Key = Field(description="SecretKey")


class File(BaseModel):
    """A file in a listing of either API. Its hour is far enough from the ends of time to exist in every zone."""

    hour: NaiveDatetime = Field(
        validation_alias=AliasChoices("StartTime", "datetime"),
        ge=dt.datetime(1970, 1, 1),  # noqa: DTZ001 (a listing names no zone)
        lt=dt.datetime(9999, 1, 1),  # noqa: DTZ001 (likewise)
    )
    link: str = Field(validation_alias=AliasChoices("LogPath", "url"))
    area: str = Field("", validation_alias="Area")


#: Without FailFast there is an error for each file, and each repeats the key of its list.
type Files = Annotated[list[File], FailFast()]


class Page(BaseModel):
    """One page of CDN `DescribeCdnDomainLogs`."""

    files: Files | None = Field(validation_alias=AliasPath("Response", "DomainLogs"))
    total: int = Field(validation_alias=AliasPath("Response", "TotalCount"))


class Listing(BaseModel):
    """A response of DSA `GetDsaHostLogs`. Some services write an empty object as an empty array."""

    data: Annotated[dict[str, Files], BeforeValidator(lambda data: {} if data == [] else data)]


@dataclass
class Signature2(httpx.Auth):
    """API 2.0: signs method, host, path and the form's parameters, which are not encoded and sorted by name.

    Each attempt asks for a new time and nonce: a used Nonce or an old Timestamp is refused.
    """

    keys: Keys
    clock: Clock
    method: SignatureMethod
    nonce: Callable[[], int] = lambda: secrets.randbelow(2**53) + 1
    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the common parameters and the signature to the form."""
        form = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
        form |= {"SecretId": self.keys.secret_id.get_secret_value(), "Nonce": str(self.nonce())}
        # In seconds; milliseconds, as in the documentation's sample, are refused.
        form["Timestamp"] = str(int(self.clock().timestamp()))
        if self.method == "HmacSHA256":
            form["SignatureMethod"] = self.method
        place = request.method + request.headers["host"] + request.url.path
        form["Signature"] = signature2(place, form, self.method, self.keys.secret_key.get_secret_value())
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        yield httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=urlencode(form).encode(),
            extensions=request.extensions,
        )


@dataclass
class Signature3(httpx.Auth):
    """TC3-HMAC-SHA256: signs the hash of the body; the path is always `/`. `service` is its name (`cdn`)."""

    keys: Keys
    clock: Clock
    service: str
    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the Authorization and its timestamp."""
        now = self.clock().astimezone(dt.UTC)
        timestamp = str(int(now.timestamp()))
        scope = f"{now:%Y-%m-%d}/{self.service}/tc3_request"
        lines = "".join(f"{name}:{request.headers[name].strip().lower()}\n" for name in SIGNED_HEADERS.split(";"))
        canonical = f"{request.method}\n/\n\n{lines}\n{SIGNED_HEADERS}\n{_hash(request.content)}"
        text = f"{ALGORITHM}\n{timestamp}\n{scope}\n{_hash(canonical.encode())}"
        signature = signature3(text, scope, self.keys.secret_key.get_secret_value())
        request.headers["X-TC-Timestamp"] = timestamp
        credential = f"{self.keys.secret_id.get_secret_value()}/{scope}"
        request.headers["Authorization"] = (
            f"{ALGORITHM} Credential={credential}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"
        )
        yield request


def signature2(place: str, form: Mapping[str, str], method: SignatureMethod, secret_key: str) -> str:
    """Return API 2.0's signature of a form; `place` is method, host and path without anything between."""
    # The vendor's SDK signs an underscore in a name as a dot, before it sorts.
    pairs = sorted((name.replace("_", "."), value) for name, value in form.items())
    text = f"{place}?" + "&".join(f"{name}={value}" for name, value in pairs)
    algorithm = hashlib.sha1 if method == "HmacSHA1" else hashlib.sha256
    return base64.b64encode(hmac.digest(secret_key.encode(), text.encode(), algorithm)).decode("ascii")


def signature3(text: str, scope: str, secret_key: str) -> str:
    """Return TC3's signature of a string to sign, with the key derived from date, service and `tc3_request`."""
    key = f"TC3{secret_key}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), hashlib.sha256)
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()


def fault2(part: Part) -> ProviderError | None:
    """Return API 2.0's error in a response: `code` is not 0 (an integer, in some services a text)."""
    document = error_document(part) or {}
    code = str(document.get("code", "0"))
    if code == "0":
        return None
    kind = next((kind for prefix, kind in KINDS_2.items() if code.startswith(prefix)), MalformedError)
    return kind(f"code {code} {document.get('codeDesc', '')}: {document.get('message', '')}")


def fault3(part: Part) -> ProviderError | None:
    """Return API 3.0's error in a response: `Response.Error`."""
    match error_document(part):
        case {"Response": {"Error": {"Code": str(code)} as error, **rest}}:
            kind = KINDS_3.get(code.partition(".")[0], MalformedError)
            return kind(f"{code}: {error.get('Message', '')} (RequestId {rest.get('RequestId', 'unknown')})")
        case _:
            return None


def fault(part: Part) -> ProviderError | None:
    """Return the error of either generation."""
    return fault3(part) or fault2(part)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
