"""One run of the console: which stack it is about, where it prints, its clock."""

import datetime as dt
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn, cast

import typer

from console.account.access import Access
from console.account.stack import Stack, find
from console.core.report import PROGRAM, Report
from console.screen import Screen


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Session:
    """What every command gets."""

    access: Access
    screen: Screen
    clock: Callable[[], dt.datetime] = _now
    #: How a command that is printed begins, so that it works when it is copied.
    program: str = PROGRAM
    sleep: Callable[[float], object] = time.sleep
    #: Opens a page; returns whether there is a browser.
    browse: Callable[[str], bool] = webbrowser.open

    @cached_property
    def stack(self) -> Stack:
        """The stack; looked up when it is first needed."""
        return find(self.access)

    def end(self, report: Report) -> NoReturn:
        """Print the outcome and end with its exit code."""
        self.screen.show(report)
        raise typer.Exit(report.code)


def session_of(context: typer.Context) -> Session:
    """Return the session of a command's context."""
    return cast("Session", context.obj)
