"""The records of a part, whatever its layout."""

import re
from collections.abc import Callable, Iterator, Sequence

from logarchive.part import Part
from logarchive.record import json_document, line_record, unpack
from logarchive.record.block import BOM, MAX_RECORD_BYTES, Block, Chunks
from logarchive.record.layout import Layout, LineLayout
from logarchive.record.line_record import LineReader

type EnsureTime = Callable[[], None]

_SPACE = rb"[ \t\r\n]*+"
#: An array with an object first, or what is neither an array nor an object: CSV.
_BEGINNING = re.compile(rb"(?:%b)?+%b(?:(\[)%b(\{)|[^{\[ \t\r\n])" % (BOM, _SPACE, _SPACE))
#: Behind an object and a comma, what can begin an item that is none and no key. It may also be within a text.
_NO_OBJECT = re.compile(rb'\}%b,%b(?:[-0-9\[ntfNI]|"(?![^"\\]*+"%b:))' % (_SPACE, _SPACE, _SPACE))


def reaches(
    parts: Sequence[Part],
    layout: Layout,
    time_key: str,
    cap: int,
    smallest_record_bytes: int,
    ensure_time: EnsureTime = lambda: None,
) -> bool:
    """Return whether the parts hold `cap` records or more; they are parsed only if their bytes could hold that many.

    They are counted as they are read later. Raises MalformedError for damaged data that could hold that many, so that
    damage does not hide a reached cap.
    """
    measured = [most_records(member, layout) for part in parts for member in unpack.members(part.path, ensure_time)]
    if sum(size for size, _ in measured) < cap * smallest_record_bytes:
        return False
    known = [most for _, most in measured if most is not None]
    if len(known) == len(measured) and sum(known) < cap:
        return False
    return sum(len(block.items) for part in parts for block in blocks(part, layout, time_key, ensure_time)) >= cap


def most_records(member: Chunks, layout: Layout) -> tuple[int, int | None]:
    """Return the bytes of a member, and how many items it holds at most; None: parsing must tell.

    What kind of member it is shows in its first chunk, which holds 262 bytes or all of it (`unpack`). Each item of
    lines or CSV has a line, and each object has a `{`. In an array that begins with an object, the first item that is
    none would follow a `}` and a comma, where else only an object or a key can be.
    """
    size = count = 0
    unread = b""
    sign = None
    for chunk in member:
        if not size:
            sign = _sign(chunk, layout)
        size += len(chunk)
        count += chunk.count(sign) if sign else 0
        if sign == b"{":
            unread += chunk
            end = max(unread.rfind(b"}"), 0)
            sign = None if _NO_OBJECT.search(unread, 0, end) or len(unread) - end > MAX_RECORD_BYTES else sign
            unread = unread[end:]
    return size, None if not sign or _NO_OBJECT.search(unread) else count + (sign == b"\n")


def _sign(beginning: bytes, layout: Layout) -> bytes | None:
    """Return what each item of a member has that begins like this; None where that is not known."""
    if isinstance(layout, LineLayout):
        return b"\n"
    if layout.path is not None:
        return None
    begin = _BEGINNING.match(beginning)
    return {b"[{": b"{", b"": b"\n"}.get(b"".join(begin.groups(b""))) if begin else None


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
