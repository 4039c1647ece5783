"""`logarchive coverage` and `logarchive report`: the state of each hour, the page that shows it, a month's report."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any, Literal

import typer

from console.account.bucket import read
from console.account.proof import NOTARY
from console.account.stack import Result
from console.command.argument import one_source, switch
from console.command.gaps import never_planned, never_planned_lines
from console.core.report import LOOK, OK, PROGRAM, Report
from console.core.survey import no_source, sources_of
from console.session import Session, session_of

#: The state of an hour -> its character, and what it means. What somebody should look at is listed last.
STATES = {
    "none": (" ", "no window: before the source begins, or still to come"),
    "verified": ("#", "sealed, and verified by the provider's total"),
    "sealed": ("=", "sealed; the provider gives no total"),
    "archived": ("+", "archived, and visited again later"),
    "waiting": (".", "waits for its first visit"),
    "shrunk": ("~", "sealed, but the provider returns less now"),
    "troubled": ("!", "open with an issue, or due and not visited"),
    "closed": ("X", "closed: not complete, and no visit can help"),
    "missing": ("?", "no window, though there should be one"),
}
_WRONG = {"troubled", "closed", "missing"}
#: Above the hours of a day.
_RULER = f"{'':10}  0     6     12    18"


def coverage(
    context: typer.Context,
    source: Annotated[str | None, one_source()] = None,
    days: Annotated[int, typer.Option(help="How many days, today included.", min=1, max=100)] = 14,
    show: Annotated[bool, switch("--open", help="Have the page made, and open it in a browser.")] = False,
    out: Annotated[Path | None, typer.Option(help="Have the page made, and save it in this file.")] = None,
) -> None:
    """Show the state of each hour of the last days; or the coverage page, with all hours of the last 400 days."""
    session = session_of(context)
    if show or out:
        made = session.stack.act(NOTARY, "coverage")
        session.end(page_report(made, _place(session, made["key"]), _saved(session, made["key"], out, show=show)))
    session.end(hours(session.stack.survey("gaps", source, days=days), session.program))


def report(
    context: typer.Context,
    month: Annotated[str, typer.Argument(metavar="MONTH", help="For instance 2026-11.")],
    lang: Annotated[Literal["en", "ko"], typer.Option(help="English or Korean.")] = "en",
    out: Annotated[Path | None, typer.Option(help="Save it in this file.")] = None,
    show: Annotated[bool, switch("--open", help="Open it in a browser.")] = False,
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="OFFSET", help="Of the month, for instance +09:00; without it +09:00 for ko, else UTC."),
    ] = None,
) -> None:
    """Have the monthly report for an auditor made, in English or Korean; say where it is, or save it."""
    session = session_of(context)
    made = session.stack.act(NOTARY, "report", month=month, language=lang, time_zone=time_zone)
    saved = _saved(session, made["key"], out, show=show) if show or out else None
    session.end(page_report(made, _place(session, made["key"]), saved))


def _place(session: Session, key: str) -> str:
    return f"s3://{session.stack.outputs['BucketName']}/{key}"


def _saved(session: Session, key: str, out: Path | None, *, show: bool) -> Path:
    """Copy a page from the bucket to a file, which stays, and open it if that is wanted."""
    body = read(session.stack, key)
    path = out or Path(mkdtemp(prefix="logarchive-")) / key.rpartition("/")[2]
    path.write_bytes(body)
    if show and not session.browse(path.resolve().as_uri()):
        session.screen.tell("No browser could be opened here: open the file yourself.")
    return path


def page_report(made: Result, place: str, saved: Path | None) -> Report:
    """Return where a page is, and what is not in it. Pure."""
    lines = [f"written  {place}", *([f"saved    {saved}"] if saved else [])]
    lines += [f"It is provisional, because {reason}." for reason in made.get("provisional_because", [])]
    errors: list[Mapping[str, str]] = made["errors"]
    lines += [f"{one['source']} is missing in it: {one['error']}" for one in errors]
    invalid: list[Mapping[str, str]] = made.get("invalid", [])
    lines += [f"{one['source']} cannot be used: {one['error']}" for one in invalid]
    data = {**{name: made[name] for name in made if name != "ok"}, "object": place, "file": saved and str(saved)}
    return Report(data, lines=lines, code=LOOK if errors or invalid else OK)


def hours(results: Mapping[str, Result], program: str = PROGRAM) -> Report:
    """Return the hours of all sources, a line for each day. Pure."""
    shown = ("source", "state", "planned", "hours")
    sources = [{name: one[name] for name in shown} for one in sources_of(results)]
    seen = {state for one in sources for day in one["hours"].values() for state in day}
    lines = [line for one in sources for line in _map(one)] or [no_source(program)]
    lines += [f"{mark}  {meaning}" for state, (mark, meaning) in STATES.items() if state in seen - {"none"}]
    wrong, never = seen & _WRONG, never_planned(sources)
    lines += never_planned_lines(never, program)
    lines += [f"What is missing, and until when: {program} gaps"] if wrong else []
    return Report({"sources": sources}, lines=lines, code=LOOK if wrong or never else OK)


def _map(source: Mapping[str, Any]) -> Iterator[str]:
    yield f"{source['source']} ({source['state']}), hours in UTC"
    yield _RULER
    for day, states in reversed(source["hours"].items()):
        yield f"{day}  {''.join(STATES[state][0] for state in states)}"
    yield ""
