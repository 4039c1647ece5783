"""The version before has left a window in every state, in its ledger and its bucket; this version goes on with them."""

import gzip
import json
import zipfile
from pathlib import Path

import httpx
import pytest
from boto3.dynamodb.types import TypeDeserializer

from logarchive.action.handler import act
from logarchive.ledger.dynamodb import Item, plain
from logarchive.ledger.entry import Entry
from logarchive.ledger.registry import set_next_in_turn
from logarchive.moment import instant
from tests.scenario import END, HOUR, MINUTE, START, Record, Scenario, read_rows, some, zipped

FIXTURE = Path(__file__).parents[1] / "fixtures" / "previous_version"
#: What the provider still holds; "dropped" and "fleeting" are only in the archive.
WORLD = [
    Record("sealed", 1),
    *[Record("together", 5 * 3600)] * 3,
    Record("first half", 9 * 3600),
    Record("second half", 11 * 3600),
    Record("archived", 13 * 3600),
    Record("late", 13 * 3600 + 2),
    Record("steady", 17 * 3600 + 1),
    Record("waiting", 21 * 3600),
]
ONCE = dict.fromkeys(("sealed", "first half", "second half", "archived", "late", "steady", "waiting"), 1)
EXPECTED = {**ONCE, "together": 3, "dropped": 1, "fleeting": 1}


def unreadable(request: httpx.Request) -> httpx.Response | None:
    """Serve a record without a readable time in the first window."""
    if json.loads(request.content)["from"] > START.timestamp() * 1000:
        return None
    return httpx.Response(200, content=zipped([WORLD[0].json(), {"logTime": "never", "body": "unreadable"}]))


@pytest.fixture
def stage() -> Scenario:
    stage = Scenario(list(WORLD), source={"window": "PT4H", "workers": 2}, now=END + 6 * MINUTE, answer=unreadable)
    deserialize = TypeDeserializer().deserialize
    for stored in json.loads((FIXTURE / "ledger.json").read_text()):
        item = plain({name: deserialize(value) for name, value in stored.items()})
        stage.table.items[item["source"], item["window"]] = item
    with zipfile.ZipFile(FIXTURE / "bucket.zip") as bucket:
        for key in bucket.namelist():
            stage.s3.put_object(Key=key, Body=bucket.read(key), Bucket="bucket")
    return stage


def contents(stage: Scenario) -> dict[str, object]:
    """Return the rows of each object of `logs/`, which may be written in another way, and the bytes of every other."""
    stored = stage.s3.objects
    return {key: read_rows(one.body) if key.startswith("logs/") else one.body for key, one in stored.items()}


def windows(stage: Scenario) -> dict[str, Item]:
    return {sort: dict(item) for (_, sort), item in stage.table.items.items() if not sort.startswith("#")}


def test_every_item_is_read_and_an_entry_is_stored_as_it_was(stage: Scenario) -> None:
    head = stage.ledger.head()
    assert head
    assert (head.feed_id, head.cursor, head.last_rows_until) == ("p/1", END, START + 8 * HOUR)
    entries = {entry.window_key: entry for entry in stage.ledger.every()}
    assert [entry.state for entry in entries.values()] == [
        "sealed", "closed", "archived", "split", "planned", "archived", "planned", "planned",
    ]  # fmt: skip
    leased = entries["2026-11-20T16:00:00Z/PT4H"]
    assert (leased.attempt, leased.committed, leased.claims_without_commit, leased.unmerged_claims) == (2, 0, 2, 2)
    added: Item = {"kept": 0, "mapping": 0, "replayed": False, "late_by_visit": []}
    for key, item in windows(stage).items():
        again = {name: value for name, value in Entry.of_item(item).item().items() if value is not None}
        assert again | {"source": "elsa#shop", "window": key} == item | added


def test_a_retention_a_total_and_ids_that_were_seen_are_read_as_well(stage: Scenario) -> None:
    archived = "2026-11-20T12:00:00Z/PT4H"
    stage.table.items["elsa#shop", archived] |= {"announced": 2, "lost_at": "2026-12-20T12:00:00Z"}
    stage.table.items["elsa#shop", "#head"]["known"] = {"7", "10"}
    [entry] = [entry for entry in stage.entries() if entry.window_key == archived]
    assert (entry.numbers.announced, entry.lost_at) == (2, START + 732 * HOUR)
    assert stage.ledger.remember(["8"]) == ("7", "8", "10")


def test_open_windows_are_visited_merged_and_recovered_and_finished_ones_left_alone(stage: Scenario) -> None:
    before = windows(stage)
    stage.until_sealed()
    assert stage.rows() == EXPECTED
    after = {key: windows(stage)[key] for key in before}
    finished = {key for key, item in before.items() if item["state"] in {"sealed", "closed", "split"}}
    assert {key: after[key] for key in finished} == {key: before[key] for key in finished}
    assert {item["state"] for key, item in after.items() if key not in finished} == {"sealed"}
    recovered = Entry.of_item(after["2026-11-20T16:00:00Z/PT4H"])
    assert (recovered.visits[0], recovered.claims_without_commit, recovered.unmerged_claims) == (
        "20261120T200600Z-0001", 0, 0,
    )  # fmt: skip


def test_a_sealed_window_that_is_opened_again_keeps_its_object_and_its_rejects(stage: Scenario) -> None:
    kept = {key: content for key, content in contents(stage).items() if "000000Z-PT4H." in key}
    assert len(kept) == 2
    event = {"action": "backfill", "source": "shop", "start": instant(START), "end": instant(START + 4 * HOUR)}
    [window] = act(stage.archive(), {**event, "reopen": True, "inline": True})["windows"]
    assert (window["state"], window["rows"], window["rejects"], window["visits"]) == ("sealed", 1, 1, 4)
    after = contents(stage)
    assert {key: after[key] for key in kept} == kept


def test_every_attribute_is_stored_under_the_name_that_the_version_before_gave_it() -> None:
    stage = Scenario(list(WORLD), source={"retention": "P30D"}, now=END + 6 * MINUTE)
    stage.tick()
    act(stage.archive(), {"action": "work", "source": "shop"})
    stage.ledger.remember(["7"])
    set_next_in_turn(stage.ledger.table, "elsa", "shop")
    stored = {sort: set(item) - {"source", "window"} for (_, sort), item in stage.table.items.items()}
    [(key, item)] = windows(stage).items()
    assert stored.pop(key) <= {*Entry.of_item(item).item(), "unproven"}
    assert stored == {
        "#sources": {"names", "next"},
        "#signals": {"active", "invalid"},
        "#head": {"begin", "begin_reason", "counted", "cursor", "feed", "known", "reopened", "unproven", "version"},
        "#slot/00": {"heard_until", "number", "owner", "until"},
    }
    assert set(item["object"]) == {"bytes", "etag", "key", "sha256", "version", "visits"}
    assert set(Entry.of_item(item).item()) == {
        "announced", "attempt", "claimed_by", "committed", "due_at", "duplicates", "error", "failures", "fetched",
        "issue", "kept", "killed", "late", "late_by_visit", "loose", "lost_at", "manifest", "mapping", "object",
        "outside", "placeholder", "rejects", "rejects_object", "replay", "replay_error", "replayed", "requests",
        "rows", "seconds", "state", "strays", "verification", "visits", "written_at",
    }  # fmt: skip


def test_its_windows_are_replayed_and_every_row_stays_as_it_is(stage: Scenario) -> None:
    before = contents(stage)
    [source] = act(stage.archive(), {"action": "status"})["sources"]
    visited = [entry.window_key for entry in stage.entries() if entry.visits]
    assert source["outdated"] == len(visited) > 1
    event = {"action": "replay", "source": "shop", "start": instant(START), "end": instant(END), "outdated": True}
    result = act(stage.archive(), {**event, "inline": True})["windows"]
    assert [window["start"] for window in result] == [key.partition("/")[0] for key in visited]
    assert not any("replay_error" in window for window in result)
    # Only a reject did not say yet in which visit it came.
    changed = {key for key, content in contents(stage).items() if content != before[key]}
    assert {key.partition("/")[0] for key in changed} == {"rejects"}
    assert json.loads(gzip.decompress(stage.s3.objects[changed.pop()].body))["visit"] == "20261120T040600Z-0001"
    entries = {entry.window_key: entry for entry in stage.entries()}
    assert {entries[key].mapping for key in visited} == {1}
    assert {some(entries[key].rejects_object).key for key in visited if entries[key].numbers.rejects} <= before.keys()
