"""The check at the end of `make local` sees what is wrong, wherever the function ran."""

import datetime as dt

import pytest

from tests.integration.stage import HOUR, PROVIDERS, Stage, stage
from tests.simulator import HOSTS
from tests.truth import Place
from tools.local.check import Found, check
from tools.stack import Aws

NOW = dt.datetime(2026, 11, 20, 10, 6, tzinfo=dt.UTC)
START = NOW - 4 * HOUR - dt.timedelta(minutes=6)


def archived(on: Stage, provider: str, least: int = 2) -> Found:
    on.put_source(provider, "local", start=f"{START:%Y-%m-%dT%H:%M:%SZ}")
    hosts = HOSTS[:1] if provider == "dsa" else ()
    return check(on, Place(provider, "local"), on.tick(provider), START, least, hosts)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_archive_that_is_whole_passes_and_one_that_lacks_an_object_does_not(emulator: Aws, provider: str) -> None:
    with stage(emulator, NOW, 0.02) as on:
        found = archived(on, provider)
        assert not found.differences
        assert found.windows == (2 if provider == "dsa" else 4)
        assert found.rows > 0
        key = max(on.bucket.keys(f"logs/provider={provider}/"))
        on.bucket.client.delete_object(Bucket=on.bucket.name, Key=key)
        assert archived(on, provider).differences


def test_windows_that_were_not_archived_are_missed(emulator: Aws) -> None:
    with stage(emulator, NOW, 0.02) as on:
        assert archived(on, "elsa", least=5).differences == ["only 4 windows were archived"]


def test_a_window_with_an_issue_is_told_in_full(emulator: Aws) -> None:
    with stage(emulator, NOW, 0.02) as on:
        on.simulator.fault("403", "elsa", times=1)
        assert any('"issue": "forbidden"' in difference for difference in archived(on, "elsa").differences)


def test_a_source_that_cannot_be_used_is_told(emulator: Aws) -> None:
    with stage(emulator, NOW, 0.02) as on:
        on.put_parameter("elsa", "typo", "{}")
        assert any("typo" in difference for difference in archived(on, "elsa").differences)
