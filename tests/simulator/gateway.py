"""The NAVER Cloud API Gateway in front of ELSA, API Gateway and Multi DRM (api.ncloud-docs.com/docs/common-ncpapi)."""

from __future__ import annotations

from tests.simulator.message import Request, Response, reply
from tests.simulator.signature import equal, ncloud

ACCESS_KEY = "accessKey"
SECRET_KEY = "secretKey"
SKEW_MS = 300_000
ERRORS = {
    "100": (400, "Bad Request Exception"),
    "200": (401, "Authentication Failed"),
    "210": (401, "Permission Denied"),
    "300": (404, "Not Found Exception"),
    "400": (429, "Quota Exceeded"),
    "410": (429, "Throttle Limited"),
    "420": (429, "Rate Limited"),
    "430": (413, "Request Entity Too Large"),
    "500": (503, "Endpoint Error"),
    "510": (504, "Endpoint Timeout"),
    "900": (500, "Unexpected Error"),
}
_CODES = {401: "200", 429: "420"}


def error(code: str, details: str | None = None) -> Response:
    """Return an error of the page "Error handling"; its code is a text, as in the samples."""
    status, message = ERRORS[code]
    value = {"errorCode": code, "message": message} | ({"details": details} if details else {})
    return reply({"error": value}, status, x_ncp_trace_id="sim-trace", x_ncp_apigw_error_code=code)


def refuse(status: int, _request: Request) -> Response:
    """Return a refusal with a status; a 403 is not in the page's table and has no code of its own there."""
    code = _CODES.get(status) or next((code for code, (known, _) in ERRORS.items() if known == status), None)
    if code:
        return error(code)
    return reply({"error": {"errorCode": str(status), "message": "Refused"}}, status)


def fail(options: dict[str, str]) -> Response:
    """Return an error under HTTP 200 (undocumented, seen with sibling services)."""
    return reply({"error": {"errorCode": options.get("code", "900"), "message": options.get("message", "Unexpected")}})


def authenticate(request: Request, now_ms: int) -> Response | None:
    """Return the refusal of a request whose key, timestamp (5 minutes or more off) or signature is wrong."""
    key = request.headers.get("x-ncp-iam-access-key", "")
    timestamp = request.headers.get("x-ncp-apigw-timestamp", "")
    signature = request.headers.get("x-ncp-apigw-signature-v2", "")
    if key != ACCESS_KEY or not timestamp.isdecimal() or abs(now_ms - int(timestamp)) >= SKEW_MS:
        return error("200", "Unknown key, or the timestamp is off by 5 minutes or more.")
    if not equal(signature, ncloud(request.method, request.target, timestamp, ACCESS_KEY, SECRET_KEY)):
        return error("200", "Signature does not match.")
    return None
