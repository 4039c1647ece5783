"""A window's life in the bench: the archive's own code from the tick on; AWS and the provider are stand-ins.

S3 is a folder: what is uploaded is read and written once, as by the SDK; what S3 itself would compute is left out.
"""

import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.fake_aws import FakeS3
from tests.scenario import END, Scenario
from tools.bench.process import cpu_seconds

#: The first visit and the two revisits that the scenario's source asks for.
MOMENTS = (END + dt.timedelta(minutes=10), END + dt.timedelta(minutes=70), END + dt.timedelta(hours=5))
_PIECE = 1024 * 1024


@dataclass
class FolderS3(FakeS3):
    """The stand-in for S3 of the tests, with its objects in a folder: in memory they would count as the archive's."""

    folder: Path = field(kw_only=True)

    def put_object(self, *, Key: str, Body: Any, Bucket: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002, N803 (as the AWS SDK)
        """Write an object, if it may be written."""
        self._admit(Key, options)
        path = self._path(Key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            if isinstance(Body, bytes):
                file.write(Body)
            else:
                shutil.copyfileobj(Body, file, _PIECE)
        return self._store(Key, str(self.writes).encode())

    def get_object(self, *, Key: str, Bucket: str) -> dict[str, Any]:  # noqa: ARG002, N803 (as the AWS SDK)
        """Open an object."""
        found = self._found(Key, "NoSuchKey")
        return {"Body": _Body(self._path(Key)), "ETag": found.etag, "VersionId": found.version}

    def _path(self, key: str) -> Path:
        return self.folder / "s3" / key


@dataclass(frozen=True)
class _Body:
    path: Path

    def read(self) -> bytes:
        return self.path.read_bytes()

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        return _pieces(self.path, size)


def live(bodies: Sequence[Path], visits: int, folder: Path) -> dict[str, Any]:
    """Visit a window so many times, the provider returning the same file each time.

    Return what became of it, and the CPU seconds of a revisit, if there was one.
    """
    (body,) = bodies

    def respond(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=_pieces(body, _PIECE))

    scenario = Scenario(world=[], answer=respond, s3=FolderS3(folder=folder))
    ends = list[float]()
    for scenario.now in MOMENTS[:visits]:
        scenario.tick()
        ends.append(cpu_seconds())
    entry = scenario.entry
    if len(entry.visits) != visits or entry.issue:
        raise RuntimeError(f"{len(entry.visits)} of {visits} visits: {entry.issue} {entry.error}")
    revisits = {"revisit_seconds": (ends[-1] - ends[0]) / (visits - 1)} if visits > 1 else {}
    return {"rows": entry.numbers.rows, "state": entry.state, **revisits}


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(size), b"")
