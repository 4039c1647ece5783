"""`logarchive doctor`: what each function finds when it looks at its sources, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

from console.account.stack import Result
from console.command.argument import one_source
from console.core.report import LOOK, OK, PROGRAM, Report, Table, many
from console.core.survey import errors_of, no_source, sources_of
from console.failure import ConsoleError
from console.session import session_of

COLUMNS = ("check", "is", "what was seen, and what to do")
_WRONG = {"warn", "fail"}


def doctor(
    context: typer.Context,
    source: Annotated[str | None, one_source()] = None,
    provider: Annotated[str | None, typer.Option(help="Only the sources of this provider.")] = None,
) -> None:
    """Check sources, from the secret to the times in one small response each; nothing is written."""
    session = session_of(context)
    stack = session.stack
    if source and provider:
        raise ConsoleError("either a source or --provider, not both")
    if provider and provider not in stack.providers:
        raise ConsoleError(f"--provider {provider}: the stack's providers are {', '.join(stack.providers)}")
    session.end(report(stack.survey("doctor", source, [provider] if provider else None), session.program))


def report(results: Mapping[str, Result], program: str = PROGRAM) -> Report:
    """Return what is shown of the checks of all sources. Pure."""
    sources = sources_of(results)
    errors = errors_of(results)
    lines = [f"{one['source']}: {one['error']}" for one in errors]
    if not sources:
        lines.append(no_source(program))
    tables = [table(one["source"], one) for one in sources]
    wrong = errors or any(one["verdict"] in _WRONG for one in sources)
    return Report({"sources": sources, "errors": errors}, tables, lines, LOOK if wrong else OK)


def table(name: str, examined: Mapping[str, Any]) -> Table:
    """Return the checks of one source; of those that were not made for the same reason, the reason once. Pure."""
    rows = [_row(check) for check in _together(examined["checks"])]
    return Table(COLUMNS, rows, f"{name}: {examined['verdict']}", folds=True)


def _together(checks: Sequence[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    for (verdict, said, do), group in groupby(checks, lambda check: (check["verdict"], check["said"], check["do"])):
        names = [check["check"] for check in group]
        if verdict == "skipped" and len(names) > 1:
            all_of_them = {"check": many(len(names), "check"), "said": f"{said}; not made: {', '.join(names)}"}
            yield {**all_of_them, "verdict": verdict, "do": do}
        else:
            yield from ({"check": name, "verdict": verdict, "said": said, "do": do} for name in names)


def in_short(name: str, examined: Mapping[str, Any]) -> tuple[list[Table], str]:
    """Return one sentence if nothing is wrong; else all checks, since what to do may name one that is good. Pure."""
    if examined["verdict"] in _WRONG:
        return [table(name, examined)], ""
    checks: Sequence[Mapping[str, str]] = examined["checks"]
    skipped = [check["check"] for check in checks if check["verdict"] == "skipped"]
    left_out = f"; skipped: {', '.join(skipped)}" if skipped else ""
    return [], f"Nothing is wrong with {name}: {many(len(checks) - len(skipped), 'check')} passed{left_out}."


def _row(check: Mapping[str, str]) -> list[object]:
    text = f"{check['said']}\nDo: {check['do']}" if check["do"] else check["said"]
    return [check["check"], check["verdict"], text]
