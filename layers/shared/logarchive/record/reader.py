"""The records of a part, whatever its layout."""

from collections.abc import Callable, Iterator, Sequence

from logarchive.part import Part
from logarchive.record import json_document, line_record, unpack
from logarchive.record.block import Block
from logarchive.record.layout import Layout, LineLayout
from logarchive.record.line_record import LineReader

type EnsureTime = Callable[[], None]


def reaches(
    parts: Sequence[Part],
    layout: Layout,
    time_key: str,
    cap: int,
    smallest_record_bytes: int,
    ensure_time: EnsureTime = lambda: None,
) -> bool:
    """Return whether the parts hold `cap` records or more; they are counted only if their bytes could hold that many.

    They are counted as they are read later. Raises MalformedError for damaged data, so that damage does not hide a
    reached cap.
    """
    least = 0
    for part in parts:
        for member in unpack.members(part.path, ensure_time):
            for chunk in member:
                least += len(chunk)
    if least < cap * smallest_record_bytes:
        return False
    return sum(len(block.items) for part in parts for block in blocks(part, layout, time_key, ensure_time)) >= cap


def blocks(part: Part, layout: Layout, time_key: str, ensure_time: EnsureTime = lambda: None) -> Iterator[Block]:
    """Yield a part's records in blocks. `ensure_time` is called at each chunk of the body, and may raise."""
    if isinstance(layout, LineLayout):
        reader = LineReader(layout)
        for lines in lines_of(part, ensure_time):
            yield reader.block(lines)
    else:
        # Where a document is promised, an empty body is read as an empty document.
        promised = layout.path is not None
        every = [unpack.only_member(part.path, ensure_time)] if promised else unpack.members(part.path, ensure_time)
        for member in every:
            yield from json_document.blocks(member, layout, time_key)


def lines_of(part: Part, ensure_time: EnsureTime = lambda: None) -> Iterator[list[bytes]]:
    """Yield blocks of a part's lines."""
    for member in unpack.members(part.path, ensure_time):
        yield from line_record.blocks(member)
