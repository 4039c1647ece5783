"""The vendors' request signatures, computed from the formulas on their pages (and from nobody's client)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime


def _mac(key: bytes, text: str, algorithm: str = "sha256") -> bytes:
    return hmac.new(key, text.encode(), algorithm).digest()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def ncloud(method: str, target: str, timestamp: str, access_key: str, secret_key: str) -> str:
    """Return the API Gateway signature v2 ("Common settings", api.ncloud-docs.com/docs/common-ncpapi).

    `target` is everything after the host as sent. The secret key is used as text, not decoded.
    """
    lines = (f"{method} {target}", timestamp, access_key)
    return _base64(_mac(secret_key.encode(), "\n".join(lines)))


def api2(method: str, host: str, path: str, parameters: Mapping[str, str], secret_key: str) -> str:
    """Return Tencent's API 2.0 signature ("Signature"): raw values, `_` in a key signed as `.`, sorted by ASCII."""
    pairs = sorted((key.replace("_", "."), value) for key, value in parameters.items() if key != "Signature")
    algorithm = "sha256" if parameters.get("SignatureMethod") == "HmacSHA256" else "sha1"
    text = f"{method}{host}{path}?" + "&".join(f"{key}={value}" for key, value in pairs)
    return _base64(_mac(secret_key.encode(), text, algorithm))


def tc3(
    path: str,
    headers: Mapping[str, str],
    signed: Sequence[str],
    body: bytes,
    service: str,
    secret_key: str,
) -> str:
    """Return the TC3-HMAC-SHA256 signature of a POST without query ("Signature v3"); header names in lower case."""
    timestamp = headers["x-tc-timestamp"]
    date = datetime.fromtimestamp(int(timestamp), UTC).strftime("%Y-%m-%d")
    lines = "".join(f"{name}:{headers.get(name, '').strip().lower()}\n" for name in signed)
    canonical = "\n".join(("POST", path, "", lines, ";".join(signed), hashlib.sha256(body).hexdigest()))
    scope = f"{date}/{service}/tc3_request"
    text = "\n".join(("TC3-HMAC-SHA256", timestamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = ("TC3" + secret_key).encode()
    for step in (date, service, "tc3_request"):
        key = _mac(key, step)
    return _mac(key, text).hex()


def equal(one: str, other: str) -> bool:
    """Compare two signatures."""
    return hmac.compare_digest(one.encode(), other.encode())
