"""One Trino for all tests, over the stack as `sam deploy` makes it, with the small archive and odd objects in it."""

import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from console.account import duck
from console.core.saved_query import SavedQuery, saved_views
from tests.trino import glue, odd
from tests.trino.engine import Engine, engine, started
from tests.trino.s3_log import Requests
from tests.unit import small_archive
from tools.stack import Stack, StackError, Step, aws, build_and_deploy, check_machine, free_port, ministack
from tools.trino_server import Server

#: Before every object that is put into the bucket, and the day of the hand-computed answers.
FIRST, LAST = "2026-11-01", "2026-11-22"
NOW = "TIMESTAMP '2026-11-22 15:00:00 UTC'"


@pytest.fixture(scope="session")
def step(pytestconfig: pytest.Config) -> Step:
    """Print how long each step takes before the first test."""
    capture: Any = pytestconfig.pluginmanager.get_plugin("capturemanager")

    @contextmanager
    def made(name: str) -> Generator[None]:
        begun = time.monotonic()
        yield
        with capture.global_and_fixture_disabled():
            print(f"\n{name}: {time.monotonic() - begun:.1f} s", end=" ", flush=True)

    return made


@contextmanager
def _in_one_sentence() -> Generator[None]:
    """End the run with what this machine lacks, in place of an error of each test."""
    try:
        yield
    except StackError as error:
        pytest.exit(f"make trino: {error}", 1)


@pytest.fixture(scope="session")
def port() -> int | None:
    """The port that was asked for: whether it can be had, and all else, is known before anything is built."""
    text = os.environ.get("PORT", "")
    with _in_one_sentence():
        if text and not (text.isdecimal() and 1024 <= int(text) < 65536):
            raise StackError(f"PORT={text}: must be a number from 1024 to 65535")
        check_machine([int(text)] if text else [])
    return int(text) if text else None


@pytest.fixture(scope="session")
def emulator(port: int | None) -> Iterator[Stack]:
    """AWS in which nothing is deployed yet."""
    # Whoever ends the run ends what it has started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _in_one_sentence(), ministack(free_port()) as (endpoint, process_id, folder):
        yield Stack(aws(endpoint), {}, process_id, folder)


@pytest.fixture(scope="session")
def server(emulator: Stack, port: int | None) -> Iterator[tuple[Server, Requests]]:
    """Trino, which starts while the stack is built, and what it asks S3 for."""
    with _in_one_sentence(), started(emulator.aws, port) as made:
        yield made


@pytest.fixture(scope="session")
def stack(
    emulator: Stack, server: tuple[Server, Requests], step: Step, tmp_path_factory: pytest.TempPathFactory
) -> Stack:
    """The stack, built while Trino starts, with the small archive and the odd objects in its bucket."""
    # The tests alone decide what is archived.
    parameters = {"ArchiveFrom": FIRST, "ScheduleExpression": "rate(1 day)", "History": "true"}
    with _in_one_sentence():
        outputs = build_and_deploy(emulator.aws["endpoint_url"], parameters, step)
    made = replace(emulator, outputs=outputs)
    folder = tmp_path_factory.mktemp("bucket")
    small_archive.write(folder)
    odd.write(folder)
    _put(made, folder)
    table = glue.table(made, "logs")
    glue.create(made, table | {"Name": "logs_as_deployed"})
    # A table whose days end today would have one more to list in each query with every day that passes.
    pinned = {**table["Parameters"], "projection.date.range": f"{FIRST},{LAST}"}
    glue.update(made, table | {"Parameters": pinned})
    return made


def _put(stack: Stack, folder: Path) -> None:
    s3 = boto3.client("s3", **stack.aws)
    for path in sorted(folder.rglob("*.parquet")):
        s3.upload_file(str(path), stack.outputs["BucketName"], str(path.relative_to(folder)))


@pytest.fixture(scope="session")
def trino(stack: Stack, server: tuple[Server, Requests], step: Step) -> Iterator[Engine]:
    """Trino, with the views of all providers."""
    with _in_one_sentence(), step("Trino"):
        server[0].wait_until_ready()
    with engine(stack, *server) as made:
        for view in saved_views():
            made.ask(view.sql)
            # ministack gives a table without a description an empty one, and Trino takes that for the comment by which
            # it knows its own views.
            glue.update(stack, glue.table(stack, view.path.stem) | {"Description": "Presto View"})
        yield made


def now(sql: str) -> str:
    """Return a statement as if it were asked at the moment of the answers."""
    assert sql.count("current_timestamp") == 1
    return sql.replace("current_timestamp", NOW)


#: Returns the rows of a saved query, and the prefixes that Trino has listed for them.
type Saved = Callable[[SavedQuery], tuple[list[tuple[Any, ...]], set[str]]]


@pytest.fixture(scope="session")
def saved(trino: Engine) -> Saved:
    """Each saved query, asked once at the moment of the answers."""

    @cache
    def asked(query: SavedQuery) -> tuple[list[tuple[Any, ...]], set[str]]:
        trino.requests.paths.clear()
        return trino.ask(now(query.sql)), trino.requests.listed()

    return asked


@pytest.fixture(scope="session")
def duck_db(stack: Stack) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB over the same bucket, with the same views."""
    with duck.connect(stack.aws["endpoint_url"], stack.outputs["BucketName"]) as database:
        for view in saved_views():
            database.execute(view.for_duckdb())
        yield database
