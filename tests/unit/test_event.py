import json
import re
from pathlib import Path

import pytest

from logarchive.action import notary
from logarchive.action.event import Backfill, Tick, parse_event
from logarchive.errors import ConfigError

RANGE = {"action": "backfill", "source": "shop", "start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}
REPLAY = RANGE | {"action": "replay"}
DOCTOR = {"action": "doctor"}
EVENTS = Path(__file__).parents[2] / "events"


def test_the_schedules_event_is_a_tick() -> None:
    assert parse_event({"action": "tick"}) == Tick(action="tick", inline=False)


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.name)
def test_every_example_event_is_understood(path: Path) -> None:
    parse = notary.parse if path.stem in notary.ACTIONS else parse_event
    event = parse(json.loads(path.read_text()))
    assert path.name.startswith(event.action)


def test_a_range_in_another_zone_is_the_same_moment_in_utc() -> None:
    event = parse_event(RANGE | {"start": "2026-11-01T09:00:00+09:00"})
    assert isinstance(event, Backfill)
    assert event.start.isoformat() == "2026-11-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "action: missing; the actions are tick, work, backfill, replay, status, gaps, doctor, describe"),
        ([], 'the event is no JSON object; for instance {"action": "tick"}'),
        (None, 'the event is no JSON object; for instance {"action": "tick"}'),
        ({"action": "purge"}, 'action: "purge" is no action; the actions are tick, work, backfill, replay, status, '),
        (
            {"action": ["tick"]},
            "action: \"['tick']\" is no action; the actions are tick, work, backfill, replay, status, gaps, doctor, ",
        ),
        ({"action": "tick", "inlin": True}, "inlin: unknown field; did you mean inline?"),
        ({"action": "work"}, "source: missing (a source's name); for instance shop-1"),
        (
            {"action": "work", "source": "Shop!"},
            'source: "Shop!" is no source name: lower-case letters, digits and -, ',
        ),
        (
            RANGE | {"end": "2026-11-01T00:00:00Z"},
            "start: 2026-11-01T00:00:00Z is not before end, 2026-",
        ),
        (RANGE | {"start": "2026-11-01"}, 'start: "2026-11-01" has no time zone; for instance 2026-11-01T00:00:00Z'),
        (RANGE | {"start": "2026-11-01T00:00:00.5Z"}, 'start: "2026-11-01T00:00:00.5Z" is no whole second of '),
        (RANGE | {"start": "0001-01-01T00:00:00+10:00"}, 'start: "0001-01-01T00:00:00+10:00" is no whole second of '),
        (RANGE | {"workers": 0}, "workers: 0 is less than 1; for instance 1"),
        (RANGE | {"outdated": True}, "outdated: unknown field"),
        (REPLAY | {"reopen": True}, "reopen: unknown field"),
        (REPLAY | {"outdate": True}, "outdate: unknown field; did you mean outdated?"),
        (REPLAY | {"end": "2026-11-01T00:00:00Z"}, "start: 2026-11-01T00:00:00Z is not before end, 2026-"),
        (REPLAY | {"workers": 21}, "workers: 21 is more than 20"),
        (DOCTOR | {"start": "a", "source": "b"}, "start: 'a' has no meaning beside source, 'b'; leave out one"),
        (
            DOCTOR | {"document": RANGE},
            "source: missing beside document: the name that it is to have; for instance shop-1",
        ),
        (DOCTOR | {"source": "b", "document": "{}"}, "document: "),
        (
            DOCTOR | {"source": "b", "credentials": {"secret_key": "hidden"}},
            "document: missing beside credentials: the JSON of the source that they are for",
        ),
        ({"action": "gaps", "days": 101}, "days: 101 is more than 100; for instance 100"),
    ],
)
def test_a_message_says_what_is_wrong_with_an_event_and_what_is_right(event: object, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        parse_event(event)


@pytest.mark.parametrize(
    "event",
    [
        {"credentials": "hidden"},
        {"credentials": ["hidden"]},
        {"credential": {"secret_key": "hidden"}},
        {"credentials": {"secret_key": "hidden"}, "document": []},
    ],
)
def test_no_message_about_an_event_repeats_its_credentials(event: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_event({"action": "doctor", "source": "b", "document": {}, **event})
    assert "hidden" not in str(raised.value)
