"""Runs the console as a shell would, against an emulator of AWS on this machine."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from console.app import main


@dataclass(frozen=True)
class Outcome:
    """What a run of the program has printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


type Run = Callable[..., Outcome]


def runner(port: int, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command with `--demo` on that port."""

    def run(*words: str) -> Outcome:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--demo", "--port", str(port)])
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run
