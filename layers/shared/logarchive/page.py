"""Paging by number over a set that may change while it is read: pages count only if nothing moved meanwhile."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from logarchive.errors import MismatchError
from logarchive.json_record import Bad, Record
from logarchive.part import Part
from logarchive.provider import JsonLayout
from logarchive.rows import blocks


@dataclass(frozen=True)
class Page:
    """One answer: its items, and the provider's total where it gives one."""

    part: Part
    items: list[Any] = field(repr=False)
    total: int | None

    def listing(self) -> "Page":
        """Return this page as one that was only looked at: its records are those of another page."""
        return Page(self.part.be(role="listing"), self.items, self.total)


#: Asks for a page by its number, the first being 0, and by how many items came before it.
type Ask = Callable[[int, int], Page]


def numbered(ask: Ask, size: int, first: Page | None = None) -> Iterator[Page]:
    """Yield all pages: until one is not full, or where there is a total, until all of it has come.

    `first` is the first page, if it was asked for already. Raises MismatchError when the total moves, when the pages do
    not add up to it, or when after several pages the first one reads differently: then something came or went in
    between, and some other page may have lost or repeated a record.
    """
    first = first or ask(0, 0)
    yield first
    page, number, count = first, 0, len(first.items)
    while _more(page, count, size):
        number += 1
        page = ask(number, count)
        count += len(page.items)
        yield page
        if page.total != first.total:
            raise MismatchError(f"the total moved from {first.total} to {page.total} while it was read")
    if first.total is not None and count != first.total:
        raise MismatchError(f"{count} records came where {first.total} were announced")
    if number:
        again = ask(0, 0)
        yield again.listing()
        if (again.items, again.total) != (first.items, first.total):
            raise MismatchError("the first page reads differently after the last one")


def announced(pages: Iterator[Page]) -> Iterator[Part]:
    """Yield the parts of pages; the first one with data announces the total for all of them."""
    told = False
    for page in pages:
        if page.part.role != "data":
            yield page.part
            continue
        total = 0 if told and page.total is not None else page.total
        told = True
        yield page.part.be(announced=total, count=len(page.items))


def counted(part: Part, layout: JsonLayout) -> tuple[Part, int, Record | None]:
    """Count a part's records without holding them; return it, how many, and the last one exactly as received.

    The last is None where it cannot be read as a record, or there is none.
    """
    count, block = 0, None
    for block in blocks(part, layout, None):
        count += len(block.items)
    last = block.exactly().items[-1] if block else None
    return part.be(count=count), count, None if isinstance(last, Bad) else last


def _more(page: Page, count: int, size: int) -> bool:
    if page.total is None:
        return len(page.items) >= size
    return bool(page.items) and count < page.total
