"""What is printed: JSON for programs, tables for people, as wide as the terminal allows. The only module with Rich."""

import csv
import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text

from console.core.report import Report, Table, is_number, shown
from console.core.result import QueryResult
from console.failure import ConsoleError, DeclinedError

#: Where there is no terminal, nothing is wrapped: whoever reads a file or a pipe can do so.
_UNBOUNDED = 10_000
#: In fewer columns a sentence is hard to read: it then stands below the other columns.
_LEAST_TO_FOLD = 30


def console(file: TextIO | None = None, *, errors: bool = False) -> Console:
    """Return a console for stdout, stderr or a file. Text is never taken for markup."""
    made = Console(file=file, stderr=errors, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = _UNBOUNDED
    return made


class Screen:
    """Where a command's outcome goes: to stdout; progress and questions go to stderr."""

    def __init__(self, *, as_json: bool, out: Console | None = None, err: Console | None = None) -> None:
        """Print JSON in place of tables with `as_json`."""
        self.as_json = as_json
        self.out, self.err = out or console(), err or console(errors=True)

    @property
    def attended(self) -> bool:
        """Whether there is a terminal, at which somebody sits."""
        return self.err.is_terminal and sys.stdin.isatty()

    @property
    def interactive(self) -> bool:
        """Whether somebody is there who can answer a question."""
        return self.attended and not self.as_json

    def ask(self, question: str, *, hidden: bool = False) -> str:
        """Return the answer to a question; `hidden`: it is not shown while it is typed."""
        try:
            return self.err.input(clean(f"{question}: "), password=hidden).strip()
        except EOFError:
            raise ConsoleError("no answer was given: nothing was changed") from None

    def agree(self, question: str, *, already: bool) -> None:
        """Go on only if somebody agrees, or has agreed `already` (--yes). Raises DeclinedError, or ConsoleError."""
        if already:
            return
        if not self.interactive:
            raise ConsoleError(f"{question} Say --yes, since nobody can be asked here: nothing was changed")
        if self.ask(f"{question} [y/N]").lower() not in {"y", "yes"}:
            raise DeclinedError("nothing was changed")

    def show(self, report: Report) -> None:
        """Print a report."""
        if self.as_json:
            self.out.file.write(json.dumps(report.data, indent=2, ensure_ascii=False, default=str) + "\n")
            return
        for table in report.tables:
            self.out.print(laid_out(table, self.out))
            self.out.print()
        for line in report.lines:
            self.out.print(clean(line), overflow="fold")

    def csv(self, result: QueryResult) -> None:
        """Print the rows of a query as CSV, with a header."""
        writer = csv.writer(self.out.file, lineterminator="\n")
        writer.writerow(result.names)
        writer.writerows(result.for_csv())

    def tell(self, text: str, *tables: Table) -> None:
        """Print tables and a line for people beside the outcome; nothing with JSON."""
        if self.as_json:
            return
        for table in tables:
            self.err.print(laid_out(table, self.err))
            self.err.print()
        self.err.print(clean(text), overflow="fold")

    @contextmanager
    def progress(self, what: str) -> Generator["Bar"]:
        """Show how far something is, while there is a terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.err, disable=not self.interactive, transient=True) as progress:
            yield Bar(progress, what)


class Bar:
    """A line that moves."""

    def __init__(self, progress: Progress, what: str) -> None:
        """Begin with nothing done."""
        self._progress = progress
        self._task = progress.add_task(what, total=None)

    def move(self, done: int, total: int | None) -> None:
        """Show how much is done."""
        self._progress.update(self._task, completed=done, total=total)


def laid_out(table: Table, out: Console) -> RenderableType:
    """Return a table that fits; where the terminal is too narrow for it, a block of lines for each row."""
    firm = Table(table.columns[:-1], [row[:-1] for row in table.rows]) if table.folds else table
    measured = Measurement.get(out, out.options.update(max_width=_UNBOUNDED), _grid(firm))
    fits = out.width >= measured.maximum + (_LEAST_TO_FOLD if table.folds else 0)
    if not fits:
        return _blocks(table, out.width)
    return _grid(table) if out.is_terminal else _unpadded(_grid(table), out)


def _unpadded(grid: Grid, out: Console) -> Text:
    """Return a table as text without spaces at the ends of its lines: no terminal cuts them there."""
    lines = ("".join(segment.text for segment in line) for line in out.render_lines(grid, pad=False))
    return Text("\n".join(line.rstrip() for line in lines))


def _grid(table: Table) -> Grid:
    grid = Grid(title=table.title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at, name in enumerate(table.columns):
        values = [row[at] for row in table.rows if row[at] is not None]
        numbers = bool(values) and all(is_number(value) for value in values)
        folds = table.folds and at == len(table.columns) - 1
        grid.add_column(
            name, justify="right" if numbers else "left", no_wrap=not folds, overflow="fold" if folds else "ellipsis"
        )
    for row in table.rows:
        grid.add_row(*(clean(shown(value)) for value in row))
    return grid


def _blocks(table: Table, width: int) -> RenderableType:
    blocks = ("\n".join([*_block(table.columns, row, width), ""]) for row in table.rows)
    return clean("\n".join([*([table.title] if table.title else []), *blocks]))


def _block(columns: Sequence[str], row: Sequence[object], width: int) -> list[str]:
    """Return a row as lines: what it is about, then its values, as many in a line as fit; none that is empty."""
    given = zip(columns, row, strict=True)
    first, *pairs = (f"{name} {shown(value)}" for name, value in given if value is not None and value != "")
    lines = [first]
    for pair in pairs:
        if len(lines) > 1 and len(lines[-1]) + 2 + len(pair) <= width:
            lines[-1] += f"  {pair}"
        else:
            lines.append(f"  {pair}")
    return lines


def clean(text: str) -> Text:
    """Return a text without what could move the cursor or change colours: it may be a vendor's."""
    return Text("".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text))
