"""Archives that simulated providers filled and the notary signed are right, and what is changed in them is found."""

import datetime as dt
import json

import httpx
import pytest

from tests.fake_aws import FakeKms, FakeS3, FakeTable
from tests.scenario import Scenario
from tests.simulator import KEYS, Simulator, source
from tests.verifier.archive import Archive, kept, private_key
from tests.verifier.test_tampering import CHANGES, KINDS, keys
from tools.registry import names, providers

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
#: Ten hours, looked at each time something may be due.
STEPS, STEP = 14, dt.timedelta(hours=1, minutes=6)


def played(
    simulator: Simulator, client: httpx.Client, provider: str, shared: tuple[FakeTable, FakeS3, FakeKms]
) -> Scenario:
    """Return an archive of one source of a provider, whose requests the simulator answers."""

    def answer(request: httpx.Request) -> httpx.Response:
        response = client.send(client.build_request(request.method, request.url, content=request.read(),
                                                    headers=request.headers))  # fmt: skip
        kept_headers = {name: value for name, value in response.headers.items() if name in {"content-type", "location"}}
        return httpx.Response(response.status_code, headers=kept_headers, content=response.content)

    group = providers()[provider].secret_group
    secret = {f"la/{group}/one": json.dumps(KEYS[group])}
    document = source(provider, simulator.url, secret=f"la/{group}/one", start="2026-11-20T00:00:00Z")
    document |= {"window": "PT2H", "revisit": ["PT1H", "PT4H"]}
    table, s3, kms = shared
    return Scenario([], table, s3, kms, START, sources={f"shop-{provider}": document}, answer=answer, secrets=secret,
                    provider=providers()[provider])  # fmt: skip


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = Archive(tmp_path_factory.mktemp("simulated"))
    kms = FakeKms(signature=archive.private.sign, public=private_key().public_key().public_bytes_raw())
    shared = FakeTable(), FakeS3(), kms
    now = START
    http = httpx.Client(trust_env=False, timeout=30)
    with Simulator(clock=lambda: now, scale=0.05) as simulator, http as client:
        scenarios = [played(simulator, client, provider, shared) for provider in names()]
        for _ in range(STEPS):
            now += STEP
            for scenario in scenarios:
                scenario.now = now
                scenario.tick()
            scenarios[0].notarize()
    for key, stored in shared[1].objects.items():
        archive.put(key, stored.body)
    return archive


def test_the_archives_of_all_providers_are_right_and_signed(simulated: Archive) -> None:
    outcome = simulated.verify()
    assert outcome.findings == []
    sources = {source["source"]: source for source in outcome.report["sources"]}
    assert list(sources) == [f"{name}/shop-{name}" for name in names()]
    assert all(source["sealed"] >= 3 for source in sources.values())
    assert sum(source["rows"] for source in sources.values()) > 100
    assert outcome.report["checked"]["checkpoints"] > STEPS


@pytest.mark.parametrize("change", ["a bit", "deleted", "another's bytes", "a byte less"])
@pytest.mark.parametrize("provider", names())
def test_what_is_changed_in_a_simulated_archive_is_found(simulated: Archive, provider: str, change: str) -> None:
    for kind in KINDS:
        every = [key for key in keys(simulated, kind, provider) if (simulated.root / key).stat().st_size]
        for key in {every[0], every[-1]} if len(every) > 1 else set[str]():
            with kept(simulated, key):
                do, what = CHANGES[change]
                do(simulated.root / key, simulated.root / (every[1] if key != every[1] else every[0]))
                outcome = simulated.verify()
                assert outcome.finds(key, what)
