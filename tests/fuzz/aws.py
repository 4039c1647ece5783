"""What AWS hands over: manifests and stored parts, events, source documents and secrets."""

import datetime as dt
import itertools
import json
import re
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from functions.elsa.app import provider as elsa
from logarchive.action.handler import act
from logarchive.errors import ConfigError, ProviderError
from logarchive.ledger.planner import Planner
from logarchive.runtime.source_loader import SourceLoader
from logarchive.store.bucket import Store
from logarchive.store.manifest import manifests
from logarchive.store.place import Place
from logarchive.window import Window
from tests.fake_aws import FakeS3, FakeSecrets, FakeSsm, FakeTable
from tests.fuzz.api import BETWEEN, WINDOW, built
from tests.scenario import END, START, Record, Scenario
from tests.unit.exchange import NOW, Time, ok, opened
from tests.unit.exchange import source as source_of
from tools.registry import providers

PLACE = Place("elsa", "shop", Window(START, END))
VISIT = "20261121T000600Z-0001"
#: The part that the manifests to start from name, as it came or compressed.
PARTS = tuple(PLACE.part(VISIT, 0, suffix) for suffix in (".zip", ".json.gz"))
ELSA = source_of("elsa")
#: What Lambda returns at most.
MOST_RESULT_BYTES = 6 * 1024 * 1024
#: A shorter value stands in a message by chance.
SHORTEST_SECRET = 8


def manifest(data: bytes) -> None:
    """Recover a visit: the bytes are its manifest, and the stored part behind `----`."""
    document, _, part = data.partition(BETWEEN)
    s3 = FakeS3()
    for key in (PLACE.manifest(VISIT), *PARTS):
        s3.put_object(Key=key, Body=part if key in PARTS else document, Bucket="bucket")
    store = Store(s3, "bucket")  # type: ignore[arg-type] # a drop-in
    with TemporaryDirectory() as directory:
        for read in manifests(store, PLACE):
            assert isinstance(read.complete, bool)
            parts = list(read.recall(store, Path(directory)))
            assert {part.sha256 for part in parts} <= read.known().keys()
            built(elsa, ELSA, parts, Path(directory))


def event(data: bytes) -> None:
    """Invoke a function on an archive with one window; each look at the clock takes five seconds."""
    try:
        sent = json.loads(data)
    except (ValueError, RecursionError):
        return  # Lambda refuses it
    scenario = Scenario([Record("b")], now=END + dt.timedelta(minutes=6))
    scenario.tick()
    looks = itertools.count()
    archive = scenario.archive(lambda: scenario.now + next(looks) * dt.timedelta(seconds=5))
    result = act(archive, sent)
    assert isinstance(result["ok"], bool)
    assert len(json.dumps(result)) < MOST_RESULT_BYTES


def source(data: bytes) -> None:
    """Read a source of the provider whose number comes first, and its secret behind `----`; then use both."""
    provider = list(providers().values())[int(data[:1]) % len(providers()) if data[:1].isdigit() else 0]
    document, _, secret = (text.decode("utf-8", "replace") for text in data[1:].partition(BETWEEN))
    ssm, secrets = FakeSsm(), FakeSecrets()
    loader = SourceLoader(provider, ssm, secrets, "/la/sources/x", "la")  # type: ignore[arg-type] # drop-ins
    parsed = loader.parse("shop", document)
    secrets.secrets[parsed.secret] = secret
    try:
        keys = loader.secret(parsed)
    except ConfigError as error:
        shown = [value for value in _texts(secret) if len(value) >= SHORTEST_SECRET and value in str(error)]
        assert not [value for value in shown if value not in document]
        raise
    planner = Planner(Scenario([], table=FakeTable()).ledger, parsed, provider.feed_id(parsed), NOW)
    planner.tick()
    with TemporaryDirectory() as directory:
        api = opened(provider, parsed, keys, Path(directory), _nothing, Time())
        with suppress(ProviderError):  # `{}` is not what every provider sends
            for _ in provider.fetch(api, parsed, WINDOW):
                pass


def _nothing(_request: httpx.Request) -> httpx.Response:
    return ok(b"{}")


def _texts(secret: str) -> list[str]:
    try:
        return re.findall(r'"([^"\\]+)"(?!:)', json.dumps(json.loads(secret)))
    except (ValueError, RecursionError):
        return []
