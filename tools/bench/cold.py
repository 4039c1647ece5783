"""A cold start: a fresh process imports a function and carries out its first tick, of a provider without a source.

As a program it is that process. AWS is played by a server in the process that measures, whose time does not count.
"""

import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

from tools.bench.process import Program, told

#: Every response of SSM and DynamoDB about nothing, in one.
NOTHING = json.dumps({"Parameters": [], "Items": [], "Attributes": {}, "Responses": {}}).encode()


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = "bench"
    function_name = "bench"
    invoked_function_arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:bench"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return the time of a whole invocation."""
        return 900_000


class _Nothing(BaseHTTPRequestHandler):
    """Responds to every call with nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(NOTHING)))
        self.end_headers()
        self.wfile.write(NOTHING)

    def log_message(self, *_arguments: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] (says nothing)
        pass


@contextmanager
def empty_aws() -> Generator[dict[str, str]]:
    """Play an empty account; yield the variables of a function in it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    account = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_DEFAULT_REGION": "ap-northeast-2"}
    account |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "POWERTOOLS_METRICS_NAMESPACE": "bench"}
    account |= {"ARCHIVE_BUCKET": "b", "LEDGER_TABLE": "t", "SOURCES_PATH": "/b/sources/elsa", "SECRETS_PREFIX": "b"}
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()


def start(tree: Path, environment: dict[str, str]) -> Program:
    """Return the program of a cold start with the code in a tree."""
    return Program((sys.executable, "-P", "-m", "tools.bench.cold"), tree, environment)


def _tick() -> None:
    app: Any = import_module("functions.elsa.app")
    result: dict[str, Any] = app.handler({"action": "tick"}, Context())
    if not result["ok"]:
        raise SystemExit(f"the tick said {result}")


if __name__ == "__main__":
    print(told(_tick))
