"""How far the archive is, read off the ledger."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.truth import Window
from tools.demo.account import Account
from tools.demo.page import Page
from tools.demo.world import Feed
from tools.stack import StackError

LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Standing:
    """Where a source stands."""

    feed: Feed
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

    def under_way(self, now: dt.datetime) -> bool:
        """Say whether a window is due, or a worker holds one."""
        return any(_held(window) or _is_due(window, now) for window in self.windows)


def number(window: Window, name: str) -> int:
    """Return one of a window's numbers."""
    return int(window.item.get(name) or 0)


def kept(window: Window) -> int:
    """Return how many rows stand that the newest visit did not return any more."""
    returned = number(window, "fetched") - sum(number(window, name) for name in ("rejects", "outside", "duplicates"))
    return number(window, "rows") - returned


def due_at(window: Window) -> dt.datetime | None:
    """Return when a window is visited next."""
    text = window.item.get("due_at")
    return dt.datetime.fromisoformat(text) if text else None


def _held(window: Window) -> bool:
    return number(window, "attempt") > number(window, "committed")


def _is_due(window: Window, now: dt.datetime) -> bool:
    moment = due_at(window)
    return moment is not None and moment <= now


def look(account: Account, feeds: Sequence[Feed]) -> list[Standing]:
    """Read where each source stands."""
    return [Standing(feed, account.windows(feed)) for feed in feeds]


def watch(
    page: Page,
    account: Account,
    feeds: Sequence[Feed],
    told: Callable[[Sequence[Standing], float], str],
    seconds: float,
) -> list[Standing]:
    """Show a moving line until nothing is under way any more; raise StackError if that takes longer than `seconds`."""
    begun = time.monotonic()
    while True:
        standings = look(account, feeds)
        passed = time.monotonic() - begun
        now = dt.datetime.now(dt.UTC)
        if not any(standing.under_way(now) for standing in standings):
            page.rest(told(standings, passed))
            return standings
        if passed > seconds:
            raise StackError(f"the windows were not archived in {seconds:.0f} s: {told(standings, passed)}")
        page.move(told(standings, passed))
        time.sleep(LOOK_SECONDS)


def wait_for_tick(page: Page, account: Account, feeds: Sequence[Feed], expected: dt.datetime) -> None:
    """Count down until the schedules have fired: until every source has windows. Raises StackError if they do not."""
    while not all(account.windows(feed) for feed in feeds):
        left = (expected - dt.datetime.now(dt.UTC)).total_seconds()
        if left < -LATEST_SECONDS:
            raise StackError(f"the schedules have not fired, {LATEST_SECONDS} s after they should have")
        page.move(f"the schedules fire in {left:.0f} s" if left > 0 else "the schedules fire any moment")
        time.sleep(LOOK_SECONDS)
    page.rest(f"{dt.datetime.now(dt.UTC):%H:%M:%S} UTC  the schedules have fired")


#: The stand-in looks at its schedules every ten seconds, and a function's first start takes some more.
LATEST_SECONDS = 60
