"""An S3 between the engine and the emulator's, which passes every request on and notes it."""

import http.client
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


class Requests:
    """The requests so far, and which are held up."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        #: Method, key and prefix of all that was ever asked, however often `paths` was cleared.
        self.asked: set[tuple[str, str, str]] = set()
        self._held = ""
        self._begun, self._released = threading.Event(), threading.Event()

    @contextmanager
    def holding(self, part: str) -> Generator[threading.Event]:
        """Let no object be written that has `part` in its key, until the block ends; yield what says that one waits."""
        self._begun.clear()
        self._released.clear()
        self._held = part
        try:
            yield self._begun
        finally:
            self._held = ""
            self._released.set()

    def note(self, method: str, path: str, body: bytes) -> None:
        """Note a request by what S3 asks a right for; one that deletes names its keys in its body."""
        url = urlsplit(path)
        key, [prefix] = unquote(url.path.partition("/")[2]).partition("/")[2], parse_qs(url.query).get("prefix", [""])
        if method == "POST" and url.query == "delete":
            self.asked |= {("DELETE", name, "") for name in re.findall(r"<Key>([^<]+)</Key>", body.decode())}
        else:
            self.asked.add((method, key, prefix))

    def wait(self, method: str, path: str) -> None:
        """Wait if the request is held up."""
        if self._held and method in {"PUT", "POST"} and self._held in unquote(path):
            self._begun.set()
            self._released.wait(120)

    def listed(self) -> set[str]:
        """Return the prefixes that were listed."""
        found = (parse_qs(urlsplit(path).query).get("prefix") for path in self.paths)
        return {prefixes[0] for prefixes in found if prefixes}

    def read(self) -> set[str]:
        """Return the keys that were read."""
        urls = (urlsplit(path) for path in self.paths)
        return {unquote(url.path.split("/", 2)[2]) for url in urls if "prefix=" not in url.query}


@contextmanager
def s3_log(endpoint: str) -> Generator[tuple[str, Requests]]:
    """Yield the address of the S3, and the requests that it receives."""
    made = Requests()
    host = urlsplit(endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else an answer's body waits until its headers are acknowledged, which the client puts off for 40 ms.
        disable_nagle_algorithm = True

        def pass_on(self) -> None:
            made.paths.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.note(self.command, self.path, body)
            made.wait(self.command, self.path)
            to = http.client.HTTPConnection(host, timeout=60)
            to.request(self.command, self.path, body, dict(self.headers))
            response = to.getresponse()
            content = response.read()
            to.close()
            self.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in HOP_BY_HOP | ({"content-length"} if self.command != "HEAD" else set()):
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815 (http.server's names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", made
        finally:
            server.shutdown()
            thread.join()
