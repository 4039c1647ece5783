"""How far the archive is, read from the ledger."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.truth import Window
from tools.demo.account import Account
from tools.demo.page import Page
from tools.demo.world import DemoSource
from tools.stack import StackError

LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Standing:
    """Where a source stands."""

    source: DemoSource
    windows: Sequence[Window]

    def state(self, *states: str) -> list[Window]:
        """Return the windows in any of these states."""
        return [window for window in self.windows if window.item["state"] in states]

    @property
    def visited(self) -> list[Window]:
        """The windows that were archived at least once."""
        return [window for window in self.windows if window.visited_at]

    @property
    def open(self) -> list[Window]:
        """The windows that were visited and will be again."""
        return [window for window in self.visited if window.item.get("due_at")]

    @property
    def whole(self) -> list[Window]:
        """The windows up to the last one that was visited."""
        last = max(window.start for window in self.visited)
        return [window for window in self.windows if window.start <= last]

    @property
    def visits(self) -> int:
        """Good visits so far."""
        return sum(len(window.item.get("visits") or ()) for window in self.windows)

    def total(self, name: str) -> int:
        """Return the sum of one of the windows' numbers."""
        return sum(number(window, name) for window in self.windows)

    def under_way(self, until: dt.datetime) -> list[Window]:
        """Return the windows that are still to be visited: held by a worker, due by then, or failed and due again."""
        return [window for window in self.windows if _is_under_way(window, until)]


def number(window: Window, name: str) -> int:
    """Return one of a window's numbers."""
    return int(window.item.get(name) or 0)


def due_at(window: Window) -> dt.datetime | None:
    """Return when a window is visited next."""
    text = window.item.get("due_at")
    return dt.datetime.fromisoformat(text) if text else None


def _is_under_way(window: Window, until: dt.datetime) -> bool:
    moment = due_at(window)
    held = number(window, "attempt") > number(window, "committed")
    return moment is not None and (held or moment <= until or number(window, "failures") > 0)


def look(account: Account, sources: Sequence[DemoSource]) -> list[Standing]:
    """Read where each source stands."""
    return [Standing(source, account.windows(source)) for source in sources]


def watch(
    page: Page,
    account: Account,
    sources: Sequence[DemoSource],
    describe: Callable[[Sequence[Standing], dt.datetime], str],
    most_seconds: float,
) -> list[Standing]:
    """Show a moving line until every window that is due now was visited. Raises StackError if it takes too long.

    `describe` says where the sources stand on the way to what is due by that moment.
    """
    begun, until = time.monotonic(), dt.datetime.now(dt.UTC)
    while True:
        standings = look(account, sources)
        passed = time.monotonic() - begun
        line = f"{passed:3.0f} s   {describe(standings, until)}"
        if not any(standing.under_way(until) for standing in standings):
            page.rest(line)
            return standings
        if passed > most_seconds:
            raise StackError(f"{_stuck(standings, until)} after {most_seconds:.0f} s")
        page.move(line)
        time.sleep(LOOK_SECONDS)


def _stuck(standings: Sequence[Standing], until: dt.datetime) -> str:
    standing = next(standing for standing in standings if standing.under_way(until))
    window = standing.under_way(until)[0]
    return f"{standing.source.path} {window.key} is still to be visited ({window.item.get('error') or 'no error'})"


def wait_for_tick(page: Page, account: Account, sources: Sequence[DemoSource], expected: dt.datetime) -> None:
    """Count down until the schedules have fired: until every source has windows. Raises StackError if they do not."""
    while not all(account.windows(source) for source in sources):
        left = (expected - dt.datetime.now(dt.UTC)).total_seconds()
        if left < -LATEST_SECONDS:
            raise StackError(f"no tick has run, {LATEST_SECONDS} s after it was expected")
        page.move(f"the first tick is in {left:.0f} s" if left >= 1 else "the first tick is due")
        time.sleep(LOOK_SECONDS)
    page.rest(f"{dt.datetime.now(dt.UTC):%H:%M:%S} UTC  the schedules have fired")


#: The stand-in looks at its schedules every ten seconds, and a function's first start takes some more.
LATEST_SECONDS = 60
