"""The emulator of AWS listens on the loopback only."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tools.stack import free_port, ministack

#: In /proc/net: the state of a socket that listens, and where its inode stands.
LISTENS, INODE = "0A", 9


def listening(process: int) -> set[str]:
    """Return the addresses, as Linux writes them, on which a process group listens."""
    own = {link for member in Path("/proc").glob("[0-9]*") if group(member) == process for link in sockets(member)}
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    return {line[1] for line in lines if line[3] == LISTENS and f"socket:[{line[INODE]}]" in own}


def group(process: Path) -> int:
    try:
        return os.getpgid(int(process.name))
    except ProcessLookupError:
        return 0


def sockets(process: Path) -> Iterator[str]:
    for descriptor in (process / "fd").iterdir():
        try:
            yield str(descriptor.readlink())
        except FileNotFoundError:
            continue


def test_no_port_of_the_emulator_can_be_reached_from_another_machine() -> None:
    port = free_port()
    with ministack(port) as (endpoint, process, _folder):
        while httpx.get(f"{endpoint}/_ministack/ready", trust_env=False, timeout=60).status_code != 200:
            time.sleep(0.1)  # what listens besides begins after the health page answers
        assert listening(process) == {f"0100007F:{port:04X}"}
