"""No secret in an error or in what is told of a request, however a server spells or cuts it."""

import base64
import html
import json
import time
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from functions.security365.app import License
from logarchive.errors import ProviderError
from logarchive.net.redaction import Redaction
from logarchive.record.body import ERROR_BYTES
from tests.unit import exchange
from tests.unit.exchange import ok, same

SECRET = "ab/cd+EF/gh&ij'kl\"m"
KEYS = License.model_validate({"license": SECRET, "token": f"tok-{SECRET}", "api_key": "9" * 12 + SECRET})
scripted = partial(exchange.scripted, "security365", keys=KEYS)


def said(status: int, body: bytes) -> str:
    """Return what the error says that an answer amounts to."""
    with pytest.raises(ProviderError) as caught:
        exchange.fetched("security365", same(status, body), keys=KEYS)
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


def within_json(text: str) -> str:
    return json.dumps(text)[1:-1]


JSON, BASE64 = within_json(SECRET), base64.b64encode(SECRET.encode()).decode()
SLASHED, LOWER = JSON.replace("/", "\\/"), escaped("+&<>'\"`")
SPELT = {
    "as it is": SECRET,
    "json": JSON,
    "slashes": SLASHED,
    "lower \\u": LOWER,
    "upper \\u": escaped("+&<>'\"`", upper=True),
    "upper \\u and slashes": escaped("+&<>'\"`/", upper=True),
    "html": html.escape(SECRET),
    "html but quotes": html.escape(SECRET, quote=False),
    "lower case": SECRET.lower(),
    "upper case": SECRET.upper(),
    "base64": BASE64,
    # Where one writer's text stands in another's.
    "json in json": within_json(JSON),
    "json in json in json": within_json(within_json(JSON)),
    "slashes in json": within_json(SLASHED),
    "\\u in json": within_json(LOWER),
    "url": quote(SECRET, safe=""),
    "url in url": quote(quote(SECRET, safe="")),
    "html in html": html.escape(html.escape(SECRET)),
    "json in html": html.escape(JSON),
    "html in json": within_json(html.escape(SECRET)).replace("&", "\\u0026"),
    "url in json": within_json(quote(SECRET, safe="")).replace("%", "\\u0025"),
    "base64 in a url": quote(BASE64, safe=""),
    "base64 in json with slashes": BASE64.replace("/", "\\/").replace("+", "\\u002b"),
}
#: What writers of JSON and HTML that are much in use make of it.
OTHERS = {
    "go": escaped("<>&"),
    "gson": escaped("<>&='", quotes='\\"'),
    "php": escaped("&'\"").replace("/", "\\/"),
    "html &#39;": html.escape(SECRET).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "base64 without padding": BASE64.rstrip("="),
}
SPELLINGS = SPELT | OTHERS


@pytest.mark.parametrize("status", [400, 403, 500])
@pytest.mark.parametrize("written", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_masked_however_a_server_spells_it(written: str, status: int) -> None:
    told = said(status, f'{{"why":"no licence {written} here, {written}"}}'.encode())
    assert_hides(told, written)
    assert "***" in told


@pytest.mark.parametrize("written", SPELT.values(), ids=SPELT)
def test_a_secret_is_masked_in_a_message_that_was_read(written: str) -> None:
    told = said(200, json.dumps({"code": 61003, "msg": f"no licence {written} here"}).encode())
    assert_hides(told, written)
    assert "***" in told


def across(border: int) -> list[int]:
    """Return places to begin at, so that a secret is cut at the border, right before it or right behind it."""
    return [border - before for before in (len(SECRET) + 1, len(SECRET), 15, 7, 6, 1, 0)]


@pytest.mark.parametrize("begin", across(ERROR_BYTES))
@pytest.mark.parametrize("before", ["", '{"msg":"'])
def test_what_the_end_of_an_error_leaves_of_a_secret_is_not_said(begin: int, before: str) -> None:
    """White space is not said: so a secret that comes late stands among what is."""
    body = f"{before}{' ' * (begin - len(before))}{SECRET} {'x' * 30_000}"
    assert_hides(said(400, body.encode()), SECRET)


def test_a_message_too_long_for_an_error_hides_the_secret_too() -> None:
    body = json.dumps({"code": 61001, "msg": f"no licence {SECRET} here {'x' * 70_000}", "items": []}).encode()
    told = said(200, body)
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
def test_what_a_manifest_says_of_a_request_is_masked_and_then_cut(place: str) -> None:
    text = "x" * 8_180 + SECRET + "y" * 1_000_000
    given: dict[str, Any] = {place: {"key": [text] if place == "json" else text}}
    response = ok(b"[]", etag="x" * 990 + SECRET + "y" * 1_000_000, date=SECRET)
    part = scripted(response).request("POST", "/x", **given)
    described = json.dumps(part.request)
    assert_hides(described + json.dumps(part.headers), SECRET)
    assert len(described) < 10_000
    assert part.headers["etag"] == "x" * 990 + "***yyyyyyy…"
    assert part.headers["date"] == "***"


def test_a_short_request_and_its_headers_are_told_whole() -> None:
    given = {"filters": [{"license": "a", "n": 1}]}
    part = scripted(ok()).request("POST", "/x", json=given)
    assert part.request["json"] == given
