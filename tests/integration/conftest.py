"""One ministack for each test process, and a fresh bucket and table in it for each test that asks."""

import uuid
from collections.abc import Iterator

import boto3
import pytest

from logarchive.ledger.dynamodb import Table
from logarchive.store.bucket import Store
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


def new_table(access: Aws) -> Table:
    """Make a table as the template describes it."""
    name = f"ledger-{uuid.uuid4().hex[:8]}"
    resource = boto3.resource("dynamodb", **access)
    names = ("source", "window", "due_at")
    resource.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in names],
        KeySchema=[
            {"AttributeName": "source", "KeyType": "HASH"},
            {"AttributeName": "window", "KeyType": "RANGE"},
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "source", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return Table(resource.Table(name))


def new_store(access: Aws) -> Store:
    """Make a versioned bucket."""
    name = f"archive-{uuid.uuid4().hex[:8]}"
    client = boto3.client("s3", **access)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return Store(client, name)
