"""`make mutants`: change the engine in one place at a time, and name the changes that no fast test sees."""

import argparse
import os
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.lock import ROOT
from tools.mutants.judge import OPTIONS, Judge
from tools.mutants.mutation import Mutant, mutants

LAYER = ROOT / "layers" / "shared" / "logarchive"
#: Where a record could be lost or doubled unseen.
MODULES = ("visit", "ledger", "row/identity.py", "column/bounds.py", "provider/paging.py")
TESTS = ("tests/unit", "tests/contract", "tests/integration/test_kill.py", "tests/integration/test_two_workers.py")
#: Module, then the mutant's name, then why no test could see it.
EXPLAINED = ROOT / "tests" / "equivalent_mutants.toml"


def modules(asked: list[str]) -> list[Path]:
    """Return the modules of some rooms or files, all that are looked after if none are named."""
    found = [LAYER / one for one in asked or MODULES]
    return sorted(path for one in found for path in (one.glob("*.py") if one.is_dir() else [one]))


@dataclass
class Report:
    """Compares what survives with what is explained."""

    #: The explanations of the modules, without those that were met.
    explained: set[tuple[str, str]]
    mutants: int
    unexplained: int = 0
    began: float = 0.0

    def started(self, tests: int) -> None:
        """Say how much there is to do."""
        print(f"{self.mutants} mutants, {tests} tests, {time.monotonic() - self.began:.0f} s so far", flush=True)

    def survived(self, mutant: Mutant) -> None:
        """Print a mutant that survives, unless it is explained."""
        module, text = str(mutant.path.relative_to(LAYER)), f"{mutant.function or mutant.constant}: {mutant.text}"
        if (module, text) in self.explained:
            self.explained.remove((module, text))
            return
        self.unexplained += 1
        print(f"survived: {module}:{mutant.line} {text}", flush=True)

    def ended(self) -> int:
        """Print what is left; return 1 if anything is wrong."""
        for module, text in sorted(self.explained):
            print(f"explained, but seen or gone: {module} {text}")
        print(f"{self.unexplained} unexplained, {time.monotonic() - self.began:.0f} s")
        return int(bool(self.unexplained or self.explained))


def main() -> int:
    """Print what survives; 1 if something does that is not explained, or if an explanation is out of date."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("module", nargs="*", help="for instance visit/worker.py, or visit; all if none is named")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    sys.dont_write_bytecode = True
    os.chdir(ROOT)
    paths = modules(options.module)
    names = {str(path.relative_to(LAYER)) for path in paths}
    known = tomllib.loads(EXPLAINED.read_text()).items()
    explained = {(module, text) for module, texts in known if module in names for text in texts}
    every = [mutant for path in paths for mutant in mutants(path)]
    report = Report(explained, len(every), began=time.monotonic())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        judge = Judge(every, options.jobs, report.survived, report.started)
        status = pytest.main([*OPTIONS, *TESTS], plugins=[judge])
    return report.ended() or int(status not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED})


if __name__ == "__main__":
    raise SystemExit(main())
