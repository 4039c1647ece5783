"""The demo as a process: one clear line when it cannot start, and nothing left when it is stopped."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.demo.kept import Kept
from tools.lock import ROOT
from tools.stack import free_port

STOPPED = "\nstopping\nmake demo: stopped; nothing is left running\n"
COMMAND = [sys.executable, "-m", "tools.demo"]


def started(port: int | str, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PORT": str(port), **more}
    return subprocess.Popen(
        COMMAND, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def processes(port: int) -> list[int]:
    """Return who runs with that port in its environment: ministack, and the functions that it starts."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if _has(path, port)]


def _has(path: Path, port: int) -> bool:
    try:
        return f"GATEWAY_PORT={port}".encode() in path.read_bytes().split(b"\0")
    except OSError:
        return False


def ended(process: subprocess.Popen[str]) -> Mapping[str, object]:
    said, complained = process.communicate(timeout=60)
    return {"status": process.returncode, "said": said, "complained": complained}


def test_a_taken_port_is_one_clear_line_that_names_a_free_one() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = ended(started(port))
    line = f"make demo: port {port} of 127.0.0.1 is in use: stop what listens there, or use another, "
    check_line(result, line, r"`PORT=(\d+) make demo`\n", port)


def test_the_port_of_a_demo_that_was_kept_is_one_clear_line_that_says_how_to_stop_it(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        kept = Kept(listener.getsockname()[1], "", 0, 0, str(tmp_path / "gone"))
        kept.note()
        result = ended(started(kept.port, KEEP="1"))
        kept.stop(print)
    stop = f"stop the demo that was kept there, `PORT={kept.port} .venv/bin/python -m tools.demo stop`, or use another"
    line = f"make demo: port {kept.port} of 127.0.0.1 is in use: {stop}, "
    check_line(result, line, r"`KEEP=1 PORT=(\d+) make demo`\n", kept.port)


def check_line(result: Mapping[str, object], line: str, advice: str, taken: int) -> None:
    assert (result["status"], result["said"]) == (1, "")
    other = re.fullmatch(re.escape(line) + advice, str(result["complained"]))
    assert other, result["complained"]
    assert int(other[1]) != taken


@pytest.mark.parametrize("port", ["80", "http", "65536"])
def test_a_port_that_cannot_be_is_one_clear_line(port: str) -> None:
    line = f"make demo: PORT={port}: must be a number from 1024 to 65535\n"
    assert ended(started(port)) == {"status": 1, "said": "", "complained": line}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_leaves_nothing_running(number: signal.Signals) -> None:
    port = free_port()
    process = started(port)
    assert process.stdout
    while "ministack   " not in process.stdout.readline():
        assert process.poll() is None
    assert processes(port)
    process.send_signal(number)
    result = ended(process)
    assert (result["status"], result["complained"]) == (130, STOPPED)
    assert processes(port) == []
