"""The tools are installed with progress, what is current stays, and a step that fails is named with its log."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.test_demo_page import Terminal
from tools.demo.page import Page
from tools.environment import ENVIRONMENTS, ROOT, Engine, Environment, InstallError
from tools.install import MEGABYTE, Installation

LOCK = "tools/requirements-ministack.txt"


@dataclass(frozen=True)
class Played(Environment):
    """An environment whose installation is a program that prints, and ends with a code."""

    root: Path = Path()
    code: int = 0
    seconds_to_sleep: int = 0

    @property
    def path(self) -> Path:
        return self.root / self.folder

    @property
    def log(self) -> Path:
        return self.root / "logs" / f"{self.folder}.log"

    def commands(self) -> Iterator[Sequence[str | Path]]:
        printed = "print('Collecting a');" * 3 + "print('ERROR: no network')"
        waits = f"import time; time.sleep({self.seconds_to_sleep})"
        made = (
            f"import pathlib, sys; pathlib.Path({str(self.path)!r}).mkdir(); {printed}; {waits}; sys.exit({self.code})"
        )
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
    first, second = sorted(line.rpartition("\x1b[K")[2] for line in printed if line.endswith(" s"))
    assert first.split()[:7] == ["1", "of", "2", "emulator", "the", "emulator", "of"]
    assert second.split()[:4] == ["2", "of", "2", "other"]


def test_two_are_installed_at_a_time(tmp_path: Path) -> None:
    first, second, third = (played(tmp_path, name) for name in ("first", "second", "third"))
    at_once: list[set[str]] = []

    def look(_seconds: float) -> None:
        at_once.append({one.folder for one in (first, second, third) if one.log.exists() and not one.is_current})

    Installation(Page(Terminal()), sleep=look).install([first, second, third], None)
    assert {"first", "second"} in at_once
    assert all(len(folders) <= 2 for folders in at_once)
    assert third.is_current


def test_where_one_fails_the_other_ends_too(tmp_path: Path) -> None:
    other = Played("other", LOCK, "", 1, 1, root=tmp_path, seconds_to_sleep=1000)
    with pytest.raises(InstallError, match=r"^installation 1 of 2 failing failed"):
        installed(played(tmp_path, "failing", code=3), other)
    assert not other.is_current


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


def test_a_machine_without_a_network_is_told_what_pip_says_and_what_to_do(tmp_path: Path) -> None:
    environment = played(tmp_path)
    environment.log.parent.mkdir()
    environment.log.write_text("WARNING: Retrying (Retry(total=0)) after connection broken\nERROR: No matching one\n")
    assert environment.reason()[1:] == [
        "ERROR: No matching one",
        "pip reaches no index of packages: check the network, or the index that pip is told, and repeat",
    ]


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


#: Two archives, as Maven Central has them.
ARTIFACTS = ("io.trino:server:1:zip", "io.trino:hive:1:zip")
#: `mvn` in a few lines: it notes what it is asked for, and stores what Maven Central has of it.
MVN = """#!/bin/sh
for word; do case $word in
  -Dartifact=*) IFS=: read -r group name version type <<END
${word#*=}
END
  ;;
  -Dmaven.repo.local=*) repository=${word#*=} ;;
esac; done
echo $name >>CENTRAL/asked
mkdir -p $repository/io/trino/$name/$version
cp CENTRAL/$name.zip $repository/io/trino/$name/$version/$name-$version.zip
"""
NO_NETWORK = """#!/bin/sh
echo '[INFO] Scanning for projects...'
echo '[ERROR] Plugin could not be resolved: Connection refused'
echo '[ERROR] [Help 1] a page'
exit 1
"""


@dataclass(frozen=True)
class PlayedEngine(Engine):
    """An engine without packages, whose Maven is a program in a folder."""

    root: Path = Path()

    @property
    def path(self) -> Path:
        return self.root / "trino"

    @property
    def log(self) -> Path:
        return self.root / "logs" / "trino.log"

    @property
    def downloads(self) -> Path:
        return self.root / "downloads"

    def commands(self) -> Iterator[Sequence[str | Path]]:
        self.path.mkdir()
        yield from self.fetches()


def engine(root: Path, mvn: str = MVN) -> PlayedEngine:
    program = root / "mvn"
    program.write_text(mvn.replace("CENTRAL", str(root)))
    program.chmod(0o755)
    tables: list[str] = []
    for artifact in ARTIFACTS:
        name = artifact.split(":")[1]
        path = root / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}-1/lib/{name}.jar", name * 1000)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        tables.append(f'[[archive]]\nartifact = "{artifact}"\nsha256 = "{digest}"\nbytes = 1\nfolder = "in/{name}"\n')
    (root / "trino.toml").write_text("".join(tables))
    return PlayedEngine("trino", LOCK, "Trino", 1, 1, archives=str(root / "trino.toml"), mvn=str(program), root=root)


def asked(root: Path) -> list[str]:
    return (root / "asked").read_text().split()


def test_the_engine_is_fetched_and_unpacked_and_the_archives_are_gone(tmp_path: Path) -> None:
    environment = engine(tmp_path)
    installed(environment)
    assert environment.is_current
    assert asked(tmp_path) == ["server", "hive"]
    files = [str(path.relative_to(environment.path)) for path in sorted(environment.path.rglob("*.jar"))]
    assert files == ["in/hive/lib/hive.jar", "in/server/lib/server.jar"]
    assert not environment.downloads.exists()


def test_an_archive_of_which_half_is_there_is_fetched_again_and_one_that_is_whole_is_not(tmp_path: Path) -> None:
    environment = engine(tmp_path)
    for name, share in (("server", 1), ("hive", 2)):
        place = environment.downloads / "io" / "trino" / name / "1"
        place.mkdir(parents=True)
        whole = (tmp_path / f"{name}.zip").read_bytes()
        (place / f"{name}-1.zip").write_bytes(whole[: len(whole) // share])
    installed(environment)
    assert asked(tmp_path) == ["hive"]
    assert (environment.path / "in" / "hive" / "lib" / "hive.jar").read_text() == "hive" * 1000


def test_an_archive_with_another_hash_is_refused_and_not_kept(tmp_path: Path) -> None:
    environment = engine(tmp_path)
    (tmp_path / "hive.zip").write_bytes(b"another")
    with pytest.raises(
        InstallError, match=r"^hive-1\.zip was fetched with SHA-256 \w{64}, and .* locks \w{64}: ask who"
    ):
        installed(environment)
    assert not environment.is_current
    assert not [*environment.downloads.rglob("hive-1.zip")]


def test_a_machine_without_maven_is_told_before_anything_is_removed(tmp_path: Path) -> None:
    environment = engine(tmp_path)
    (tmp_path / "mvn").unlink()
    environment.path.mkdir()
    with pytest.raises(InstallError, match=r"mvn is missing, .*: install Maven \(on Debian `apt-get install maven`\)"):
        installed(environment)
    assert environment.path.exists()


def test_without_a_network_it_is_told_what_maven_says_and_what_to_do(tmp_path: Path) -> None:
    environment = engine(tmp_path, NO_NETWORK)
    with pytest.raises(InstallError) as error:
        installed(environment)
    _, *reason, log = str(error.value).splitlines()
    assert reason == [
        "   [ERROR] Plugin could not be resolved: Connection refused",
        "   Trino comes from Maven Central: check the network, or the mirror in ~/.m2/settings.xml, and repeat",
    ]
    assert log == f"   its whole log: {environment.log}"
