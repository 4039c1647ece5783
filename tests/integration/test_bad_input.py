"""What is wrong is named, keeps nobody else from going on, is never taken for emptiness, and heals."""

import datetime as dt
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import truth
from tests.integration.stage import HOUR, SECRETS, Stage, stage
from tests.simulator import HOSTS, NCLOUD_ACCESS_KEY, NCLOUD_SECRET_KEY
from tools.stack import Aws

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
END = START + HOUR


@pytest.fixture
def on(emulator: Aws) -> Iterator[Stage]:
    """A small world, six minutes after the end of its first hour."""
    with stage(emulator, START, scale=0.02) as made:
        made.clock.now = END + dt.timedelta(minutes=6)
        yield made


def put(on: Stage, provider: str = "elsa", source: str = "shop", **configured: object) -> None:
    on.put_source(provider, source, start="2026-11-20T00:00:00Z", **configured)


def only_window(on: Stage, provider: str = "elsa", source: str = "shop") -> truth.Window:
    (window,) = (window for window in on.windows(provider, source) if window.start == START)
    return window


def judged(on: Stage, provider: str = "elsa", source: str = "shop") -> truth.Findings:
    place = truth.Place(provider, source)
    return truth.compare(on.bucket, place, on.windows(provider, source), on.simulator.truth, START, END)


def everything(on: Stage) -> tuple[list[str], int]:
    """Return every key of the bucket, and the number of the ledger's items."""
    items: int = on.aws.table.table.scan(Select="COUNT")["Count"]
    return on.bucket.keys(""), items


def counted(on: Stage, name: str) -> float:
    return sum(value for known, value in on.metrics if known == name)


def logged(on: Stage, event: str) -> list[Any]:
    return [keys for known, keys in on.events if known == event]


#: `{}` is the stack's name.
GOOD: dict[str, object] = {"secret": "{}/ncloud/one", "project_key": "p", "project_id": 1}
BAD_SOURCES: list[tuple[str, dict[str, object], str]] = [
    ("unknown-key", GOOD | {"project_idd": 2}, "project_idd: unknown"),
    ("wrong-type", GOOD | {"project_id": "1"}, "project_id: "),
    ("no-field", {"secret": "{}/ncloud/one", "project_id": 1}, "project_key: "),
    ("foreign-secret", GOOD | {"secret": "other/ncloud/one"}, "secret: the name does not start with"),
    ("no-secret", GOOD | {"secret": "{}/ncloud/none"}, "/ncloud/none' cannot be read"),
    ("secret-of-another", GOOD | {"secret": "{}/ncloud/wrong"}, "access_key: "),
    ("bad-window", GOOD | {"window": "PT0S"}, "window: "),
    ("Bad_Name", GOOD, 'name: "Bad_Name" is no source name'),
    ("deep/name", GOOD, 'name: "deep/name" is no source name'),
]


def test_a_bad_source_is_named_with_its_reason_and_the_others_go_on(on: Stage) -> None:
    wrong = json.dumps({"user": "me", "password": NCLOUD_SECRET_KEY})
    on.aws.secrets.create_secret(Name=f"{on.name}/ncloud/wrong", SecretString=wrong)
    put(on)
    for name, document, _ in BAD_SOURCES:
        on.put_parameter("elsa", name, json.dumps(document).replace("{}", on.name))
    on.put_parameter("elsa", "no-json", "{nope")
    result = on.tick("elsa")
    errors = {error["source"]: error["error"] for error in result["errors"]}
    assert errors.keys() == {"no-json", *(name for name, _, _ in BAD_SOURCES)}
    for name, _, reason in BAD_SOURCES:
        assert reason in errors[name]
    assert {keys["source"]: keys["error"] for keys in logged(on, "source.invalid")} == errors
    assert counted(on, "SourceErrors") == len(errors)
    assert [window["source"] for window in result["windows"]] == ["shop"]
    assert judged(on).counts["rows"] > 0
    assert not judged(on).differences


def test_no_secret_is_repeated_anywhere(on: Stage) -> None:
    wrong = json.dumps({"access_key": NCLOUD_ACCESS_KEY, "secret_key": NCLOUD_SECRET_KEY, "more": "x"})
    on.aws.secrets.create_secret(Name=f"{on.name}/ncloud/more", SecretString=wrong)
    put(on)
    put(on, source="other", secret=f"{on.name}/ncloud/more")
    on.simulator.fault("401", "elsa", times=None)
    said = json.dumps([on.tick("elsa"), on.events, on.act("elsa", {"action": "status"})], default=str)
    assert "more: unknown field" in said
    assert not any(secret in said for secret in SECRETS)


WRONG_EVENTS: list[object] = [
    None,
    [],
    "tick",
    {},
    {"action": "tock"},
    {"action": "tick", "inline": True, "more": 1},
    {"action": "work"},
    {"action": "work", "source": "../shop"},
    {"action": "work", "source": "unknown"},
    {"action": "backfill", "source": "shop", "start": "2026-11-20T00:00:00", "end": "2026-11-20T01:00:00Z"},
    {"action": "backfill", "source": "shop", "start": "2026-11-20T01:00:00Z", "end": "2026-11-20T01:00:00Z"},
    {"action": "backfill", "source": "shop", "start": "yesterday", "end": "2026-11-20T01:00:00Z"},
]


@pytest.mark.parametrize("event", WRONG_EVENTS, ids=str)
def test_a_wrong_event_is_answered_and_changes_nothing(on: Stage, event: object) -> None:
    put(on)
    before = everything(on)
    result = on.act("elsa", event)
    assert result["ok"] is False
    assert result["errors"][0]["error"]
    assert logged(on, "event.refused")
    assert counted(on, "SourceErrors") + counted(on, "EventErrors") == 1
    assert everything(on) == before
    assert on.simulator.count("elsa") == 0


def test_what_is_no_record_is_rejected_with_its_place_and_counted(on: Stage) -> None:
    on.simulator.set("elsa", layout="lines", unreadable_times=5, unparsable=3, hostile=4)
    put(on)
    (shown,) = on.tick("elsa")["windows"]
    found = judged(on)
    assert not found.differences, found.report()
    assert shown["rejects"] == found.counts["rejects"] == 5 + 3 + 1
    assert shown["state"] == "archived"
    assert counted(on, "Rejects") == shown["rejects"]
    assert shown["fetched"] == shown["rows"] + shown["rejects"] + shown["outside"] + shown["duplicates"]


def test_a_reject_leads_back_to_its_place_in_raw(on: Stage) -> None:
    on.simulator.set("dsa", unreadable_times=1, unparsable=4)
    put(on, "dsa", api="cdn", hosts=HOSTS[:2])
    on.clock.now += 2 * HOUR
    on.tick("dsa")
    lines = gzip.decompress(on.bucket.read(truth.Place("dsa", "shop").rejects(only_window(on, "dsa")))).splitlines()
    rejects: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for reject in rejects:
        source = gzip.decompress(on.bucket.read(reject["part"])).split(b"\n")[int(reject["index"])]
        assert reject["record"].encode() == source
        assert reject["reason"]
    assert len(rejects) == 2 * 5


BAD_BODIES = ["not_a_zip", "cut_archive", "encrypted", "lying_size", "bomb", "html"]


@pytest.mark.parametrize("kind", BAD_BODIES)
def test_a_body_that_cannot_be_read_is_kept_and_its_window_is_malformed_until_a_good_visit(
    on: Stage, kind: str
) -> None:
    put(on)
    on.simulator.fault(kind, "elsa", times=None)
    (shown,) = on.tick("elsa")["windows"]
    assert (shown["state"], shown["issue"], shown["rows"]) == ("planned", "malformed", 0)
    assert_failed_openly(on)
    kept = raw_bodies(on)
    assert kept, "the body that could not be read must be in raw"
    heals(on)
    assert kept.items() <= raw_bodies(on).items()


def test_a_wait_that_was_asked_for_is_waited(on: Stage) -> None:
    put(on)
    on.simulator.fault("429", "elsa", times=2, retry_after=45)
    before = on.clock.now
    (shown,) = on.tick("elsa")["windows"]
    assert (shown["state"], shown["issue"]) == ("archived", None)
    assert on.clock.now - before >= dt.timedelta(seconds=90)


@pytest.mark.parametrize("kind", ["cut_archive", "bomb", "html", "500", "cut_body"])
def test_a_file_that_fails_fails_its_window_and_not_only_itself(on: Stage, kind: str) -> None:
    put(on, "dsa", api="cdn", hosts=HOSTS[:3])
    on.simulator.set("dsa", fleeting_fraction=0.0)
    on.clock.now += 2 * HOUR
    on.simulator.fault(kind, "dsa", "download", times=None, when=lambda asked: HOSTS[1] in asked.hosts)
    (shown,) = (window for window in on.tick("dsa")["windows"] if window["start"] == "2026-11-20T00:00:00Z")
    assert shown["state"] == "planned"
    assert shown["issue"] == ("unavailable" if kind in {"500", "cut_body"} else "malformed")
    assert_failed_openly(on, "dsa")
    heals(on, "dsa", HOSTS[:3])


def test_an_empty_hour_is_archived_with_a_proof_and_without_an_object(on: Stage) -> None:
    on.simulator.set("elsa", quiet=[0])
    put(on)
    (shown,) = on.tick("elsa")["windows"]
    assert (shown["state"], shown["issue"], shown["rows"], shown["visits"]) == ("archived", None, 0, 1)
    found = truth.check_raw(on.bucket, truth.Place("elsa", "shop"), [only_window(on)])
    assert not found.differences, found.report()
    assert (found.counts["complete"], found.counts["parts"], found.counts["objects"]) == (1, 1, 0)
    assert on.bucket.keys("logs/") == []


def raw_bodies(on: Stage) -> dict[str, bytes]:
    return {key: on.bucket.read(key) for key in on.bucket.keys("raw/") if not key.endswith("manifest.json")}


def assert_failed_openly(on: Stage, provider: str = "elsa") -> None:
    """The window is due again, says why, and nothing stands for it that a query would find."""
    window = only_window(on, provider)
    assert window.item["error"]
    assert window.item["due_at"] > f"{on.clock.now:%Y-%m-%dT%H:%M:%SZ}"
    assert window.item["failures"] == 1
    assert window.visited_at is None
    assert on.bucket.keys("logs/") == []
    assert counted(on, "WindowsWithIssue") >= 1
    assert counted(on, "WindowsSealed") == 0
    found = truth.check_raw(on.bucket, truth.Place(provider, "shop"), [window], SECRETS)
    assert not found.differences, found.report()
    assert (found.counts["manifests"], found.counts["complete"]) == (1, 0)


def heals(on: Stage, provider: str = "elsa", hosts: tuple[str, ...] = ()) -> None:
    """Once the provider is well again, the next visit archives the window as if nothing had been."""
    on.simulator.faults.clear()
    on.clock.now += dt.timedelta(minutes=7)
    on.act(provider, {"action": "work", "source": "shop"})
    window = only_window(on, provider)
    assert (window.item["state"], window.item.get("issue"), window.item["failures"]) == ("archived", None, 0)
    place = truth.Place(provider, "shop")
    found = truth.compare(on.bucket, place, [window], on.simulator.truth, START, END, hosts)
    assert not found.differences, found.report()
    assert found.counts["rows"] > 0
    assert not truth.lead_back(on.bucket, place, [window]).differences
