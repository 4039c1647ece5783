"""Trino starts on a free port, says why it does not, and has ended when its block has."""

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.stack import StackError, aws
from tools.trino_server import CATALOG, catalogs, program, trino

TABLES = catalogs(aws("http://localhost:1"))
#: A server that reads its port where Trino does, and says that it has started.
SERVER = """
import http.server, os, sys
options = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("-D"))
assert os.path.exists(options["catalog.config-dir"] + "/CATALOG.properties")
lines = dict(line.split("=", 1) for line in open(options["config"]).read().splitlines())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"starting": false}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer((lines["node.bind-ip"], int(lines["http-server.http.port"])), Handler).serve_forever()
""".replace("CATALOG", CATALOG)


def played(folder: Path, script: str) -> Sequence[str]:
    (folder / "server.py").write_text(script)
    java = folder / "java"
    java.write_text(f'#!/bin/sh\nexec {sys.executable} {folder / "server.py"} "$@"\n')
    java.chmod(0o755)
    return [str(java)]


def running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_has_ended_when_a_test_has_failed(tmp_path: Path) -> None:
    started: list[int] = []

    def fail() -> None:
        with trino(TABLES, command=played(tmp_path, SERVER)) as server:
            server.wait_until_ready()
            assert running(server.process.pid)
            started.append(server.process.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [running(process_id) for process_id in started] == [False]


def test_what_starts_it_can_do_other_things_before_it_waits(tmp_path: Path) -> None:
    late = f"import os, time\nwhile not os.path.exists({str(tmp_path / 'done')!r}):\n    time.sleep(0.01)\n"
    with trino(TABLES, command=played(tmp_path, late + SERVER)) as server:
        with pytest.raises(StackError, match=r"^Trino did not start"):
            server.wait_until_ready(0.3)
        (tmp_path / "done").touch()
        server.wait_until_ready()


def test_a_port_that_is_taken_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(
                StackError, match=f"^port {port} of 127.0.0.1 is in use: stop what listens there, or use ano"
            ),
            trino(TABLES, port, command=played(tmp_path, SERVER)),
        ):
            pass


def test_a_server_that_ends_is_said_with_the_end_of_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(StackError, match=r"^Trino did not start:\n.*no such thing"),
        trino(TABLES, command=played(tmp_path, "raise SystemExit('no such thing')")) as server,
    ):
        server.wait_until_ready()


def test_a_machine_without_it_is_told_how_it_is_installed(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"^Trino is missing: run `make trino`"):
        program(tmp_path)
