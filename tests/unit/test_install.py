"""The tools are installed with progress, what is current stays, and a step that fails is named with its log."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.test_demo_page import Terminal
from tools.demo.page import Page
from tools.install import ENVIRONMENTS, MEGABYTE, ROOT, Environment, Installation, InstallError

LOCK = "tools/requirements-ministack.txt"


@dataclass(frozen=True)
class Played(Environment):
    """An environment whose installation is a program that prints, and ends with a code."""

    root: Path = Path()
    code: int = 0

    @property
    def path(self) -> Path:
        return self.root / self.folder

    @property
    def log(self) -> Path:
        return self.root / "logs" / f"{self.folder}.log"

    def commands(self) -> Iterator[Sequence[str | Path]]:
        printed = "print('Collecting a');" * 3 + "print('ERROR: no network')"
        made = f"import pathlib, sys; pathlib.Path({str(self.path)!r}).mkdir(); {printed}; sys.exit({self.code})"
        yield sys.executable, "-c", made


def played(root: Path, folder: str = "emulator", code: int = 0) -> Played:
    return Played(folder, LOCK, "the emulator of AWS", 118, 20, root=root, code=code)


def installed(*missing: Environment, then: str | None = None) -> list[str]:
    out = Terminal()
    Installation(Page(out)).install(missing, then)
    return out.getvalue().splitlines()


def test_it_is_said_first_what_it_takes_and_then_each_step_with_its_seconds(tmp_path: Path) -> None:
    printed = installed(played(tmp_path), played(tmp_path, "other"), then="four minutes")
    assert " ".join(" ".join(printed[:3]).split()).startswith(
        "First, tools are installed in this folder: 236.0 MB, about 1 min with a fast network. `make clean` "
        "removes them. Then the demo takes four minutes."
    )
    first, second = (line for line in printed if line.endswith(" s"))
    assert first.rpartition("\x1b[K")[2].split()[:7] == ["1", "of", "2", "emulator", "the", "emulator", "of"]
    assert second.rpartition("\x1b[K")[2].split()[:4] == ["2", "of", "2", "other"]


def test_what_is_under_way_is_counted_in_packages(tmp_path: Path) -> None:
    environment = played(tmp_path)
    packages = environment.packages()
    assert environment.progress() == f"fetched 0 of {packages} packages"
    installed(environment)
    assert environment.progress() == f"fetched 3 of {packages} packages"
    for name in ("a", "b"):
        (environment.path / f"lib/python3.13/site-packages/{name}-1.dist-info").mkdir(parents=True)
    assert environment.progress() == f"unpacked 2 of {packages} packages"


def test_only_what_is_complete_and_as_new_as_its_lock_file_is_current(tmp_path: Path) -> None:
    environment = played(tmp_path)
    assert not environment.is_current
    installed(environment)
    assert environment.is_current
    old = (ROOT / LOCK).stat().st_mtime - 1
    subprocess.run(["touch", "-d", f"@{old}", environment.marker], check=True)
    assert not environment.is_current


def test_a_step_that_fails_is_named_with_its_last_lines_and_its_log(tmp_path: Path) -> None:
    failing = played(tmp_path, "sam", code=3)
    with pytest.raises(InstallError) as error:
        installed(played(tmp_path), failing)
    first, *last, log = str(error.value).splitlines()
    assert first.startswith("installation 2 of 2 sam failed: python")
    assert first.endswith("ended with 3")
    assert last[-1] == "   ERROR: no network"
    assert log == f"   its whole log: {failing.log}"
    assert not failing.is_current


def test_too_little_space_is_said_before_anything_is_removed(tmp_path: Path) -> None:
    environment = Played("huge", LOCK, "", 10**9, 1, root=tmp_path)
    environment.path.mkdir()
    with pytest.raises(InstallError, match=r"are free, and the tools take 1000000\.0 GB"):
        installed(environment)
    assert environment.path.exists()


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_the_sizes_that_are_stated_are_those_that_du_measures(environment: Environment) -> None:
    if not environment.marker.exists():
        pytest.skip(f"{environment.folder} is not installed")
    # Python compiles its modules as they are used, so that an environment grows.
    du = ["du", "-s", f"--block-size={MEGABYTE}", str(environment.path.resolve())]
    measured = int(subprocess.check_output(du, text=True).split()[0])
    assert environment.megabytes * 0.7 < measured < environment.megabytes * 1.1
