"""The simulator in a process of its own, and its control interface."""

import datetime as dt
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.demo.world import HOUR
from tools.lock import ROOT
from tools.registry import names
from tools.stack import PATIENCE_SECONDS, Afterwards, StackError, stop


@dataclass(frozen=True)
class Providers:
    """The simulator that runs."""

    url: str
    process_id: int

    def order(self, orders: Mapping[str, Any]) -> None:
        """Give it orders: switches, faults, records to add."""
        self._ask("/_control", json.dumps(orders).encode())

    def requests(self) -> list[dict[str, Any]]:
        """Return every request it has seen, and its response."""
        seen: list[dict[str, Any]] = self._ask("/_requests")["requests"]
        return seen

    def count(self) -> int:
        """Return how many requests it has seen."""
        return int(self._ask("/_requests?since=-1")["total"])

    def fill(self, start: dt.datetime, end: dt.datetime) -> None:
        """Generate the records of a range before they are requested, hour by hour: meanwhile nothing is answered."""
        while start < end:
            following = min(start + HOUR, end)
            span = urllib.parse.urlencode({"start": start.isoformat(), "end": following.isoformat()})
            for provider in names():
                self._bytes(f"/_truth/{provider}?{span}")
            start = following

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        response: dict[str, Any] = json.loads(self._bytes(path, body))
        return response

    def _bytes(self, path: str, body: bytes | None = None) -> bytes:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(self.url + path, data=body)  # noqa: S310 (our own)
        with direct.open(request, timeout=PATIENCE_SECONDS) as response:
            content: bytes = response.read()
        return content


@contextmanager
def providers(folder: Path, orders: Mapping[str, Any], *, afterwards: Afterwards | None = None) -> Generator[Providers]:
    """Run the simulator on a free port of the loopback, with these orders."""
    command = [sys.executable, "-m", "tests.simulator", "--port", "0", "--control", json.dumps(orders)]
    with (folder / "simulator.log").open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env={"PATH": os.defpath}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=errors, start_new_session=True,
        )  # fmt: skip
    try:
        yield Providers(_address(process), process.pid)
    finally:
        if not (afterwards and afterwards.run_on):
            stop(process)


def _address(process: subprocess.Popen[bytes]) -> str:
    first = b""
    if process.stdout:
        with process.stdout as output:  # it says no more, and may outlive this process
            first = output.readline()
    if not first:
        raise StackError("the simulator of the providers did not start: run `.venv/bin/python -m tests.simulator`")
    return str(json.loads(first)["url"])
