"""A revisit that brings the same bytes leaves the object unread, and is else as if it had built its rows."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.elsa.app import provider as elsa
from logarchive.ledger.dynamodb import Item
from logarchive.moment import instant
from logarchive.row import parquet
from logarchive.visit.worker import Worker
from tests.fake_aws import open_gate, refused
from tests.replayed import NEWER, ODD
from tests.scenario import END, HOUR, MINUTE, NEVER, START, Killed, Record, Scenario, zipped
from tests.unit.visit import directory

#: What the source is asked for; here it sends the same whether it is or not.
FIELDS = ["logTime", "logLevel", "body"]
RANGE: dict[str, Any] = {"source": "shop", "start": instant(START), "end": instant(END)}


type Step = Callable[[Life], object]


@dataclass
class Life(Scenario):
    """An archive whose worker either may leave an object unread, or builds the rows of every visit."""

    always_merges: bool = False
    #: A record that becomes a reject comes with each response.
    odd: bool = False
    reasons: list[str] = field(default_factory=list[str])

    def work(self) -> None:
        """Visit the one window, if it is due. Whatever ends the visit is in the ledger, or it was killed."""
        if not self.entries():
            self.act("tick")
        archive = self.archive()
        invocation = replace(archive.invocation, log=self.log)
        with archive.worker("shop", archive.source("shop")) as worker:
            context = replace(worker.context, always_merges=self.always_merges, invocation=invocation)
            with suppress(Killed, ExceptionGroup):
                list(Worker(context).run())

    def log(self, event: str, **keys: Any) -> None:
        self.reasons += [keys["reason"]] if event == "revisit.full" else []

    def _records(self, asked: dict[str, int], now: Any) -> httpx.Response:
        visible = [record.json() for record in self.world if record.visible <= now < record.gone]
        found = [record for record in visible if asked["from"] <= record["logTime"] <= asked["to"]][: asked["count"]]
        return httpx.Response(200, content=zipped([*found, ODD] if self.odd else found))

    def raw(self, end: str) -> list[str]:
        return [key for key in self.s3.objects if key.startswith("raw/") and key.endswith(end)]

    @property
    def object(self) -> str:
        [key] = [key for key in self.s3.objects if key.startswith("logs/")]
        return key

    def items_alike(self) -> dict[Any, Item]:
        """Return the items without the names of workers, which are random."""
        items = self.table.items.items()
        return {key: {**item, "claimed_by": "", "owner": ""} for key, item in items}


def life(*world: Record, **more: Any) -> Life:
    made = Life(list(world) or [Record("a", 1), Record("b", 2)], now=END + 6 * MINUTE, **more)
    made.work()
    return made


def revisited(made: Life) -> list[str]:
    """Visit once more; return the calls that are about the window's object."""
    made.now = END + HOUR
    made.s3.calls.clear()
    made.work()
    assert len(made.entry.visits) == 2
    return [call.partition(" ")[0] for call in made.s3.calls if " logs/" in call]


def test_a_revisit_that_brings_the_same_bytes_neither_reads_nor_writes_the_object() -> None:
    made = life()
    before = made.s3.objects[made.object]
    assert revisited(made) == ["s3.head"]
    assert (made.s3.objects[made.object], made.reasons) == (before, [])
    assert made.entry.numbers.rows == 2
    first, second = (json.loads(made.s3.objects[key].body) for key in made.raw("manifest.json"))
    assert (first["numbers"], first["parts"][0]["key"]) == (second["numbers"], second["parts"][0]["key"])


def test_rows_that_the_visit_before_did_not_have_are_kept_and_counted_as_before() -> None:
    made = life(Record("a", 1), Record("b", 2, gone=END + 30 * MINUTE))
    assert revisited(made) == ["s3.get", "s3.put"]
    made.now = END + 5 * HOUR
    made.s3.calls.clear()
    made.work()
    assert [call for call in made.s3.calls if " logs/" in call] == [f"s3.head {made.object}"]
    entry = made.entry
    assert (entry.state, entry.issue, entry.numbers.rows, entry.numbers.kept) == ("sealed", "shrunk", 2, 1)
    assert entry.late_by_visit == (0, 0, 0)


def rewritten(change: Callable[[Any], object]) -> Step:
    """Change what the manifest says."""

    def rewrite(made: Life) -> None:
        [key] = made.raw("manifest.json")
        manifest = json.loads(made.s3.objects[key].body)
        change(manifest)
        made.s3.objects[key].body = json.dumps(manifest).encode()

    return rewrite


def fields(**changed: object) -> Step:
    return rewritten(lambda manifest: manifest["parts"][0].update(changed))


def comes(made: Life, record: Record) -> None:
    made.world.append(record)


SPAN = [START.isoformat(), END.isoformat()]


@pytest.mark.parametrize(
    "change",
    [
        partial(comes, record=Record("late", 3)),
        fields(own=[SPAN[0], SPAN[0]]),
        fields(own=None),
        fields(asked=SPAN),
        fields(announced=2),
        fields(suffix=".gz"),
        rewritten(lambda manifest: manifest["parts"].append({**manifest["parts"][0]})),
        rewritten(lambda manifest: manifest["parts"].clear()),
    ],
)
def test_parts_that_are_not_the_same_are_merged_as_ever(change: Step) -> None:
    made = life()
    change(made)
    assert revisited(made)[0] == "s3.get"
    assert made.reasons == []


def later(made: Life, minutes: int) -> None:
    made.now += minutes * MINUTE
    made.work()


def replayed(made: Life) -> None:
    made.act("replay", **RANGE)
    later(made, 1)


def touches(do: Step) -> Step:
    """Do something to the object of a window, if it has one."""
    return lambda made: do(made) if any(key.startswith("logs/") for key in made.s3.objects) else None


def sets(**changed: object) -> Step:
    return lambda made: vars(made).update(changed)


def configures(**changed: object) -> Step:
    return lambda made: made.source.update(changed)


def touched(made: Life) -> None:
    """Put the same bytes again: another version."""
    made.s3.put_object(Key=made.object, Body=made.s3.objects[made.object].body, Bucket="bucket")


def cut(made: Life) -> None:
    """Put an object with one row less in place of the window's."""
    path = directory() / "object"
    path.write_bytes(made.s3.objects[made.object].body)
    visits = parquet.object_visits(path)
    parquet.write(path.with_suffix(".cut"), [batch.slice(1) for batch in parquet.read(path)], visits, 1)
    made.s3.put_object(Key=made.object, Body=path.with_suffix(".cut").read_bytes(), Bucket="bucket")


def deleted(made: Life) -> None:
    del made.s3.objects[made.object]


def gone(end: str) -> Step:
    return lambda made: [made.s3.objects.pop(key) for key in made.raw(end)]


def damaged(made: Life) -> None:
    for key in made.raw("manifest.json"):
        made.s3.objects[key] = replace(made.s3.objects[key], body=b"{}")


def locked(made: Life) -> None:
    def gate(call: str, moment: str) -> None:
        if call.startswith("s3.get raw/") and moment == "before":
            raise refused("InvalidObjectState", 403)

    made.gate = gate


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (touched, "is not the object that the ledger knows"),
        (cut, "is not the object that the ledger knows"),
        (deleted, "parquet is gone"),
        (gone("manifest.json"), "manifest.json is gone"),
        (damaged, "manifest.json cannot be read: .* is no manifest"),
        (locked, "manifest.json cannot be read: .*InvalidObjectState"),
        (gone(".zip"), "other keys in raw/"),
        (configures(include_fields=FIELDS), "configured in another way"),
        (rewritten(lambda manifest: manifest.pop("configuration")), "another version has written raw/"),
        (rewritten(lambda manifest: manifest.update(numbers=None)), "another version has written raw/"),
        (rewritten(lambda manifest: manifest["numbers"].update(unheard=1)), "unheard"),
        (rewritten(lambda manifest: manifest.update(complete=False)), "another version has written raw/"),
        (replayed, "or a replay"),
        (sets(provider=NEWER), "another version has made the object"),
    ],
)
def test_what_is_not_as_it_was_is_merged_in_full_and_the_log_says_why(change: Step, reason: str) -> None:
    made = life()
    change(made)
    assert "s3.get" in revisited(made)
    [said] = made.reasons
    assert re.search(reason, said), said
    assert made.rows() == {"a": 1, "b": 1}
    named = {
        part["key"] for key in made.raw("manifest.json")[-1:] for part in json.loads(made.s3.objects[key].body)["parts"]
    }
    assert named <= set(made.s3.objects)


def test_a_window_with_rejects_is_merged_in_full() -> None:
    made = life(odd=True)
    assert revisited(made) == ["s3.get"]
    assert (made.entry.numbers.rejects, len(made.reasons)) == (1, 1)


def test_a_window_without_an_object_has_nothing_to_leave() -> None:
    made = life(Record("elsewhere", -1))
    assert (revisited(made), made.reasons, made.entry.object) == (["s3.get"], [], None)


def test_a_range_that_reached_the_cap_before_is_truncated_again() -> None:
    made = life(Record("a", 1), Record("b", 1), source={"count": 2})
    assert made.entry.issue == "truncated"
    revisited(made)
    assert made.entry.issue == "truncated"


def test_a_lower_cap_is_looked_for_in_the_same_bytes() -> None:
    made = life()
    made.source["count"] = 2
    assert (made.entry.requests, revisited(made)) == (1, ["s3.get", "s3.put"])
    assert made.entry.requests > 2


# --- both ways, side by side ---

MOMENTS = [START, *(END + minutes * MINUTE for minutes in (20, 40, 90, 200))]
RECORDS = st.builds(
    Record,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from([-1, 0, 1, 50_000, 86_399, 86_400]),
    st.sampled_from(MOMENTS),
    st.sampled_from([*MOMENTS[1:], NEVER, NEVER, NEVER]),
)


def refusing(made: Life) -> None:
    made.answer = lambda _request: httpx.Response(403, json={"error": {"errorCode": "210", "message": "no"}})
    later(made, 61)
    made.recovers()


def killed(made: Life, call: str, moment: str, number: int) -> None:
    left = number

    def gate(name: str, when: str) -> None:
        nonlocal left
        left -= name.startswith(call) and when == moment
        if not left:
            raise Killed

    made.gate = gate
    later(made, 61)
    made.gate = open_gate


def reopened(made: Life) -> None:
    made.act("backfill", **RANGE, reopen=True)
    later(made, 1)


KILLS: dict[str, Step] = {
    f"killed {moment} {number}. {call}": partial(killed, call=call, moment=moment, number=number)
    for call in ("api", "s3.put raw/", "s3.put logs/", "ddb.update 2026-11-20")
    for moment in ("before", "after")
    for number in (1, 2)
}
STEPS: dict[str, Step] = KILLS | {
    "later": partial(later, minutes=61),
    "after 36 days": partial(later, minutes=36 * 24 * 60),
    "refusing": refusing,
    "reopened": reopened,
    "replayed": replayed,
    "touched": touches(touched),
    "cut": touches(cut),
    "deleted": touches(deleted),
    "no manifests": gone("manifest.json"),
    "no parts": gone(".zip"),
    "damaged": damaged,
    "odd": sets(odd=True),
    "even": sets(odd=False),
    "capped": configures(count=2),
    "configured": configures(include_fields=FIELDS),
    "newer": sets(provider=NEWER),
    "older": sets(provider=elsa),
}
#: Most steps bring nothing new.
NAMES = st.one_of(st.sampled_from(["later", "reopened"]), st.sampled_from(sorted(STEPS)))


@settings(max_examples=150)
@given(st.lists(RECORDS, max_size=5), st.lists(NAMES, max_size=8))
def test_both_ways_of_a_revisit_make_the_same_archive(world: list[Record], steps: list[str]) -> None:
    """The whole bucket and the whole ledger are compared, and what the notary makes of them."""
    left, merged = ways = [life(*world, always_merges=always) for always in (False, True)]
    for name in [*steps, "later"]:
        for made in ways:
            STEPS[name](made)
        assert left.items_alike() == merged.items_alike(), name
        assert left.s3.objects == merged.s3.objects, name
    for made in ways:
        made.notarize()
    assert left.s3.objects == merged.s3.objects
    assert not merged.reasons
