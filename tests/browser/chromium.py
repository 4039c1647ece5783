"""A headless Chromium, driven over a pair of pipes by its DevTools protocol: real keys, real colours, nothing installed
beside the browser itself."""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # tests run as root in a container; the page is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
)
#: The keys that the page knows, with their codes; a browser moves the focus only by a key that has one.
KEYS = {
    "Tab": 9,
    "PageUp": 33,
    "PageDown": 34,
    "End": 35,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}
CONTROL = 2


def program() -> str | None:
    """Return the path of a browser; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Browser:
    """One tab of a running browser."""

    to: int
    answers: int
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _ids: Iterator[int] = field(default_factory=itertools.count)
    _left: bytes = b""

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._ids)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            piece = os.read(self.answers, 1 << 20)
            assert piece, "the browser has ended"
            self._left += piece
        text, _, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def begin(self) -> None:
        """Open a tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Performance.enable", timeDomain="threadTicks")

    def open(self, path: Path, *, language: str = "en", dark: bool = False, width: int = 1280) -> None:
        """Open a file, and wait until it is drawn."""
        self.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=language)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        self.evaluate(
            "new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))"
        )
        self.drawn()

    def drawn(self) -> None:
        """Wait until what has changed is drawn."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression; of a promise what it becomes."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str, times: int = 1, *, control: bool = False) -> None:
        """Press a key."""
        held = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": CONTROL if control else 0}
        for _ in range(times):
            self.call("Input.dispatchKeyEvent", type="rawKeyDown", **held)
            self.call("Input.dispatchKeyEvent", type="keyUp", **held)

    def point(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Take a picture of what is seen, or of the whole page."""
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(image["data"]))

    def pdf(self) -> bytes:
        """Return the page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def cpu_seconds(self) -> float:
        """Return how long the page has kept its thread busy; unlike the clock, it does not count what others do."""
        metrics = {metric["name"]: metric["value"] for metric in self.call("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])

    def complaints(self) -> list[Any]:
        """Return errors and warnings of the page, and every request but that for the page itself."""
        wrong = [event for event in self.events if event.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}]
        requests = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [*wrong, *requests[1:]]


@contextlib.contextmanager
def browser() -> Generator[Browser]:
    """Run a browser with one tab."""
    name = program()
    assert name
    # The browser reads its pipe 3 and writes to its pipe 4: ours must not have these numbers already.
    (commands, to), (answers, back) = (
        tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in os.pipe()) for _ in range(2)
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        null = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, commands, 3), (os.POSIX_SPAWN_DUP2, back, 4),
                   (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]  # fmt: skip
        process = os.posix_spawn(
            name, [name, *FLAGS, f"--user-data-dir={home}"], {**os.environ, "HOME": home}, file_actions=actions
        )
        os.close(commands)
        os.close(back)
        try:
            tab = Browser(to, answers)
            tab.begin()
            yield tab
            tab.session = ""
            tab.call("Browser.close")
        finally:
            _end(process)
            for end in (to, answers, null):
                os.close(end)


def _end(process: int) -> None:
    """Wait until the browser has ended; kill it if it does not end by itself."""
    for _ in range(50):
        if os.waitpid(process, os.WNOHANG)[0]:
            return
        time.sleep(0.1)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
