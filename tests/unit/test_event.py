import json
from pathlib import Path

import pytest

from logarchive.action.event import Backfill, Tick, parse_event
from logarchive.errors import ConfigError

RANGE = {"action": "backfill", "source": "shop", "start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}
EVENTS = Path(__file__).parents[2] / "events"


def test_the_schedules_event_is_a_tick() -> None:
    assert parse_event({"action": "tick"}) == Tick(action="tick", inline=False)


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.name)
def test_every_example_event_is_understood(path: Path) -> None:
    event = parse_event(json.loads(path.read_text()))
    assert path.name.startswith(event.action)


def test_a_range_in_another_zone_is_the_same_moment_in_utc() -> None:
    event = parse_event(RANGE | {"start": "2026-11-01T09:00:00+09:00"})
    assert isinstance(event, Backfill)
    assert event.start.isoformat() == "2026-11-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, "action"),
        ([], "valid"),
        (None, "valid"),
        ({"action": "purge"}, "'tick', 'work', 'backfill', 'status'"),
        ({"action": "tick", "inlin": True}, "inlin: unknown field"),
        ({"action": "work"}, "source: Field required"),
        ({"action": "work", "source": "Shop!"}, "lower-case letters"),
        (RANGE | {"start": "2026-11-03T00:00:00Z"}, "start must be before end"),
        (RANGE | {"start": "2026-11-01T00:00:00"}, "timezone"),
        (RANGE | {"start": "2026-11-01T00:00:00.5Z"}, "whole seconds"),
        (RANGE | {"workers": 0}, "workers"),
    ],
)
def test_a_wrong_event_is_answered_with_what_is_wrong(event: object, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_event(event)
