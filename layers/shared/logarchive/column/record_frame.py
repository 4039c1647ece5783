"""A block of records to a frame: rejects and records outside are taken out, the others become columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from arro3.core import Array

from logarchive.column.attribute import Floats, InexactError
from logarchive.column.bounds import Bounds, Verdict
from logarchive.column.embedded import unfold
from logarchive.column.mapping import Column, ColumnMapping
from logarchive.column.uniform import by_shape
from logarchive.record.block import Bad, Block, Record
from logarchive.record.exact_json import CanonicalTexts, compact, has_float

NO_TIME = "no readable time"

type Rejected = tuple[int, Bad]


@dataclass(kw_only=True)
class Frame:  # 9 attributes: the steps from records to rows read all of them, block by block
    """A block of `size` records. Lists except `bad` have an item for each record that may become a row, in order."""

    size: int
    bad: list[Rejected]
    outside: int
    positions: Sequence[int]
    strays: Sequence[int]
    canonical: Sequence[bytes | memoryview]
    given: Sequence[str | None] | None
    columns: Mapping[str, Column | Array]
    attributes: Array


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


def frame(block: Block, mapping: ColumnMapping, bounds: Bounds) -> Frame:
    """Make a frame of a block of records; exactly, where the fast way cannot be."""
    try:
        return _frame(block, mapping, bounds)
    except InexactError:
        return _frame(block.exactly(), mapping, bounds)


def _frame(block: Block, mapping: ColumnMapping, bounds: Bounds) -> Frame:
    floats = Floats(block)
    every, bad = _separated(block, mapping, floats)
    timed, untimed = _timed(every, verbatim=block.verbatim)
    good, strays, outside = _bounded(timed, bounds.verdicts(timed.times))
    # Making columns and attributes finds the floats of rows. A float in any other record would hide a lost key.
    if block.reread and len(good.records) < len(every.records) and not floats.kept and has_float(every.records):
        raise InexactError
    given = mapping.ids(good.records)
    records = mapping.without_repetition(good.records, good.times, given)
    for key in mapping.embedded:
        records = unfold(records, key)
    columns, attributes = by_shape(records, mapping, good.times, floats)
    return Frame(
        size=len(block.items),
        bad=sorted(bad + untimed, key=lambda rejected: rejected[0]),
        outside=outside,
        positions=good.positions,
        strays=strays,
        canonical=good.canonical,
        given=given,
        columns=columns,
        attributes=attributes,
    )


def _separated(block: Block, mapping: ColumnMapping, floats: Floats) -> tuple[_Records, list[Rejected]]:
    """Separate records from rejects."""
    bad = [(at, item) for at, item in enumerate(block.items) if isinstance(item, Bad)] if block.reread is None else []
    records: Any = block.items
    positions: Sequence[int] = range(len(block.items))
    canonical = block.canonical
    if bad:
        positions = [at for at, item in enumerate(block.items) if not isinstance(item, Bad)]
        records = [block.items[at] for at in positions]
        canonical = None if canonical is None else [canonical[at] for at in positions]
    if canonical is None:
        canonical = CanonicalTexts(records).pieces
    return _Records(positions, records, canonical, mapping.times(records, floats)), bad


def _timed(good: _Records, *, verbatim: bool) -> tuple[_Records, list[Rejected]]:
    """Take out the records without a readable time."""
    if None not in set(good.times):
        return good, []
    timed = [time is not None for time in good.times]
    untimed = good.only([not has_time for has_time in timed])
    texts = map(bytes, untimed.canonical) if verbatim else map(compact, untimed.records)
    return good.only(timed), [(at, Bad(NO_TIME, text)) for at, text in zip(untimed.positions, texts, strict=True)]


def _bounded(good: _Records, verdicts: list[Verdict] | None) -> tuple[_Records, list[int], int]:
    """Take out what lies outside; return the places of strays and the number outside."""
    if verdicts is None:
        return good, [], 0
    kept = [verdict != "outside" for verdict in verdicts]
    strays = [at for at, verdict in enumerate(compress(verdicts, kept)) if verdict == "stray"]
    return good.only(kept), strays, len(kept) - sum(kept)
