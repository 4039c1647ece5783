"""What a command has to say: data for programs, tables and lines for people, and an exit code. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: Exit codes: everything is fine; there is something to look at; the command cannot do it.
OK, LOOK, CANNOT = 0, 1, 2
#: How a command to type begins. A session adds the shared options that its own command line had.
PROGRAM = "logarchive"


@dataclass(frozen=True)
class Table:
    """Rows below their heads. The first column says what a row is about."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""
    #: Whether the last column holds sentences, which may go on in further lines.
    folds: bool = False


@dataclass(frozen=True)
class Report:
    """The outcome of a command: `data` is all that `--json` prints; `tables`, then `lines`, are for people."""

    data: Any
    tables: Sequence[Table] = ()
    lines: Sequence[str] = ()
    code: int = OK


def shown(value: object) -> str:
    """Return a value as a table shows it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case _:
            return str(value)


def is_number(value: object) -> bool:
    """Return whether a value stands right-aligned."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def moment(text: str | None) -> str | None:
    """Return a moment in whole seconds as tables show it: `2026-11-22 13:00` (UTC)."""
    return text and text.removesuffix("Z").removesuffix(":00").replace("T", " ")


def length(seconds: float) -> str:
    """Return a length of time by its largest unit: `7 min`, `3 h`, `12 d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= 2 * size or (unit == "min" and abs(seconds) >= size):
            return f"{int(seconds / size):,} {unit}"
    return f"{int(seconds)} s"


def many(count: int, noun: str) -> str:
    """Return a number with its noun: `1 window`, `1,204 windows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def instant(text: str) -> dt.datetime:
    """Read a moment of a result or of the ledger."""
    return dt.datetime.fromisoformat(text)
