"""Whole archives with their proof log: the notary states what visits did, and the verifier finds nothing wrong."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration import test_previous_version
from tests.integration.test_kill import WORLD, Killer
from tests.notarized import check_complete, check_history, dump, with_key
from tests.scenario import END, HOUR, MINUTE, Killed, Record, Scenario
from verifier import verify

old_archive = test_previous_version.stage


def verified(stage: Scenario, key: str, directory: Path) -> dict[str, Any]:
    """Check everything of an archive, in our own way and in the verifier's; return what the verifier says."""
    check_history(stage.s3, stage.kms)
    check_complete(stage.table, stage.s3)
    dump(stage.s3, directory)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = verify.main([str(directory), "--key", key, "--json"])
    report: dict[str, Any] = json.loads(output.getvalue())
    assert (code, report["findings"]) == (0, [])
    return report


def test_an_archive_of_the_version_before_is_taken_in_and_verifies(old_archive: Scenario, tmp_path: Path) -> None:
    key = with_key(old_archive)
    first = old_archive.notarize(page=3)
    assert (first["taken_in"], first["oldest_mark"]) == (False, None)
    old_archive.until_sealed()
    for _ in range(3):
        old_archive.now += HOUR
        old_archive.notarize(page=3)
    assert old_archive.notarize()["taken_in"]
    report = verified(old_archive, key, tmp_path)
    assert [source["windows"] for source in report["sources"]] == [8]


def test_a_window_that_was_split_after_two_deaths_verifies_with_the_empty_object_in_its_place(tmp_path: Path) -> None:
    stage = Scenario([Record("one", 1), Record("two", 50_000)], now=END + 6 * MINUTE)
    key = with_key(stage)
    for _ in range(2):
        stage.kill("api")
        stage.now += 20 * MINUTE
        stage.notarize()
    stage.until_sealed()
    stage.notarize()
    assert [entry.state for entry in stage.entries() if entry.placeholder] == ["split"]
    report = verified(stage, key, tmp_path)
    assert [(source["windows"], source["sealed"], source["rows"]) for source in report["sources"]] == [(2, 2, 2)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_whatever_kills_a_visit_its_archive_verifies_in_the_end(moment: str, tmp_path: Path) -> None:
    for number in range(1, 60, 6):
        stage = Scenario(list(WORLD), gate=Killer(number, moment), now=END + 6 * MINUTE)
        key = with_key(stage)
        for _ in range(3):
            with contextlib.suppress(Killed):
                stage.tick()
            with contextlib.suppress(Killed):
                stage.notarize()
            stage.now += 20 * MINUTE
        stage.gate = lambda _call, _moment: None
        stage.until_sealed()
        stage.notarize()
        verified(stage, key, tmp_path / str(number))
