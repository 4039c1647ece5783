"""Trino as the tests ask it."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import requests

from tests.trino.s3_log import Requests, s3_log
from tools.stack import Aws, Stack
from tools.trino_server import CATALOG, FOLDER, ICEBERG, Server, catalogs, trino

#: Where the client is: behind all other folders, so that nothing else is taken from there.
CLIENT = FOLDER / "lib" / "python3.13" / "site-packages"

#: Reads as little of a table as can be.
ONE = "SELECT 1 FROM logs WHERE provider = 'elsa' LIMIT 1"


def client(module: str) -> Any:
    """Import a module of Trino's client, which has types in part only."""
    if str(CLIENT) not in sys.path:
        sys.path.append(str(CLIENT))
    return import_module(f"trino.{module}")


@dataclass(frozen=True)
class Engine:
    """A running Trino, and what it has asked S3 for."""

    stack: Stack
    address: str
    connection: Any
    #: The same, in the catalog in which a table of Iceberg can be made.
    iceberg: Any
    requests: Requests

    def ask(self, sql: str, *, iceberg: bool = False) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        with closing((self.iceberg if iceberg else self.connection).cursor()) as cursor:
            return [tuple(row) for row in cursor.execute(sql).fetchall()]

    def result(self, sql: str) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
        """Run a statement; return the type of each column of its result, and its rows."""
        with closing(self.connection.cursor()) as cursor:
            rows = [tuple(row) for row in cursor.execute(sql).fetchall()]
            return {name: kind for name, kind, *_ in cursor.description}, rows


def wait_for_catalogs(look: Callable[[], object], seconds: float = 60) -> None:
    """Wait until tables can be read, as `look` does: Trino looks only every 5 s which catalogs its own node has."""
    errors, deadline = client("exceptions"), time.monotonic() + seconds
    while True:
        try:
            look()
        except errors.TrinoQueryError as error:
            if error.error_name != "NO_NODES_AVAILABLE" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


@contextmanager
def started(aws: Aws, port: int | None = None) -> Generator[tuple[Server, Requests]]:
    """Start Trino over an emulator; yield it, and what it asks S3 for."""
    with s3_log(aws["endpoint_url"]) as (s3, seen), trino(catalogs(aws, s3), port) as server:
        yield server, seen


@contextmanager
def engine(stack: Stack, server: Server, seen: Requests) -> Generator[Engine]:
    """Connect to a Trino that is ready."""
    with ExitStack() as running:
        session = running.enter_context(requests.Session())
        session.trust_env = False  # no proxy
        how: dict[str, Any] = {"host": server.address, "user": "test", "http_session": session, "timezone": "UTC"}
        how["schema"] = stack.outputs["DatabaseName"]
        hive, iceberg = (
            running.enter_context(closing(client("dbapi").connect(catalog=name, **how))) for name in (CATALOG, ICEBERG)
        )
        made = Engine(stack, server.address, hive, iceberg, seen)
        wait_for_catalogs(lambda: made.ask(ONE))
        yield made
