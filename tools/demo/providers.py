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

from tools.lock import ROOT
from tools.registry import names
from tools.stack import StackError, stop


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

    def fill(self, start: dt.datetime, end: dt.datetime) -> None:
        """Generate the records of a range before they are requested."""
        span = urllib.parse.urlencode({"start": start.isoformat(), "end": end.isoformat()})
        for provider in names():
            self._bytes(f"/_truth/{provider}?{span}")

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        response: dict[str, Any] = json.loads(self._bytes(path, body))
        return response

    def _bytes(self, path: str, body: bytes | None = None) -> bytes:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(self.url + path, data=body)  # noqa: S310 (our own)
        with direct.open(request, timeout=60) as response:
            content: bytes = response.read()
        return content


@contextmanager
def providers(folder: Path, orders: Mapping[str, Any], *, keep: bool = False) -> Generator[Providers]:
    """Run the simulator on a free port of the loopback. With `keep`, and after a block that ended well, it runs on."""
    command = [sys.executable, "-m", "tests.simulator", "--port", "0", "--control", json.dumps(orders)]
    with (folder / "simulator.log").open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env={"PATH": os.defpath}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=errors, start_new_session=True,
        )  # fmt: skip
    kept = False
    try:
        yield Providers(_address(process), process.pid)
        kept = keep
    finally:
        if not kept:
            stop(process)


def _address(process: subprocess.Popen[bytes]) -> str:
    first = process.stdout.readline() if process.stdout else b""
    if not first:
        raise StackError("the simulator of the providers did not start: run `.venv/bin/python -m tests.simulator`")
    return str(json.loads(first)["url"])
