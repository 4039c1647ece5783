"""`logarchive gaps`: what is missing, and until when it can be fetched."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import typer

from console.account import ledger
from console.account import source as configured
from console.account.stack import SourceName, Stack
from console.command.argument import one_source
from console.core.gap import CLOSED, PAUSED, REMOVED, STANDING, STOPPED, Expected, Gap, by_loss
from console.core.gap import gaps as gaps_of
from console.core.report import LOOK, OK, Report, Table, length, moment
from console.core.window import instant
from console.session import session_of

#: What to do where nothing is planned.
_STANDING = {
    STOPPED: "Nothing is planned of {0}; why: logarchive status {0}",
    PAUSED: "To let {0} go on: logarchive sources resume {0}",
    REMOVED: "{0} is removed, and nothing more is archived of it. To go on: logarchive sources add {0}",
}
COLUMNS = ("source", "from", "to", "windows", "what", "issue", "lost in")


def gaps(context: typer.Context, source: Annotated[str | None, one_source()] = None) -> None:
    """List the time that is not archived, or not wholly, soonest loss first."""
    session = session_of(context)
    stack, now = session.stack, session.clock()
    sources = [stack.source_name(source)] if source else ledger.sources(stack)
    documents = configured.texts(stack)
    found = [gap for one in sources for gap in of_source(stack, one, documents.get(str(one)), now)]
    session.end(report(by_loss(found), now))


def of_source(stack: Stack, source: SourceName, document: str | None, now: dt.datetime) -> list[Gap]:
    """Return the gaps of one source, whose parameter has that text; None if it has no parameter."""
    # In this order: what a tick plans in between is then covered by windows that are not expected yet.
    planned = ledger.planned(stack, source)
    windows = ledger.windows(stack, source)
    parsed = None if document is None else configured.parsed(document)
    return gaps_of(str(source), windows, planned, now, Expected.of(parsed, now, exists=document is not None))


def report(found: Sequence[Gap], now: dt.datetime) -> Report:
    """Return the list of gaps. Pure."""
    errors = dict.fromkeys(f"{gap.source}, {gap.issue}: {gap.error}" for gap in found if gap.error)
    lines = list(errors) or [] if found else ["No gap: all that is due is archived."]
    return Report(
        {"gaps": [gap.data() for gap in found]},
        [Table(COLUMNS, [_row(gap, now) for gap in found])] if found else [],
        lines + _advice(found),
        LOOK if found else OK,
    )


def _row(gap: Gap, now: dt.datetime) -> list[object]:
    span = [moment(instant(at)) for at in (gap.span.start, gap.span.end)]
    return [gap.source, *span, gap.windows, gap.what, gap.issue, _left(gap, now)]


def _left(gap: Gap, now: dt.datetime) -> str | None:
    if gap.lost_at is None:
        return None
    return length((gap.lost_at - now).total_seconds()) if gap.lost_at > now else "lost"


def _advice(found: Sequence[Gap]) -> list[str]:
    """Return how to fetch the first gap again, once its cause is mended."""
    lines = dict.fromkeys(_STANDING[gap.what].format(gap.source) for gap in found if gap.what in STANDING)
    fetched = next((gap for gap in found if gap.what not in STANDING), None)
    if fetched is None:
        return [*lines]
    event = fetched.span.event()
    reopen = " --reopen" if fetched.what == CLOSED else ""
    command = f"logarchive backfill {fetched.source} {event['start']} {event['end']}{reopen}"
    return [*lines, f"To fetch the first of them now, once its cause is mended: {command}"]
