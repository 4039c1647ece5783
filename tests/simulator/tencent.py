"""What Tencent's two generations of APIs share here: the credentials, and how they check and refuse."""

from __future__ import annotations

from tests.simulator.message import Request, Response, reply
from tests.simulator.signature import api2, equal, tc3

SECRET_ID = "secretIdFoo"
SECRET_KEY = "secretKeyBar"
SKEW_MS = 300_000
NAMES = {
    4000: "InvalidParameter",
    4100: "AuthFailure",
    4104: "AuthFailure",
    4400: "QuotaExceeded",
    4500: "ReplayAttack",
    5000: "ResourceNotFound",
    6000: "InternalError",
    6200: "ServiceMaintenance",
}


def failure(code: int, message: str) -> Response:
    """Return an error of API 2.0 (page "Common Error Codes"): HTTP 200, the code in the body."""
    return reply({"code": code, "message": f"({code}){message}", "codeDesc": NAMES.get(code, "Failure")})


def refuse(status: int, _request: Request) -> Response:
    """Return a refusal with an HTTP status, as something in front of the service would send it (undocumented)."""
    return Response(status, b"<html><body>refused</body></html>", "text/html")


def fail(options: dict[str, str]) -> Response:
    """Return an API 2.0 error with the code of the options."""
    return failure(int(options.get("code", "6000")), options.get("message", "played"))


def signed_api2(request: Request, form: dict[str, str]) -> bool:
    """Say whether key and signature of an API 2.0 form are right."""
    if form.get("SecretId") != SECRET_ID:
        return False
    return equal(form["Signature"], api2(request.method, request.host, request.path, form, SECRET_KEY))


def signed_tc3(request: Request, service: str) -> str | None:
    """Return the error code of a TC3 request whose key, scope or signature is wrong.

    API 3.0 has the fixed path `/`; mounted under a prefix, the path as sent is as good.
    """
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    parts = {name: value for name, _, value in (part.strip().partition("=") for part in rest.split(","))}
    key, _, scope = parts.get("Credential", "").partition("/")
    if key != SECRET_ID:
        return "AuthFailure.SecretIdNotFound"
    signed = parts.get("SignedHeaders", "").split(";")
    if scheme != "TC3-HMAC-SHA256" or not {"content-type", "host"} <= set(signed) or signed != sorted(signed):
        return "AuthFailure.InvalidAuthorization"
    wanted = (tc3(path, request.headers, signed, request.body, service, SECRET_KEY) for path in ("/", request.path))
    right = scope.endswith(f"/{service}/tc3_request") and any(equal(parts.get("Signature", ""), one) for one in wanted)
    return None if right else "AuthFailure.SignatureFailure"
