"""A demo that was left running: how a provider of it breaks down and is mended, and how it is stopped."""

import json
import os
import shutil
import signal
import time
import urllib.error
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from console.failure import kept_ports
from tools.demo.providers import Providers
from tools.lock import ROOT
from tools.registry import names
from tools.stack import DEFAULT_PORT, StackError

#: Parts of the command lines of the processes that a demo leaves running.
OURS = (b"ministack", b"tests.simulator")
#: How long they may take to end by themselves.
END_SECONDS = 10.0


@dataclass(frozen=True)
class Kept:
    """The demo that was left running at a port: its emulator of AWS, and its simulator of the providers."""

    port: int
    providers_url: str
    #: Their process ids.
    emulator: int
    simulator: int
    folder: str

    @classmethod
    def at(cls, port: int) -> "Kept":
        """Return the demo of that port. Raises StackError if none was kept."""
        try:
            return cls(**json.loads(_place(port).read_text()))
        except FileNotFoundError:
            other = next(iter(kept_ports(ROOT)), "4600")
            raise StackError(
                f"no demo was kept at port {port}: start one with `{command(port, keep=True)}`, or name the port of "
                f"the one that runs, for instance PORT={other}"
            ) from None

    @staticmethod
    def is_noted(port: int) -> bool:
        """Return whether a demo was kept at that port, and not stopped since."""
        return _place(port).exists()

    def note(self) -> None:
        """Write down where it is, so that `at` finds it."""
        _place(self.port).write_text(json.dumps(asdict(self)))

    def break_down(self, provider: str) -> None:
        """Let a provider answer each request with 503, Service Unavailable, until it is mended."""
        self._order(provider, {"faults": [{"kind": "503", "provider": provider, "times": None}]})

    def mend(self, provider: str) -> None:
        """Let a provider answer as it should again."""
        self._order(provider, {"mend": [provider]})

    def _order(self, provider: str, orders: dict[str, object]) -> None:
        if provider not in names():
            raise StackError(f"{provider}: is no provider; there are {', '.join(names())}")
        try:
            Providers(self.providers_url, self.simulator).order(orders)
        except (urllib.error.URLError, TimeoutError):
            raise StackError(
                f"the demo at port {self.port} does not run any more; start another: {command(self.port, keep=True)}"
            ) from None

    def stop(self, say: Callable[[str], object], sleep: Callable[[float], object] = time.sleep) -> None:
        """End its processes and remove its files; `say` is told what is done next, as it may take half a minute.

        Process ids of it that other programs have got since are left alone.
        """
        processes = [process for process in (self.emulator, self.simulator) if _is_ours(process)]
        say(f"Ending the functions, the emulator of AWS at port {self.port}, and the simulator of the providers ...")
        _signal(processes, signal.SIGTERM)
        left = END_SECONDS
        while left > 0 and any(map(_is_ours, processes)):
            sleep(0.1)
            left -= 0.1
        _signal(processes, signal.SIGKILL)  # of the groups, whatever has not ended
        say(f"Removing the files in {self.folder} ...")
        shutil.rmtree(self.folder, ignore_errors=True)
        _place(self.port).unlink(missing_ok=True)


def command(port: int, *, keep: bool) -> str:
    """Return the command that starts a demo at that port."""
    return " ".join([*(["KEEP=1"] if keep else []), *([f"PORT={port}"] if port != DEFAULT_PORT else []), "make demo"])


def _place(port: int) -> Path:
    return ROOT / ".tools" / f"demo-{port}.json"


def _is_ours(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return any(part in command for part in OURS)


def _signal(leaders: Sequence[int], number: signal.Signals) -> None:
    for leader in leaders:
        with suppress(ProcessLookupError):
            os.killpg(leader, number)
