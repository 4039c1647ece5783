"""The archive as one function sees it: its provider, its AWS, and how the pieces are put together for a source."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel

from logarchive.errors import ConfigError
from logarchive.ledger.dynamodb import Table
from logarchive.ledger.ledger import Ledger
from logarchive.ledger.planner import Planner
from logarchive.net.client import Client
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source, SourceError
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.source_loader import Sources
from logarchive.store.bucket import Store
from logarchive.visit.worker import Worker

#: What is written under which prefix -> the metric that counts its bytes.
BYTES = {"raw": "RawBytes", "logs": "LogsBytes"}


@dataclass(frozen=True, kw_only=True)
class Archive[S: Source, K: BaseModel]:
    """What an action works with."""

    provider: Provider[S, K]
    table: Table
    store: Store
    sources: Sources[S, K]
    #: Starts another invocation of this function with the given event.
    dispatch: Callable[[Mapping[str, Any]], None]
    invocation: Invocation
    transport: httpx.BaseTransport | None = None

    def ledger(self, name: str) -> Ledger:
        """Return the ledger of one source."""
        return Ledger(self.table, self.provider.name, name)

    def planner(self, name: str, source: S) -> Planner:
        """Return the planner of one source."""
        return Planner(self.ledger(name), source, self.provider.feed_id(source), self.invocation.clock())

    def source(self, name: str) -> S:
        """Return one enabled source. Raises ConfigError if there is none of that name, or it is wrong."""
        good, bad = self.load()
        for error in bad:
            if error.source == name:
                raise ConfigError(error.error)
        if name not in good:
            raise ConfigError(f"no source {name!r} under {self.sources.path}")
        if not good[name].enabled:
            raise ConfigError(f"source {name!r} is not enabled")
        return good[name]

    def load(self) -> tuple[dict[str, S], list[SourceError]]:
        """Return the good sources by name, and what is wrong with the others; the latter are logged and counted."""
        good, bad = self.sources.load()
        for error in bad:
            self.complain(error)
        return good, bad

    def complain(self, error: SourceError) -> SourceError:
        """Log and count a source that cannot be used."""
        self.invocation.log("source.invalid", source=error.source, error=error.error)
        self.invocation.count("SourceErrors", 1, error.source)
        return error

    @contextmanager
    def worker(self, name: str, source: S) -> Generator[Worker[S, K]]:
        """Open a worker for one source, with its connection to the provider. Raises ConfigError for a bad secret."""
        invocation = self.invocation

        def count(metric: str, value: float) -> None:
            if value:
                invocation.count(metric, value, name)

        def wrote(key: str, size: int) -> None:
            if metric := BYTES.get(key.partition("/")[0]):
                count(metric, size)

        client = Client(
            provider=self.provider,
            source=source,
            secret=self.sources.secret(source),
            directory=Path(),
            clock=invocation.clock,
            sleep=invocation.sleep,
            remaining=invocation.seconds_to_work,
            remember=self.ledger(name).remember,
            count=count,
            transport=self.transport,
        )
        with client:
            yield Worker(
                provider=self.provider,
                source=source,
                ledger=self.ledger(name),
                store=replace(self.store, wrote=wrote),
                invocation=invocation,
                open_api=client.into,
            )
