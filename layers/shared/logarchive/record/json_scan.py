"""The elements of a JSON array one by one, exactly, so that among good records only the bad one is lost."""

import re
import sys

from logarchive.record.block import Bad, Item
from logarchive.record.exact_json import DECODER, checked, raw, reason

_SPACE = re.compile(r"[ \t\r\n]*")
_GAP = re.compile(r"[ \t\r\n,]*")
_BOUNDARY = re.compile(r"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_ELEMENT_END = re.compile(r"[,\]]")
_STRING_OR_BRACE = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|[{}"]')
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|[{}\[\]"]')
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


class Scan:
    """What a scan has found: items, where it stopped, whether it met the array's `]`."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.items: list[Item] = []
        self.end = 0
        self.closed = False


def scan(text: str, start: int, *, last: bool, limit: int = sys.maxsize) -> Scan:
    """Read the elements of an array from a place between two of them; unless `last`, more text may follow.

    Stops after `limit` characters.
    """
    found = Scan()
    found.end = start
    while found.end - start < limit:
        at = _after(_GAP, text, found.end)
        if at == len(text):
            break
        if text[at] == "]":
            found.end, found.closed = at + 1, True
            break
        end, item = _element(text, at, last=last)
        if item is None:
            break
        found.items.append(item)
        found.end = end
    return found


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _next(text: str, at: int) -> str:
    at = _after(_SPACE, text, at)
    return text[at : at + 1]


def _element(text: str, at: int, *, last: bool) -> tuple[int, Item | None]:
    """Read one element; None when its end is not in sight."""
    try:
        value, end = DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        why = f"not JSON: {reason(error)}"
    else:
        following = _next(text, end)
        if following and following in ",]{":
            return end, checked(value, text[at:end])
        if not following:
            return (end, checked(value, text[at:end])) if isinstance(value, dict) else (at, None)
        why = "not JSON: text follows the record"
    broken_end = _broken_end(text, at, last=last)
    if broken_end is None:
        return at, None
    broken = text[at:broken_end]
    return broken_end, Bad("not UTF-8" if _NOT_UTF8.search(broken) else why, raw(broken))


def _broken_end(text: str, at: int, *, last: bool) -> int | None:
    """Find where a broken element ends: where its braces balance, else before the next record that can be read."""
    end = _balanced(text, at)
    if end is not None and _next(text, end) in {",", "]"}:
        return end
    if text[at] != "{":
        match = _ELEMENT_END.search(text, at)
        return match.start() if match else None
    for match in _BOUNDARY.finditer(text, at) if last else ():
        # Inside of the broken element's own arrays the next object is no record: the end may be missing.
        if _depth(text, at, match.start()) == 1 and _readable(text, match.end()):
            return match.start() + 1
    return None


def _readable(text: str, at: int) -> bool:
    try:
        _, end = DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return False
    return _next(text, end) in {",", "]"}


def _depth(text: str, start: int, end: int) -> int:
    """Count the brackets open at `end`; what follows a quote that is not closed is text."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text, start, end):
        if match[0] == '"':
            break
        depth += (match[0] in "{[") - (match[0] in "}]")
    return depth


def _balanced(text: str, at: int) -> int | None:
    depth = 0
    for match in _STRING_OR_BRACE.finditer(text, at):
        found = match[0]
        if found == '"':
            return None
        depth += (found == "{") - (found == "}")
        if depth == 0:
            return match.end() if found == "}" else None
    return None
