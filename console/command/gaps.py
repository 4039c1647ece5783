"""`logarchive gaps`: what is missing, and until when it can be fetched."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import typer

from console.account import ledger
from console.command.argument import one_source
from console.core.gap import CLOSED, Gap, by_loss
from console.core.gap import gaps as gaps_of
from console.core.report import LOOK, OK, Report, Table, length, moment
from console.core.window import instant
from console.session import session_of

COLUMNS = ("source", "from", "to", "windows", "what", "issue", "lost in")


def gaps(context: typer.Context, source: Annotated[str | None, one_source()] = None) -> None:
    """List the time that is not archived, or not wholly, soonest loss first."""
    session = session_of(context)
    stack, now = session.stack, session.clock()
    sources = [stack.source_name(source)] if source else ledger.sources(stack)
    found = [
        gap for one in sources for gap in gaps_of(str(one), ledger.windows(stack, one), ledger.planned(stack, one), now)
    ]
    session.end(report(by_loss(found), now))


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
    if not found:
        return []
    gap = found[0]
    event = gap.span.event()
    reopen = " --reopen" if gap.what == CLOSED else ""
    command = f"logarchive backfill {gap.source} {event['start']} {event['end']}{reopen}"
    return [f"To fetch the first of them now, once its cause is mended: {command}"]
