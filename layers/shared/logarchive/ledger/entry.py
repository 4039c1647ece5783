"""What the ledger holds: one entry per window, one head and some worker slots per source. Pure models of the items.

Some attributes are stored under an older name. The aliases here are the only place that knows it.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict, Unpack

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from logarchive.errors import Issue
from logarchive.moment import instant, parse_instant
from logarchive.numbers import WindowNumbers
from logarchive.window import Window

type State = Literal["planned", "archived", "sealed", "split", "closed"]
#: Why a source is archived from its `begin` on, and not from another moment.
type BeginReason = Literal["start", "retention", "archive_from", "first_tick"]

type Instant = Annotated[
    dt.datetime,
    BeforeValidator(lambda value: parse_instant(value) if isinstance(value, str) else value),
    PlainSerializer(instant, when_used="json"),
]

CLAIMS_WITHOUT_COMMIT, UNMERGED_CLAIMS, LAST_ROWS_UNTIL, FEED_ID = "killed", "loose", "heard_until", "feed"
#: When a window or a head changed so that the proof log must state it anew; the notary removes it.
UNPROVEN = "unproven"
#: What the newest entry of the proof log has seen of an item, and how many visits its entries have named.
PROVEN = "proven"
_STORED = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class StoredObject(BaseModel):
    """The Parquet object as it was committed."""

    model_config = ConfigDict(frozen=True)

    key: str
    etag: str
    version: str | None = None
    sha256: str
    bytes: int
    visits: tuple[str, ...]


class RejectsObject(BaseModel):
    """The object of a window's rejects as it was committed."""

    model_config = ConfigDict(frozen=True)

    key: str
    sha256: str


class Replay(BaseModel):
    """That a window is to be rebuilt from `raw/`; it stays until that is committed."""

    model_config = ConfigDict(frozen=True)

    asked: Instant
    #: The window's own `due_at`, to which it returns.
    due_at: Instant | None


class EntryChanges(TypedDict, total=False):
    """What of an entry may change after it was planned."""

    state: State
    due_at: dt.datetime | None
    lost_at: dt.datetime | None
    attempt: int
    claimed_by: str | None
    committed: int
    claims_without_commit: int
    unmerged_claims: int
    failures: int
    visits: tuple[str, ...]
    late_by_visit: tuple[int, ...]
    issue: Issue | None
    error: str | None
    manifest: str | None
    object: StoredObject | None
    rejects_object: RejectsObject | None
    placeholder: StoredObject | None
    numbers: WindowNumbers
    requests: int
    seconds: int
    mapping: int
    replay: Replay | None
    replay_error: str | None
    replayed: bool
    written_at: dt.datetime | None


class Entry(BaseModel):  # 26 attributes: those of one item of the table
    """One window in the ledger. Only `planned` and `archived` have a `due_at`; a claim moves it to the lease's end.

    A window that is to be replayed has another one, whatever its state, and its own in `replay`.
    """

    model_config = _STORED

    window_key: str
    state: State
    due_at: Instant | None = None
    #: When the provider begins to drop records of this window.
    lost_at: Instant | None = None
    #: Claims so far; the current claim's number while it is held.
    attempt: int = 0
    #: The id of the invocation that holds the current claim: by it a worker knows its own.
    claimed_by: str | None = None
    #: The last claim that ended in a commit.
    committed: int = 0
    #: Claims in a row, this one included, that ended without a commit (the worker was killed, or out of memory).
    claims_without_commit: int = Field(
        default=0, validation_alias=CLAIMS_WITHOUT_COMMIT, serialization_alias=CLAIMS_WITHOUT_COMMIT
    )
    #: Claims, this one included, whose visit may be complete under `raw/` without being merged into the object.
    unmerged_claims: int = Field(default=0, validation_alias=UNMERGED_CLAIMS, serialization_alias=UNMERGED_CLAIMS)
    #: Failed visits in a row.
    failures: int = 0
    #: The good visits whose records have gone into the object, in order.
    visits: tuple[str, ...] = ()
    #: How many rows each of `visits` brought late; shorter than `visits` if an earlier version merged some of them.
    late_by_visit: tuple[int, ...] = ()
    issue: Issue | None = None
    error: str | None = None
    manifest: str | None = None
    object: StoredObject | None = None
    #: None where no visit has brought a reject, or only visits of a version that did not write it down.
    rejects_object: RejectsObject | None = None
    #: The empty object that was written in place of one, so that no worker of an earlier claim writes it.
    placeholder: StoredObject | None = None
    #: Stored as attributes of the item itself.
    numbers: WindowNumbers = WindowNumbers()
    requests: int = 0
    seconds: int = 0
    #: The oldest version of the mapping that has made something of the object or the rejects; 0: before versions.
    mapping: int = 0
    replay: Replay | None = None
    replay_error: str | None = None
    #: Whether the numbers are those of a replay: its mapping may read other records than the newest visit has counted.
    replayed: bool = False
    #: When a commit first knew the object as it is; None if an earlier version has committed it.
    written_at: Instant | None = None

    @classmethod
    def of_item(cls, item: Mapping[str, Any]) -> "Entry":
        """Read an entry from its item."""
        numbers = {name: item[name] for name in WindowNumbers.model_fields if name in item}
        return cls.model_validate({**item, "window_key": item["window"], "numbers": numbers})

    def item(self) -> dict[str, Any]:
        """Return the attributes of its item, without the keys."""
        stored = self.model_dump(mode="json", exclude={"window_key", "numbers"})
        return stored | self.numbers.model_dump()

    def attributes(self, **changes: Unpack[EntryChanges]) -> dict[str, Any]:
        """Return only the attributes of the item that change with `changes`. Raises ValueError like `replace`."""
        return self.replace(**changes).model_dump(mode="json", include=set(changes))

    def seen(self, *names: Literal["state", "attempt", "committed", "unmerged_claims"]) -> dict[str, Any]:
        """Return attributes of the item as they were read, for a condition that they have not changed."""
        return self.model_dump(include=set[str](names))

    def replace(self, **changes: Unpack[EntryChanges]) -> "Entry":
        """Return this entry with some fields changed. Raises ValueError for a name or value that it cannot have."""
        return Entry.model_validate({**vars(self), **changes}, extra="forbid")

    @property
    def window(self) -> Window:
        """The window itself."""
        return Window.parse(self.window_key)

    def leased(self, now: dt.datetime) -> bool:
        """Return whether a worker holds it now."""
        return self.claimed and self.due_at is not None and self.due_at > now

    @property
    def claimed(self) -> bool:
        """Return whether its last claim has not been committed, be it held or run out."""
        return self.attempt > self.committed

    @property
    def visit_due_at(self) -> dt.datetime | None:
        """When the provider is asked again; a replay does not count."""
        return self.replay.due_at if self.replay else self.due_at

    @property
    def finished(self) -> bool:
        """Return whether no further visit is planned."""
        return self.visit_due_at is None

    def outdated(self, mapping: int) -> bool:
        """Return whether it was visited, and an older version of the mapping than this one made something of it."""
        return bool(self.visits) and self.mapping < mapping


class Slot(BaseModel):
    """A worker's place, leased until `until`."""

    model_config = _STORED

    number: int
    until: Instant
    owner: str
    #: The end of the newest window with rows that a worker in this slot has visited.
    last_rows_until: Instant | None = Field(
        default=None, validation_alias=LAST_ROWS_UNTIL, serialization_alias=LAST_ROWS_UNTIL
    )


class Head(BaseModel):  # 9 attributes: those of its item, and the slots
    """The source's own item: up to when it is planned, and which account it belongs to."""

    model_config = _STORED

    version: int = 0
    #: How often a finished window became due again, or one was planned before the cursor.
    reopened: int = 0
    #: The version that the head would have if only planners that count in `reopened` had changed it.
    counted: int = 0
    #: Everything in `[begin, cursor)` is planned (or was covered already).
    begin: Instant
    cursor: Instant
    #: None: an earlier version has written the head.
    begin_reason: BeginReason | None = None
    #: What may not change under a name, see `Provider.feed_id`.
    feed_id: str = Field(validation_alias=FEED_ID, serialization_alias=FEED_ID)
    #: Ids seen once, kept because the provider's list forgets deleted ones.
    known: frozenset[str] = frozenset()
    slots: tuple[Slot, ...] = ()

    def next(self, *, begin: dt.datetime | None = None, cursor: dt.datetime | None = None) -> "Head":
        """Return the next version of the head, with its bounds moved where they are given."""
        version = self.version + 1
        moved = {"version": version, "counted": version, "begin": begin or self.begin, "cursor": cursor or self.cursor}
        # Only an earlier `start` moves the beginning.
        return Head.model_validate({**vars(self), **moved, **({"begin_reason": "start"} if begin else {})})

    def bounds(self) -> dict[str, Any]:
        """Return the attributes of its item that planning changes."""
        return self.model_dump(mode="json", include={"version", "counted", "begin", "cursor", "begin_reason"})

    @property
    def last_rows_until(self) -> dt.datetime | None:
        """The end of the newest window that had a row, as far as workers have written it down."""
        return max((slot.last_rows_until for slot in self.slots if slot.last_rows_until), default=None)
