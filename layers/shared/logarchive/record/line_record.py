"""Space-separated lines with quoted fields, read one by one. A line is a record only if each field has its form."""

import re
from collections.abc import Iterator, Mapping, Sequence

from logarchive.errors import MalformedError
from logarchive.record.block import BOM, Bad, Block, Buffer, Chunks, Item
from logarchive.record.layout import ANY, LineLayout

_QUOTED = r'"(?:[^"\\]|""|\\.)*+"'
_FIELD = rf'({_QUOTED}|[^ "][^ ]*+|)'
#: Where these are taken for one text, the fields behind it are not what they seem.
_SEVERAL = re.compile(rf'{_QUOTED}(?: (?:{_QUOTED}|[^ "]*+))++', re.DOTALL)
#: HTML, JSON, bzip2, or bytes that are no text.
_NO_LOG = re.compile(rb"\s*[<{\[]|BZh|.{0,5}[^\t\r -~]", re.DOTALL)
_QUOTE = re.compile(r'""|\\"')


def blocks(chunks: Chunks) -> Iterator[list[bytes]]:
    """Yield blocks of the lines that are not empty, without their ends.

    Raises MalformedError for HTML or a binary file, TooLargeError for a line that is longer than any record.
    """
    buffer = Buffer(chunks)
    buffer.fill(len(BOM) + 1)
    if buffer.data.startswith(BOM):
        buffer.drop(len(BOM))
    if buffer.data.lstrip()[:1] in {b"<", b"\0"}:
        raise MalformedError("the file is no log: it begins like HTML or a binary file")
    yield from map(_lines, buffer.whole_lines())


def is_log(line: bytes) -> bool:
    """Tell whether a file that begins with this line, no record, may be a log all the same."""
    return not _NO_LOG.match(line)


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if b"\r" in data:
        lines = [line.rstrip(b"\r") for line in lines]
    return list(filter(None, lines))


class LineReader:
    """Reads lines of one layout."""

    def __init__(self, layout: LineLayout) -> None:
        self._layout = layout
        self._head = re.compile(f"{_FIELD} " * len(layout.head), re.DOTALL)
        self._forms = {name: re.compile(form, re.DOTALL) for name, form in layout.head.items()}
        tails = sorted(layout.tails, key=len, reverse=True)
        self._plain = [(tuple(tail), re.compile(_plain(tail), re.DOTALL)) for tail in tails]
        self._free = [(tuple(tail), re.compile(_free(tail, layout.unquoted), re.DOTALL)) for tail in tails]

    def block(self, lines: Sequence[bytes]) -> Block:
        """Read lines, but blank ones, as records of text; a value that means absent is left out."""
        lines = [line for line in lines if not line.isspace()]
        return Block([self._item(line) for line in lines], None, lines, verbatim=True)

    def _item(self, line: bytes) -> Item:
        values = self.fields(line)
        if isinstance(values, str):
            return Bad(values, line)
        return {name: value for name, value in values.items() if value not in self._layout.absent}

    def fields(self, line: bytes) -> Mapping[str, str] | str:
        r"""Return the fields of a line by name, or why it is no record. Bytes that are no UTF-8 show as `\xff`."""
        if b"\r" in line:
            return "a carriage return within the line"  # it may end lines here, which would become one
        text = line.decode("utf-8", "backslashreplace")
        head = self._head.match(text)
        if not head:
            return f"fewer than {len(self._forms) + 1} fields, or a quote is not closed"
        values = dict(zip(self._forms, map(unquoted, head.groups()), strict=True))
        for name, form in self._forms.items():
            if not form.fullmatch(values[name]):
                return f"`{name}` does not have its form"
        for names, pattern in (*self._plain, *self._free):
            rest = pattern.fullmatch(text, head.end())
            if rest and (pattern is self._free[0][1] or not _SEVERAL.fullmatch(rest[1])):
                return values | dict(zip((self._layout.text, *names), map(unquoted, rest.groups()), strict=True))
        return f"no known fields follow `{self._layout.text}`"


def _plain(forms: Mapping[str, str]) -> str:
    """Match a text that is one field, and a tail."""
    return _FIELD + "".join(" " + (_FIELD if form == ANY else _either(form, form)) for form in forms.values())


def _free(forms: Mapping[str, str], unquoted_forms: Mapping[str, str]) -> str:
    """Match any text, and a tail without a field of no characters."""
    fields = (
        _either('[^"]*', unquoted_forms.get(name, form)) if form == ANY else _either(form, form)
        for name, form in forms.items()
    )
    return "(.*)" + "".join(f" (?=[^ ]){field}" for field in fields)


def _either(quoted: str, bare: str) -> str:
    return f'("(?:{quoted})"|{bare})'


def unquoted(field: str) -> str:
    r"""Return a field without quotes around it; in quotes, `""` and `\"` are a quote."""
    if len(field) > 1 and field[0] == field[-1] == '"':
        return _QUOTE.sub('"', field[1:-1])
    return field
