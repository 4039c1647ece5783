"""How far the archive is, read from the ledger; waits until it is further."""

import datetime as dt
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from tests.truth import Window
from tools.demo.account import Account
from tools.demo.page import INDENT
from tools.demo.providers import Providers
from tools.demo.waiting import Sight, Waiting
from tools.demo.world import DemoSource
from tools.stack import StackError


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


@dataclass(frozen=True)
class Watch:
    """Waits for the functions. What moves is the ledger, and the providers, which are asked for more.

    A function's log does not count: a tick writes some lines every minute, whatever becomes of its windows.
    """

    waiting: Waiting
    account: Account
    providers: Providers
    sources: Sequence[DemoSource]

    def visits(self, describe: Callable[[Sequence[Standing], dt.datetime], str]) -> list[Standing]:
        """Wait until every window that is due now was visited; `describe` says on the way how far the sources are."""
        begun, until = self.waiting.clock(), dt.datetime.now(dt.UTC)
        standings: list[Standing] = []

        def see() -> Sight:
            standings[:] = look(self.account, self.sources)
            text = f"{self.waiting.clock() - begun:3.0f} s  {describe(standings, until)}"
            done = not any(standing.under_way(until) for standing in standings)
            return Sight(text, done, (items(standings), self.providers.count()))

        self.waiting.until_done(see, lambda problem: self._trouble(problem, stuck(standings, until)))
        return standings

    def tick(self, expected: dt.datetime, beside: Sequence[Future[object]]) -> None:
        """Wait until the schedules have fired, every source has windows, and all that goes on beside it has ended."""
        missing = list(self.sources)

        def see() -> Sight:
            missing[:] = [source for source in missing if not self.account.windows(source)]
            left = max(0, round((expected - dt.datetime.now(dt.UTC)).total_seconds()))
            ended = [future for future in beside if future.done()]
            for future in ended:
                future.result()
            moved = (left, len(missing), self.providers.count(), len(ended))
            return Sight(_ticking(left, len(missing)), len(ended) == len(beside) and not missing, moved)

        self.waiting.until_done(see, lambda problem: self._trouble(problem, _unplanned(missing or self.sources)))

    def _trouble(self, problem: str, stuck: tuple[DemoSource, str]) -> StackError:
        source, why = stuck
        return self.account.trouble(source.provider, f"{source.path}: {problem}\n{INDENT}{why}", source.name)


def items(standings: Sequence[Standing]) -> list[list[tuple[str, object]]]:
    """Return the ledger's items of the windows, to be compared."""
    return [sorted(window.item.items()) for standing in standings for window in standing.windows]


def stuck(standings: Sequence[Standing], until: dt.datetime) -> tuple[DemoSource, str]:
    """Return the source whose visits have failed most, and which of its windows is still to be visited. Pure."""
    waiting = [(standing.source, window) for standing in standings for window in standing.under_way(until)]
    source, window = max(waiting, key=lambda one: number(one[1], "failures"))
    failures = number(window, "failures")
    why = f": failed {failures} times, {window.item.get('error')}" if failures else ""
    return source, f"window {window.key} is still to be visited{why}"


def _unplanned(sources: Sequence[DemoSource]) -> tuple[DemoSource, str]:
    return sources[0], "no tick has planned a window of it, or a function does not start"


def _ticking(seconds: int, missing: int) -> str:
    if missing:
        return f"the first tick is in {seconds} s" if seconds else "the first tick is due"
    return f"{dt.datetime.now(dt.UTC):%H:%M:%S} UTC  the schedules have fired"
