"""`logarchive backfill`: what fetching a range would take, then the fetching, until nothing of the range waits."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from console.account.stack import Result
from console.command.argument import END, START, WORKERS, YES, one_source, switch
from console.core.report import LOOK, OK, Report, Table, many
from console.core.window import NOTED, Span, Window
from console.session import session_of
from console.watch import calls, until_done

_SUMMED = ("windows", "requests", "minutes", "usd")


def backfill(  # noqa: PLR0913, PLR0917 (what the command line may say)
    context: typer.Context,
    source: Annotated[str, one_source()],
    start: START,
    end: END,
    reopen: Annotated[bool, switch("--reopen", help="Also visit sealed and closed windows again.")] = False,
    workers: WORKERS = None,
    dry_run: Annotated[bool, switch("--dry-run", help="Only say what it would take.")] = False,
    yes: YES = False,
) -> None:
    """Fetch a range of a source again: first what it takes, then the progress until it is done."""
    session = session_of(context)
    name, span = session.stack.source(source), Span.between(start, end)
    choice = {"reopen": reopen, "workers": workers}
    estimate = estimated(list(calls(session, "backfill", name, span, dry_run=True, **choice)))
    if dry_run or not estimate["windows"]:
        session.end(estimate_report(estimate))
    session.screen.tell(_in_words(estimate))
    session.screen.agree("Fetch them?", already=yes)
    for _ in calls(session, "backfill", name, span, **choice):
        pass
    session.end(report(until_done(session, name, span, Window.waits), estimate))


def estimated(results: Sequence[Result]) -> dict[str, Any]:
    """Return the sum of what several calls have estimated. Pure."""
    whole = {name: sum(result["estimate"][name] for result in results) for name in _SUMMED}
    counts = {name: sum(result[name] for result in results) for name in ("new", "again")}
    return {**whole, **counts, "usd": round(whole["usd"], 4), "minutes": round(whole["minutes"], 1)}


def _in_words(estimate: dict[str, Any]) -> str:
    return (
        f"{many(estimate['windows'], 'window')} ({estimate['new']:,} new, {estimate['again']:,} again): about "
        f"{many(estimate['requests'], 'request')}, {estimate['minutes']:,} minutes of one worker, "
        f"${estimate['usd']:,}"
    )


def estimate_report(estimate: dict[str, Any]) -> Report:
    """Return what a backfill would take. Pure."""
    nothing = "Nothing to fetch: sealed and closed windows are visited again only with --reopen."
    return Report({"estimate": estimate}, lines=[_in_words(estimate) if estimate["windows"] else nothing])


def report(windows: Sequence[Window], estimate: dict[str, Any] | None = None) -> Report:
    """Return what became of the windows of a range. Pure."""
    counts = Counter((window.state, window.issue) for window in windows)
    rows = [[state, issue, count] for (state, issue), count in sorted(counts.items(), key=str)]
    errors = dict.fromkeys(f"{window.issue}: {window.error}" for window in windows if window.is_wrong and window.error)
    data = {"estimate": estimate, "windows": [window.data() for window in windows]}
    total = f"{many(len(windows), 'window')}, {many(sum(window.rows for window in windows), 'row')}"
    shrunk = sum(window.issue in NOTED for window in windows)
    kept = f"{many(shrunk, 'window')}: the provider returns less now than before; the rows of the earlier visit stay"
    lines = [*errors, *([kept] if shrunk else []), total]
    wrong = any(window.is_wrong for window in windows)
    return Report(data, [Table(("state", "issue", "windows"), rows)], lines, LOOK if wrong else OK)
