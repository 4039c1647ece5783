"""One ministack for each test process, and a fresh bucket and table in it for each test that asks."""

from collections.abc import Iterator

import pytest

from logarchive.ledger.dynamodb import Table
from logarchive.store.bucket import Store
from tests.integration.stage import Stage, new_store, new_table, stage
from tests.scenario import HOUR, MINUTE, START
from tools.stack import Aws, aws, free_port, ministack


@pytest.fixture(scope="session")
def emulator() -> Iterator[Aws]:
    with ministack(free_port()) as (endpoint, _process, _folder):
        yield aws(endpoint)


@pytest.fixture
def table(emulator: Aws) -> Table:
    return new_table(emulator)


@pytest.fixture
def store(emulator: Aws) -> Store:
    return new_store(emulator)


@pytest.fixture
def on(emulator: Aws) -> Iterator[Stage]:
    """A small world, six minutes after the end of its first hour."""
    with stage(emulator, START, scale=0.02) as made:
        made.clock.now = START + HOUR + 6 * MINUTE
        yield made
