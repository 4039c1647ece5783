"""The HTTP side: one thread a connection, keep-alive, quiet, and able to send a body badly."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, cast

from tests.simulator import control
from tests.simulator.message import Request, Response

if TYPE_CHECKING:
    from tests.simulator.simulator import Simulator


class Server(ThreadingHTTPServer):
    """A server that hands every request to the simulator."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, simulator: Simulator, host: str, port: int) -> None:
        self.simulator = simulator
        super().__init__((host, port), Handler)
        self.url = f"http://{host}:{self.server_address[1]}"

    def start(self) -> None:
        """Serve in a thread."""
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Stop serving; whoever holds a connection keeps it until they hang up."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet: clients hang up as they like, and a fault is not answered by a traceback."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def simulator(self) -> Simulator:
        """The simulator behind the server."""
        return cast("Server", self.server).simulator

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header by the simulator's clock, so that a client can see its skew."""
        return super().date_time_string(self.simulator.now().timestamp() if timestamp is None else timestamp)

    def do_POST(self) -> None:
        """Answer a request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        own = request.path.startswith("/_")
        self._send(control.answer(self.simulator, request) if own else self.simulator.answer(request))

    do_GET = do_POST  # noqa: N815 (the base class's name)

    def _send(self, response: Response) -> None:
        if response.reset:
            self.close_connection = True
            return
        self.send_response(response.status)
        headers = {"Content-Type": response.content_type, "Content-Length": str(len(response.body))}
        for name, value in (headers | response.headers).items():
            self.send_header(name, value)
        self.end_headers()
        body = memoryview(response.body)[: response.cut]
        self.wfile.write(body[:-1])
        if response.cut is None:
            self.simulator.served(response)
        else:
            self.close_connection = True
        self.wfile.write(body[-1:])
