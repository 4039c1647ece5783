"""Collecting: fetches a range of time from a provider until what it returns is stable and below the cap."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from logarchive.errors import MismatchError, ProviderError, TooMuchError
from logarchive.net.exchange import Exchange
from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.provider.source import Source
from logarchive.record.reader import reaches
from logarchive.window import Span

#: How often a range is read whose pages change while they are read.
STABLE_TRIES = 4
#: Where the provider times out, a range is not halved below this: then the provider is slow, not the range long.
SHORTEST_HALVED = dt.timedelta(minutes=1)


@dataclass
class Collection[S: Source, K: BaseModel]:
    """The parts of one visit, in the order they came, each stored before the next is requested."""

    provider: Provider[S, K]
    source: S
    exchange: Exchange
    keep: Callable[[Part], Part]
    #: Called while parts are read; may raise.
    ensure_time: Callable[[], None] = lambda: None
    #: Whether an earlier visit has shown that the parts of a range do not reach the cap.
    below_cap: Callable[[Sequence[Part]], bool] = lambda _parts: False
    parts: list[Part] = field(default_factory=list[Part])
    #: A range at the provider's smallest resolution still reached the cap.
    truncated: bool = False

    @property
    def data(self) -> list[Part]:
        """The parts whose records become rows."""
        return [part for part in self.parts if part.role == "data"]

    def gather(self, span: Span) -> list[int]:
        """Collect `span` in ranges that the provider takes, halved where a response reaches the cap.

        Return the positions of the parts that hold its records. Raises the ProviderError that ends the visit.
        """
        provider = self.provider
        pieces: Iterable[Span] = (span,)
        if provider.longest_range:
            longest = (provider.longest_range - 2 * provider.margin) // provider.resolution * provider.resolution
            pieces = span.pieces(longest)
        return [number for piece in pieces for number in self._halved(piece)]

    def _halved(self, span: Span) -> list[int]:
        """Collect a span; the parts of a response that reaches the cap are superseded by those of both halves."""
        try:
            mine = self._stable(span)
        except TooMuchError:
            halves = span.halves(self.provider.resolution) if span.length > SHORTEST_HALVED else None
            if halves is None:
                raise
            return [number for half in halves for number in self._halved(half)]
        if not self._capped(mine):
            return mine
        halves = span.halves(self.provider.resolution)
        if halves is None:
            self.truncated = True
            return mine
        replacing = [number for half in halves for number in self._halved(half)]
        self._supersede(mine, replacing)
        return replacing

    def _stable(self, span: Span) -> list[int]:
        before: list[int] = []
        for left in reversed(range(STABLE_TRIES)):
            first = len(self.parts)
            try:
                self._fetch(span)
            except MismatchError:
                if not left:
                    self._supersede(before, [])
                    raise
                before += range(first, len(self.parts))
            else:
                mine = list(range(first, len(self.parts)))
                self._supersede(before, mine)
                return mine
        raise AssertionError  # the last round returns or raises

    def _fetch(self, span: Span) -> None:
        api = self.exchange
        api.last = None
        try:
            for part in self.provider.fetch(api, self.source, span.widened(self.provider.margin)):
                api.last = None
                self._add(part.replace(own=span if self.provider.bounded else None))
        except ProviderError as error:
            unread = error.part or api.last
            if unread is not None:
                self._add(unread.replace(role="error"))
            raise

    def _add(self, part: Part) -> None:
        self.parts.append(self.keep(part))

    def _capped(self, numbers: Sequence[int]) -> bool:
        cap = self.provider.cap(self.source)
        data = [self.parts[number] for number in numbers if self.parts[number].role == "data"]
        if cap is None:
            return False
        counts = [part.count for part in data]
        if None not in counts:
            return sum(filter(None, counts)) >= cap
        if self.below_cap(data):
            return False
        time_key = self.provider.columns(self.source)["time"].key
        return reaches(data, self.provider.layout, time_key, cap, self.provider.smallest_record_bytes, self.ensure_time)

    def _supersede(self, numbers: Sequence[int], replacing: Sequence[int]) -> None:
        keys = [self.parts[number].key for number in replacing]
        for number in numbers:
            part = self.parts[number]
            if part.role != "error":
                self.parts[number] = part.replace(role="superseded", extra={"superseded_by": keys})
