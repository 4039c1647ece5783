"""The pages of this repository as tests read them: headings, and blocks of code."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = r"^(?P<level>#+) (?P<title>[^\n]*)$"
_BLOCK = r"^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^(?P=indent)```$"
_HEADING_OR_BLOCK = re.compile(f"{_HEADING}|{_BLOCK}", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Heading:
    """A heading and how deep it is."""

    level: int
    title: str


@dataclass(frozen=True)
class Block:
    """A block of code, without the indentation that it has in a list."""

    language: str
    code: str


def read(text: str) -> Iterator[Heading | Block]:
    """Yield the headings and blocks of a page in their order."""
    for match in _HEADING_OR_BLOCK.finditer(text):
        if match["level"]:
            yield Heading(len(match["level"]), match["title"])
        else:
            yield Block(match["language"], textwrap.dedent(match["code"]))


def blocks(text: str, language: str) -> list[str]:
    """Return the code of a page's blocks in one language."""
    return [part.code for part in read(text) if isinstance(part, Block) and part.language == language]
