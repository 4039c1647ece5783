"""A thread that moves only when a test lets it: so a test decides the order of the calls of several workers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


class Stopped(BaseException):
    """This order need not be followed any further."""


@dataclass
class Turn:
    """One worker's thread. It runs until its next `wait`, each time that it is let go on."""

    run: Callable[[], object]
    done: bool = False
    stop: bool = False
    error: BaseException | None = None
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    there: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def start(self) -> None:
        threading.Thread(target=self._live, daemon=True).start()
        self.there.acquire()

    def step(self, *, stop: bool = False) -> None:
        """Let the worker go on to its next call, or end it."""
        self.stop = stop
        self.go.release()
        self.there.acquire()

    def wait(self) -> None:
        """Wait, in the worker's thread, until it may go on."""
        self.there.release()
        self.go.acquire()
        if self.stop:
            raise Stopped

    def _live(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 (judged by the test)
            self.error = error
        self.done = True
        self.there.release()
