"""Replays of one source, on the fakes: what they rebuild, what they leave as it is, and what they say."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import httpx

from functions.elsa.app import provider as elsa
from logarchive.column.convert import FieldMapping, text
from logarchive.ledger.entry import Entry
from logarchive.moment import instant
from logarchive.provider.provider import Provider
from tests.scenario import END, MINUTE, START, Record, Scenario, read_rows, some

WORLD = [Record("a", 1), Record("b", 2), Record("gone", 3, gone=END + 30 * MINUTE)]
KEY = "2026-11-20T00:00:00Z/P1D"


def columns(_source: Any) -> Mapping[str, FieldMapping]:
    """The mapping of today, by which the level is also the name of the event."""
    return {**elsa.columns(_source), "event_name": FieldMapping("logLevel", text, take=False)}


NEWER: Provider[Any, Any] = dataclasses.replace(elsa, columns=columns, mapping_version=2)


def sealed(world: list[Record] | None = None, **configured: object) -> Scenario:
    """Return an archive whose window was visited three times, and is sealed."""
    stage = Scenario(list(WORLD if world is None else world), source=dict(configured), now=END + 6 * MINUTE)
    stage.until_sealed()
    return stage


def replay(stage: Scenario, **more: object) -> Any:
    return stage.act("replay", **{"source": "shop", "start": instant(START), "end": instant(END), **more})


def window(stage: Scenario) -> Entry:
    return next(entry for entry in stage.entries() if entry.window_key == KEY)


def objects(stage: Scenario) -> dict[str, tuple[bytes, str]]:
    """Return every object's bytes and version."""
    return {key: (stored.body, stored.version) for key, stored in stage.s3.objects.items()}


def history(entry: Entry) -> dict[str, Any]:
    """Return what a replay does not change."""
    exclude = {"attempt", "committed", "claimed_by", "mapping", "object", "numbers"}
    return entry.model_dump(exclude=exclude)


def refuse(_request: httpx.Request) -> httpx.Response:
    raise AssertionError("the provider was asked")


def test_a_replay_with_the_same_mapping_leaves_every_object_and_brings_the_ledger_up_to_date() -> None:
    stage = sealed()
    stage.table.items["elsa#shop", KEY]["mapping"] = 0
    before, old, stage.answer = objects(stage), window(stage), refuse
    [result] = replay(stage, inline=True)["windows"]
    assert (result["state"], result["rows"], result["issue"], result["due_at"]) == ("sealed", 3, "shrunk", None)
    entry = window(stage)
    assert objects(stage) == before
    assert (entry.object, entry.numbers, history(entry)) == (old.object, old.numbers, history(old))
    assert (old.mapping, entry.mapping) == (0, 1)
    assert "window.replayed" in stage.events


def test_with_another_mapping_every_row_is_made_anew_also_those_that_only_earlier_visits_returned() -> None:
    stage = sealed()
    old, stage.answer, stage.provider = window(stage), refuse, NEWER
    replay(stage, inline=True)
    entry = window(stage)
    assert history(entry) == history(old)
    assert entry.mapping == 2
    stored = stage.s3.objects[some(entry.object).key]
    assert {(row["body"], row["event_name"]) for row in read_rows(stored.body)} == {(name, "INFO") for name in "ab"} | {
        ("gone", "INFO")
    }
    assert stored.etag == some(entry.object).etag
    assert b"logarchive version 2" in stored.body


def test_dry_run_says_which_columns_of_which_rows_change_and_writes_nothing() -> None:
    stage = sealed()
    before, items = objects(stage), dict(stage.table.items)
    stage.provider = NEWER
    result = replay(stage, dry_run=True)
    found = result["difference"]
    assert (found["windows"], found["added"], found["removed"], found["changed"]) == (1, 0, 0, 3)
    assert found["columns"] == {"event_name": 3}
    assert {(example["what"], example["old"], example["new"]) for example in found["examples"]} == {
        ("event_name", None, "INFO")
    }
    assert (objects(stage), stage.table.items) == (before, items)
    [listed] = result["windows"]
    assert (listed["changed"], listed["rows_after"], listed["columns"]) == (3, 3, {"event_name": 3})
    stage.provider = elsa
    same = replay(stage, dry_run=True)
    assert (same["windows"], same["difference"]["windows"], same["difference"]["changed"]) == ([], 1, 0)
