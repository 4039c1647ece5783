"""A terminal of a given width, in which a program runs and somebody answers its questions."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.lock import ROOT

_LINES = 50


class Hidden(str):
    """An answer that is typed only once the terminal does not show it: what is typed before is thrown away."""

    __slots__ = ()


@dataclass(frozen=True)
class Shown:
    """What stood on the terminal, and the program's exit code."""

    code: int
    text: str


@dataclass(frozen=True)
class Place:
    """The folder and the environment in which a program runs, and for how long it may."""

    folder: Path
    environment: Mapping[str, str]
    seconds: float


_CLONE = Place(ROOT, {"PATH": os.defpath, "HOME": "/nonexistent", "TERM": "xterm", "LANG": "C.UTF-8"}, 60)


def in_terminal(words: Sequence[str], answers: Sequence[tuple[str, str]] = (), columns: int = 100) -> Shown:
    """Run the console; whenever it shows the first text of the next answer, type the second one and Enter."""
    return answered([sys.executable, "-m", "console", *words], answers, _CLONE, columns)


def answered(command: Sequence[str], answers: Sequence[tuple[str, str]], place: Place, columns: int = 100) -> Shown:
    """Run a program; whenever it shows the first text of the next answer, type the second one and Enter."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, columns, 0, 0))
    process = subprocess.Popen(
        command, cwd=place.folder, env=dict(place.environment), stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, waiting, until = "", list(answers), time.monotonic() + place.seconds
    seen = 0
    while time.monotonic() < until:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                shown += os.read(ours, 65536).decode(errors="replace")
            except OSError:  # the program has ended, and closed its side
                break
        if waiting and waiting[0][0] in shown[seen:] and (_echoes(ours) != isinstance(waiting[0][1], Hidden)):
            seen = len(shown)
            os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
    if time.monotonic() >= until:
        os.killpg(process.pid, signal.SIGKILL)
    os.close(ours)
    assert not waiting, (waiting, shown)
    return Shown(process.wait(), shown)


def _echoes(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
