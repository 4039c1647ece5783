"""What the ledger holds: one entry per window, one head per source. Pure models of the items."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from logarchive.errors import Issue
from logarchive.moment import instant, parse_instant
from logarchive.window import Window

type State = Literal["planned", "archived", "sealed", "split", "closed"]
type Verification = Literal["verified", "unverified"]

type Instant = Annotated[
    dt.datetime,
    BeforeValidator(lambda value: parse_instant(value) if isinstance(value, str) else value),
    PlainSerializer(instant, when_used="json"),
]


class StoredObject(BaseModel):
    """The Parquet object as it was committed."""

    model_config = ConfigDict(frozen=True)

    key: str
    etag: str
    version: str | None = None
    sha256: str
    bytes: int
    visits: tuple[str, ...]


class Entry(BaseModel):
    """One window in the ledger. Only `planned` and `archived` have a `due_at`; a claim moves it to the lease's end."""

    model_config = ConfigDict(frozen=True)

    window_key: str
    state: State
    due_at: Instant | None = None
    #: When the provider begins to drop records of this window.
    lost_at: Instant | None = None
    #: Claims so far; the current claim's number while it is held.
    attempt: int = 0
    #: The last claim that ended in a commit.
    committed: int = 0
    #: Claims in a row that ended without any commit (this one included): killed, out of memory.
    killed: int = 0
    #: Claims whose complete visit may stand in raw without having been merged (this one included).
    loose: int = 0
    #: Failed visits in a row.
    failures: int = 0
    #: The good visits whose records have gone into the object, in order.
    visits: tuple[str, ...] = ()
    issue: Issue | None = None
    error: str | None = None
    manifest: str | None = None
    object: StoredObject | None = None
    announced: int | None = None
    fetched: int = 0
    rows: int = 0
    rejects: int = 0
    outside: int = 0
    duplicates: int = 0
    strays: int = 0
    late: int = 0
    verification: Verification = "unverified"
    requests: int = 0
    seconds: int = 0

    @property
    def window(self) -> Window:
        """The window itself."""
        return Window.parse(self.window_key)

    def leased(self, now: dt.datetime) -> bool:
        """Say whether a worker holds it now."""
        return self.attempt > self.committed and self.due_at is not None and self.due_at > now

    @property
    def finished(self) -> bool:
        """Say whether no further visit is planned."""
        return self.due_at is None


class Slot(BaseModel):
    """A worker's place, leased until `until`."""

    model_config = ConfigDict(frozen=True)

    number: int
    until: Instant
    owner: str
    #: The end of the newest window with rows that a worker in this slot has visited.
    heard_until: Instant | None = None


class Head(BaseModel):
    """The source's own item: how far it is planned, and what it is."""

    model_config = ConfigDict(frozen=True)

    version: int = 0
    #: Everything in `[begin, cursor)` is planned (or was covered already).
    begin: Instant
    cursor: Instant
    #: What may not change under a name, see `Provider.feed`.
    feed: str
    #: Ids seen once, kept since the provider's list forgets deleted ones.
    known: frozenset[str] = frozenset()
    slots: tuple[Slot, ...] = ()

    @property
    def heard_until(self) -> dt.datetime | None:
        """The end of the newest window that had a row, as far as workers have told."""
        return max((slot.heard_until for slot in self.slots if slot.heard_until), default=None)
