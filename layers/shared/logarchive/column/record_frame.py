"""A block on its way to rows: what is bad, what belongs here, and its columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from logarchive.column.attribute import InexactError
from logarchive.column.bounds import Bounds, Verdict
from logarchive.column.frame import NO_TIME, Frame, Misfit
from logarchive.column.mapping import Column, ColumnMapping, various
from logarchive.column.uniform import uniform
from logarchive.record.block import Bad, Block, Record
from logarchive.record.embedded import unfold
from logarchive.record.exact_json import Written, compact, has_float


@dataclass
class _Records:
    """Records that may become rows, with their positions in the block, canonical forms and times."""

    positions: Sequence[int]
    records: Sequence[Record]
    canonical: Sequence[bytes | memoryview]
    times: Column

    def only(self, chosen: Sequence[bool]) -> "_Records":
        return _Records(
            list(compress(self.positions, chosen)),
            list(compress(self.records, chosen)),
            list(compress(self.canonical, chosen)),
            list(compress(self.times, chosen)),
        )


def frame(block: Block, plan: ColumnMapping, bounds: Bounds) -> Frame:
    """Make a frame of a block of records; exactly, where the fast way cannot be."""
    try:
        return _frame(block, plan, bounds)
    except InexactError:
        return _frame(block.exactly(), plan, bounds)


def _frame(block: Block, plan: ColumnMapping, bounds: Bounds) -> Frame:
    every, bad = _sorted_out(block, plan)
    timed, untimed = _timed(every, verbatim=block.verbatim)
    good, strays, outside = _bounded(timed, bounds.verdicts(timed.times))
    # Columns and attributes find the floats of rows. One in another record would hide what the block has lost.
    if not block.exact and len(good.records) < len(every.records) and has_float(every.records):
        raise InexactError
    given = plan.ids(good.records)
    for key in plan.embedded:
        unfold(good.records, key)
    columns, attributes = uniform(good.records, plan, good.times) or various(good.records, plan, good.times)
    return Frame(
        size=len(block.items),
        bad=sorted(bad + untimed, key=lambda one: one[0]),
        outside=outside,
        positions=good.positions,
        strays=strays,
        canonical=good.canonical,
        given=given,
        columns=columns,
        attributes=attributes,
    )


def _sorted_out(block: Block, plan: ColumnMapping) -> tuple[_Records, list[Misfit]]:
    """Tell records from what is none."""
    bad = [(at, item) for at, item in enumerate(block.items) if isinstance(item, Bad)] if block.exact else []
    records: Any = block.items
    positions: Sequence[int] = range(len(block.items))
    written = block.written
    if bad:
        positions = [at for at, item in enumerate(block.items) if not isinstance(item, Bad)]
        records = [block.items[at] for at in positions]
        written = None if written is None else [written[at] for at in positions]
    if written is None:
        written = Written(records).pieces
    return _Records(positions, records, written, plan.times(records)), bad


def _timed(good: _Records, *, verbatim: bool) -> tuple[_Records, list[Misfit]]:
    """Take out the records without a readable time."""
    if None not in set(good.times):
        return good, []
    timed = [time is not None for time in good.times]
    untimed = good.only([not found for found in timed])
    texts = map(bytes, untimed.canonical) if verbatim else map(compact, untimed.records)
    return good.only(timed), [(at, Bad(NO_TIME, text)) for at, text in zip(untimed.positions, texts, strict=True)]


def _bounded(good: _Records, verdicts: list[Verdict] | None) -> tuple[_Records, list[int], int]:
    """Take out what lies outside; name the places of strays."""
    if verdicts is None:
        return good, [], 0
    kept = [verdict != "outside" for verdict in verdicts]
    strays = [at for at, verdict in enumerate(compress(verdicts, kept)) if verdict == "stray"]
    return good.only(kept), strays, len(kept) - sum(kept)
