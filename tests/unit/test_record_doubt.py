"""What odd answers become: no row outside of its window, none lost beside a broken one, none taken for another."""

import datetime as dt
import gzip
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.apigateway.app import ApigatewaySource
from functions.apigateway.app import provider as apigateway
from functions.multidrm.app import MultidrmSource
from functions.multidrm.app import provider as multidrm
from functions.security365.app import Security365Source
from functions.security365.app import provider as security365
from logarchive.part import Part
from logarchive.row.built import Built
from logarchive.vendor.ncloud import Keys
from logarchive.window import Span, Window
from tests.simulator.simulator import Simulator
from tests.unit import visit
from tests.unit.exchange import NOW, Script, Time, built, collected, connected, ok, opened

_parquet: Any = import_module("pyarrow.parquet")
ONE_HOUR = dt.timedelta(hours=1)
START = NOW.replace(hour=9)
KEYS = Keys.model_validate({"access_key": "accessKey", "secret_key": "secretKey"})


def rows(one: Built) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _parquet.read_table(one.path).to_pylist() if one.path else []
    return found


def visited(sim: Simulator, directory: Path, time: Time, window: Window, **fields: object) -> Built:
    """Visit a window of the simulator's policy log, and build it."""
    given = {"secret": "s", "base_url": f"{sim.url}/multidrm", **fields}
    configured = MultidrmSource.model_validate(given)
    with connected(multidrm, configured, KEYS, directory, time) as api:
        collection = collected(multidrm, configured, api, Span(window.start, window.end))
    return built(multidrm, configured, collection.parts, window, directory)


@pytest.mark.parametrize("ids", [None, "all"])
def test_where_the_end_is_ignored_later_records_are_outside_and_each_row_is_in_its_own_window(
    tmp_path: Path, ids: object
) -> None:
    time = Time()
    windows = [Window(START + hours * ONE_HOUR, START + (hours + 1) * ONE_HOUR) for hours in range(2)]
    with Simulator(clock=time, scale=0.1) as sim:
        sim.set("multidrm", end_time_parameter="endTIme", deleted_vanish=False, quiet=[])
        first, second = (visited(sim, tmp_path, time, window, policy_ids=ids) for window in windows)
        right = [visited(sim, tmp_path, time, one, policy_ids=ids, end_time_parameter="endTIme") for one in windows]
    for wrong, good, window in zip((first, second), right, windows, strict=True):
        numbers = wrong.numbers
        assert (numbers.strays, numbers.rows, numbers.rejects) == (0, good.numbers.rows, good.numbers.rejects)
        assert numbers.rows > 20
        assert all(window.start <= row["time"] < window.end for row in rows(wrong))
        assert {row["record_id"] for row in rows(wrong)} == {row["record_id"] for row in rows(good)}
        assert good.numbers.outside < 5
    # Four hours have come to the first window, and three to the second one: to each all that is later.
    assert first.numbers.outside > second.numbers.outside + 20 > 60
    assert not {row["record_id"] for row in rows(first)} & {row["record_id"] for row in rows(second)}


EVENT = b'{"time":"2026-11-22 22:30:00","level":"EVENT","type":"ES010","message":"m%d"}'
POLICY = b'{"policyId":1,"description":"m%d","timestamp":1795354200000}'
BROKEN = [
    b'{"message":"raw \n line feed"}',
    b'{"message":"not UTF-8 \xff"}',
    b"7",
    b'"text"',
    b"null",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_one_element_that_is_no_record_is_one_reject_and_the_others_become_rows(tmp_path: Path, broken: bytes) -> None:
    hour = Span(NOW, NOW + ONE_HOUR)
    for name in ("apigateway", "multidrm"):
        record = EVENT if name == "apigateway" else POLICY
        items = b",".join([*(record % n for n in range(7)), broken, *(record % n for n in range(7, 15))])
        body = b'"content":[' + items + b'],"total":16}'
        answer = b'{"events":{' + body + b"}" if name == "apigateway" else b'{"success":true,' + body
        made, [part] = normalised(name, hour, answer, tmp_path / name)
        assert (part.announced, part.count) == (16, 16)
        numbers = made.numbers
        assert (numbers.announced, numbers.fetched, numbers.rows, numbers.rejects) == (16, 16, 15, 1)
        assert sorted(row["body"] for row in rows(made)) == sorted(f"m{n}" for n in range(15))
        assert made.rejects_path
        [reject] = map(orjson.loads, gzip.decompress(made.rejects_path.read_bytes()).splitlines())
        assert reject["index"] == 7


def normalised(name: str, hour: Span, answer: bytes, directory: Path) -> tuple[Built, list[Part]]:
    """Return what an answer becomes, and the parts it came in."""
    directory.mkdir()
    configured: Any = (ApigatewaySource if name == "apigateway" else MultidrmSource).model_validate({"secret": "s"})
    provider: Any = apigateway if name == "apigateway" else multidrm
    api = opened(provider, configured, KEYS, directory, Script([ok(answer)]), Time())
    collection = collected(provider, configured, api, hour)
    return built(provider, configured, collection.parts, Window(hour.start, hour.end), directory), collection.parts


SEARCH = {"secret": "s", "base_url": "https://a.test", "referer": "https://a.test"}


@pytest.mark.parametrize("sort", ['[1795354200000,""]', "[1795354200000,null]", "[1795354200000]", "[]", "null"])
@pytest.mark.parametrize("bodies", [("one", "two"), ("same", "same")])
def test_an_id_that_is_empty_is_none_and_two_records_stay_two(
    tmp_path: Path, sort: str, bodies: tuple[str, str]
) -> None:
    items = ",".join(f'{{"time":1795354200000,"description":"{body}","sort":{sort}}}' for body in bodies)
    body = visit.part(f'{{"code":0,"items":[{items}]}}'.encode(), own=visit.WINDOW, asked=visit.WINDOW)
    configured = Security365Source.model_validate(SEARCH)
    made = built(security365, configured, [body], visit.WINDOW, tmp_path)
    assert (made.numbers.rows, made.numbers.duplicates) == (2, 0)
    assert len({row["record_id"] for row in rows(made)}) == 2
    assert all(row["record_id"] for row in rows(made))
