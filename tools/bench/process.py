"""A fresh process for each side of a comparison: its CPU time, and its peak of memory."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.lock import ROOT

type Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Measured:
    """What one run of a process has used: CPU seconds after its imports and in all, and its peak of memory."""

    seconds: float
    whole_seconds: float
    peak_mib: float
    facts: Facts = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Program:
    """A program that prints, as its last line, what `told` returns."""

    command: tuple[str, ...]
    #: What stands first on Python's path; the tools themselves are always those of this folder.
    tree: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)

    def run(self) -> Measured:
        """Run it once. Raises RuntimeError with what it said if it fails."""
        # PYTHONPATH in place of the current folder, so that the layer of another version can be measured.
        path = os.pathsep.join(map(str, (self.tree / "layers" / "shared", self.tree, ROOT)))
        environment = {**os.environ, "PYTHONPATH": path, **self.environment}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(self.command, cwd=self.tree, env=environment, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError(f"{' '.join(self.command)} ended with {done.returncode}: {done.stderr[-2000:]}")
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Measured(told.pop("seconds"), whole, told.pop("peak_mib"), told)


def work(name: str, *arguments: object, tree: Path = ROOT) -> Program:
    """Return the program that does one of the pieces of work in `tools.bench.work`."""
    return Program((sys.executable, "-P", "-m", "tools.bench.work", name, *map(str, arguments)), tree)


def told(doing: Callable[[], Facts | None]) -> str:
    """Do something, and return the line about it: CPU seconds with those of children, and the peak of memory."""
    before = cpu_seconds()
    facts = doing() or {}
    return json.dumps({"seconds": cpu_seconds() - before, "peak_mib": peak_mib(), **facts})


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children that have ended; `os.times` counts in hundredths."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_mib() -> float:
    """Return this process's peak of memory; that of `getrusage` would count what it was forked from."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
