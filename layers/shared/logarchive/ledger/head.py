"""The head of a source as it is stored: one item, and one of each worker slot. Those of many sources in few calls."""

from collections.abc import Iterable, Mapping, Sequence

from logarchive.ledger.dynamodb import MOST_KEYS, Item, Table
from logarchive.ledger.entry import Head, Slot

HEAD = "#head"
SLOT = "#slot/"
#: The slot that a worker tries first.
FIRST_SLOT = f"{SLOT}00"
#: The most sources whose heads are read in one call.
MOST_HEADS = MOST_KEYS // 2


def head_of(items: Iterable[Item]) -> Head | None:
    """Return the head that these items are, or None if they are only slots."""
    by_sort = {item["window"]: item for item in items}
    if HEAD not in by_sort:
        return None
    slots = [Slot.model_validate(item) for sort, item in by_sort.items() if sort.startswith(SLOT)]
    return Head.model_validate({**by_sort[HEAD], "slots": slots})


def counts_reopened(head: Head) -> bool:
    """Return whether no planner of a version before, which does not count in `reopened`, has changed the head since."""
    return head.counted == head.version


def read_heads(table: Table, provider: str, source_names: Sequence[str]) -> Mapping[str, list[Item]]:
    """Read the items of at most MOST_HEADS heads, each with its first slot only; an empty list where there is none."""
    names = {f"{provider}#{name}": name for name in source_names}
    items: dict[str, list[Item]] = {name: [] for name in source_names}
    for item in table.get_many([(partition, sort) for partition in names for sort in (HEAD, FIRST_SLOT)]):
        items[names[item["source"]]].append(item)
    return items
