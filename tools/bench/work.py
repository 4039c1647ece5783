"""The pieces of work that are measured, each in a process of its own: `python -m tools.bench.work NAME FOLDER [COUNT]`.

FOLDER holds the bodies; its name begins with their kind (`tools.bench.body`). All imports are done before the clock
starts.
"""

import gzip
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3  # noqa: F401 # pyright: ignore[reportUnusedImport] (it counts in the peak of memory, as in a function)
import orjson

from logarchive.row.build import Built
from tools.bench.archive import live
from tools.bench.body import KINDS, WINDOW, contents, paths
from tools.bench.process import told
from tools.golden import build as build_object


def parse(bodies: Sequence[Path], _count: int, _directory: Path) -> str:
    """Do the least that anyone must do with JSON: inflate and parse."""

    def doing() -> dict[str, Any]:
        size = 0
        for content in contents(bodies):
            orjson.loads(content)
            size += len(content)
        return {"bytes": size}

    return told(doing)


def zcat(bodies: Sequence[Path], _count: int, _directory: Path) -> str:
    """Do the least that anyone must do with lines in a gzip."""

    def doing() -> None:
        subprocess.run(["zcat", *bodies], stdout=subprocess.DEVNULL, check=True)

    return told(doing)


def build(bodies: Sequence[Path], _count: int, directory: Path) -> str:
    """Build a window's object."""
    return told(lambda: _numbers(_built(bodies, directory)))


def merge(bodies: Sequence[Path], _count: int, directory: Path) -> str:
    """Merge the last body into the object of the others, which is there when the clock starts."""
    standing = directory / "standing"
    standing.mkdir()
    existing = _built(bodies[:-1], standing).path
    return told(lambda: _numbers(_built(bodies[-1:], directory, existing, "v2")))


def visit(bodies: Sequence[Path], visits: int, directory: Path) -> str:
    """Visit a window once or more often, from the tick to the commit."""
    return told(lambda: live(bodies, visits, directory))


def sizes(bodies: Sequence[Path], _count: int, directory: Path) -> str:
    """Compare the object's size with that of the records as lines in a gzip."""

    def doing() -> dict[str, Any]:
        built = _built(bodies, directory)
        lines = b"".join(map(_lines, contents(bodies)))
        return {"parquet": built.path.stat().st_size if built.path else 0, "gzip": len(gzip.compress(lines, 6))}

    return told(doing)


def _lines(content: bytes) -> bytes:
    """Return the records of a body as lines: JSON as NDJSON, lines as they are."""
    if content[:1] not in {b"[", b"{"}:
        return content
    document: Any = orjson.loads(content)
    records: Any = document["items"] if content.startswith(b"{") else document
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


def _built(bodies: Sequence[Path], directory: Path, existing: Path | None = None, name: str = "v1") -> Built:
    kind = bodies[0].parent.name.partition(".")[0]
    return build_object(KINDS[kind][0], bodies, WINDOW, directory, existing, name)


def _numbers(built: Built) -> dict[str, Any]:
    return {"rows": built.object_rows, "rejects": built.numbers.rejects}


WORK: dict[str, Callable[[Sequence[Path], int, Path], str]] = {
    work.__name__: work for work in (parse, zcat, build, merge, visit, sizes)
}


def main() -> None:
    """Do one piece of work, and print what it took."""
    name, folder, *count = sys.argv[1:]
    with TemporaryDirectory() as directory:
        print(WORK[name](paths(Path(folder)), int(count[0]) if count else 0, Path(directory)))


if __name__ == "__main__":
    main()
