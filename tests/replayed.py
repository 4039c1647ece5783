"""A window to replay, prepared once: three visits, of which only the first had all rows, and one reject."""

import copy
import dataclasses
import gzip
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from functions.elsa.app import provider as elsa
from logarchive.column.convert import FieldMapping, epoch_ms, text
from logarchive.ledger.entry import Entry
from logarchive.moment import instant
from logarchive.provider.provider import Provider
from tests.scenario import END, HOUR, MINUTE, START, Record, Scenario, read_rows, some, zipped

KEY = "2026-11-20T00:00:00Z/P1D"
WORLD = [
    Record("steady", 1),
    Record("twin", 2),
    Record("twin", 2),
    Record("late", 3, visible=END + 30 * MINUTE),
    Record("dropped", 5, gone=END + 50 * MINUTE),
]
ROWS = {"steady": 1, "twin": 2, "late": 1, "dropped": 1}
#: Rejected, and a row only by the mapping of today.
ODD = {"logTime": "never", "body": "odd", "logLevel": "WARN"}
RANGE = {"source": "shop", "start": instant(START), "end": instant(END)}


def _times(values: list[Any]) -> list[Any]:
    return epoch_ms([int(START.timestamp() * 1000) if value == "never" else value for value in values])


def _columns(source: Any) -> Mapping[str, FieldMapping]:
    level = FieldMapping("logLevel", text, take=False)
    return {**elsa.columns(source), "time": FieldMapping("logTime", _times), "event_name": level}


#: The mapping of today: the level is also the name of the event, and `never` is a time.
NEWER: Provider[Any, Any] = dataclasses.replace(elsa, columns=_columns, mapping_version=2)


def refuse(_request: httpx.Request) -> httpx.Response:
    """Fail the test: a replay asks no provider."""
    raise AssertionError("the provider was asked")


@dataclass(frozen=True)
class _Prepared:
    items: dict[Any, Any]
    objects: dict[Any, Any]
    writes: int


@cache
def _prepared(*, sealed: bool) -> _Prepared:
    def answer(_request: httpx.Request) -> httpx.Response | None:
        if stage.now > END + HOUR:
            return None
        return httpx.Response(200, content=zipped([*(one.json() for one in WORLD if one.visible <= stage.now), ODD]))

    stage = Scenario(list(WORLD), source={"retention": "P2D"}, now=END + 6 * MINUTE, answer=answer)
    stage.tick()
    if sealed:
        stage.until_sealed()
    return _Prepared(stage.table.items, stage.s3.objects, stage.s3.writes)


def prepared(*, sealed: bool = True) -> Scenario:
    """Return an archive with the window: sealed, and no longer held by its provider, or to be visited in an hour."""
    made, now = _prepared(sealed=sealed), END + (72 * HOUR if sealed else 7 * MINUTE)
    stage = Scenario([], source={"retention": "P2D"}, provider=NEWER, now=now)
    stage.table.items, stage.s3.objects = copy.deepcopy(made.items), dict(made.objects)
    stage.s3.writes = made.writes
    return stage


def window(stage: Scenario) -> Entry:
    """Return the window's entry."""
    return next(entry for entry in stage.entries() if entry.window_key == KEY)


def history(entry: Entry) -> dict[str, Any]:
    """Return what a replay does not change. (After a lost claim, one too many may count as unmerged.)"""
    claim = {"attempt", "committed", "claimed_by", "unmerged_claims"}
    made = {"mapping", "object", "numbers", "rejects_object", "replay_error", "replayed", "written_at"}
    return entry.model_dump(exclude=claim | made)


def check_replayed(stage: Scenario, rows: Mapping[str, int], where: object) -> None:
    """Check rows and rejects by the mapping of today, and that the ledger knows the objects."""
    entry = window(stage)
    stored = stage.s3.objects[some(entry.object).key]
    found = Counter((row["body"], row["event_name"]) for row in read_rows(stored.body))
    assert found == {(body, "INFO"): count for body, count in rows.items()} | {("odd", "WARN"): 1}, where
    assert stored.etag == some(entry.object).etag, where
    assert (entry.mapping, entry.numbers.rows, entry.replay_error) == (2, sum(rows.values()) + 1, None), where
    rejects = stage.s3.objects[some(entry.rejects_object).key].body
    digest = hashlib.sha256(rejects).hexdigest()
    assert (gzip.decompress(rejects), some(entry.rejects_object).sha256) == (b"", digest), where
