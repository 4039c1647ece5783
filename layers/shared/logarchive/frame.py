"""A block on its way to rows: what is bad, what belongs here, and its columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from logarchive.attribute import Attributes, InexactError, attributes, flat
from logarchive.bounds import INSIDE, OUTSIDE, STRAY, Bounds
from logarchive.column import Column, Plan, columns
from logarchive.json_block import Block
from logarchive.json_record import Bad, Record, canonical, compact
from logarchive.provider import Feed

NO_TIME = "no readable time"


@dataclass(kw_only=True)
class Frame:
    """A block's records: `size` of all; the others concern those that may become rows, in order."""

    size: int
    positions: Sequence[int]
    bad: list[tuple[int, Bad]]
    outside: int = 0
    strays: set[int] = field(default_factory=set[int])
    canonical: Callable[[], Sequence[bytes]]
    given: Sequence[str | None] | None
    columns: dict[str, Column]
    attributes: Attributes


def frame(block: Block, plan: Plan, bounds: Bounds, unique_id: Feed | None) -> Frame:
    """Make a frame of a block of JSON records; exactly, where the fast way cannot be."""
    try:
        return _frame(block, plan, bounds, unique_id)
    except InexactError:
        return _frame(block.exactly(), plan, bounds, unique_id)


def _frame(block: Block, plan: Plan, bounds: Bounds, unique_id: Feed | None) -> Frame:
    chosen = _Chosen(block, plan)
    strays, outside = chosen.bound(bounds)
    records, written = chosen.records, chosen.written
    given = None if unique_id is None else unique_id.convert([one.get(unique_id.key) for one in records])
    return Frame(
        size=len(block.items),
        positions=chosen.positions,
        bad=chosen.bad,
        outside=outside,
        strays=strays,
        canonical=lambda: written,
        given=given,
        columns=columns(records, plan),
        attributes=attributes(records),
    )
