"""`make local`: what it hands to a container, and what it says where no container can run."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from logarchive.action.event import Tick, parse_event
from tools.local import container
from tools.local.__main__ import EVENTS, NOTARY_VARIABLE, VARIABLES
from tools.local.container import ATTEMPTS, bridge_address, invoke
from tools.lock import ROOT
from tools.registry import names
from tools.stack import StackError

EVERY = list(names())
#: What stands for `sam`: each run takes one word of a file beside it, which says how it ends.
SAM = """\
echo run >>"$0.runs"
case $(sed -n "$(wc -l <"$0.runs")p" "$0.ends") in
  unreached) echo 'No response from invoke container for DsaFunction' >&2; exec sleep 900 ;;
  broken) printf 'START RequestId: 1\\nNo response from invoke container for DsaFunction\\n' >&2; exec sleep 900 ;;
  endless) echo 'SAM_CONTAINER_ID: 0123abcd' >&2; exec sleep 900 ;;
  *) echo '{"ok": true}' ;;
esac
"""
VALUES = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}


@pytest.mark.parametrize("provider", EVERY)
def test_every_function_has_an_event_that_does_its_work_in_one_invocation(provider: str) -> None:
    event = parse_event(json.loads((EVENTS / f"{provider}.json").read_text()))
    assert event == Tick(action="tick", inline=True)


def test_no_event_is_for_a_function_that_is_none() -> None:
    assert sorted(path.stem for path in EVENTS.iterdir()) == EVERY


@pytest.mark.parametrize("name", [*VARIABLES, NOTARY_VARIABLE])
def test_a_variable_that_is_handed_over_is_named_in_the_template_or_it_would_be_dropped(name: str) -> None:
    times = len(re.findall(rf"(?:^ +|{{ ){name}: ", (ROOT / "template.yaml").read_text(), re.MULTILINE))
    assert times == (len(EVERY) if name == "SOURCES_PATH" else 1)


@pytest.mark.parametrize("name", ["lint", "local"])
def test_a_program_without_arguments_refuses_one_and_starts_nothing(name: str) -> None:
    command = [sys.executable, "-m", f"tools.{name}", "more"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    said = f"usage: make {name} [-h]\nmake {name}: error: unrecognized arguments: more\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def docker(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `docker` on the PATH that says what a test wants."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_without_docker_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"^docker is missing: "):
        bridge_address()


def test_a_docker_that_does_not_run_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path, "echo 'Cannot connect' >&2; exit 1", monkeypatch)
    with pytest.raises(StackError, match=r"^docker does not respond: Cannot connect$"):
        bridge_address()


def test_a_bridge_that_is_elsewhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path, "echo 'fd00::1 203.0.113.1 '", monkeypatch)
    with pytest.raises(StackError, match=r"^docker's bridge \(203\.0\.113\.1\) is not on this machine"):
        bridge_address()


def test_the_first_address_of_the_bridge_that_is_no_ipv6_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, "echo 'fd00::1 127.0.0.1 '", monkeypatch)
    assert bridge_address() == "127.0.0.1"


def sam(folder: Path, ends: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `sam` in the place of the installed one; return the file that has a line for each of its runs."""
    program = folder / "sam"
    program.write_text(f"#!/bin/sh\n{SAM}")
    program.chmod(0o755)
    (folder / "sam.ends").write_text("\n".join([*ends, ""]))
    monkeypatch.setattr(container, "SAM", program)
    return folder / "sam.runs"


def test_an_invocation_that_did_not_reach_its_container_is_repeated_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = sam(tmp_path, ["unreached", "unreached"], monkeypatch)
    began = time.monotonic()
    assert invoke("DsaFunction", EVENTS / "dsa.json", VALUES, tmp_path) == {"ok": True}
    assert time.monotonic() - began < 60
    said = [f"DsaFunction: its container was not reached (attempt {number} of {ATTEMPTS})" for number in (1, 2)]
    assert capsys.readouterr().err.splitlines() == said
    assert runs.read_text().count("run") == 3


@pytest.mark.parametrize(("ends", "times"), [(["unreached"] * ATTEMPTS, ATTEMPTS), (["broken"], 1)])
def test_what_is_never_reached_or_breaks_off_in_the_middle_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: list[str], times: int
) -> None:
    runs = sam(tmp_path, ends, monkeypatch)
    with pytest.raises(StackError, match=r"gave no result:\n(?s:.*)No response from invoke container"):
        invoke("DsaFunction", EVENTS / "dsa.json", VALUES, tmp_path)
    assert runs.read_text().count("run") == times


def test_an_interrupted_invocation_leaves_no_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sam(tmp_path, ["endless"], monkeypatch)
    asked, log = tmp_path / "asked", tmp_path / "DsaFunction.log"
    program = tmp_path / "docker"
    program.write_text(f'#!/bin/sh\necho "$@" >>{asked}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    communicate: Any = vars(subprocess.Popen)["communicate"]

    def interrupted(process: subprocess.Popen[bytes], given: bytes | None = None, timeout: float | None = None) -> Any:
        if timeout is None:  # that is docker
            return communicate(process, given)
        while "SAM_CONTAINER_ID" not in log.read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        invoke("DsaFunction", EVENTS / "dsa.json", VALUES, tmp_path)
    assert asked.read_text() == "rm --force 0123abcd\n"
