"""What happens to a listing of events while its pages are read: it is alive, and offsets count from its newest end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.apigateway import Query
    from tests.simulator.apigateway_event import ApigatewaySwitches


@dataclass(slots=True)
class Turn:
    """How far the reading of a listing has come: `leaving` means that one event more is counted than will be served."""

    reads: int = 0
    pages: int = 0
    leaving: bool = False


class Shift:
    """Decides before which pages an event appears. Only the default order, the newest first, is shifted.

    A read begins with offset 0. An event appears only before a further page, so that the read it spoils can notice.
    Only the first read of a listing is shifted. With `swap` the listing counts one event more, its oldest, which goes
    before any page could hold it.
    """

    def __init__(self, switches: ApigatewaySwitches) -> None:
        self.switches = switches
        self._turns: dict[tuple[object, ...], Turn] = {}

    def strikes(self, page: Query, held: int) -> bool:
        """Take note of a request for a page and say whether an event appears before it is answered."""
        if not self.switches.shifting or self.switches.order != "descending":
            self._turns.clear()
            return False
        turn = self._turns.setdefault(page.listing, Turn())
        if page.offset == 0:
            self._begin(turn, page, held)
            return False
        turn.pages += 1
        on_time = turn.pages % self.switches.shift_every == 0
        if self.switches.shifting == "swap":
            return self._leaves(turn, on_time or page.offset + page.limit > held)
        return on_time and turn.reads == 1

    def unseen(self, page: Query) -> int:
        """Return how many events more are counted than there are."""
        turn = self._turns.get(page.listing)
        return int(turn is not None and turn.leaving)

    def _begin(self, turn: Turn, page: Query, held: int) -> None:
        turn.reads += 1
        turn.pages = 0
        swaps = self.switches.shifting == "swap" and turn.reads == 1
        turn.leaving = swaps and page.limit < held

    def _leaves(self, turn: Turn, now: bool) -> bool:
        """Let the oldest go if it is still there."""
        left = turn.leaving and now
        turn.leaving = turn.leaving and not now
        return left
