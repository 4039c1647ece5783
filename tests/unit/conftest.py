"""Ledger and store on in-memory stand-ins. No example of hypothesis fails for being slow: machines are shared."""

from pathlib import Path

import pytest
from hypothesis import settings

from logarchive.ledger.dynamodb import Table
from logarchive.store.bucket import Store
from tests.fake_aws import FakeS3, FakeTable
from tests.unit.exchange import Api

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def table() -> Table:
    return FakeTable()  # type: ignore[return-value] # a drop-in


@pytest.fixture
def store() -> Store:
    return Store(FakeS3(), "bucket")  # type: ignore[arg-type] # a drop-in


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path)
