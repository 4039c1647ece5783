"""One run of the bench: its bodies, its processes in turn, and what was measured so far."""

import os
import shutil
import statistics
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Self

from tools.bench.cold import empty_aws
from tools.bench.process import Facts, Measured, Program, work
from tools.lock import ROOT

#: Before the first changes for speed: what "today" meant when the targets were set.
BEFORE = "a40e6b9"
#: What the code under measurement consists of; the tools are always those of this folder.
TREE = ("layers", "functions", "tests", "queries", "console", "events")


@dataclass(frozen=True)
class Figure:
    """A figure of some runs, and what else is worth knowing of them."""

    values: Sequence[float]
    facts: Facts = field(default_factory=dict[str, Any])

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.values)

    def document(self) -> dict[str, Any]:
        """Return it as it is stored."""
        rounded = {name: _rounded(value) for name, value in self.facts.items()}
        numbers = {"min": min(self.values), "median": self.median, "max": max(self.values)}
        return {name: _rounded(value) for name, value in numbers.items()} | {"facts": rounded}


def _rounded(value: Any) -> Any:  # noqa: ANN401 (a fact may be anything)
    return float(f"{value:.4g}") if isinstance(value, float) else value


@dataclass
class Bench:
    """A folder for bodies, and the runs. Use it as a context."""

    folder: Path
    #: 1: as many records as the figures are of; the test of the bench takes a small part of them.
    scale: float = 1.0
    runs: int = 5
    #: Another version of the code, to be compared with this one.
    base: str | None = None
    #: The version whose cold start this one's is compared with.
    before: str = BEFORE
    _pairs: dict[tuple[Program, Program], list[tuple[Measured, Measured]]] = field(default_factory=dict[Any, Any])
    _counted: dict[Any, Mapping[str, float]] = field(default_factory=dict[Any, Any])
    _open: ExitStack = field(default_factory=ExitStack)
    _account: dict[str, str] = field(default_factory=dict[str, str])

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop what was started."""
        self._open.close()

    def count(self, records: int) -> int:
        """Return how many records stand for so many in this run."""
        return max(22, round(records * self.scale))

    def bodies(self, kind: str, records: int) -> Path:
        """Return a folder with the bodies of so many records, which are made at the first time."""
        folder = self.folder / f"{kind}.{records}"
        if not folder.exists():
            folder.mkdir()
            try:
                count = str(self.count(records))
                module = ("tools.bench.body", kind, count, str(folder))
                subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=True, env=_environment())
            except BaseException:
                shutil.rmtree(folder)
                raise
        return folder

    def in_turn(self, one: Program, other: Program, runs: int | None = None) -> list[tuple[Measured, Measured]]:
        """Run both in turn, now the one first and now the other; the same pair is run once only."""
        key = (one, other)
        if key not in self._pairs:
            found: list[tuple[Measured, Measured]] = []
            for number in range(min(runs or self.runs, self.runs)):
                if number % 2:
                    second = other.run()
                    found.append((one.run(), second))
                else:
                    found.append((one.run(), other.run()))
            self._pairs[key] = found
        return self._pairs[key]

    def ratio(self, one: Program, other: Program, runs: int | None = None) -> Figure:
        """Return how many times the CPU time of the other one takes."""
        pairs = self.in_turn(one, other, runs)
        facts = {
            "seconds": statistics.median(left.seconds for left, _ in pairs),
            "other_seconds": statistics.median(right.seconds for _, right in pairs),
            "peak_mib": statistics.median(left.peak_mib for left, _ in pairs),
        }
        values = [left.seconds / right.seconds for left, right in pairs]
        facts |= {name: value for name, value in pairs[0][0].facts.items() if isinstance(value, int)}
        if self.base:
            facts |= {f"seconds_{self.base}": Program(one.command, self.tree(self.base), one.environment).run().seconds}
        return Figure(values, facts)

    def work(self, name: str, kind: str, records: int, *more: object) -> Program:
        """Return a piece of work on bodies of that kind."""
        return work(name, self.bodies(kind, records), *more)

    def counted(self, count: Callable[[int], Mapping[str, float]], size: int) -> Mapping[str, float]:
        """Return what is counted of something of that size; it is counted once."""
        if (count, size) not in self._counted:
            self._counted[count, size] = count(size)
        return self._counted[count, size]

    def tree(self, reference: str) -> Path:
        """Return a folder with the code of a commit."""
        folder = self.folder / f"tree.{reference}"
        if not folder.exists():
            archive = subprocess.run(
                ["git", "archive", "--format=tar", reference, *TREE], cwd=ROOT, check=True, capture_output=True
            )
            with tarfile.open(fileobj=BytesIO(archive.stdout)) as file:
                file.extractall(folder, filter="data")
        return folder

    def account(self) -> dict[str, str]:
        """Return the variables of an empty account of AWS, which is played until the end."""
        self._account = self._account or self._open.enter_context(empty_aws())
        return self._account


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'layers' / 'shared'}{os.pathsep}{ROOT}"}
