"""How long the demo waits for something: as long as anything moves, however slowly."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError

import duckdb
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.exceptions import HTTPClientError

from tools.demo.page import INDENT, Page
from tools.stack import PATIENCE_SECONDS, StackError, kept_log

LOOK_SECONDS = 1.0
#: A failed visit is repeated after one minute and then after five: when it has failed twice, this is over before.
QUIET_SECONDS = 240.0
#: From here on the page says that nothing moves.
SAID_SECONDS = 20.0
#: What is raised when a program on this machine does not answer, or is not there any more.
UNANSWERED = (HTTPClientError, NoConnectionError, URLError, TimeoutError)
#: Of DuckDB's errors: what it says of a request that had no answer, not of a file.
_NO_ANSWER = " error for HTTP "


@dataclass(frozen=True)
class Sight:
    """What one look has shown."""

    text: str
    done: bool
    #: Equal to that of the look before as long as nothing has moved.
    moved: object


@dataclass
class Patience:
    """Says for how long nothing has moved."""

    clock: Callable[[], float]
    _before: object = field(default_factory=object)
    _since: float = 0.0

    def quiet_seconds(self, moved: object) -> float:
        """Take in what is seen now; return for how long nothing else was seen."""
        now = self.clock()
        if moved != self._before:
            self._before, self._since = moved, now
        return now - self._since


@dataclass(frozen=True)
class Waiting:
    """Shows a moving line until something is done."""

    page: Page
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep

    def until_done(self, look: Callable[[], Sight], trouble: Callable[[str], Exception]) -> None:
        """Look again and again until it is done. When nothing has moved for too long, raises what `trouble` returns."""
        patience = Patience(self.clock)
        while not (sight := look()).done:
            quiet = patience.quiet_seconds(sight.moved)
            if quiet >= QUIET_SECONDS:
                raise trouble(f"nothing has moved for {QUIET_SECONDS:.0f} s")
            still = f"nothing has moved for {quiet:.0f} s; " if quiet >= SAID_SECONDS else ""
            self.page.move(still + sight.text)
            self.sleep(LOOK_SECONDS)
        self.page.rest(sight.text)


@contextmanager
def answered(folder: Path) -> Generator[None]:
    """Raise StackError in place of what is raised when the emulator or the simulator does not answer.

    It names their logs, which are kept.
    """
    try:
        yield
    except (*UNANSWERED, duckdb.IOException) as error:
        if isinstance(error, HTTPError) or (isinstance(error, duckdb.IOException) and _NO_ANSWER not in str(error)):
            raise
        logs = [str(kept_log(log)) for log in (folder / "ministack.log", folder / "simulator.log") if log.exists()]
        raise StackError(
            f"a program of the demo did not answer, though it may take {PATIENCE_SECONDS} s: {error}\n"
            f"{INDENT}This machine may be too busy, or short of memory: run the demo again.\n"
            f"{INDENT}The logs of the emulator of AWS and of the simulator: {', '.join(logs) or 'none'}"
        ) from error
