"""Trino as the tests ask it."""

import sys
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import requests

from tests.trino.s3_log import Requests, s3_log
from tools.stack import Stack, Step
from tools.trino_server import CATALOG, FOLDER, ICEBERG, catalogs, trino

#: Where the client is: behind all other folders, so that nothing else is taken from there.
CLIENT = FOLDER / "lib" / "python3.13" / "site-packages"


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

    def types(self, sql: str) -> dict[str, str]:
        """Run a statement; return the type of each column of its result."""
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(sql).fetchall()
            return {name: kind for name, kind, *_ in cursor.description}


@contextmanager
def engine(stack: Stack, step: Step, port: int | None = None) -> Generator[Engine]:
    """Start Trino over a stack, and connect to it."""
    with ExitStack() as running:
        s3, seen = running.enter_context(s3_log(stack.aws["endpoint_url"]))
        with step("Trino"):
            address, _process_id = running.enter_context(trino(catalogs(stack.aws, s3), port))
        session = running.enter_context(requests.Session())
        session.trust_env = False  # no proxy
        how: dict[str, Any] = {"host": address, "user": "test", "http_session": session, "timezone": "UTC"}
        how["schema"] = stack.outputs["DatabaseName"]
        hive, iceberg = (
            running.enter_context(closing(client("dbapi").connect(catalog=name, **how))) for name in (CATALOG, ICEBERG)
        )
        yield Engine(stack, address, hive, iceberg, seen)
