"""No secret in an error, however a server spells or cuts it; and no credential in a source's own headers."""

import base64
import html
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import ValidationError

from functions.security365.app import License, Security365Source, provider
from logarchive.errors import ProviderError
from logarchive.net.redaction import Redaction
from logarchive.record.body import ERROR_BYTES
from logarchive.window import Span
from tests.unit.exchange import NOW, Script, Time, answer, ok, opened

SECRET = "ab/cd+EF/gh&ij'kl\"m"
KEYS = License.model_validate({"license": SECRET, "token": f"tok-{SECRET}", "api_key": "9" * 12 + SECRET})
HOUR = Span(NOW.replace(hour=10), NOW.replace(hour=11))
FIELDS = {"secret": "x", "base_url": "https://logs.example.com", "referer": "https://example.com/app"}


def source(**fields: object) -> Security365Source:
    return Security365Source.model_validate(FIELDS | fields)


def said(directory: Path, status: int, body: bytes) -> str:
    """Return what the error says that an answer amounts to."""
    api = opened(provider, source(), KEYS, directory, Script([lambda _: answer(status, body)]), Time())
    with pytest.raises(ProviderError) as caught:
        list(provider.fetch(api, source(), HOUR))
    return str(caught.value)


def assert_hides(told: str, written: str) -> None:
    """Nothing of six or more characters of a secret, in the server's spelling or its own, stands in a text."""
    for form in (SECRET, written):
        pieces = {form[at : at + 6].lower() for at in range(len(form) - 5)}
        assert not [piece for piece in pieces if piece in told.lower()]


def escaped(characters: str, *, upper: bool = False, quotes: str = '\\"') -> str:
    r"""Write the secret as JSON whose writer shows these characters as \u00XX."""
    shown = "X" if upper else "x"
    text = "".join(f"\\u{ord(one):04{shown}}" if one in characters else one for one in SECRET)
    return text.replace('"', quotes)


JSON = json.dumps(SECRET)[1:-1]
SPELT = {
    "as it is": SECRET,
    "json": JSON,
    "slashes": JSON.replace("/", "\\/"),
    "lower \\u": escaped("+&<>'\"`"),
    "upper \\u": escaped("+&<>'\"`", upper=True),
    "upper \\u and slashes": escaped("+&<>'\"`/", upper=True),
    "html": html.escape(SECRET),
    "html but quotes": html.escape(SECRET, quote=False),
    "lower case": SECRET.lower(),
    "upper case": SECRET.upper(),
    "base64": base64.b64encode(SECRET.encode()).decode(),
}
_BASE64 = base64.b64encode(SECRET.encode()).decode()
#: What becomes of it where one writer's text stands in another's.
NESTED = {
    "json in json": json.dumps(JSON)[1:-1],
    "json in json in json": json.dumps(json.dumps(JSON)[1:-1])[1:-1],
    "slashes in json": json.dumps(SPELT["slashes"])[1:-1],
    "\\u in json": json.dumps(SPELT["lower \\u"])[1:-1],
    "url": quote(SECRET, safe=""),
    "url in url": quote(quote(SECRET, safe="")),
    "html in html": html.escape(html.escape(SECRET)),
    "json in html": html.escape(JSON),
    "html in json": json.dumps(html.escape(SECRET))[1:-1].replace("&", "\\u0026"),
    "url in json": json.dumps(quote(SECRET, safe="")).replace("%", "\\u0025"),
    "base64 in a url": quote(_BASE64, safe=""),
    "base64 in json with slashes": _BASE64.replace("/", "\\/").replace("+", "\\u002b"),
}
#: What writers of JSON and HTML that are much in use make of it.
OTHERS = {
    "go": escaped("<>&"),
    "gson": escaped("<>&='", quotes='\\"'),
    "php": escaped("&'\"").replace("/", "\\/"),
    "html &#39;": html.escape(SECRET).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "base64 without padding": base64.b64encode(SECRET.encode()).decode().rstrip("="),
}
SPELLINGS = [
    *(pytest.param(text, id=name) for name, text in (SPELT | NESTED).items()),
    *(pytest.param(text, id=name) for name, text in OTHERS.items()),
]


@pytest.mark.parametrize("status", [400, 403, 500])
@pytest.mark.parametrize("written", SPELLINGS)
def test_a_secret_is_masked_however_a_server_spells_it(tmp_path: Path, written: str, status: int) -> None:
    told = said(tmp_path, status, f'{{"why":"no licence {written} here, {written}"}}'.encode())
    assert_hides(told, written)
    assert "***" in told


@pytest.mark.parametrize("written", [pytest.param(text, id=name) for name, text in (SPELT | NESTED).items()])
def test_a_secret_is_masked_in_a_message_that_was_read(tmp_path: Path, written: str) -> None:
    told = said(tmp_path, 200, json.dumps({"code": 61003, "msg": f"no licence {written} here"}).encode())
    assert_hides(told, written)
    assert "***" in told


def across(border: int) -> list[int]:
    """Return places to begin at, so that a secret is cut at the border, right before it or right behind it."""
    return [border - before for before in (len(SECRET) + 1, len(SECRET), 15, 7, 6, 1, 0)]


@pytest.mark.parametrize("begin", across(ERROR_BYTES))
@pytest.mark.parametrize("before", ["", '{"msg":"'])
def test_what_the_end_of_an_error_leaves_of_a_secret_is_not_said(tmp_path: Path, begin: int, before: str) -> None:
    """White space is not said: so a secret that comes late stands among what is."""
    body = f"{before}{' ' * (begin - len(before))}{SECRET} {'x' * 30_000}"
    assert_hides(said(tmp_path, 400, body.encode()), SECRET)


def test_what_is_left_out_for_fear_of_half_a_secret_leaves_none(tmp_path: Path) -> None:
    for begin in across(ERROR_BYTES):
        assert_hides(said(tmp_path, 400, f"{' ' * begin}{SECRET} {'x' * 30_000}".encode()), SECRET)


def test_a_message_too_long_for_an_error_hides_the_secret_too(tmp_path: Path) -> None:
    body = json.dumps({"code": 61001, "msg": f"no licence {SECRET} here {'x' * 70_000}", "items": []}).encode()
    told = said(tmp_path, 200, body)
    assert_hides(told, SECRET)
    assert len(told) < 1_000


def test_a_secret_of_quotes_and_backslashes_is_masked_in_json_within_json() -> None:
    value = '\\\\"a"\\b\\\\\\c"/'
    redaction = Redaction(License.model_validate({"license": value}))
    text = value
    for _ in range(4):
        assert redaction.text(f"no {text}!") == "no ***!"
        text = json.dumps(text)[1:-1]


@pytest.mark.parametrize("piece", ["\\", "%25", "&amp;", "\\u00", "a\\"])
def test_masking_of_a_large_text_takes_seconds_at_most_whatever_it_is(piece: str) -> None:
    redaction = Redaction(License.model_validate({"license": '"\\\\\\"&%+a\\\\"'}))
    began = time.process_time()
    redaction.text(piece * (200_000 // len(piece)))
    assert time.process_time() - began < 20


@pytest.mark.parametrize("place", ["json", "headers"])
def test_what_a_manifest_says_of_a_request_is_masked_and_then_cut(tmp_path: Path, place: str) -> None:
    text = "x" * 8_180 + SECRET + "y" * 1_000_000
    given: dict[str, Any] = {place: {"key": [text] if place == "json" else text}}
    script = Script([ok(b"[]", etag="x" * 990 + SECRET + "y" * 1_000_000, date=SECRET)])
    part = opened(provider, source(), KEYS, tmp_path, script, Time()).request("POST", "/x", **given)
    described = json.dumps(part.request)
    assert_hides(described + json.dumps(part.headers), SECRET)
    assert len(described) < 10_000
    assert part.headers["etag"] == "x" * 990 + "***yyyyyyy…"
    assert part.headers["date"] == "***"


def test_a_short_request_and_its_headers_are_told_whole(tmp_path: Path) -> None:
    given = {"filters": [{"license": "a", "n": 1}]}
    part = opened(provider, source(), KEYS, tmp_path, Script([ok()]), Time()).request("POST", "/x", json=given)
    assert part.request["json"] == given


@pytest.mark.parametrize(
    "headers",
    [
        {"Proxy-Authorization": "Basic eA=="},
        {"proxy-authorization": "{api_key}"},
        {"Connection": "close"},
        {"TE": "trailers"},
        {"Upgrade": "h2c"},
        {"Expect": "100-continue"},
        {"Accept-Encoding": "br"},
        {"X-API-KEY": "literal"},
        {"x-api-key": "{api-key}"},
        {"X-Api-Key": ""},
        {"X-Tenant": "a", "x-tenant": "b"},
        {"X-API-KEY": "{api_key}", "x-api-key": "{api_key}"},
    ],
)
def test_headers_that_hold_credentials_or_are_the_clients_own_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="headers"):
        source(headers=headers)


@pytest.mark.parametrize("name", ["X-API-KEY", "x-api-key"])
def test_the_keys_usual_header_may_be_named_with_the_keys_place(tmp_path: Path, name: str) -> None:
    configured = source(headers={name: "{api_key}", "X-Tenant": "t"})
    script = Script([ok(b'{"code":0,"items":[]}')])
    [part] = provider.fetch(opened(provider, configured, KEYS, tmp_path, script, Time()), configured, HOUR)
    sent = script.requests[0].headers
    assert sent.get_list("x-api-key") == ["9" * 12 + SECRET]
    assert part.request["headers"][name] == "{api_key}"
