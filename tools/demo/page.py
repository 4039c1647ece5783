"""The demo's output: sections, tables and one line that moves, never wider than WIDTH."""

import sys
import textwrap
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

WIDTH = 100
INDENT = "   "
#: Where nothing can be redrawn, a moving line is printed so often.
PLAIN_SECONDS = 10.0


@dataclass
class Page:
    """Prints the output. On a terminal a moving line is redrawn in place; elsewhere it is printed now and then."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    started: float = field(default_factory=time.monotonic)
    _sections: int = 0
    _moving: bool = False
    _printed: float = float("-inf")

    def title(self, text: str, *paragraphs: str) -> None:
        """Begin the page."""
        self._print(text)
        self._print("=" * len(text))
        for paragraph in paragraphs:
            self._print(*textwrap.wrap(paragraph, WIDTH))

    def section(self, text: str) -> None:
        """Begin a numbered section."""
        self._sections += 1
        self._print("", f"{self._sections}  {text}")

    def say(self, *paragraphs: str) -> None:
        """Print paragraphs, wrapped."""
        for paragraph in paragraphs:
            self._print(*textwrap.wrap(paragraph, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))

    def line(self, text: str = "") -> None:
        """Print a line as it is, cut at the page's width."""
        self._print(cut(f"{INDENT}{text}".rstrip()))

    def whole(self, text: str) -> None:
        """Print a line to be copied: unchanged, however long."""
        self._print(f"{INDENT}{text}")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows below their head, columns aligned: numbers to the right, everything else to the left."""
        for text in table(head, rows):
            self.line(text)

    def move(self, text: str) -> None:
        """Show the moving line."""
        if self.out.isatty():
            self.out.write(f"\r{cut(INDENT + text)}\x1b[K")
            self.out.flush()
            self._moving = True
        elif time.monotonic() - self._printed >= PLAIN_SECONDS:
            self._print(cut(INDENT + text))
            self._printed = time.monotonic()

    def rest(self, text: str) -> None:
        """Leave the moving line as it is, with its last text."""
        self._printed = float("-inf")
        self.move(text)
        if self._moving:
            self.out.write("\n")
        self._moving, self._printed = False, float("-inf")

    @contextmanager
    def step(self, name: str, outcome: str = "") -> Generator[None]:
        """Show that a step is under way and, when it is done, what it provides and the seconds it took."""
        begun = time.monotonic()
        if self.out.isatty():
            self.move(f"{name:<14} ...")
        yield
        self.line(f"{name:<14} {outcome:<{WIDTH - 29}} {time.monotonic() - begun:7.1f} s")

    def fail(self, text: str) -> None:
        """Print what went wrong to stderr."""
        self._print(*[""] * bool(self._sections))
        print(f"make demo: {text}", file=sys.stderr, flush=True)

    def seconds(self) -> float:
        """Return how long the demo has run."""
        return time.monotonic() - self.started

    def _print(self, *lines: str) -> None:
        if self._moving:
            self.out.write("\r\x1b[K")
            self._moving = False
        self.out.writelines(f"{line}\n" for line in lines)
        self.out.flush()


def cut(text: str, width: int = WIDTH) -> str:
    """Return a text no wider than the page."""
    return text if len(text) <= width else text[: width - 3] + "..."


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return the lines of a table."""
    cells = [[shown(value) for value in row] for row in rows]
    widths = [max(len(row[at]) for row in (head, *cells)) for at in range(len(head))]
    right = [all(isinstance(row[at], int | float) or row[at] is None for row in rows) for at in range(len(head))]
    rule = ["-" * width for width in widths]
    return ["  ".join(_aligned(row, widths, right)).rstrip() for row in (head, rule, *cells)]


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [
        text.rjust(width) if is_right else text.ljust(width)
        for text, width, is_right in zip(row, widths, right, strict=True)
    ]


def shown(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def size(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004 (the prefix of the unit)
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def many(count: int, noun: str) -> str:
    """Return a number with its noun: `1 window`, `1,204 windows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
