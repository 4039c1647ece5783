"""Replays of a life's windows: with the mapping that made them, and with another."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any

from logarchive.moment import instant
from logarchive.provider.provider import Provider
from tests.integration.life import Life
from tests.integration.stage import PROVIDERS
from tests.truth.parquet import Held, rows
from tests.truth.row import COLUMNS as ROW

#: A column of each provider, whose values are texts, and the key that becomes it.
COLUMNS = {
    "apigateway": ("body", "message"),
    "dsa": ("url_domain", "domain"),
    "elsa": ("body", "body"),
    "multidrm": ("body", "description"),
    "security365": ("user_id", "userId"),
}
#: What any replay changes.
CLAIM = {"attempt", "committed", "claimed_by", "unproven", "replayed"}


def a_replay_leaves_every_object_and_every_entry_as_they_are(life: Life) -> None:
    before, items, asked = objects(life), entries(life), len(life.on.simulator.requests)
    result = replay(life)
    assert len(result) == len(items)
    assert objects(life) == before
    assert entries(life) == items
    assert len(life.on.simulator.requests) == asked


def a_dry_run_says_what_a_replay_with_another_mapping_then_changes(life: Life) -> None:
    """The mapping without one column: its key is in `attributes` of each row that has it, as the old row's text."""
    column, key = COLUMNS[life.place.provider]
    without = mapping_without(PROVIDERS[life.place.provider], column)
    before, stood = held(life), objects(life)
    said = act(life, without, dry_run=True)["difference"]
    assert objects(life) == stood
    replay(life, without)
    after = held(life)
    assert before.keys() == after.keys()
    at = ROW.index(column)
    changed = 0
    for record_id, old in before.items():
        value, expected = old.row[at], list(old.row)
        if value is not None:
            expected[at] = None
            expected[-1] = frozenset({*(old.row[-1] or ()), (key, value)})
            changed += 1
        assert after[record_id] == old._replace(row=tuple(expected)), record_id
    assert changed > 0
    assert (said["added"], said["removed"], said["changed"]) == (0, 0, changed)
    assert said["columns"] == {column: changed, "attributes": changed}
    assert {one["what"] for one in said["examples"]} == {column, "attributes"}


def mapping_without(provider: Provider[Any, Any], column: str) -> Provider[Any, Any]:
    def columns(source: Any) -> Mapping[str, Any]:
        return {name: mapping for name, mapping in provider.columns(source).items() if name != column}

    return dataclasses.replace(provider, columns=columns, mapping_version=provider.mapping_version + 1)


def act(life: Life, provider: Provider[Any, Any], **more: object) -> Any:
    until = instant(max(window.end for window in life.windows))
    event = {"action": "replay", "source": life.place.source, "start": instant(life.start), "end": until, **more}
    return life.on.act(life.place.provider, event, provider)


def replay(life: Life, provider: Provider[Any, Any] | None = None) -> list[Any]:
    provider = provider or PROVIDERS[life.place.provider]
    result = act(life, provider, inline=True)
    assert (result["next"], result["errors"]) == (None, [])
    assert not any("replay_error" in window for window in result["windows"])
    return list(result["windows"])


def objects(life: Life) -> dict[str, tuple[str, int]]:
    """Return the objects that a replay may write, each with its ETag and how many versions it has."""
    pages = life.on.bucket.client.get_paginator("list_object_versions").paginate(Bucket=life.on.bucket.name)
    versions: list[Any] = [one for page in pages for one in page.get("Versions", [])]
    counts = Counter(one["Key"] for one in versions)
    return {one["Key"]: (one["ETag"], counts[one["Key"]]) for one in versions if one["IsLatest"]}


def entries(life: Life) -> list[dict[str, Any]]:
    windows = life.on.windows(life.place.provider, life.place.source)
    return [{name: value for name, value in one.item.items() if name not in CLAIM} for one in windows]


def held(life: Life) -> dict[tuple[str, str], Held]:
    """Return all rows by window and id."""
    keys = life.on.bucket.keys("logs/")
    return {(key, one.record_id): one for key in keys for one in rows(life.on.bucket.read(key))}
