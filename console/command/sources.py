"""`logarchive sources`: the list of them, and what changes one: pause, resume, remove; see `add` for the others."""

from collections.abc import Mapping
from typing import Annotated

import typer

from console.account import source as configured
from console.command.add import add, check
from console.command.argument import YES, one_source
from console.core.report import LOOK, OK, PROGRAM, Report, Table, moment
from console.core.survey import no_source
from console.session import Session, session_of

COLUMNS = ("source", "enabled", "start", "window", "retention", "secret")

app = typer.Typer(no_args_is_help=False, invoke_without_command=True)
app.command("add")(add)
app.command("check")(check)


@app.callback()
def sources(context: typer.Context) -> None:
    """List the sources, check or add one, pause, resume or remove it."""
    if context.invoked_subcommand is None:
        _list(session_of(context))


@app.command("list")
def every(context: typer.Context) -> None:
    """List the sources as they are configured."""
    _list(session_of(context))


@app.command()
def pause(context: typer.Context, source: Annotated[str, one_source()]) -> None:
    """Pause a source: nothing is planned or visited, and its windows stay as they are."""
    _enable(session_of(context), source, enabled=False)


@app.command()
def resume(context: typer.Context, source: Annotated[str, one_source()]) -> None:
    """Let a source go on where it was paused."""
    _enable(session_of(context), source, enabled=True)


@app.command()
def remove(context: typer.Context, source: Annotated[str, one_source()], yes: YES = False) -> None:
    """Remove a source's configuration. What was archived stays, and so does its secret."""
    session = session_of(context)
    name = session.stack.source(source)
    if not configured.exists(session.stack, name):
        raise session.stack.no_source(name)
    session.screen.agree(f"Remove {name}? Nothing more is archived of it, what was archived stays.", already=yes)
    configured.delete(session.stack, name)
    session.end(Report({"source": str(name), "removed": True}, lines=[f"{name} is removed. What was archived stays."]))


def _list(session: Session) -> None:
    session.end(report(session.stack.sources(), session.program))


def _enable(session: Session, source: str, *, enabled: bool) -> None:
    name = session.stack.source(source)
    document = configured.document(session.stack, name) or {}
    if document and document.get("enabled", True) is enabled:
        said = "is not paused: nothing was changed" if enabled else "is paused already: nothing was changed"
    else:
        document = configured.change(session.stack, name, enabled=enabled)
        said = "goes on at its function's next tick" if enabled else "is paused from its function's next tick on"
    session.end(Report({"source": str(name), "document": document}, lines=[f"{name} {said}."]))


def report(texts: Mapping[str, str], program: str = PROGRAM) -> Report:
    """Return the list of sources. Pure."""
    documents = {name: configured.parsed(text) for name, text in sorted(texts.items())}
    rows = [[name, *_row(document)] for name, document in documents.items()]
    lines = [f"{name}: is no JSON object" for name, document in documents.items() if document is None]
    if not documents:
        lines = [no_source(program)]
    data = {"sources": [{"source": name, "document": document} for name, document in documents.items()]}
    return Report(data, [Table(COLUMNS, rows)] if rows else [], lines, LOOK if None in documents.values() else OK)


def _row(document: configured.Document | None) -> list[object]:
    if document is None:
        return [None] * (len(COLUMNS) - 1)
    start = document.get("start")
    return [
        document.get("enabled", True) is not False,
        moment(str(start)) if start else None,
        document.get("window", "PT1H"),
        document.get("retention"),
        document.get("secret"),
    ]
