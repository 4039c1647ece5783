"""Sources in a small world: an archive on fakes, a provider that serves a list of records, and a clock."""

import contextlib
import datetime as dt
import gzip
import importlib
import io
import itertools
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from functions.elsa.app import provider as elsa
from logarchive.action.archive import Archive
from logarchive.action.handler import act
from logarchive.action.notary import Daily, notary, signer
from logarchive.action.notary import act as notarize
from logarchive.action.result import Result
from logarchive.coverage.writer import CoverageWriter
from logarchive.ledger.entry import Entry
from logarchive.ledger.ledger import Ledger
from logarchive.moment import EPOCH, MILLISECOND
from logarchive.proof.notary import PAGE, Notary
from logarchive.provider.provider import Provider
from logarchive.runtime.aws import NotaryAws
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.metric import Count, Tally
from logarchive.runtime.source_loader import SourceLoader
from logarchive.store.bucket import Store
from logarchive.warning.signal import read_invalid
from logarchive.window import Window
from tests.fake_aws import FakeKms, FakeS3, FakeSecrets, FakeSsm, FakeTable, Gate, open_gate

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
#: The one window of the scenario: a day, so that no other one ends while things happen to it.
START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
END = START + 24 * HOUR
TIMEOUT = 15 * MINUTE
NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)

NAMES = itertools.count()


@dataclass(frozen=True)
class Record:
    """A record that the provider serves from one moment on until another."""

    body: str
    second: int = 0
    visible: dt.datetime = START
    gone: dt.datetime = NEVER

    def json(self) -> dict[str, Any]:
        moment = START + dt.timedelta(seconds=self.second)
        return {"logTime": int(moment.timestamp() * 1000), "body": self.body, "logLevel": "INFO"}


def some[T](found: T | None) -> T:
    """Return what is there, as it must be."""
    assert found is not None
    return found


class Killed(BaseException):
    """The invocation ends here, without a word."""


@dataclass
class Scenario:
    """The archive of one source, `elsa/shop`, whose API is `world`."""

    world: list[Record]
    table: FakeTable = field(default_factory=FakeTable)
    s3: FakeS3 = field(default_factory=FakeS3)
    kms: FakeKms = field(default_factory=FakeKms)
    now: dt.datetime = START
    source: dict[str, Any] = field(default_factory=dict[str, Any])
    #: All sources; None: the one.
    sources: dict[str, Any] | None = None
    #: Answers in place of the world, when set.
    answer: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None
    gate: Gate = open_gate
    events: list[str] = field(default_factory=list[str])
    dispatched: list[Any] = field(default_factory=list[Any])
    archive_from: dt.datetime | None = None
    #: Parameters besides the sources, and secrets besides the one of the sources.
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    provider: Provider[Any, Any] = elsa
    #: What becomes of a wait.
    sleep: Callable[[float], None] = lambda _seconds: None

    def __post_init__(self) -> None:
        def gate(call: str, moment: str) -> None:
            self.gate(call, moment)

        self.table.gate = self.s3.gate = self.kms.gate = gate

    def archive(self, clock: Callable[[], dt.datetime] | None = None, count: Count | None = None) -> Archive[Any, Any]:
        """Return the archive as a fresh invocation sees it."""
        invocation = self.invocation(clock, count)
        source: dict[str, Any] = {
            "secret": "la/ncloud/one",
            "project_key": "p",
            "project_id": 1,
            "start": "2026-11-20T00:00:00Z",
        }
        source |= {"window": "P1D", "revisit": ["PT1H", "PT4H"]}
        sources = {"shop": source | self.source} if self.sources is None else self.sources
        path = f"/la/sources/{self.provider.name}"
        documents = {f"{path}/{name}": json.dumps(configured) for name, configured in sources.items()}
        secrets = {"la/ncloud/one": '{"access_key": "a", "secret_key": "s"}'}
        loader = SourceLoader(
            provider=self.provider,
            ssm=FakeSsm(documents | self.parameters),  # type: ignore[arg-type] # drop-ins
            secrets=FakeSecrets(secrets | self.secrets),  # type: ignore[arg-type]
            path=path,
            secrets_prefix="la",
            archive_from=self.archive_from,
            providers=("dsa", "elsa"),
        )
        return Archive(
            provider=self.provider,
            table=self.table,  # type: ignore[arg-type] # drop-ins
            store=Store(self.s3, "bucket"),  # type: ignore[arg-type]
            source_loader=loader,
            dispatch=self.dispatched.append,
            invocation=invocation,
            transport=httpx.MockTransport(lambda request: self._serve(request, invocation.started)),
        )

    def invocation(self, clock: Callable[[], dt.datetime] | None = None, count: Count | None = None) -> Invocation:
        """Return a fresh invocation."""
        now = (clock or (lambda: self.now))()
        return Invocation(
            name=f"invocation-{next(NAMES)}",
            started=now,
            deadline=now + TIMEOUT,
            clock=clock or (lambda: self.now),
            sleep=self.sleep,
            log=lambda event, **_keys: self.events.append(event),
            count=count or Tally(),
        )

    def act(self, action: str, **fields: object) -> Result:
        """Do what the function does for an event."""
        return act(self.archive(), {"action": action, **fields})

    def tick(self) -> Result:
        """Let the schedule fire, with the work done inline."""
        return self.act("tick", inline=True)

    def kill(self, call: str, moment: str = "before") -> None:
        """Let the schedule fire, and kill the invocation at a call."""

        def gate(name: str, when: str) -> None:
            if name.startswith(call) and when == moment:
                raise Killed

        self.gate = gate
        with contextlib.suppress(Killed):
            self.tick()
            raise AssertionError(f"there was no call {call}")
        self.gate = open_gate

    def recovers(self) -> None:
        """Let the provider answer again."""
        self.answer = lambda _request: None

    def fails(self, error: BaseException) -> None:
        """Let every request end in an error."""

        def answer(_request: httpx.Request) -> None:
            raise error

        self.answer = answer

    def lasts(self, length: dt.timedelta) -> None:
        """Let every request take so long."""

        def answer(_request: httpx.Request) -> None:
            self.now += length

        self.answer = answer

    def entries(self, source: str = "shop") -> list[Entry]:
        """Return the entries of a source's windows, without a call."""
        partition = f"{self.provider.name}#{source}"
        items = self.table.items.items()
        return [Entry.of_item(item) for (owner, sort), item in items if owner == partition and sort[0] != "#"]

    @property
    def entry(self) -> Entry:
        """The only entry."""
        [entry] = self.entries()
        return entry

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.table, self.provider.name, "shop")  # type: ignore[arg-type] # a drop-in

    def notarize(self, event: object = None, page: int = PAGE) -> Result:
        """Let the notary's schedule fire."""
        run = self.notary(page=page)
        return notarize(run, event or {"action": "notary"}, Daily(self.coverage(run)))

    def coverage(self, run: Notary) -> CoverageWriter:
        """Return the writer of the coverage page for one invocation of the notary."""
        table, providers = run.marks.table, [self.provider.name]
        return CoverageWriter(run.log, table, providers, run.invocation, lambda: read_invalid(table, providers))

    def notary(
        self, clock: Callable[[], dt.datetime] | None = None, count: Count | None = None, page: int = PAGE
    ) -> Notary:
        """Return the notary as a fresh invocation sees it."""
        store = Store(self.s3, "bucket")  # type: ignore[arg-type] # drop-ins
        aws = NotaryAws(store, self.table, self.kms)  # type: ignore[arg-type]
        made = notary(aws, self.invocation(clock, count), signer("bucket", aws.kms))
        return replace(made, page=page)

    def until_sealed(self) -> None:
        """Tick on, each time after every lease and back-off is over, until the window of START is finished."""
        for _ in range(40):
            self.tick()
            leaves = [entry for entry in self.ledger.every() if entry.window.end <= END and entry.state != "split"]
            if leaves and all(entry.finished for entry in leaves):
                return
            self.now += 70 * MINUTE
        raise AssertionError("the window was never finished")

    def rows(self, source: str = "shop") -> Counter[str]:
        """Return how often each body stands in `logs`."""
        bodies = Counter[str]()
        for key, stored in self.s3.objects.items():
            if key.startswith("logs/") and f"/{source}-" in key:
                rows = read_rows(stored.body)
                assert len({row["record_id"] for row in rows}) == len(rows)
                bodies.update(row["body"] for row in rows)
        return bodies

    def seen(self, visits: Collection[str] | None = None) -> dict[str, int]:
        """Return how often each body stands at most in one visit that is complete in raw, or in one of `visits`."""
        most: Counter[str] = Counter()
        for key, stored in list(self.s3.objects.items()):
            if key.endswith("manifest.json") and (visits is None or key.split("/")[-2] in visits):
                most |= self.visit(json.loads(stored.body))
        return dict(most)

    def visit(self, manifest: dict[str, Any]) -> Counter[str]:
        """Return how often a visit that was complete has seen each body of its window."""
        window, bodies = Window.parse(manifest["window"]), Counter[str]()
        parts: list[dict[str, Any]] = manifest["parts"] if manifest["complete"] else []
        for part in parts:
            if part["role"] == "data":
                for record in json.loads(unzip(self.s3.objects[part["key"]].body)):
                    moment = EPOCH + record["logTime"] * MILLISECOND
                    bodies[record["body"]] += window.start <= moment < window.end
        return bodies

    def _serve(self, request: httpx.Request, now: dt.datetime) -> httpx.Response:
        self.gate("api", "before")
        answer = self.answer(request) or self._records(json.loads(request.content), now)
        self.gate("api", "after")
        return answer

    def _records(self, asked: dict[str, int], now: dt.datetime) -> httpx.Response:
        return served(self.world, asked, now)


def served(world: list[Record], asked: dict[str, int], now: dt.datetime) -> httpx.Response:
    """Answer as ELSA would."""
    visible = [record.json() for record in world if record.visible <= now < record.gone]
    found = [record for record in visible if asked["from"] <= record["logTime"] <= asked["to"]]
    return httpx.Response(200, content=zipped(found[: asked["count"]]))


def read_rows(body: bytes) -> list[dict[str, Any]]:
    """Return the rows of a Parquet object.

    In this thread: a program that ends while pyarrow starts others is aborted at times.
    """
    parquet: Any = importlib.import_module("pyarrow.parquet")  # ships no types
    file = parquet.ParquetFile(io.BytesIO(body), pre_buffer=False)
    rows: list[dict[str, Any]] = file.read(use_threads=False).to_pylist()
    return rows


def zipped(records: list[dict[str, Any]]) -> bytes:
    """Return an ELSA answer."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("logs.json"), json.dumps(records))
    return body.getvalue()


def unzip(body: bytes) -> bytes:
    """Return what a raw part of the scenario holds."""
    if body[:2] == b"\x1f\x8b":
        return gzip.decompress(body)
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        return file.read(file.namelist()[0])
