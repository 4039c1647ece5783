"""`make mutants`: change the engine in one place at a time, and name the changes that no fast test sees."""

import argparse
import os
import sys
import tempfile
import time
import tomllib
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
    paths = [LAYER / one for one in asked or MODULES]
    return sorted(path for one in paths for path in (one.glob("*.py") if one.is_dir() else [one]))


def name(mutant: Mutant) -> tuple[str, str]:
    """Return what a mutant is known by, whatever its line."""
    return str(mutant.path.relative_to(LAYER)), f"{mutant.function or mutant.constant}: {mutant.text}"


def main() -> int:
    """Print what survives; 1 if something does that is not explained, or if an explanation is of no mutant."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("module", nargs="*", help="for instance visit/worker.py, or visit; all if none is named")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tests", action="append", help="where the tests are; the fast ones if it is not said")
    parser.add_argument("--explained", action="store_true", help="run the explained ones, which are left out otherwise")
    options = parser.parse_args()
    sys.dont_write_bytecode = True
    os.chdir(ROOT)
    paths, began = modules(options.module), time.monotonic()
    explained = {(module, text) for module, texts in tomllib.loads(EXPLAINED.read_text()).items() for text in texts}
    every = [mutant for path in paths for mutant in mutants(path)]
    chosen = [mutant for mutant in every if (name(mutant) in explained) == options.explained]
    survivors: list[Mutant] = []

    def started(tests: int) -> None:
        print(f"{len(chosen)} mutants, {tests} tests, {time.monotonic() - began:.0f} s so far", flush=True)

    def survived(mutant: Mutant) -> None:
        survivors.append(mutant)
        module, text = name(mutant)
        print(f"survived: {module}:{mutant.line} {text}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        judge = Judge(chosen, options.jobs, survived, started)
        status = pytest.main([*OPTIONS, *(options.tests or TESTS)], plugins=[judge])
    if judge.fault or status != pytest.ExitCode.OK:
        print(judge.fault or f"pytest has ended with {pytest.ExitCode(status).name}", file=sys.stderr)
        return 1
    gone = explained - {name(mutant) for mutant in every} if not options.module else set[tuple[str, str]]()
    for module, text in sorted(gone):
        print(f"explained, but there is no such mutant: {module} {text}")
    print(f"{len(survivors)} survived, {time.monotonic() - began:.0f} s")
    right = len(survivors) == (len(chosen) if options.explained else 0)
    return int(not right or bool(gone))


if __name__ == "__main__":
    raise SystemExit(main())
