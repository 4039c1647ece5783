"""The shell in which the commands of a page are run: a folder like a clone, and a stack in place of AWS."""

import datetime as dt
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.console.conftest import Deployed
from tests.console.terminal import Place, answered
from tools.lock import ROOT
from tools.stack import SAM, account, bare_environment

#: The day that the pages show as an example.
SHOWN_DAY = dt.date(2026, 11, 22)
#: Of these programs exit code 1 means that there is something to look at.
_LOOKS = ("logarchive ", "python3 verifier/")
#: What a line defines holds for the lines after it.
_DEFINES = ("export ", "output() ")
_SECONDS = 600
_ENDED = 'ended() { [ "$1" -le "$2" ] || { echo "exit code $1: $3"; exit 9; }; }'


@dataclass
class PageShell:
    """A folder that looks like a clone, with `logarchive`, `sam` and `aws` on the PATH, all of which use one stack."""

    deployed: Deployed
    folder: Path
    #: The day that takes the place of the one that the pages show.
    day: dt.date
    #: Texts of the pages that stand for what only the user knows.
    replaced: dict[str, str] = field(default_factory=dict[str, str])
    variables: dict[str, str] = field(default_factory=dict[str, str])
    _defined: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        """Make the folder."""
        for path in ROOT.iterdir():
            if not path.name.startswith("."):
                (self.folder / path.name).symlink_to(path)
        programs = self.folder / ".programs"
        programs.mkdir()
        (programs / "sam").symlink_to(SAM)
        console = f'exec {shlex.quote(sys.executable)} -m console --demo --port {self.deployed.port} "$@"'
        (programs / "logarchive").write_text(f'#!/bin/bash\nset -- "$@"\n{self._at_the_simulator()}\n{console}\n')
        (programs / "logarchive").chmod(0o755)

    def _at_the_simulator(self) -> str:
        """Return what makes a new source one of the simulator: a person at a demo would say so, too."""
        return f'[ "$1 $2" != "sources add" ] || set -- "$@" --set base_url={self.deployed.simulator.url}/elsa'

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of the shell."""
        bare = bare_environment(**account(self.deployed.stack.aws["endpoint_url"]), **self.variables)
        path = f"{self.folder / '.programs'}{os.pathsep}{bare['PATH']}"
        return bare | {
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "BROWSER": "true",
            "AWS_PAGER": "",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        }

    @property
    def has_aws(self) -> bool:
        """Whether the AWS CLI works here."""
        done = subprocess.run(
            ["bash", "-c", "aws --version"], cwd=self.folder, env=self.environment, capture_output=True, check=False
        )
        return done.returncode == 0

    def here(self, text: str) -> str:
        """Return a text of a page with the days and names of this stack. The days keep their distances."""
        move = self.day - SHOWN_DAY
        text = re.sub(r"2026-\d\d-\d\d", lambda day: str(dt.date.fromisoformat(day[0]) + move), text)
        text = re.sub(r"\b2026-11\b(?!-)", f"{self.day:%Y-%m}", text)
        for shown, real in self.replaced.items():
            text = text.replace(shown, real)
        return text

    def run(self, lines: Sequence[str], answers: Sequence[tuple[str, str]]) -> str:
        """Run lines of a page one after the other, and return what stood on the terminal. Fails with the line."""
        checked = [self._checked(line) for line in lines]
        script = "\n".join([_ENDED, *self._defined, *checked])
        self._defined += [line for line in lines if line.startswith(_DEFINES)]
        place = Place(self.folder, self.environment, _SECONDS)
        shown = answered(["bash", "--norc", "-c", script], answers, place, columns=200)
        assert shown.code == 0, shown.text
        return shown.text

    def _checked(self, line: str) -> str:
        return f"{self.here(line)}\nended $? {int(line.startswith(_LOOKS))} {shlex.quote(line)}"
