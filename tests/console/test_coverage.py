"""`logarchive coverage` and `logarchive report`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from console.command.coverage import STATES, hours, page_report
from logarchive.coverage.gap import Cell
from logarchive.coverage.report import Language
from tests.console.conftest import Deployed
from tests.console.run import Run
from tests.console.terminal import in_terminal
from tools.lock import ROOT

PLACE = "s3://archive/coverage/report-2026-11.ko.html"


def result(*states: str) -> dict[str, Any]:
    hours_ = {"2026-11-26": ["sealed"] * 24, "2026-11-27": [*states, *["none"] * (24 - len(states))]}
    planned = ["2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z"]
    one = {"source": "shop", "state": "active", "planned": planned, "hours": hours_, "gaps": []}
    return {"sources": [one], "next": None}


def test_every_state_of_an_hour_has_a_character_of_its_own() -> None:
    assert list(STATES) == [cell.name.lower() for cell in Cell]
    marks = [mark for mark, _ in STATES.values()]
    assert (len({*marks}), {len(mark) for mark in marks}) == (len(Cell), {1})


def test_a_day_is_a_line_of_24_characters_the_newest_first_and_all_fits_60_columns() -> None:
    made = hours({"elsa": result("verified", "shrunk", "archived", "waiting")})
    assert made.lines[:5] == [
        "elsa/shop (active), hours in UTC",
        "            0     6     12    18",
        "2026-11-27  #~+." + " " * 20,
        "2026-11-26  " + "=" * 24,
        "",
    ]
    assert [line[0] for line in made.lines[5:]] == ["#", "=", "+", ".", "~"]
    assert made.code == 0
    everything = hours({"elsa": result(*STATES)})
    assert max(map(len, everything.lines)) <= 60


@pytest.mark.parametrize("state", ["troubled", "closed", "missing"])
def test_an_hour_that_is_not_complete_is_exit_code_1(state: str) -> None:
    made = hours({"elsa": result(state)})
    assert (made.code, made.lines[-1].endswith("logarchive gaps")) == (1, True)


def test_a_source_of_which_nothing_was_ever_planned_is_exit_code_1() -> None:
    one = {"source": "typo", "state": "invalid", "planned": None, "hours": {"2026-11-27": ["none"] * 24}}
    made = hours({"elsa": result("sealed"), "dsa": {"sources": [one], "next": None}})
    line = "dsa/typo (invalid): nothing of it was ever planned; why: logarchive doctor dsa/typo"
    assert (made.code, made.lines[-1]) == (1, line)
    assert [source["planned"] is None for source in made.data["sources"]] == [False, True]
    assert hours({"elsa": {"sources": [], "next": None}}).code == 0


def test_a_page_says_where_it_is_that_it_is_provisional_and_what_it_lacks() -> None:
    made: dict[str, Any] = {
        "ok": True,
        "key": "coverage/x",
        "provisional": True,
        "errors": [{"source": "dsa/a", "error": "no time"}],
    }
    made["provisional_because"] = ["the month is not over"]
    told = page_report(made, PLACE, Path("report.html"))
    assert told.lines[:2] == [f"written  {PLACE}", "saved    report.html"]
    assert (told.lines[2], told.lines[3]) == (
        "It is provisional, because the month is not over.",
        "dsa/a is missing in it: no time",
    )
    assert told.code == 1
    typo = page_report(
        made | {"errors": [], "invalid": [{"source": "elsa/typo", "error": "unknown field"}]}, PLACE, None
    )
    assert (typo.code, typo.lines[-1]) == (1, "elsa/typo cannot be used: unknown field")
    assert page_report(made | {"provisional_because": [], "errors": []}, PLACE, None).lines == [f"written  {PLACE}"]


@pytest.mark.slow
def test_the_hours_of_a_deployed_stack_are_shown_in_a_terminal_of_60_columns(deployed: Deployed) -> None:
    words = ["--demo", "--port", str(deployed.port), "coverage", "elsa/one", "--days", "2"]
    shown = in_terminal(words, columns=60)
    assert shown.code in {0, 1}
    lines = shown.text.replace("\r", "").splitlines()
    assert lines[0] == "elsa/one (active), hours in UTC"
    assert max(map(len, lines)) <= 60
    assert any("+" in line[12:] for line in lines[2:4])


@pytest.mark.slow
def test_a_report_in_korean_is_one_command(on_stack: Run, deployed: Deployed, tmp_path: Path) -> None:
    month, out = f"{deployed.start:%Y-%m}", tmp_path / "report.html"
    outcome = on_stack("report", month, "--lang", "ko", "--out", str(out), "--json")
    assert (outcome.code, outcome.json["file"]) == (0, str(out))
    assert outcome.json["object"].endswith(f"/coverage/report-{month}.ko.html")
    assert "월간 접속기록 점검 보고서" in out.read_text()
    assert set(get_args(Language.__value__)) == {"en", "ko"}
    wrong = on_stack("report", "2026-13")
    assert (wrong.code, wrong.err) == (2, 'logarchive: month: "2026-13" is no month; for instance 2026-11\n')


@pytest.mark.slow
def test_the_coverage_page_is_made_anew_and_opened_in_a_browser(deployed: Deployed, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o700)
    command = [sys.executable, "-m", "console", "--demo", "--port", str(deployed.port), "coverage", "--open"]
    bare = {"PATH": os.defpath, "HOME": "/nonexistent", "TMPDIR": str(tmp_path), "BROWSER": f"{browser} %s"}
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    saved = Path(done.stdout.split("saved")[1].strip())
    assert opened.read_text().strip() == saved.as_uri()
    assert "elsa/one" in saved.read_text()
