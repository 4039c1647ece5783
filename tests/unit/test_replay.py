"""Replays of one source, on the fakes: what they rebuild, what they leave as it is, and what they say."""

import dataclasses
import gzip
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from functions.elsa.app import provider as elsa
from logarchive.action.handler import act
from logarchive.column.convert import FieldMapping, epoch_ms
from logarchive.ledger.entry import Entry
from logarchive.ledger.ledger import REPLAYS_DUE
from logarchive.moment import instant
from logarchive.provider.provider import Provider
from logarchive.runtime.metric import Tally
from tests.fake_aws import open_gate, refused
from tests.replayed import KEY, NEWER, RANGE, history, prepared, refuse, window
from tests.scenario import END, HOUR, MINUTE, START, TIMEOUT, Record, Scenario, read_rows, some, zipped

WORLD = [Record("a", 1), Record("b", 2), Record("gone", 3, gone=END + 30 * MINUTE)]


#: Records that only the second and the third visit see.
LATE = {"late": 30 * MINUTE, "later": 2 * HOUR}


def sealed(world: list[Record] | None = None, **configured: object) -> Scenario:
    """Return an archive whose window was visited three times, and is sealed."""
    stage = Scenario(list(WORLD if world is None else world), source=dict(configured), now=END + 6 * MINUTE)
    stage.until_sealed()
    return stage


def replay(stage: Scenario, **more: object) -> Any:
    return stage.act("replay", **{**RANGE, **more})


def objects(stage: Scenario) -> dict[str, tuple[bytes, str]]:
    """Return every object's bytes and version."""
    return {key: (stored.body, stored.version) for key, stored in stage.s3.objects.items()}


def test_a_replay_with_the_same_mapping_leaves_every_object_and_brings_the_ledger_up_to_date() -> None:
    stage = sealed([*WORLD, *(Record(name, 9, visible=END + age) for name, age in LATE.items())])
    stage.table.items["elsa#shop", KEY]["mapping"] = 0
    before, old, stage.answer = objects(stage), window(stage), refuse
    [result] = replay(stage, inline=True)["windows"]
    assert (result["state"], result["rows"], result["issue"], result["late"]) == ("sealed", 5, "shrunk", 2)
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
    assert (entry.mapping, entry.replayed, old.replayed) == (2, True, False)
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


def without(*bodies: str) -> Provider[Any, Any]:
    """Return a provider by whose mapping these records have no readable time."""

    def columns(source: Any) -> Mapping[str, FieldMapping]:
        def times(values: list[Any]) -> list[Any]:
            return [None if value in unread else value for value in epoch_ms(values)]

        return {**elsa.columns(source), "time": FieldMapping("logTime", times)}

    unread = {one.json()["logTime"] for one in WORLD if one.body in bodies}
    return dataclasses.replace(elsa, columns=columns, mapping_version=2)


def test_dry_run_shows_the_rows_that_would_go_with_secrets_masked() -> None:
    secrets = {"la/ncloud/one": '{"access_key": "key", "secret_key": "password"}'}
    stage = Scenario([Record("the password is password", 2)], now=END + 6 * MINUTE, secrets=secrets)
    stage.until_sealed()
    stage.provider = without("b")  # they have the same time
    result = replay(stage, dry_run=True)
    found, [listed] = result["difference"], result["windows"]
    assert (found["added"], found["removed"], found["changed"]) == (0, 1, 0)
    assert (listed["rejects"], listed["rejects_after"], listed["rows"], listed["rows_after"]) == (0, 1, 1, 0)
    [example] = found["examples"]
    assert (example["what"], example["new"], example["old"]["body"]) == ("removed", None, "the *** is ***")


@pytest.mark.parametrize(("bodies", "left"), [(("b",), {"a", "gone"}), (("a", "b", "gone"), set[str]())])
def test_what_is_no_row_by_the_mapping_of_today_goes_to_the_rejects(bodies: tuple[str, ...], left: set[str]) -> None:
    stage = sealed()
    stage.provider, stage.answer = without(*bodies), refuse
    replay(stage, inline=True)
    entry = window(stage)
    stored, rejects = (stage.s3.objects[one.key] for one in (some(entry.object), some(entry.rejects_object)))
    assert {row["body"] for row in read_rows(stored.body)} == left
    assert {json.loads(line)["record"].count('"body"') for line in gzip.decompress(rejects.body).splitlines()} == {1}
    assert (entry.numbers.rows, entry.numbers.kept, stored.etag) == (len(left), "gone" in left, some(entry.object).etag)
    stage.provider = dataclasses.replace(elsa, mapping_version=3)
    replay(stage, inline=True)
    entry = window(stage)
    assert set(stage.rows()) == {"a", "b", "gone"}
    assert gzip.decompress(stage.s3.objects[some(entry.rejects_object).key].body) == b""


def test_a_mapping_by_which_most_records_lie_outside_their_window_is_not_followed() -> None:
    def columns(source: Any) -> Mapping[str, FieldMapping]:
        def times(values: list[Any]) -> list[Any]:
            return [value + 10**10 for value in epoch_ms(values)]

        return {**elsa.columns(source), "time": FieldMapping("logTime", times)}

    stage = sealed()
    stage.provider, before = dataclasses.replace(elsa, columns=columns, mapping_version=2), objects(stage)
    [listed] = replay(stage, inline=True)["windows"]
    assert listed["replay_error"] == "2 of 2 records lie outside the requested time"
    assert objects(stage) == before


def test_windows_without_a_visit_and_with_outdated_those_that_are_up_to_date_are_left_out() -> None:
    stage = sealed(window="PT12H")
    stage.now = START + 60 * HOUR
    stage.act("tick")
    until = instant(START + 60 * HOUR)
    [first, second] = [result["start"] for result in replay(stage, end=until, dry_run=False)["windows"]]
    stage.act("work", source="shop")
    stage.table.items["elsa#shop", f"{second}/PT12H"]["mapping"] = 0
    assert stage.act("status")["sources"][0]["outdated"] == 1
    outdated = replay(stage, end=until, outdated=True, inline=True)["windows"]
    assert [result["start"] for result in outdated] == [second] != [first]
    assert stage.act("status")["sources"][0]["outdated"] == 0


def test_a_visit_raises_the_mapping_of_a_window_only_if_it_is_the_first() -> None:
    stage = Scenario(list(WORLD), now=END + 6 * MINUTE)
    stage.tick()
    stage.provider = NEWER
    stage.until_sealed()
    assert (len(window(stage).visits), window(stage).mapping) == (3, 1)
    newest = Scenario(list(WORLD), now=END + 6 * MINUTE, provider=NEWER)
    newest.until_sealed()
    assert window(newest).mapping == 2


def test_a_visit_that_was_complete_but_not_committed_is_merged_by_the_replay() -> None:
    stage = Scenario(list(WORLD), now=END + 6 * MINUTE)
    stage.tick()
    stage.now = END + HOUR
    stage.world.append(Record("new", 9))
    stage.kill("s3.put logs/")
    stage.now, stage.world = END + 2 * HOUR, []
    lost = stage.table.items["elsa#shop", KEY]
    lost["committed"] = lost["attempt"]  # as if a failure had been committed since, which leaves the claim counted
    replay(stage, inline=True)
    entry = window(stage)
    assert (set(stage.rows()), len(entry.visits), entry.unmerged_claims) == ({"a", "b", "gone", "new"}, 2, 0)
    assert (entry.state, entry.numbers.rows) == ("archived", 4)


def test_a_visit_that_was_complete_but_cannot_be_read_any_more_ends_the_replay() -> None:
    stage, stored = asleep()
    old, stage.answer = window(stage), refuse
    manifest, part = (next(key for key in stored if key.endswith(end)) for end in ("manifest.json", ".zip"))
    cut = dataclasses.replace(stored[part], body=zipped([])[:-1])
    was, is_now = (hashlib.sha256(one.body).hexdigest().encode() for one in (stored[part], cut))
    named = dataclasses.replace(stored[manifest], body=stored[manifest].body.replace(was, is_now))
    stage.s3.objects |= stored | {part: cut, manifest: named}
    stage.ledger.reopen_for_unmerged_visit(old, stage.now)
    replay(stage, inline=True)
    assert manifest.split("/")[-2] in (window(stage).replay_error or "")


def test_a_window_that_is_due_anyway_is_replayed_and_then_visited_when_it_would_have_been() -> None:
    stage = Scenario(list(WORLD), now=END + 6 * MINUTE)
    stage.tick()
    due_at, stage.now = window(stage).due_at, END + 20 * MINUTE
    assert replay(stage)["windows"][0]["due_at"] == instant(some(due_at))
    assert (window(stage).due_at, stage.dispatched[-1]["source"]) == (REPLAYS_DUE, "shop")
    stage.answer = refuse
    assert len(stage.act("work", source="shop")["windows"]) == 1
    assert (window(stage).due_at, window(stage).replay, len(window(stage).visits)) == (due_at, None, 1)
    replay(stage)
    stage.recovers()
    stage.now = some(due_at)
    # The worker goes on: once replayed, the window is due as it was.
    assert len(stage.act("work", source="shop")["windows"]) == 2
    assert len(window(stage).visits) == 2


def test_replays_come_after_all_visits_that_are_due_however_many_there_are() -> None:
    stage = Scenario(list(WORLD), source={"window": "PT30M", "retention": "P30D"}, now=END + 30 * MINUTE)
    while stage.act("work", source="shop")["windows"] or stage.tick()["windows"]:
        pass
    stage.now = END + HOUR
    replay(stage)
    assert stage.act("status")["sources"][0]["replaying"] == 48
    stage.act("tick")
    worked = stage.act("work", source="shop")["windows"]
    kinds = ["replayed" if event == "window.replayed" else "visited" for event in stage.events if "window." in event]
    assert kinds[-len(worked) :].index("replayed") > 0
    assert kinds.count("replayed") == 48
    assert stage.act("status")["sources"][0]["replaying"] == 0


def test_a_window_that_waits_for_its_replay_is_neither_late_nor_about_to_be_lost() -> None:
    stage = Scenario(list(WORLD), source={"retention": "P2D"}, now=END + 6 * MINUTE)
    stage.fails(httpx.ConnectError("gone"))
    stage.tick()
    stage.now, stage.answer = END + 47 * HOUR, lambda _request: httpx.Response(200, content=zipped([]))
    stage.table.items["elsa#shop", KEY] |= {"state": "closed", "issue": "expired", "visits": ["20261121T000600Z-0001"]}
    stage.table.items["elsa#shop", KEY].pop("due_at")

    def figures() -> tuple[Any, ...]:
        tally = Tally()
        act(stage.archive(count=tally), {"action": "tick"})
        [source] = stage.act("status")["sources"]
        shown = {name: source[name] for name in ("lag_seconds", "hours_to_loss", "open", "due", "settled_until")}
        return shown, tally.total["LagSeconds"], tally.total["HoursToLoss"], tally.total["QuietSources"]

    before = figures()
    replay(stage)
    assert stage.act("status")["sources"][0]["replaying"] == 1
    assert figures() == before


def test_a_backfill_leaves_a_window_that_waits_for_its_replay() -> None:
    stage = sealed()
    replay(stage)
    [result] = stage.act("backfill", source="shop", start=instant(START), end=instant(END), reopen=True)["windows"]
    assert (result["state"], window(stage).state) == ("busy", "sealed")


def test_a_window_that_a_worker_has_claimed_is_not_marked() -> None:
    stage = Scenario(list(WORLD), now=END + 6 * MINUTE)
    stage.tick()
    stage.now = END + HOUR
    stage.kill("api")
    [result] = replay(stage)["windows"]
    assert (result["state"], window(stage).replay) == ("busy", None)
    stage.now += HOUR  # its lease has run out, and the worker may still live
    [result] = replay(stage)["windows"]
    assert (result["state"], window(stage).replay) == ("busy", None)


def damage(stage: Scenario, how: str) -> str:
    """Damage what a replay needs; return what the message says of it."""
    manifest, part = (
        next(key for key in sorted(stage.s3.objects) if key.endswith(end)) for end in ("manifest.json", ".zip")
    )
    if how == "part missing":
        del stage.s3.objects[part]
        return f"{part} is named by a manifest, but there is no such object"
    if how == "manifest missing":
        del stage.s3.objects[manifest]
        return f"{manifest} is needed to replay the window, but there is no such object"
    if how == "manifest cut":
        stage.s3.objects[manifest] = dataclasses.replace(stage.s3.objects[manifest], body=b"{")
        return f"{manifest} is no manifest"
    stage.s3.objects[part] = dataclasses.replace(stage.s3.objects[part], body=zipped([Record("forged", 1).json()]))
    return f"{part} does not hold the bytes that its manifest names"


@pytest.mark.parametrize("how", ["part missing", "manifest missing", "manifest cut", "part forged"])
@pytest.mark.parametrize("inline", [True, False])
def test_a_window_whose_raw_is_not_whole_stays_as_it_is_and_says_why_once(how: str, *, inline: bool) -> None:
    stage = sealed(retention="P2D")
    said, stage.provider, stage.now, stage.answer = damage(stage, how), NEWER, END + 72 * HOUR, refuse
    before, old, tally = objects(stage), window(stage), Tally()
    [dry] = replay(stage, dry_run=True)["windows"]
    assert said in dry["error"]
    result = act(stage.archive(count=tally), {"action": "replay", **RANGE, "inline": inline})
    if not inline:
        result = act(stage.archive(count=tally), {"action": "work", "source": "shop"})
    [listed] = result["windows"]
    assert said in listed["replay_error"]
    assert (tally.total["ReplayErrors"], "replay.failed" in stage.events) == (1, True)
    entry = window(stage)
    assert history(entry) == history(old)
    assert (objects(stage), entry.object, entry.numbers, entry.mapping) == (before, old.object, old.numbers, 1)
    assert stage.act("work", source="shop")["windows"] == []
    assert stage.act("status")["sources"][0]["outdated"] == 1


def test_an_object_in_an_archive_of_glacier_is_named() -> None:
    stage = sealed()

    def gate(call: str, moment: str) -> None:
        if call.startswith("s3.get raw/") and call.endswith(".zip") and moment == "before":
            raise refused("InvalidObjectState", 403)

    stage.gate = gate
    [listed] = replay(stage, inline=True)["windows"]
    assert "lies in an archive of S3 Glacier: restore it first" in listed["replay_error"]
    assert (listed["state"], listed["issue"]) == ("sealed", "shrunk")


def test_an_error_that_nobody_foresaw_leaves_the_window_and_fails_the_invocation() -> None:
    stage = sealed()
    old = window(stage)

    def gate(call: str, _moment: str) -> None:
        if call.startswith("s3.get logs/"):
            raise refused("InternalError", 500)

    replay(stage)
    stage.gate = gate
    with pytest.raises(ExceptionGroup):
        stage.act("work", source="shop")
    entry = window(stage)
    assert history(entry) == history(old)
    assert "unexpected ClientError" in (entry.replay_error or "")


def test_a_replay_whose_commit_is_refused_after_it_wrote_is_done_by_the_next_worker() -> None:
    stage = sealed()
    stage.provider, stage.answer = NEWER, refuse
    replay(stage)
    wrote: list[str] = []

    def gate(call: str, moment: str) -> None:
        if call.startswith("s3.put logs/") and moment == "after":
            wrote.append(call)
        elif wrote and call.startswith("ddb.update 2"):
            stage.gate = open_gate
            raise refused("ProvisionedThroughputExceededException", 400)

    stage.gate = gate
    with pytest.raises(ExceptionGroup):
        stage.act("work", source="shop")
    assert window(stage).replay, "the ledger does not know the object that was written"
    stage.now += HOUR
    stage.act("work", source="shop")
    entry = window(stage)
    assert (entry.mapping, entry.replay, entry.replay_error) == (2, None, None)
    assert stage.s3.objects[some(entry.object).key].etag == some(entry.object).etag


def test_a_replay_that_is_killed_again_and_again_is_given_up_and_the_window_is_as_it_was() -> None:
    stage = sealed()
    old, stage.answer = window(stage), refuse
    replay(stage)
    for hours in range(1, 5):
        stage.now += hours * HOUR
        if hours < 4:
            stage.kill("s3.get raw/")
    stage.tick()
    entry = window(stage)
    assert "3 replays in a row were killed" in (entry.replay_error or "")
    assert (history(entry), entry.unmerged_claims) == (history(old), 0)


@pytest.mark.parametrize("glacier", [True, False])
def test_after_a_killed_replay_a_manifest_that_cannot_be_read_ends_the_next_one_too(*, glacier: bool) -> None:
    stage = sealed()
    old, stage.answer = window(stage), refuse
    replay(stage)
    stage.now += HOUR
    stage.kill("s3.get raw/")
    stage.now += HOUR

    def gate(call: str, _moment: str) -> None:
        if call.startswith("s3.get raw/"):
            raise refused("InvalidObjectState", 403)

    if glacier:
        stage.gate = gate
        with pytest.raises(ExceptionGroup):
            stage.act("work", source="shop")
    else:
        damage(stage, "manifest cut")
        stage.act("work", source="shop")
    entry = window(stage)
    assert ("InvalidObjectState" if glacier else "is no manifest") in (entry.replay_error or "")
    assert (history(entry), entry.committed, entry.unmerged_claims) == (history(old), entry.attempt, 1)
    stage.now += 72 * HOUR
    assert stage.act("work", source="shop")["windows"] == []


def test_a_replay_for_which_no_time_is_left_waits_for_the_next_worker() -> None:
    stage = sealed(window="PT12H")
    entries = [entry for entry in stage.entries() if entry.window.end <= END]
    replay(stage)
    length = TIMEOUT

    def gate(call: str, moment: str) -> None:
        if call.startswith("s3.get raw/") and call.endswith(".zip") and moment == "after" and "T120000Z-PT12H" in call:
            stage.now += length

    stage.gate, stage.answer = gate, refuse
    worked = stage.act("work", source="shop")["windows"]
    assert [result["start"][11:13] for result in worked] == ["00", "12"]
    late = next(entry for entry in stage.entries() if entry.window.start == entries[1].window.start)
    assert (late.replay is None, late.due_at, late.replay_error) == (False, REPLAYS_DUE, None)
    stage.act("work", source="shop")  # now it is the first of its invocation, and the time is too short all the same
    late = next(entry for entry in stage.entries() if entry.window.start == entries[1].window.start)
    assert (late.replay, "give the function more time" in (late.replay_error or "")) == (None, True)


def test_an_object_that_a_killed_replay_has_written_and_that_cannot_be_made_again_is_said_to_be_unknown() -> None:
    stage = sealed()
    stage.provider, stage.answer = NEWER, refuse
    replay(stage)
    stage.kill("s3.put logs/", "after")
    stage.now += HOUR
    whole = dict(stage.s3.objects)
    damage(stage, "part missing")
    stage.act("work", source="shop")
    assert "; the ledger does not know the object that a killed replay has written" in (
        window(stage).replay_error or ""
    )
    stage.s3.objects = whole
    replay(stage, inline=True)
    entry = window(stage)
    assert (entry.mapping, entry.replay_error) == (2, None)
    assert stage.s3.objects[some(entry.object).key].etag == some(entry.object).etag


@pytest.mark.parametrize("world", [WORLD, []])
def test_an_object_that_a_killed_replay_has_not_written_is_known(world: list[Record]) -> None:
    stage = sealed(world)
    stage.provider, stage.answer = NEWER, refuse
    replay(stage)
    stage.kill("s3.get raw/")
    stage.now += HOUR
    said = damage(stage, "part missing")
    stage.act("work", source="shop")
    entry = window(stage)
    assert said in (entry.replay_error or "")
    assert ("the ledger does not know" in (entry.replay_error or ""), entry.unmerged_claims) == (False, 0)


def test_after_a_killed_replay_an_object_that_cannot_be_read_is_one_that_the_ledger_does_not_know() -> None:
    stage = sealed()
    stage.provider, stage.answer = NEWER, refuse
    replay(stage)
    stage.kill("s3.put logs/", "after")
    stage.now += HOUR
    [key] = [key for key in stage.s3.objects if key.startswith("logs/")]
    stage.s3.objects[key].body = b"PAR1 nothing"
    damage(stage, "part missing")
    stage.act("work", source="shop")
    entry = window(stage)
    assert (entry.replay, entry.claimed) == (None, False)
    assert "; the ledger does not know the object" in (entry.replay_error or "")


def test_where_no_replay_was_killed_none_is_said_to_have_written_an_object_that_cannot_be_read() -> None:
    stage = sealed()
    stage.provider, stage.answer = NEWER, refuse
    replay(stage)
    [key] = [key for key in stage.s3.objects if key.startswith("logs/")]
    stage.s3.objects[key].body = b"PAR1 nothing"
    said = damage(stage, "part missing")
    stage.act("work", source="shop")
    assert said in (window(stage).replay_error or "")
    assert "the ledger does not know" not in (window(stage).replay_error or "")


def test_a_replay_that_fails_after_a_killed_one_has_written_is_done_by_the_next_worker() -> None:
    stage = sealed()
    stage.provider, stage.answer = NEWER, refuse
    replay(stage)
    stage.kill("s3.put logs/", "after")
    stage.now += HOUR

    def gate(call: str, _moment: str) -> None:
        if call.startswith("s3.get logs/"):
            raise refused("InternalError", 500)

    stage.gate = gate
    with pytest.raises(ExceptionGroup):
        stage.act("work", source="shop")
    assert window(stage).replay
    stage.gate, stage.now = open_gate, stage.now + HOUR
    stage.act("work", source="shop")
    entry = window(stage)
    assert (entry.mapping, entry.replay, entry.replay_error) == (2, None, None)
    assert stage.s3.objects[some(entry.object).key].etag == some(entry.object).etag


def overtaken_after(stage: Scenario, call: str) -> Entry:
    """Work on the window until another worker claims it, after a call; return what that worker holds."""
    held: list[Entry] = []

    def gate(name: str, moment: str) -> None:
        if name.startswith(call) and moment == "after":
            stage.gate = open_gate
            stage.now += HOUR
            held.append(some(stage.ledger.claim(window(stage), "other", stage.now, stage.now + HOUR)))

    stage.gate = gate
    stage.act("work", source="shop")
    return held[0]


@pytest.mark.parametrize(
    ("world", "provider", "call", "wrote"),
    [
        (WORLD, NEWER, "s3.put logs/", True),
        (WORLD, elsa, "ddb.get 2", False),  # the last call before the commit
        ([], elsa, "ddb.get 2", False),
    ],
)
def test_a_replay_that_loses_its_claim_has_the_window_replayed_again_only_if_it_wrote(
    world: list[Record], provider: Provider[Any, Any], call: str, *, wrote: bool
) -> None:
    stage = sealed(world)
    stage.provider, stage.answer = provider, refuse
    replay(stage)
    other = overtaken_after(stage, call)
    assert stage.events.count("claim.lost") == 1
    assert window(stage).unmerged_claims == other.unmerged_claims + wrote


def test_a_replay_that_loses_its_claim_after_it_wrote_rejects_alone_is_replayed_again() -> None:
    stage = prepared()
    stage.provider, stage.answer = elsa, refuse
    [key] = [key for key in stage.s3.objects if key.startswith("rejects/")]
    stage.s3.objects[key] = dataclasses.replace(stage.s3.objects[key], body=gzip.compress(b""))
    replay(stage)

    other = overtaken_after(stage, "s3.put rejects/")
    assert window(stage).unmerged_claims == other.unmerged_claims + 1


def asleep() -> tuple[Scenario, dict[str, Any]]:
    """Return a sealed window, and what a worker that sleeps past all of it is about to store in raw."""
    stage = Scenario(list(WORLD), now=END + 6 * MINUTE)
    stage.tick()
    stage.now = END + HOUR
    stage.world.append(Record("new", 9))
    stage.kill("s3.put logs/")
    stored = {key: one for key, one in stage.s3.objects.items() if "-0002/" in key}
    stage.s3.objects = {key: one for key, one in stage.s3.objects.items() if key not in stored}
    stage.world.pop()
    stage.until_sealed()
    assert len(window(stage).visits) == 3
    return stage, stored


@pytest.mark.parametrize("call", ["ddb.first", "s3.get raw/", "s3.get rejects/", "ddb.get 2026-11-20", "s3.put logs/"])
def test_a_visit_that_a_lost_claim_reports_while_a_window_waits_or_is_replayed_is_merged(call: str) -> None:
    stage, stored = asleep()
    stage.provider, stage.answer = NEWER, refuse
    old = window(stage)
    replay(stage)

    def gate(name: str, moment: str) -> None:
        if name.startswith(call) and moment == "before" and stored:
            stage.s3.objects |= stored
            stored.clear()
            stage.ledger.reopen_for_unmerged_visit(old, stage.now)

    stage.gate = gate
    stage.act("work", source="shop")
    entry = window(stage)
    assert not stored
    assert (set(stage.rows()), len(entry.visits), entry.unmerged_claims) == ({"a", "b", "gone", "new"}, 4, 0)
    assert (entry.state, entry.due_at, entry.mapping, entry.replay) == ("sealed", None, 2, None)


def test_a_reported_visit_that_a_replay_cannot_merge_opens_the_window_as_it_would_have_without_the_replay() -> None:
    stage, stored = asleep()
    replay(stage)
    stage.s3.objects |= {key: one for key, one in stored.items() if key.endswith("manifest.json")}
    stage.ledger.reopen_for_unmerged_visit(window(stage), stage.now)
    assert (window(stage).state, window(stage).due_at) == ("sealed", REPLAYS_DUE)
    [listed] = replay(stage, inline=True)["windows"]
    assert "there is no such object" in listed["replay_error"]
    assert (listed["state"], listed["due_at"]) == ("archived", instant(stage.now))


def test_rejects_stay_byte_for_byte_where_nothing_changed() -> None:
    stage = prepared()
    stage.provider, stage.answer, before = elsa, refuse, objects(stage)
    replay(stage, inline=True)
    assert objects(stage) == before
    assert window(stage).rejects_object == window(prepared()).rejects_object


def test_a_window_with_a_recovered_visit_is_what_its_visits_make_of_it() -> None:
    """The second visit brings the same rows in another body; it is merged by the third, which fails itself."""
    stage = Scenario(list(WORLD), now=END + 6 * MINUTE)
    stage.tick()
    stage.now = END + HOUR
    other = [one.json() for one in reversed(WORLD) if one.body != "gone"]
    stage.answer = lambda _request: httpx.Response(200, content=zipped(other))
    stage.kill("s3.put logs/")
    stage.now += HOUR
    stage.fails(httpx.ConnectError("gone"))
    stage.tick()
    assert (len(window(stage).visits), window(stage).issue) == (2, "unavailable")
    before = objects(stage)
    replay(stage, inline=True)
    assert (objects(stage), window(stage).replay_error) == (before, None)


def test_a_window_that_was_changed_since_it_was_read_is_neither_marked_nor_made_due() -> None:
    stage = Scenario(list(WORLD), now=END + 6 * MINUTE)
    stage.tick()
    read = window(stage)
    assert stage.ledger.make_due(read, stage.now)
    assert stage.ledger.mark_replay(read, stage.now) is None
    assert stage.ledger.mark_replay(window(stage), stage.now)
    assert stage.ledger.mark_replay(window(stage), stage.now) is None
    assert stage.ledger.make_due(read, stage.now + MINUTE) is None
