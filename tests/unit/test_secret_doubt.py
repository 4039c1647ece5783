"""No secret in an error, however a server spells or cuts it; and no credential in a source's own headers."""

import base64
import html
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from functions.security365.app import License, Security365Source, provider
from logarchive.errors import ProviderError
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
#: What writers of JSON and HTML that are much in use make of it.
OTHERS = {
    "go": escaped("<>&"),
    "gson": escaped("<>&='", quotes='\\"'),
    "php": escaped("&'\"").replace("/", "\\/"),
    "html &#39;": html.escape(SECRET).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "base64 without padding": base64.b64encode(SECRET.encode()).decode().rstrip("="),
}
SPELLINGS = [
    *(pytest.param(text, id=name) for name, text in SPELT.items()),
    *(pytest.param(text, id=name) for name, text in OTHERS.items()),
]


@pytest.mark.parametrize("status", [400, 403, 500])
@pytest.mark.parametrize("written", SPELLINGS)
def test_a_secret_is_masked_however_a_server_spells_it(tmp_path: Path, written: str, status: int) -> None:
    told = said(tmp_path, status, f'{{"why":"no licence {written} here, {written}"}}'.encode())
    assert_hides(told, written)
    assert "***" in told


@pytest.mark.parametrize("written", [pytest.param(text, id=name) for name, text in SPELT.items()])
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
