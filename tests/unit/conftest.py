"""Ledger and store on in-memory stand-ins."""

import pytest

from logarchive.ledger.dynamodb import Table
from logarchive.store.bucket import Store
from tests.fake_aws import FakeS3, FakeTable


@pytest.fixture
def table() -> Table:
    return FakeTable()  # type: ignore[return-value] # a drop-in


@pytest.fixture
def store() -> Store:
    return Store(FakeS3(), "bucket")  # type: ignore[arg-type] # a drop-in
