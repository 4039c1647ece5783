"""Paging by number over a set that may change while it is read: pages count only if nothing moved meanwhile."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from logarchive.errors import MalformedError, MismatchError
from logarchive.part import Part
from logarchive.record.block import Bad, Block, Record
from logarchive.record.exact_json import has_float
from logarchive.record.json_document import document
from logarchive.record.layout import JsonLayout
from logarchive.record.unpack import members

#: So many records are never the same twice by chance: then it is the same page.
SAME = 20


@dataclass(frozen=True)
class Page:
    """One answer: its items, and the provider's total where it gives one."""

    part: Part
    items: list[Any] = field(repr=False)
    total: int | None

    def listing(self) -> "Page":
        """Return this page as one that was only looked at: its records are those of another page."""
        return Page(self.part.replace(role="listing"), self.items, self.total)


#: Asks for a page by its number, the first being 0, and by how many items came before it.
type Ask = Callable[[int, int], Page]


def numbered(ask: Ask, size: int, first: Page | None = None) -> Iterator[Page]:
    """Yield all pages: until one is not full, and where there is a total, until all of it has come.

    `first` is the first page, if it was asked for already. Raises MismatchError when the total moves, when the pages do
    not add up to it, when a page is the one before it, or when after several pages the first one reads differently:
    then something came or went in between, and some other page may have lost or repeated a record.
    """
    first = first or ask(0, 0)
    yield first
    page, number, count = first, 0, len(first.items)
    while _more(page, count, size):
        number += 1
        before, page = page, ask(number, count)
        count += len(page.items)
        yield page
        if first.total is not None and count > first.total:
            raise MismatchError(f"{count} records came where {first.total} were announced")
        if len(page.items) >= SAME and page.items == before.items:
            raise MismatchError("a page is the one before it: the place asked for is not honoured, or it moved")
        if page.total != first.total:
            raise MismatchError(f"the total moved from {first.total} to {page.total} while it was read")
    if first.total is not None and count != first.total:
        raise MismatchError(f"{count} records came where {first.total} were announced")
    if number:
        again = ask(0, 0)
        yield again.listing()
        if (again.items, again.total) != (first.items, first.total):
            raise MismatchError("the first page reads differently after the last one")


def indexed(ask: Callable[[int], Page], size: int, refused: Callable[[MalformedError], bool]) -> Iterator[Page]:
    """Yield all pages of a list that counts them from 1, or, as is noticed, from 0.

    Page 0 is asked for only where page 1 does not show that it is the first. `refused` says whether an error means that
    there is no page 0; any other error leaves it open, and is raised unless a total will prove what came.
    """
    one, first = ask(1), 1
    if not _is_first(one, size):
        try:
            zero = ask(0)
        except MalformedError as error:
            if one.total is None and not refused(error):
                raise
        else:
            looked_at = zero
            if zero.items and zero.items != one.items:
                one, first, looked_at = zero, 0, one
            yield looked_at.listing()
    yield from numbered(lambda number, _before: ask(first + number), size, first=one)


def _is_first(one: Page, size: int) -> bool:
    """Say whether page 1 shows that none is before it: it holds what the total says, and a second would be shorter."""
    return one.total is not None and len(one.items) == min(one.total, size) and one.total < 2 * size


def announced(pages: Iterator[Page]) -> Iterator[Part]:
    """Yield the parts of pages; the first one with data announces the total for all of them."""
    told = False
    for page in pages:
        if page.part.role != "data":
            yield page.part
            continue
        total = 0 if told and page.total is not None else page.total
        told = True
        yield page.part.replace(announced=total, count=len(page.items))


def opened(part: Part, layout: JsonLayout) -> tuple[list[Any], Any]:
    """Return a part's records, broken ones among them, and the document around them with an empty array in their place.

    Raises MalformedError for what is no such document.
    """
    items: list[Any] = []
    around = _read(part, layout, lambda block: items.extend(block.items))
    return items, around


@dataclass
class Counted:
    """How many records a part holds, and the document around them: found without holding more than a block."""

    part: Part
    layout: JsonLayout
    count: int = 0
    _block: Block | None = None

    def __post_init__(self) -> None:
        """Read the part. Raises MalformedError."""
        self.around = _read(self.part, self.layout, self._add)
        self.part = self.part.replace(count=self.count)

    def _add(self, block: Block) -> None:
        self.count += len(block.items)
        self._block = block

    def last(self, *keys: str) -> Record | None:
        """Return the last record, these keys (or all) exactly as received; None if there is none that can be read."""
        if self._block is None:
            return None
        last = self._block.items[-1]
        if not isinstance(last, Bad) and any(has_float(last.get(key)) for key in keys or last):
            last = self._block.exactly().items[-1]
        return None if isinstance(last, Bad) else last


def _read(part: Part, layout: JsonLayout, each: Callable[[Block], None]) -> Any:  # noqa: ANN401 (JSON)
    found = members(part.path)  # held: it keeps the file open
    blocks = document(next(found, iter(())), layout.path or "")
    while True:
        try:
            each(next(blocks))
        except StopIteration as end:
            return end.value


def _more(page: Page, count: int, size: int) -> bool:
    """Say whether to go on: after a full page even when the total has come, which may be no more than the page's."""
    return bool(page.items) and (len(page.items) >= size or (page.total is not None and count < page.total))
