"""A block of records turned into columns, with what did not become a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arro3.core import Array

from logarchive.column.mapping import Column
from logarchive.record.block import Bad

NO_TIME = "no readable time"

type Misfit = tuple[int, Bad]


@dataclass(kw_only=True)
class Frame:
    """A block of `size` records; lists but `bad` concern those that may become rows, in order."""

    size: int
    bad: list[Misfit]
    outside: int
    positions: Sequence[int]
    strays: Sequence[int]
    canonical: Sequence[bytes | memoryview]
    given: Sequence[str | None] | None
    columns: Mapping[str, Column | Array]
    attributes: Array
