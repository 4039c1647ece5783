"""Numbered pages of a set that may change while it is read: they count only if nothing changed in between."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from logarchive.errors import MalformedError, MismatchError, ProviderError
from logarchive.part import Part
from logarchive.record.block import Bad, Block, Record
from logarchive.record.exact_json import has_float
from logarchive.record.json_document import document
from logarchive.record.layout import JsonLayout
from logarchive.record.unpack import only_member

#: From this many equal records on it is no coincidence: the same page was returned twice.
SAME = 20


@dataclass(frozen=True)
class Page:
    """One response: its items, the provider's total, and whether more pages follow, where the provider says so."""

    part: Part
    items: list[Any] = field(repr=False)
    total: int | None = None
    has_more: bool | None = None

    def listing(self) -> "Page":
        """Return this page as one that is kept, but whose records are those of another page."""
        return replace(self, part=self.part.replace(role="listing"))


#: Requests a page by its number, the first being 0, and by the number of items before it.
type Ask = Callable[[int, int], Page]


def numbered(ask: Ask, size: int | None = None, first: Page | None = None) -> Iterator[Page]:
    """Yield all pages: as long as `has_more` says; else until one is not full (`size`) and the total is reached.

    `first` is the first page, if it was requested already. Raises MismatchError when the total changes, when the pages
    do not add up to it, when the same page is returned twice, when an empty page says that more follow, or when after
    several pages the first one is different: then records were added or removed in between, and another page may
    have lost or repeated one.
    """
    first = first or ask(0, 0)
    yield first
    page, number, count, repeated = first, 0, len(first.items), 0
    while _more(page, count, size):
        number += 1
        before, page = page, ask(number, count)
        count += len(page.items)
        yield page
        if first.total is not None and count > first.total:
            raise MismatchError(f"{count} records came where {first.total} were announced")
        repeated = repeated + len(page.items) if page.items == before.items else 0
        if repeated >= SAME:
            raise MismatchError(
                "the same page was returned twice: the API ignores the page number, or the list changed"
            )
        if page.total != first.total:
            raise MismatchError(f"the total moved from {first.total} to {page.total} while it was read")
    if first.total is not None and count != first.total:
        raise MismatchError(f"{count} records came where {first.total} were announced")
    if number:
        again = ask(0, 0)
        yield again.listing()
        if (again.items, again.total, again.has_more) != (first.items, first.total, first.has_more):
            raise MismatchError("the first page reads differently after the last one")


def indexed(ask: Callable[[int], Page], size: int, refused: Callable[[MalformedError], bool]) -> Iterator[Page]:
    """Yield all pages of a list whose first page has the number 1 or 0; which one is detected.

    Page 0 is requested only where page 1 does not prove that it is the first. `refused` returns whether an error
    means that there is no page 0; any other error is raised, unless there is a total to check the pages against.
    """
    first, base = ask(1), 1
    if not _is_first(first, size):
        try:
            zero = ask(0)
        except ProviderError as error:
            if not isinstance(error, MalformedError) or (first.total is None and not refused(error)):
                yield first.listing()
                raise
            if error.part is not None:
                yield Page(error.part, []).listing()
        else:
            unused = zero
            if zero.items and zero.items != first.items:
                first, base, unused = zero, 0, first
            yield unused.listing()
    yield from numbered(lambda number, _before: ask(base + number), size, first=first)


def _is_first(page: Page, size: int) -> bool:
    """Return whether page 1 is surely the first: it is as long as the total says, and a second would be shorter."""
    return page.total is not None and len(page.items) == min(page.total, size) and page.total < 2 * size


def announced(pages: Iterator[Page]) -> Iterator[Part]:
    """Yield the parts of pages; the first one with data carries the total of all of them, the others 0."""
    is_first = True
    for page in pages:
        if page.part.role != "data":
            yield page.part
            continue
        total = page.total if is_first or page.total is None else 0
        is_first = False
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
    """How many records a part holds, and the document around them, read block by block to bound memory."""

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
        """Return the last record, these keys exactly as received; None if there is none that can be read."""
        if self._block is None:
            return None
        last = self._block.items[-1]
        if not isinstance(last, Bad) and any(has_float(last.get(key)) for key in keys):
            last = self._block.exactly().items[-1]
        return None if isinstance(last, Bad) else last


def _read(part: Part, layout: JsonLayout, each: Callable[[Block], None]) -> Any:  # noqa: ANN401 (JSON)
    blocks = document(only_member(part.path), layout.path or "")
    while True:
        try:
            each(next(blocks))
        except StopIteration as end:
            return end.value


def _more(page: Page, count: int, size: int | None) -> bool:
    """Return whether to go on: after a full page even when the total is reached, which may count that page only."""
    if page.has_more is not None:
        if page.has_more and not page.items:
            raise MismatchError("a page without records says that more follow")
        return page.has_more
    full = size is not None and len(page.items) >= size
    return bool(page.items) and (full or (page.total is not None and count < page.total))
