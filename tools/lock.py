"""Compiles the lock files from pyproject.toml (`make lock`), and checks whether they are current (`--check`).

A lock file's first line holds a digest of its inputs and of its own text. So the check needs no network, and notices
an edit by hand.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON_VERSION = "3.13"


@dataclass(frozen=True)
class Lock:
    """One lock file and the tables of pyproject.toml that it is compiled from."""

    path: str
    groups: tuple[str, ...]
    #: Whether the console's dependencies, those of the project itself, belong to it.
    project: bool = False

    def inputs(self) -> str:
        """Return what the file depends on, in one canonical text."""
        tables = tomllib.loads((ROOT / "pyproject.toml").read_text())
        project: list[str] = tables["project"]["dependencies"] if self.project else []
        names = [name for group in self.groups for name in tables["dependency-groups"][group]]
        return json.dumps([PYTHON_VERSION, sorted(project), sorted(names)])

    def head(self, body: str) -> str:
        """Return the first line that belongs to this body."""
        digest = hashlib.sha256((self.inputs() + body).encode()).hexdigest()
        return f"# Written by `make lock` from pyproject.toml; do not edit. {digest}\n"

    def is_current(self) -> bool:
        """Return whether the file is what `make lock` wrote for today's inputs."""
        path = ROOT / self.path
        head, newline, body = path.read_text().partition("\n") if path.exists() else ("", "", "")
        return head + newline == self.head(body)


LOCKS = (
    Lock("layers/shared/requirements.txt", ("layer",)),
    Lock("requirements-dev.txt", ("layer", "dev"), project=True),
    Lock("tools/requirements-sam.txt", ("sam",)),
    Lock("tools/requirements-checkov.txt", ("checkov",)),
    Lock("tools/requirements-ministack.txt", ("ministack",)),
    Lock("tools/requirements-fuzz.txt", ("fuzz",)),
    Lock("tools/requirements-trino.txt", ("trino",)),
    Lock("tools/requirements-dlt.txt", ("dlt",)),
    Lock("tools/requirements-grove.txt", ("grove",)),
)


def compile_lock(lock: Lock, *, upgrade: bool) -> None:
    """Resolve one lock file for every platform; versions stay as they are unless `upgrade`."""
    target = ROOT / lock.path
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "requirements.txt"
        if target.exists() and not upgrade:
            output.write_text(target.read_text())
        command = [
            *("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate"),
            *("--python-version", PYTHON_VERSION, "--python", sys.executable, "--no-config"),
            *("--no-emit-index-url", "--no-emit-find-links", "--output-file", str(output)),
            *(["pyproject.toml"] if lock.project else []),
            *(word for group in lock.groups for word in ("--group", group)),
            # The tests must run what the functions run: one version of a package in both files.
            *(["--constraints", LOCKS[0].path] if lock.project and lock is not LOCKS[0] else []),
        ]
        # A machine's own package index must not find its way into the file.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        body = output.read_text()
    target.write_text(lock.head(body) + body)


def main() -> int:
    """Write the lock files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check whether the files are current")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    arguments = parser.parse_args()
    if not arguments.check:
        for lock in LOCKS:
            compile_lock(lock, upgrade=arguments.upgrade)
    stale = [lock.path for lock in LOCKS if not lock.is_current()]
    for path in stale:
        print(f"{path}: not current, run `make lock`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
