"""The archive of one provider, put together for one invocation: the only module that connects the rooms."""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import BaseModel

from logarchive.errors import ConfigError
from logarchive.ledger.dynamodb import Table
from logarchive.ledger.entry import Head
from logarchive.ledger.ledger import Ledger
from logarchive.ledger.planner import Planner
from logarchive.moment import instant
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.runtime.aws import Aws
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.settings import Settings
from logarchive.runtime.source_loader import BadSource, SourceLoader
from logarchive.store.bucket import Lock, Store

if TYPE_CHECKING:  # a tick that starts no worker neither connects to the provider nor builds rows
    from logarchive.net.session import Connect
    from logarchive.visit.worker import Worker

#: Prefix in the bucket -> the metric that counts the bytes written below it.
BYTES = {"raw": "RawBytes", "logs": "LogsBytes"}


@dataclass(frozen=True, kw_only=True)
class Archive[S: Source, K: BaseModel]:
    """What an action works with."""

    provider: Provider[S, K]
    table: Table
    store: Store
    source_loader: SourceLoader[S, K]
    #: Starts another invocation of this function with the given event.
    dispatch: Callable[[Mapping[str, Any]], None]
    invocation: Invocation
    transport: httpx.BaseTransport | None = None

    @property
    def network(self) -> "Connect | None":
        """What stands in for the network in tests."""
        transport = self.transport
        return (lambda _admit: transport) if transport else None

    def ledger(self, source_name: str) -> Ledger:
        """Return the ledger of one source."""
        return Ledger(self.table, self.provider.name, source_name)

    def planner(self, source_name: str, source: S, begun: Callable[[Head], None] = lambda _head: None) -> Planner:
        """Return the planner of one source. `begun` is called, after a log line, if the source is new to the ledger."""

        def report(head: Head) -> None:
            keys = {"begin": instant(head.begin), "reason": head.begin_reason}
            self.invocation.log("source.begun", source=source_name, **keys)
            begun(head)

        feed_id, now = self.provider.feed_id(source), self.invocation.clock()
        return Planner(self.ledger(source_name), source, feed_id, now, self.source_loader.archive_from, report)

    def source(self, source_name: str, workers: int | None = None) -> S:
        """Return one enabled source, with another number of workers if an event names one.

        Raises ConfigError if there is no such source, or it is wrong, or its pace is too slow for so many workers.
        """
        source = self.source_loader.load_one(source_name)
        if not source.enabled:
            raise ConfigError(f"source {source_name!r} is not enabled")
        if workers and source.pace is not None and source.pace < workers:
            raise ConfigError(f"workers: {workers} are too many for the source's pace; at most {source.pace}")
        return source.model_copy(update={"workers": workers}) if workers else source

    def sources(self) -> tuple[dict[str, S], list[BadSource]]:
        """Return the good sources by name, and the bad ones, which are logged and counted."""
        sources, bad = self.source_loader.load()
        self.report(*bad)
        return sources, bad

    def misplaced(self) -> list[BadSource]:
        """Return the parameters under no provider's name, which are logged and counted."""
        misplaced = self.source_loader.misplaced()
        self.report(*misplaced)
        return misplaced

    def report(self, *bad: BadSource) -> None:
        """Log and count sources that cannot be used."""
        for problem in bad:
            self.invocation.log("source.invalid", source=problem.name, error=problem.error)
            self.invocation.count("SourceErrors", 1, problem.name)

    @contextmanager
    def worker(self, source_name: str, source: S) -> "Generator[Worker[S, K]]":
        """Open a worker for one source, with its connection to the provider. Raises ConfigError for a bad secret."""
        from logarchive.net.pacing import Timer
        from logarchive.net.session import open_session
        from logarchive.visit.context import VisitContext
        from logarchive.visit.worker import Worker

        invocation = self.invocation

        def count(metric: str, value: float) -> None:
            if value:
                invocation.count(metric, value, source_name)

        def wrote(key: str, size: int) -> None:
            if metric := BYTES.get(key.partition("/")[0]):
                count(metric, size)

        timer = Timer(clock=invocation.clock, sleep=invocation.sleep, remaining=invocation.seconds_to_work)
        secret = self.source_loader.secret(source)
        with closing(open_session(self.provider, source, secret, timer, count=count, connect=self.network)) as session:
            yield Worker(
                VisitContext(
                    provider=self.provider,
                    source=source,
                    ledger=self.ledger(source_name),
                    store=replace(self.store, wrote=wrote),
                    invocation=invocation,
                    session=session,
                )
            )


def connect[S: Source, K: BaseModel](
    provider: Provider[S, K], settings: Settings, aws: Aws, invocation: Invocation, function: str
) -> Archive[S, K]:
    """Put an archive together for one invocation of the function of that ARN."""
    source_loader = SourceLoader(
        provider=provider,
        ssm=aws.ssm,
        secrets=aws.secrets,
        path=settings.sources_path,
        secrets_prefix=settings.secrets_prefix,
        archive_from=settings.archive_from,
        providers=settings.providers,
    )
    days = settings.raw_retention_days
    lock = Lock(days, settings.raw_retention_mode, invocation.clock) if days else None
    return Archive(
        provider=provider,
        table=aws.table,
        store=replace(aws.store, lock=lock),
        source_loader=source_loader,
        dispatch=aws.dispatcher(function),
        invocation=invocation,
    )
