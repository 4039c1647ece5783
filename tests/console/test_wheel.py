"""The console as it is installed from the clone: its wheel is built, unpacked elsewhere, and run from there."""

import os
import subprocess
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from zipfile import ZipFile

import pytest

from tools.lock import ROOT
from tools.stack import free_port

#: All that may be in the wheel.
CONTENT = [
    "console/*.py",
    "console/queries/*.sql",
    "verifier/*.py",
    "verifier/evidence.??.txt",
    "logarchive-*.dist-info/*",
]
RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); "
CONSOLE = f"{RUN} from console.app import main; main()"
#: Imports every module, and reads every file that a command reads; prints where it all comes from.
READ = (
    f"{RUN} import importlib, pathlib; from console.core.saved_query import saved_queries, saved_views; "
    "from verifier import evidence; root = pathlib.Path(sys.path[0]); "
    "names = ['.'.join(path.relative_to(root).with_suffix('').parts) for path in root.glob('*/**/*.py')]; "
    "modules = [importlib.import_module(name) for name in names if not name.endswith('__main__')]; "
    "print(all(pathlib.Path(module.__file__).is_relative_to(root) for module in modules)); "
    "print(len([query.for_duckdb() for query in saved_queries()]), len([view.sql for view in saved_views()]))"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as `uv tool install .` does, but with the hatchling that is installed here; return its files."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = [str(ROOT / ".venv" / "bin" / "uv"), "build", "--wheel", "--quiet", "--no-build-isolation"]
    subprocess.run([*uv, "--python", sys.executable, "--out-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as packed:
        packed.extractall(folder / "unpacked")
    return folder / "unpacked"


def run(program: str, installed: Path, *arguments: str) -> tuple[int, Sequence[str], str]:
    """Run a program outside the clone, with nothing of the clone on its path, and no account."""
    bare = {"PATH": os.defpath, "HOME": str(installed), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(installed), *arguments],
        cwd=installed.parent, env=bare, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.slow
def test_the_wheel_holds_the_console_with_all_that_it_reads_and_nothing_else(installed: Path) -> None:
    files = [str(path.relative_to(installed)) for path in installed.glob("**/*") if path.is_file()]
    assert [name for name in files if not any(fnmatch(name, pattern) for pattern in CONTENT)] == []
    queries, views = ROOT / "queries", ROOT / "queries" / "views"
    counts = f"{len(list(queries.glob('*.sql')))} {len(list(views.glob('*.sql')))}"
    assert run(READ, installed) == (0, ["True", counts], "")


@pytest.mark.slow
def test_the_installed_program_says_in_one_sentence_that_no_demo_runs_and_that_no_region_is_set(
    installed: Path,
) -> None:
    status, shown, _ = run(CONSOLE, installed, "--help")
    assert (status, any("Usage: logarchive" in line for line in shown)) == (0, True)
    port = free_port()
    no_demo = (
        f"logarchive: nothing answers at http://localhost:{port}/: start the demo and keep it with `KEEP=1 PORT={port} "
    )
    status, shown, error = run(CONSOLE, installed, "status", "--demo", "--port", str(port))
    assert (status, shown, error.partition("make demo")[0]) == (2, [], no_demo)
    no_region = "no AWS region is set; name the one that the stack is in: --region ap-northeast-2"
    assert run(CONSOLE, installed, "status") == (2, [], f"logarchive: {no_region}\n")
