"""Installs tools from their lock files, each into an environment of its own: `make` runs it where one is missing.

It runs before anything is installed, with Python's standard library alone.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tools.demo.page import Page, size
from tools.environment import ENVIRONMENTS, ROOT, Environment, InstallError

MEGABYTE = 1_000_000
AT_ONCE = 2
#: What the demo takes on two cores, after the installation: measured, as the sizes below.
TEMPORARY_BYTES = 1500 * MEGABYTE
DEMO = f"about four minutes on two cores, and {size(TEMPORARY_BYTES)} of temporary files while it runs"


@dataclass(frozen=True)
class Installation:
    """Installs environments, two at a time, and shows how far they are: one waits for the network meanwhile."""

    page: Page
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep

    def install(self, missing: Sequence[Environment], then: str | None) -> None:
        """Say what it takes, then do it. Raises InstallError saying which step failed, and where its log is."""
        if lack := next(filter(None, (one.lacks() for one in missing)), None):
            raise InstallError(lack)
        needed = sum(one.megabytes for one in missing) * MEGABYTE
        minutes = max(1, round(sum(one.seconds for one in missing) / 60))
        self.page.say(
            f"First, tools are installed in this folder: {size(needed)}, about {minutes} min with a fast network. "
            "`make clean` removes them." + (f" Then the demo takes {then}." if then else "")
        )
        if (free := shutil.disk_usage(ROOT).free) < needed:
            raise InstallError(f"{ROOT}: {size(free)} are free, and the tools take {size(needed)}")
        steps = (
            self._install(environment, f"{number} of {len(missing)}  {environment.folder:<16}")
            for number, environment in enumerate(missing, 1)
        )
        running = [*islice(steps, AT_ONCE)]
        try:
            while running:
                self._go_on(running, steps)
        finally:
            for step in running:
                step.close()  # which ends its process

    def _go_on(self, running: list[Generator[str]], steps: Iterator[Generator[str]]) -> None:
        """Look once at each installation that is running, begin the next ones, and show how far they are."""
        progress: list[str] = []
        for step in [*running]:
            if text := next(step, None):
                progress.append(text)
            else:
                running.remove(step)
                running.extend(islice(steps, 1))
        if progress:
            self.page.move("; ".join(progress))
        self.sleep(0.2)

    def _install(self, environment: Environment, step: str) -> Generator[str]:
        """Install it; yield how far it is until it is done."""
        begun = self.clock()
        _remove(environment.path)
        environment.log.parent.mkdir(exist_ok=True)
        with environment.log.open("wb") as log:
            for command in environment.commands():
                process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
                try:
                    while process.poll() is None:
                        yield f"{environment.folder}: {environment.progress()}, {self.clock() - begun:.0f} s"
                finally:
                    process.kill()
                    process.wait()
                if process.returncode:
                    raise InstallError(_failure(environment, step, command, process.returncode))
        environment.marker.touch()
        self.page.line(f"{step}  {environment.what:<51} {self.clock() - begun:7.1f} s")


def _failure(environment: Environment, step: str, command: Sequence[str | Path], code: int) -> str:
    program = f"{Path(command[0]).name} {command[1]} {command[2]}"
    return "\n".join(
        [
            f"installation {' '.join(step.split())} failed: {program} ended with {code}",
            *(f"   {line}" for line in environment.reason()),
            f"   its whole log: {environment.log}",
        ]
    )


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def main() -> int:
    """Install what is missing of the environments that are named; return 1 if that fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.install", description=__doc__)
    parser.add_argument("environments", nargs="+", choices=ENVIRONMENTS, metavar="FOLDER")
    parser.add_argument("--demo", action="store_true", help="also say what the demo takes, which follows")
    arguments = parser.parse_args()
    missing = [ENVIRONMENTS[name] for name in arguments.environments if not ENVIRONMENTS[name].is_current]
    try:
        if missing:
            Installation(Page()).install(missing, DEMO if arguments.demo else None)
    except InstallError as error:
        print(f"make: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("make: stopped; what was begun is installed anew the next time", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
