"""Waiting until workers are through with a range: the ledger is read again and again, and the progress shown."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from console.account import ledger
from console.account.stack import Result, SourceName
from console.core.window import Span, Window
from console.session import Session

#: How long to wait before the ledger is read again.
_POLL_SECONDS = 2.0

type Waits = Callable[[Window, dt.datetime], bool]


def calls(session: Session, action: str, name: SourceName, span: Span, **fields: object) -> Iterator[Result]:
    """Have the function act on a range, call after call, since one call does not always get through it."""
    event: dict[str, Any] = {"source": name.name, **span.event(), **fields}
    while event["start"]:
        result = session.stack.act(name.provider, action, **event)
        yield result
        event["start"] = result["next"]


def until_done(session: Session, name: SourceName, span: Span, waits: Waits) -> list[Window]:
    """Return the windows of a range once none of them waits any more. The workers go on without us."""
    with session.screen.progress(str(name)) as bar:
        while True:
            windows = ledger.windows(session.stack, name, span)
            waiting = sum(1 for window in windows if waits(window, session.clock()))
            bar.move(len(windows) - waiting, len(windows))
            if not waiting:
                return windows
            session.sleep(_POLL_SECONDS)
