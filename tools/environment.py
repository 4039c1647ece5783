"""The environments of tools: what each holds, whether it is installed and current, and how it is installed."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.demo.page import size
from tools.maven import Archive, ArchiveError, archives

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".tools"


class InstallError(Exception):
    """A step of the installation failed; the message is for the user."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the lock file that says what it holds."""

    folder: str
    lock: str
    what: str
    #: Disk space that it takes, as `du` says, and how long the installation takes on a quiet machine.
    megabytes: int
    seconds: int

    @property
    def path(self) -> Path:
        """Where it is."""
        return ROOT / self.folder

    @property
    def marker(self) -> Path:
        """The file that is written when it is complete."""
        return self.path / "installed"

    @property
    def log(self) -> Path:
        """Where the output of its installation goes."""
        return LOGS / f"{self.path.name.removeprefix('.')}.log"

    @property
    def is_current(self) -> bool:
        """Whether it is complete, and not older than its lock files."""
        newest = max((ROOT / lock).stat().st_mtime for lock in self.locks())
        return self.marker.exists() and self.marker.stat().st_mtime >= newest

    def locks(self) -> Sequence[str]:
        """Return the files that say what belongs to it."""
        return [self.lock]

    def lacks(self) -> str | None:
        """Return what this machine must have first, or None."""
        return None

    def reason(self) -> Sequence[str]:
        """Return what the log says about why the installation failed, and what to do if it was the network."""
        lines = self.log.read_text(errors="replace").splitlines()
        offline = any("Retrying (" in line for line in lines)
        advice = "pip reaches no index of packages: check the network, or the index that pip is told, and repeat"
        return [*lines[-5:], *([advice] if offline else [])]

    def packages(self) -> int:
        """Return how many packages the lock file names."""
        return sum("==" in line for line in (ROOT / self.lock).read_text().splitlines() if line[:1].isalnum())

    def progress(self) -> str:
        """Return how far pip is, by what it has logged and what is unpacked."""
        unpacked = sum(1 for _ in self.path.glob("lib/python*/site-packages/*.dist-info"))
        fetched = self.log.read_text(errors="replace").count("Collecting ") if self.log.exists() else 0
        verb, count = ("unpacked", unpacked) if unpacked > 1 else ("fetched", fetched)  # pip itself is unpacked first
        return f"{verb} {min(count, self.packages())} of {self.packages()} packages"

    def commands(self) -> Iterator[Sequence[str | Path]]:
        """Yield what installs it."""
        yield sys.executable, "-m", "venv", self.path
        yield (
            *(self.path / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"),
            *("--progress-bar", "off", "--require-hashes", "--only-binary", ":all:", "-r", ROOT / self.lock),
        )


@dataclass(frozen=True)
class Engine(Environment):
    """Java and Trino: an environment of packages, and beside them archives from Maven Central."""

    archives: str = "tools/trino.toml"
    mvn: str = "mvn"

    @property
    def downloads(self) -> Path:
        """Where archives stay until everything is installed, so that none is fetched twice."""
        return LOGS / "trino-downloads"

    def locks(self) -> Sequence[str]:
        """Return the lock file of the packages, and that of the archives."""
        return [self.lock, self.archives]

    def lacks(self) -> str | None:
        """Return that Maven is missing."""
        if shutil.which(self.mvn):
            return None
        return (
            f"{self.mvn} is missing, and Trino is fetched with it from Maven Central: install Maven (on Debian "
            "`apt-get install maven`); only `make trino` needs it"
        )

    def reason(self) -> Sequence[str]:
        """Return what Maven says, if it was Maven that failed."""
        lines = self.log.read_text(errors="replace").splitlines()
        said = next((line for line in lines if line.startswith("[ERROR]")), None)
        if said is None:
            return super().reason()
        return [
            said,
            "Trino comes from Maven Central: check the network, or the mirror in ~/.m2/settings.xml, and repeat",
        ]

    def progress(self) -> str:
        """Return how far pip is, or how much of an archive is there."""
        for archive in reversed(self._archives()):
            if fetched := archive.fetched(self.downloads):
                return f"fetched {size(fetched)} of {size(archive.bytes)} of {archive.artifact.split(':')[1]}"
        return super().progress()

    def commands(self) -> Iterator[Sequence[str | Path]]:
        """Yield what installs the packages, then the archives."""
        yield from super().commands()
        yield from self.fetches()

    def fetches(self) -> Iterator[Sequence[str | Path]]:
        """Yield what fetches each archive that is not there and whole, and unpack it then."""
        for archive in self._archives():
            if not archive.is_whole(self.downloads):
                archive.remove(self.downloads)
                yield archive.fetch(self.mvn, self.downloads)
            try:
                archive.unpack(self.downloads, self.path)
            except ArchiveError as error:
                raise InstallError(str(error)) from error
        shutil.rmtree(self.downloads)

    def _archives(self) -> list[Archive]:
        return archives(ROOT / self.archives)


ENVIRONMENTS = {
    one.folder: one
    for one in (
        Environment(".venv", "requirements-dev.txt", "DuckDB, the AWS SDK, tests, linters", 1020, 90),
        Environment(".tools/sam", "tools/requirements-sam.txt", "the AWS SAM CLI", 345, 40),
        Environment(".tools/ministack", "tools/requirements-ministack.txt", "the emulator of AWS", 120, 20),
        Environment(".tools/checkov", "tools/requirements-checkov.txt", "a linter of the template", 285, 40),
        Environment(".tools/dlt", "tools/requirements-dlt.txt", "dlt, which make bench measures beside", 250, 25),
        Environment(".tools/grove", "tools/requirements-grove.txt", "grove, likewise", 280, 25),
        Environment(".tools/fuzz", "tools/requirements-fuzz.txt", "the engine of make fuzz", 160, 15),
        Engine(".tools/trino", "tools/requirements-trino.txt", "Trino, the engine behind Athena, and Java", 990, 110),
    )
}
