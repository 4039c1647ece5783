"""What waits for the notary: the marks that the index shows, made into the statements of the next batch."""

from collections.abc import Callable
from dataclasses import dataclass, field

from logarchive.proof.batch import Mark
from logarchive.proof.mark import Key, Marks, Statement

#: The most entries and bytes of a batch: an item of the ledger holds 400 KB, and the marks need some of them.
MOST_ENTRIES, MOST_BYTES = 256, 300_000


@dataclass
class Waiting:
    """The marks that one run knows of."""

    marks: Marks
    #: Called with a mark whose item cannot be read, which then waits for somebody to mend it.
    unreadable: Callable[[Key, Exception], None]
    #: Whether the heads of sources may be stated: once an old archive is taken in.
    heads: bool = False
    _keys: list[Key] = field(default_factory=list[Key])
    #: Marks that are answered, gone or unreadable; the index may still show them.
    _done: set[Key] = field(default_factory=set[Key])

    def look(self) -> None:
        """Read the index."""
        self._keys = self.marks.waiting()

    def oldest(self) -> str | None:
        """Return when the oldest mark was set that waits."""
        return min((key.unproven for key in self.left()), default=None)

    def batch(self, enough_time: Callable[[], bool]) -> list[Statement]:
        """Return the statements of the next batch; those of a window that was split stay together."""
        if not self.left():
            self.look()
        chosen: dict[tuple[str, str], Statement] = {}
        for key in self.left():
            if not enough_time():
                break
            if (key.partition, key.sort) in chosen:
                continue
            group = {(one.mark.partition, one.mark.sort): one for one in self._statements(key)}
            if chosen and not _fits({**chosen, **group}):
                break
            chosen |= group
        return _beginning(chosen)

    def answered(self, mark: Mark) -> None:
        """Note that a mark was cleared."""
        if mark.complete:
            self._done.add(Key.of_item({"source": mark.partition, "window": mark.sort, "unproven": mark.unproven}))

    def left(self) -> list[Key]:
        """Return what waits, in the order in which it is to be stated."""
        return [key for key in self._keys if key not in self._done and (self.heads or not key.is_head)]

    def _statements(self, key: Key) -> list[Statement]:
        try:
            found = list(self.marks.statements(key))
        except (ValueError, KeyError, TypeError) as error:
            self.unreadable(key, error)
            found = []
        if not found:
            self._done.add(key)
        return found


def _beginning(chosen: dict[tuple[str, str], Statement]) -> list[Statement]:
    """Return as many statements as an item holds: a window can have been split into more parts than that."""
    items = list(chosen.items())
    while not _fits(dict(items)):
        del items[len(items) // 2 :]
    return [statement for _, statement in items]


def _fits(chosen: dict[tuple[str, str], Statement]) -> bool:
    return len(chosen) <= MOST_ENTRIES and sum(len(one.entry) for one in chosen.values()) <= MOST_BYTES
