"""A block of records as columns, with the rejects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arro3.core import Array

from logarchive.column.mapping import Column
from logarchive.record.block import Bad

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
