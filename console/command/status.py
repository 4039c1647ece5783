"""`logarchive status`: where each source stands, as its function says."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from console.account.stack import Result
from console.command.argument import one_source
from console.core.report import LOOK, OK, PROGRAM, Report, Table, length, moment
from console.core.survey import errors_of, no_source, sources_of
from console.core.window import NOTED
from console.session import session_of

#: With fewer hours left, records are about to be lost.
_URGENT_HOURS = 24

COLUMNS = ("source", "state", "settled until", "lag", "open", "due", "rows", "issues", "first loss in")


def status(context: typer.Context, source: Annotated[str | None, one_source()] = None) -> None:
    """Show where each source stands: until when it is settled, what is open, what is wrong."""
    session = session_of(context)
    session.end(report(session.stack.survey("status", source), session.program))


def report(results: Mapping[str, Result], program: str = PROGRAM) -> Report:
    """Return what is shown of the status of all providers. Pure."""
    sources = sources_of(results)
    errors = errors_of(results)
    lines = [f"{one['source']}: {one['error']}" for one in errors]
    if not sources:
        lines.append(no_source(program))
    elif any(set(one["issues"]) - NOTED for one in sources):
        lines.append(f"What is missing, and until when it can be fetched: {program} gaps")
    wrong = errors or any(_is_wrong(one) for one in sources)
    tables = [Table(COLUMNS, [_row(one) for one in sources])] if sources else []
    return Report({"sources": sources, "errors": errors}, tables, lines, LOOK if wrong else OK)


def _is_wrong(source: Mapping[str, Any]) -> bool:
    hours = source["hours_to_loss"]
    return bool(set(source["issues"]) - NOTED) or (hours is not None and hours < _URGENT_HOURS)


def _row(source: Mapping[str, Any]) -> list[object]:
    hours, lag = source["hours_to_loss"], source["lag_seconds"]
    return [
        source["source"],
        source["state"],
        moment(source["settled_until"]),
        length(lag) if lag else None,
        source["open"],
        source["due"],
        source["rows"],
        _issues(source["issues"].items()),
        None if hours is None else length(hours * 3600),
    ]


def _issues(issues: Iterable[tuple[str, int]]) -> str | None:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(issues)) or None
