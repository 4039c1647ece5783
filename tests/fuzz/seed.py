"""Where the fuzzer starts: the fixtures, what the simulator answers, and what this version itself has written."""

import datetime as dt
import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from functions.dsa.app import FACTS
from logarchive.errors import OutOfTimeError, ProviderError
from tests.fuzz.api import APIS, BETWEEN, WINDOW, provider_of
from tests.fuzz.aws import PLACE, VISIT
from tests.scenario import END, Record, Scenario
from tests.simulator import HOSTS, Simulator, access
from tests.simulator.message import Request
from tests.unit.exchange import Time, ok, opened, secret, source
from tests.unit.test_fetch import GOOD
from tests.unit.visit import zipped
from tools.golden import FIXTURES
from tools.golden import bodies as fixtures
from tools.lock import ROOT
from tools.provider_page import example
from tools.registry import providers

SIMULATED = "http://127.0.0.1:9"
_TIME = 1795352400000
_LINES = b'{"logTime":%d,"body":"a","n":1}\n{"logTime":%d,"body":"b","n":1.50}\n17\n' % (_TIME, _TIME)
_WRAPPED = b'{"code":0,"data":{"total":1,"list":[{"logTime":%d,"c":{"k":[1,"x"]},"body":"\\ud83d\\ude00"}]}}' % _TIME
#: Late enough for the file of the hour.
LATER = WINDOW.end + dt.timedelta(hours=6)
_MOST_RECORDED, _MOST_BYTES = 100, 50_000


def bodies() -> Iterator[bytes]:
    """Yield bodies of every kind that is read."""
    for folder in ("elsa", "dsa"):
        yield from (path.read_bytes() for path in fixtures(FIXTURES / folder))
    yield from (
        _LINES,
        _WRAPPED,
        b"[%b]" % _LINES[:-4].replace(b"}\n{", b"},{"),
        b'logTime,body\n%d,"a ""b"""\n' % _TIME,
    )


def documents(provider: str) -> Iterator[bytes]:
    """Yield the documents of one provider."""
    yield json.dumps(GOOD[provider]).encode()
    yield from (path.read_bytes() for path in fixtures(FIXTURES / provider))


def archives() -> Iterator[bytes]:
    """Yield bodies, packed in each way that is read."""
    for body in bodies():
        yield from (body, gzip.compress(body), gzip.compress(body) + gzip.compress(b"b\n"), zipped(body, b"c\n"))
    yield from (zipped(_LINES, how=0), zipped(gzip.compress(_LINES)), _tar(_LINES), gzip.compress(_tar(_LINES, b"x")))


def _tar(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number, content in enumerate(contents):
            entry = tarfile.TarInfo(f"{number}.log")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def responses(api: str) -> Iterator[bytes]:
    """Yield what an API may answer to the requests of a visit: recorded, documented, and as an error."""
    yield BETWEEN.join(_recorded(api))
    good = json.dumps(GOOD[api]).encode()
    for document in (good, *(path.read_bytes() for path in fixtures(FIXTURES / provider_of(api)))):
        yield document
        yield BETWEEN.join([b"200\ncontent-type: application/json\n\n" + document, gzip.compress(document)])
    hidden = "".join(access.KEYS[providers()[provider_of(api)].secret_group].values()).encode()
    yield BETWEEN.join([b'429\nretry-after: 3\n\n{"error": {"errorCode": "410", "message": "%b"}}' % hidden, b"{}"])
    yield b"403\ndate: Sun, 22 Nov 2026 13:10:00 GMT\nx-ncp-apigw-error-code: 200\n\n<title>no %b</title>" % hidden


def _recorded(api: str) -> list[bytes]:
    """Let the simulator answer a visit, and return its responses with the hosts of the fuzzed source."""
    name, simulator, pieces = provider_of(api), Simulator(scale=0.0005, clock=lambda: LATER), list[bytes]()
    fields = APIS[api] | access.source(name, SIMULATED, **({"api": api} if name == "dsa" else {}))
    configured = source(name, **fields)

    def answer(request: httpx.Request) -> httpx.Response:
        if len(pieces) == _MOST_RECORDED:
            raise OutOfTimeError
        headers = {key.lower(): value for key, value in request.headers.items()}
        given = simulator.answer(Request(request.method, request.url.raw_path.decode(), headers, request.content))
        body = given.body.replace(HOSTS[0].encode(), b"a.test").replace(SIMULATED[7:].encode(), _link_host(api))
        pieces.append(b"%d\ncontent-type: %b\n\n%b" % (given.status, given.content_type.encode(), body))
        return httpx.Response(given.status, content=given.body, headers={"content-type": given.content_type})

    with TemporaryDirectory() as directory, suppress(ProviderError, OutOfTimeError):
        opened_api = opened(providers()[name], configured, secret(name), Path(directory), answer, Time(LATER))
        for _ in providers()[name].fetch(opened_api, configured, WINDOW):
            pass
    return pieces if sum(map(len, pieces)) < _MOST_BYTES else [*pieces[:2], *pieces[-2:]]


def _link_host(api: str) -> bytes:
    return str(FACTS.get(api, FACTS["cdn"])["download_hosts"][0]).encode()


def manifests() -> Iterator[bytes]:
    """Yield manifests with their part: stored as it came, and compressed."""
    for body in (None, _LINES):
        scenario = Scenario([Record("one"), Record("two", 5)], now=END + dt.timedelta(minutes=6))
        if body is not None:
            scenario.answer = lambda _request: ok(_LINES)
        scenario.tick()
        stored = {key: found.body for key, found in scenario.s3.objects.items() if key.startswith(PLACE.raw)}
        manifest = stored.pop(PLACE.manifest(VISIT))
        [part] = stored.values()
        yield manifest + BETWEEN + part
        yield manifest.replace(b'"complete": true', b'"complete": false') + BETWEEN + part


def events() -> Iterator[bytes]:
    """Yield the example of each action, and what else an event may say."""
    for path in sorted((ROOT / "events").glob("*.json")):
        yield path.read_bytes().replace(b"checkout", b"shop")
    between = b'"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"'
    yield b'{"action": "backfill", "source": "shop", %b, "inline": true, "reopen": true, "workers": 2}' % between
    yield b'{"action": "backfill", "source": "shop", %b, "dry_run": true, "reopen": false}' % between
    yield b'{"action": "replay", "source": "shop", %b, "inline": true, "outdated": true}' % between


def sources() -> Iterator[bytes]:
    """Yield the example of each provider's page, and its fuzzed source, each with a secret."""
    for number, (name, provider) in enumerate(providers().items()):
        shown = json.loads(example(name).model_dump_json(exclude_unset=True))
        fields = json.loads(source(name, **{**APIS[name], "pace": 60}).model_dump_json(exclude_unset=True))
        keys = json.dumps(access.KEYS[provider.secret_group]).encode()
        for document in (shown, fields | {"start": "2026-11-01T00:00:00Z", "revisit": ["PT2H"]}):
            text = json.dumps(document | {"secret": f"la/{provider.secret_group}/one"})
            yield b"%d%b%b%b" % (number, text.encode(), BETWEEN, keys)
