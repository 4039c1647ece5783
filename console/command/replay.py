"""`logarchive replay`: rows are rebuilt from `raw/`, without the provider; or what that would change."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from console.account.stack import Result
from console.command.argument import END, START, WORKERS, YES, one_source, switch
from console.core.report import LOOK, OK, Report, Table, many
from console.core.window import Span, Window
from console.session import session_of
from console.watch import calls, until_done

_COUNTED = ("windows", "added", "removed", "changed")


def replay(  # noqa: PLR0913, PLR0917 (what the command line may say)
    context: typer.Context,
    source: Annotated[str, one_source()],
    start: START,
    end: END,
    outdated: Annotated[bool, switch("--outdated", help="Only what an older mapping has built.")] = False,
    workers: WORKERS = None,
    dry_run: Annotated[bool, switch("--dry-run", help="Only say which rows would change.")] = False,
    yes: YES = False,
) -> None:
    """Rebuild the rows of a range from what is stored, without a request to the provider."""
    session = session_of(context)
    name, span = session.stack.source(source), Span.between(start, end)
    choice = {"outdated": outdated, "workers": workers}
    if dry_run:
        session.end(difference(list(calls(session, "replay", name, span, dry_run=True, **choice))))
    session.screen.agree(f"Rebuild the rows of {name}? --dry-run says what would change.", already=yes)
    for _ in calls(session, "replay", name, span, **choice):
        pass
    session.end(report(until_done(session, name, span, lambda window, _now: window.replaying)))


def difference(results: Sequence[Result]) -> Report:
    """Return what a replay would change, as several calls say. Pure."""
    parts: list[dict[str, Any]] = [result["difference"] for result in results]
    columns = Counter[str]()
    for part in parts:
        columns.update(part["columns"])
    whole = {name: sum(part[name] for part in parts) for name in _COUNTED}
    windows = [window for result in results for window in result["windows"]]
    failed = [f"{one['start']}: {one['error']}" for one in windows if "added" not in one]
    data = {
        **whole,
        "columns": dict(columns),
        "differing": windows,
        "examples": [one for part in parts for one in part["examples"]],
    }
    said = f"{many(whole['windows'], 'window')} compared: {many(whole['added'], 'row')} would be added, "
    said += f"{whole['removed']:,} removed, {whole['changed']:,} changed"
    tables = [Table(("column", "rows"), sorted(columns.items()))] if columns else []
    return Report(data, tables, [*failed, said], LOOK if windows else OK)


def report(windows: Sequence[Window]) -> Report:
    """Return what became of the windows of a range. Pure."""
    failed = [one for one in windows if one.replay_error]
    lines = [f"{one.span.event()['start']} was left as it was: {one.replay_error}" for one in failed]
    rows = sum(one.rows for one in windows)
    data = {"windows": [{**one.data(), "replay_error": one.replay_error} for one in windows]}
    return Report(
        data, lines=[*lines, f"{many(len(windows), 'window')}, {many(rows, 'row')}"], code=LOOK if failed else OK
    )
