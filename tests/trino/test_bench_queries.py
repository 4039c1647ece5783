"""`make bench-queries` in small: objects are made, `history` is filled, and both tables are asked in turn."""

import json
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest

from console.core.saved_query import saved_queries
from tests.trino import engine as tested
from tests.trino import glue
from tests.trino.conftest import FIRST
from tools.bench_queries.engine import Engine, connected
from tools.bench_queries.month import Month, write_all
from tools.bench_queries.query import Query, over

pytestmark = [pytest.mark.trino, pytest.mark.slow]

FEW = Month(days=2, hours=1, rows=50)
#: A bucket and a database of its own: the other tests count the rows of theirs.
NAME = "bench"


@pytest.fixture(scope="module")
def engine(trino: tested.Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    of = trino.stack
    s3 = boto3.client("s3", **of.aws)
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    folder = tmp_path_factory.mktemp(NAME)
    write_all(folder, FEW.places(), FEW.rows)
    for path in folder.rglob("*.parquet"):
        s3.upload_file(str(path), NAME, str(path.relative_to(folder)))
    boto3.client("glue", **of.aws).create_database(DatabaseInput={"Name": NAME})
    table = json.dumps(glue.table(of, "logs_as_deployed") | {"Name": "logs"})
    table = table.replace(of.outputs["BucketName"], NAME).replace(FIRST, str(FEW.first))
    glue.create(replace(of, outputs={**of.outputs, "DatabaseName": NAME}), json.loads(table))
    with connected(trino.address, NAME, NAME, FEW) as made:
        made.fill()
        yield made


def test_both_tables_are_asked_in_turn_and_what_each_took_is_told(engine: Engine) -> None:
    chosen = [query for query in over(FEW, saved_queries()) if query.name in {"rows-by-day", "source and day"}]
    assert len(chosen) == 2
    for _, taken in engine.compare(chosen, 2):
        for side in taken.values():
            assert min(len(side.seconds), *side.seconds, *side.bytes, *side.splits) > 0
        assert taken["logs"].bytes == taken["logs"].bytes[:1] * 2


def test_history_has_every_row_in_few_files(engine: Engine) -> None:
    number, size = engine.files()
    assert number == 5  # of each provider one
    assert size > 10_000
    assert engine.ask("SELECT count(*), count(DISTINCT record_id) FROM history").rows == [[1000, 1000]]


@pytest.mark.parametrize("sql", ['SELECT "$path" FROM logs', "SELECT body FROM logs WHERE body = 'none'"])
def test_another_answer_on_the_other_table_and_none_are_refused(engine: Engine, sql: str) -> None:
    with pytest.raises(ValueError, match=r"^asked: no answer, or another one on logs than on history"):
        next(engine.compare([Query("asked", sql)], 1))
