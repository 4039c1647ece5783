"""The daily notice is put together and sent, once a day at least; what it costs depends on what has changed since.

A notice is sent before that is written down: if either fails, the next run sends it again.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from pydantic import BaseModel, ConfigDict

from logarchive.errors import OutOfTimeError
from logarchive.ledger.dynamodb import ABSENT, Table, Write, equal
from logarchive.ledger.entry import Instant
from logarchive.ledger.ledger import Ledger
from logarchive.ledger.registry import registered
from logarchive.proof.log import ProofLog
from logarchive.proof.notice import MOST_OPEN, News, SourceNews, news_of, subject, text
from logarchive.proof.state import PARTITION
from logarchive.runtime.invocation import Invocation

#: What needs a person, and since when.
type Holding = Callable[[], Mapping[str, dt.datetime]]

SORT = "#notice"
#: How many entries of the log a notice reads at most, the newest: 200 objects. Taking in an old archive makes more.
MOST_ENTRIES = 51_200
#: From here on no further source is asked for its open windows.
LAST_SECONDS = 30


class Sent(BaseModel):
    """The last notice that was sent: an item of the ledger."""

    model_config = ConfigDict(frozen=True)

    at: Instant
    #: How many entries the log had.
    size: int


@dataclass(frozen=True)
class DailyNotice:
    """The notice of one archive."""

    log: ProofLog
    table: Table
    #: Takes the subject and the text of a message.
    publish: Callable[[str, str], None]
    providers: Sequence[str]
    invocation: Invocation
    holding: Holding
    most_entries: int = MOST_ENTRIES

    def send(self, *, now: bool = False) -> bool:
        """Send today's notice, or with `now` one in any case; return whether one was sent. Raises what `publish` does.

        Before the first checkpoint there is nothing to hand out.
        """
        last, newest = self._last(), self.log.newest()
        moment = self.invocation.clock()
        if not newest.note or (last and last.at.date() >= moment.date() and not now):
            return False
        size = newest.checkpoint.size
        begin = min(last.size, size) if last else 0
        first = max(begin, size - self.most_entries)
        sources = news_of(self.log.entries(first, size))
        uncounted = self._count_open(sources)
        since, holding = last.at if last else None, self.holding()
        news = News(since, moment, sources, holding, unread=first - begin, uncounted=uncounted)
        self.publish(subject(news), text(news, newest.note))
        self._note(last, Sent(at=moment, size=size))
        self.invocation.log("notice.sent", size=size, sources=len(sources))
        return True

    def _count_open(self, sources: dict[str, SourceNews]) -> int:
        """Count the open windows of every source; return how many sources could not be counted."""
        uncounted = 0
        for provider in self.providers:
            for name in registered(self.table, provider):
                news = sources.setdefault(f"{provider}/{name}", SourceNews())
                try:
                    news.open = self._open(Ledger(self.table, provider, name))
                except (OutOfTimeError, ValueError):
                    uncounted += 1
        return uncounted

    def _open(self, ledger: Ledger) -> Counter[str | None]:
        """Return issue -> open windows. Raises OutOfTimeError, or ValueError for an item that cannot be read."""
        if self.invocation.seconds_to_work() < LAST_SECONDS:
            raise OutOfTimeError("the time is for the notice itself")
        unfinished = (entry for entry in ledger.open() if not entry.finished)  # some are only to be replayed
        return Counter(entry.issue for entry in islice(unfinished, MOST_OPEN))

    def _last(self) -> Sent | None:
        item = self.table.get(PARTITION, SORT)
        return Sent.model_validate(item) if item else None

    def _note(self, last: Sent | None, sent: Sent) -> None:
        """Write down what was sent; if another notary has, nothing is lost."""
        when = equal(**last.model_dump(mode="json")) if last else ABSENT
        self.table.update(Write(PARTITION, SORT, sent.model_dump(mode="json"), when))
