"""Archives from Maven Central: fetched through `mvn` into a folder of their own, checked by hash, unpacked."""

import hashlib
import shutil
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get"


class ArchiveError(Exception):
    """An archive is not the one that is locked; the message is for the user."""


@dataclass(frozen=True)
class Archive:
    """One artifact: its Maven coordinates, its size and hash, and the folder that it is unpacked into."""

    artifact: str
    sha256: str
    bytes: int
    folder: str

    def path(self, repository: Path) -> Path:
        """Return where Maven stores it."""
        group, name, version, packaging = self.artifact.split(":")
        return repository.joinpath(*group.split("."), name, version, f"{name}-{version}.{packaging}")

    def fetch(self, mvn: str, repository: Path) -> Sequence[str]:
        """Return the command that fetches it."""
        command = (
            mvn,
            "--batch-mode",
            "--no-transfer-progress",
            GOAL,
            f"-Dartifact={self.artifact}",
            "-Dtransitive=false",
        )
        return (*command, f"-Dmaven.repo.local={repository}")

    def fetched(self, repository: Path) -> int:
        """Return how many bytes of it are there; Maven writes to a file of another name until it has all."""
        return max((file.stat().st_size for file in self.path(repository).parent.glob("*")), default=0)

    def is_whole(self, repository: Path) -> bool:
        """Return whether it is there, with the hash that is locked."""
        path = self.path(repository)
        return path.exists() and _sha256(path) == self.sha256

    def remove(self, repository: Path) -> None:
        """Remove it, or what an interrupted download has left: Maven would take that for the archive."""
        shutil.rmtree(self.path(repository).parent, ignore_errors=True)

    def unpack(self, repository: Path, to: Path) -> None:
        """Unpack it, without the folder that holds everything in it. Raises ArchiveError for another archive."""
        path, scratch = self.path(repository), to / "unpacking"
        if not self.is_whole(repository):
            found = _sha256(path)
            self.remove(repository)
            raise ArchiveError(
                f"{path.name} was fetched with SHA-256 {found}, and tools/trino.toml locks {self.sha256}: "
                "ask who runs your Maven mirror why it differs, or fetch it from Maven Central itself"
            )
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(scratch)  # noqa: S202 (its hash is the one that is locked)
        else:
            with tarfile.open(path) as archive:
                archive.extractall(scratch, filter="data")
        [whole] = scratch.iterdir()
        (to / self.folder).parent.mkdir(parents=True, exist_ok=True)
        whole.rename(to / self.folder)
        scratch.rmdir()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def archives(lock: Path) -> list[Archive]:
    """Return the archives that a lock file names."""
    return [Archive(**table) for table in tomllib.loads(lock.read_text())["archive"]]
