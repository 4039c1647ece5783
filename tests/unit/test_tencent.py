"""Tencent's two signatures against the vendor's own code and vectors, and the errors of both generations."""

import datetime as dt
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from logarchive.errors import ForbiddenError, MalformedError, ProviderError, ThrottledError, UnavailableError
from logarchive.vendor import tencent
from tests.unit import visit
from tests.unit.exchange import NOW

#: The vendor's SDK, which has no types.
SDK: Any = import_module("tencentcloud.common.abstract_client")
SIGN: Any = import_module("tencentcloud.common.sign")
REQUEST: Any = import_module("tencentcloud.common.http.request")

KEYS = tencent.Keys.model_validate({"secret_id": "secretIdFoo", "secret_key": "secretKeyBar"})
#: The vendor's own test of its SDK (qcloudapi-sdk-python, tests/unit/common/test_sign.py).
SDK_FORM = dict(
    parse_qsl(
        "Action=DescribeInstances&Nonce=1290303896666895346&Region=ap-guangzhou&SecretId=secretIdFoo"
        "&Timestamp=1512393162&Version=2017-03-12"
    )
)
ASKED = {
    "Action": "GetDsaHostLogs",
    "hosts": '["a.dsa.qcloud.com","b.dsa.qcloud.com"]',
    "startDate": "2018-04-18",
    "endDate": "2018-04-18",
}


def sent(auth: httpx.Auth, request: httpx.Request) -> httpx.Request:
    request.read()
    return next(auth.sync_auth_flow(request))


@pytest.mark.parametrize(
    ("method", "verb", "signature"),
    [
        ("HmacSHA1", "POST", "p3n+pxBqF5JGZtDSxoVn5tGngf0="),
        ("HmacSHA256", "POST", "B2T37FRSP6Fk0/q/cdfrTE0p3zX5ooB/2BPWZUFpsj4="),
        ("HmacSHA1", "GET", "5HAq1BOKNLEE2/uauWnp6Zv9Z3c="),
    ],
)
def test_api_2_signs_as_the_vendors_sdk_does(method: tencent.SignatureMethod, verb: str, signature: str) -> None:
    form = SDK_FORM | {"SignatureMethod": method}
    place = f"{verb}cvm.api.qcloud.com/v2/index.php"
    assert tencent.signature2(place, form, method, "secretKeyBar") == signature


@pytest.mark.parametrize(
    ("method", "signature"),
    [("HmacSHA1", "2GRXud1eyHDqk2biWqUCGbcT1QY="), ("HmacSHA256", "2IHER1shSVq79kDqlmXZu5320hsFgWUOCdG4KwOJX1E=")],
)
def test_api_2_signs_a_form_with_its_common_parameters(method: tencent.SignatureMethod, signature: str) -> None:
    clock = dt.datetime.fromtimestamp(1524279600, dt.UTC)
    auth = tencent.Signature2(KEYS, lambda: clock, method, nonce=lambda: 123456789)
    request = sent(auth, httpx.Request("POST", "https://dsa.api.qcloud.com/v2/index.php", data=ASKED))
    form = dict(httpx.QueryParams(request.content.decode()))
    common = {"Nonce": "123456789", "SecretId": "secretIdFoo", "Timestamp": "1524279600"}
    wanted = ASKED | common | {"Signature": signature}
    assert form == (wanted | {"SignatureMethod": method} if method == "HmacSHA256" else wanted)
    assert request.headers["content-length"] == str(len(request.content))
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_an_underscore_in_a_name_is_signed_as_a_dot() -> None:
    one, other = ({name: "1"} for name in ("a_b", "a.b"))
    assert tencent.signature2("x", one, "HmacSHA1", "k") == tencent.signature2("x", other, "HmacSHA1", "k")


def test_each_attempt_of_api_2_has_a_nonce_of_its_own() -> None:
    auth = tencent.Signature2(KEYS, lambda: NOW, "HmacSHA1")
    request = httpx.Request("POST", "https://dsa.api.qcloud.com/v2/index.php", data={"Action": "x"})
    nonces = {httpx.QueryParams(sent(auth, request).content.decode())["Nonce"] for _ in range(20)}
    assert len(nonces) == 20
    assert all(0 < int(nonce) < 2**63 for nonce in nonces)


@pytest.mark.parametrize("moment", [NOW, dt.datetime(2026, 1, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))])
def test_tc3_signs_as_the_vendors_sdk_does(moment: dt.datetime) -> None:
    json, body = {"content-type": "application/json"}, '{"Domain":"한글.example.com"}'.encode()
    request = httpx.Request("POST", "https://cdn.tencentcloudapi.com/", headers=json, content=body)
    signed = sent(tencent.Signature3(KEYS, lambda: moment, "cdn"), request)
    assert signed.headers["x-tc-timestamp"] == str(int(moment.timestamp()))
    theirs = REQUEST.RequestInternal("cdn.tencentcloudapi.com", "POST", "/")
    theirs.header = {"Content-Type": "application/json", "Host": "cdn.tencentcloudapi.com"}
    theirs.header["X-TC-Timestamp"] = signed.headers["x-tc-timestamp"]
    theirs.data = request.content
    date = moment.astimezone(dt.UTC).strftime("%Y-%m-%d")
    client = SDK.AbstractClient(None, "")
    signature = client._get_tc3_signature({}, theirs, date, "cdn", "secretKeyBar")
    assert signed.headers["authorization"] == (
        f"TC3-HMAC-SHA256 Credential=secretIdFoo/{date}/cdn/tc3_request, "
        f"SignedHeaders=content-type;host, Signature={signature}"
    )


def test_the_derived_key_of_tc3_is_the_vendors() -> None:
    theirs = SIGN.Sign.sign_tc3("secretKeyBar", "2026-11-22", "cdn", "text")
    assert tencent.signature3("text", "2026-11-22/cdn/tc3_request", "secretKeyBar") == theirs


def told(body: bytes) -> ProviderError | None:
    return tencent.fault(visit.part(body, suffix=".json", role="listing"))


CODES: dict[type[ProviderError], list[str]] = {
    MalformedError: ["4000", "5000", "6100", "7777"],
    ForbiddenError: ["4100", '"4100"', "4104", "4200", "4300"],
    ThrottledError: ["4400"],
    UnavailableError: ["4500", "5100", "6000", "6200"],
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes])
def test_a_code_of_api_2_under_200_says_what_failed(kind: type[ProviderError], code: str) -> None:
    error = told(f'{{"code":{code},"message":"(1)m","codeDesc":"D"}}'.encode())
    assert error is not None
    assert (type(error), error.retryable) == (kind, kind in {ThrottledError, UnavailableError})
    assert str(error) == f"code {code.strip('"')} D: (1)m"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AuthFailure.SignatureExpire", ForbiddenError),
        ("UnauthorizedOperation.CdnCamUnauthorized", ForbiddenError),
        ("RequestLimitExceeded", ThrottledError),
        ("InternalError.CdnDbError", UnavailableError),
        ("ResourceNotFound.CdnHostNotExists", MalformedError),
        ("InvalidParameter", MalformedError),
    ],
)
def test_a_code_of_api_3_under_200_says_what_failed(code: str, kind: type[ProviderError]) -> None:
    error = told(f'{{"Response":{{"Error":{{"Code":"{code}","Message":"m"}},"RequestId":"r-1"}}}}'.encode())
    assert type(error) is kind
    assert str(error) == f"{code}: m (RequestId r-1)"


@pytest.mark.parametrize(
    "body", [b'{"code":0,"data":{}}', b'{"code":"0"}', b'{"Response":{"TotalCount":0}}', b"[]", b"x"]
)
def test_a_listing_is_no_error(body: bytes) -> None:
    assert told(body) is None
