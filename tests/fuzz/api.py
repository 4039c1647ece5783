"""Responses of the providers: whatever an API answers, a visit's parts become rows, or an error is declared.

The bytes are responses, separated by lines `----`; each is a status, headers, a blank line and a body.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from logarchive.errors import OutOfTimeError, ProviderError
from logarchive.numbers import VisitNumbers
from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.row.build import Builder
from logarchive.visit.attempt import MOST_ERROR_CHARACTERS
from logarchive.visit.collection import Collection
from logarchive.window import Window
from tests.simulator.access import KEYS
from tests.unit.exchange import HOUR, Time, opened, secret, source
from tests.unit.test_fetch import FIELDS, GOOD
from tools.registry import providers

BETWEEN = b"\n----\n"
WINDOW = Window(HOUR.start, HOUR.end)
#: After so many requests the time is up: a total may announce pages without end.
MOST_REQUESTS = 100
#: API -> the fields of its source; one provider has two APIs.
APIS = {name: FIELDS.get(name, {}) for name in GOOD} | {
    name: {"page_size": 9} for name in ("apigateway", "security365")
}
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): ?([ -~]*)")


def provider_of(api: str) -> str:
    """Return the name of an API's provider."""
    return "dsa" if api == "cdn" else api


def response(piece: bytes) -> httpx.Response:
    """Return the response that bytes describe; without a blank line they are a body under HTTP 200."""
    head, blank, body = piece.partition(b"\n\n")
    status, *lines = (head if blank else b"200").decode("latin-1").split("\n")
    headers = {"content-length": str(len(body if blank else piece))}
    headers |= {match[1].lower(): match[2] for line in lines if (match := _HEADER.fullmatch(line))}
    code = int(status) if re.fullmatch("[2-5][0-9]{2}", status) else 200
    return httpx.Response(code, headers=headers, content=body if blank else piece)


def visit(api: str, data: bytes) -> None:
    """Visit an hour of an API that answers so, its last response again and again.

    Each record is counted once, and no secret is in what is written down.
    """
    pieces, name = data.split(BETWEEN), provider_of(api)
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) > MOST_REQUESTS:
            raise OutOfTimeError
        return response(pieces[min(len(requests), len(pieces)) - 1])

    provider, configured, told = providers()[name], source(name, **APIS[api]), ""
    with TemporaryDirectory() as directory:
        opened_api = opened(provider, configured, secret(name), Path(directory), answer, Time())
        gathered = Collection(provider, configured, opened_api, lambda part: part.replace(key=part.path.name))
        try:
            gathered.gather(WINDOW)
            told = json.dumps([(part.request, dict(part.headers), part.extra) for part in gathered.parts])
            numbers = built(provider, configured, gathered.data, Path(directory))
        except ProviderError as error:
            told = opened_api.session.redaction.text(str(error))[:MOST_ERROR_CHARACTERS]
            raise
        finally:
            assert not [value for value in KEYS[provider.secret_group].values() if value in told]
    assert numbers.fetched == numbers.rows + numbers.rejects + numbers.outside + numbers.duplicates


def built(provider: Provider[Any, Any], configured: Any, parts: Sequence[Part], directory: Path) -> VisitNumbers:
    """Build the object of the hour from parts."""
    records = provider.record_format(configured)
    builder = Builder(records=records, source_name="shop", window=WINDOW, ensure_time=lambda: None)
    return builder.build("v1", parts, None, directory).numbers
