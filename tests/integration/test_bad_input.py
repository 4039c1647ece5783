"""What is wrong is named, keeps nobody else from going on, is never taken for emptiness, and heals."""

import datetime as dt
import gzip
import json
from typing import Any

import pytest

from tests import truth
from tests.integration.stage import HOUR, Stage
from tests.scenario import START
from tests.simulator import HIDDEN, HOSTS, KEYS
from tests.simulator.access import FIELDS

END = START + HOUR


def put(on: Stage, provider: str = "elsa", source: str = "shop", **configured: object) -> None:
    on.put_source(provider, source, start="2026-11-20T00:00:00Z", **configured)
    if provider == "dsa":  # a file grows for two hours
        on.clock.now += 2 * HOUR
        on.simulator.set("dsa", fleeting_fraction=0.0)


def visited(on: Stage, provider: str) -> Any:
    """Return what the first window's visit came to."""
    (shown,) = (one for one in on.tick(provider)["windows"] if one["start"] == "2026-11-20T00:00:00Z")
    return shown


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


#: The name of a parameter, its text (`{}` is the stack's name), and what is said of it.
BAD_SOURCES = [
    ("no-field", '{"secret": "{}/ncloud/one", "project_id": 1}', "project_key: "),
    (
        "foreign-secret",
        '{"secret": "other/ncloud/one", "project_key": "p", "project_id": 1}',
        "secret: the name does not start with",
    ),
    ("no-secret", '{"secret": "{}/ncloud/none", "project_key": "p", "project_id": 1}', "/none' cannot be read"),
    ("secret-of-another", '{"secret": "{}/ncloud/wrong", "project_key": "p", "project_id": 1}', "access_key: "),
    ("Bad_Name", "{}", 'name: "Bad_Name" is no source name'),
    ("deep/name", "{}", 'name: "deep/name" is no source name'),
    ("no-json", "{nope", "the document is no JSON"),
]


def test_a_bad_source_is_named_with_its_reason_and_the_others_go_on(on: Stage) -> None:
    wrong = json.dumps({"user": "me", "password": KEYS["ncloud"]["secret_key"]})
    on.aws.secrets.create_secret(Name=f"{on.name}/ncloud/wrong", SecretString=wrong)
    put(on)
    for name, text, _ in BAD_SOURCES:
        on.put_parameter("elsa", name, text.replace("{}", on.name))
    result = on.tick("elsa")
    errors = {error["source"]: error["error"] for error in result["errors"]}
    assert errors.keys() == {name for name, _, _ in BAD_SOURCES}
    assert [name for name, _, reason in BAD_SOURCES if reason not in errors[name]] == []
    assert {keys["source"]: keys["error"] for keys in logged(on, "source.invalid")} == errors
    assert counted(on, "SourceErrors") == len(errors)
    assert [window["source"] for window in result["windows"]] == ["shop"]
    assert judged(on).counts["rows"] > 0
    assert not judged(on).differences


def test_a_wrong_event_is_answered_and_changes_nothing(on: Stage) -> None:
    put(on)
    before = everything(on)
    for event in ({"action": "tock"}, {"action": "work", "source": "unknown"}):
        result = on.act("elsa", event)
        assert (result["ok"], len(result["errors"])) == (False, 1)
    assert len(logged(on, "event.refused")) == counted(on, "SourceErrors") + counted(on, "EventErrors") == 2
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
    put(on, "dsa", hosts=HOSTS[:2])
    on.tick("dsa")
    lines = gzip.decompress(on.bucket.read(truth.Place("dsa", "shop").rejects(only_window(on, "dsa")))).splitlines()
    rejects: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for reject in rejects:
        source = gzip.decompress(on.bucket.read(reject["part"])).split(b"\n")[int(reject["index"])]
        assert reject["record"].encode() == source
        assert reject["reason"]
    assert len(rejects) == 2 * 5


@pytest.mark.parametrize("kind", ["cut_archive", "bomb", "html", "500", "cut_body"])
def test_a_file_that_fails_fails_its_window_and_not_only_itself(on: Stage, kind: str) -> None:
    put(on, "dsa", hosts=HOSTS[:3])
    on.simulator.fault(kind, "dsa", "download", times=None, when=lambda asked: HOSTS[1] in asked.hosts)
    shown = visited(on, "dsa")
    assert shown["state"] == "planned"
    assert shown["issue"] == ("unavailable" if kind in {"500", "cut_body"} else "malformed")
    assert_failed_openly(on, "dsa")
    heals(on, "dsa", HOSTS[:3])


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
    found = truth.check_raw(on.bucket, truth.Place(provider, "shop"), [window], HIDDEN)
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
    found = truth.compare(on.bucket, place, [window], on.simulator.truth, START, END, hosts or of_source(provider))
    assert not found.differences, found.report()
    assert found.counts["rows"] > 0
    assert not truth.lead_back(on.bucket, place, [window]).differences


def of_source(provider: str) -> list[str]:
    """Return the hosts of a source that names none of its own."""
    return list(FIELDS[provider].get("hosts", ()))
