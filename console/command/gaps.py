"""`logarchive gaps`: what is missing, and until when it can be fetched, as the functions say."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer

from console.account.stack import Result
from console.command.argument import one_source
from console.core.report import LOOK, OK, PROGRAM, Report, Table, length, moment
from console.core.report import instant as parsed
from console.core.survey import no_source, sources_of
from console.session import session_of

#: What a gap is, by what its function calls it.
_WHAT = {"troubled": "not complete", "missing": "not planned", "closed": "closed"}
#: Of a gap that is `stopped`: what it is, and what to do, by the state of the source.
_STOPPED = {
    "paused": ("paused since", "To let {0} go on: {1} sources resume {0}"),
    "orphaned": (
        "removed since",
        "{0} is removed, and nothing more is archived of it. To go on: {1} sources add {0}",
    ),
}
_NOBODY_KNOWS = ("nothing planned since", "Nothing is planned of {0}; why: {1} doctor {0}")
COLUMNS = ("source", "from", "to", "windows", "what", "issue", "lost in")

type Gap = Mapping[str, Any]


def gaps(context: typer.Context, source: Annotated[str | None, one_source()] = None) -> None:
    """List the time that is not archived, or not wholly, soonest loss first."""
    session = session_of(context)
    session.end(report(session.stack.survey("gaps", source), session.clock(), session.program))


def report(results: Mapping[str, Result], now: dt.datetime, program: str = PROGRAM) -> Report:
    """Return the list of gaps of all sources. Pure."""
    sources = sources_of(results)
    found = sorted((_told(source, gap) for source in sources for gap in source["gaps"]), key=_urgency)
    errors = dict.fromkeys(
        f"{gap['source']}, {gap['issue']}: {gap['error']}" for gap in found if gap["issue"] and gap["error"]
    )
    left = [f"{one['source']} has {one['gaps_left']:,} gaps more" for one in sources if one["gaps_left"]]
    never = never_planned(sources)
    lines = [*errors, *left, *never_planned_lines(never, program), *_advice(found, program)]
    tables = [Table(COLUMNS, [_row(gap, now) for gap in found])] if found else []
    if not (found or never):
        lines = ["No gap: all that is due is archived." if sources else no_source(program)]
        lines += [
            f"{one['source']} is paused: nothing more becomes due." for one in sources if one["state"] == "paused"
        ]
    return Report({"gaps": found, "never_planned": never}, tables, lines, LOOK if found or never else OK)


def never_planned(sources: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the sources of which nothing was ever planned: they have no gap, and nothing is archived of them."""
    return [{"source": one["source"], "state": one["state"]} for one in sources if one["planned"] is None]


def never_planned_lines(sources: Iterable[Mapping[str, str]], program: str) -> list[str]:
    """Return a line for each source of which nothing was ever planned."""
    return [_never_planned(one["source"], one["state"], program) for one in sources]


def _never_planned(source: str, state: str, program: str) -> str:
    if state == "paused":
        return f"{source} was paused before anything of it was planned. {_STOPPED[state][1].format(source, program)}"
    if state == "active":
        return (
            f"{source}: nothing of it is planned yet; the first tick comes within five minutes after it was added. "
            f"If none has come: {program} doctor {source}"
        )
    return f"{source} ({state}): nothing of it was ever planned; why: {program} doctor {source}"


def _told(source: Mapping[str, Any], gap: Gap) -> dict[str, Any]:
    """Return a gap with its source, and with what it is in words."""
    stopped, _ = _STOPPED.get(source["state"], _NOBODY_KNOWS)
    what = _WHAT.get(gap["state"], stopped)
    return {"source": source["source"], "source_state": source["state"], **gap, "what": what}


def _urgency(gap: Gap) -> tuple[bool, bool, str, str, str]:
    """Return the place of a gap in the list: the soonest loss first, what nobody can or wants to mend last."""
    done = gap["state"] == "closed" or (gap["state"] == "stopped" and gap["source_state"] == "orphaned")
    return done, gap["lost_at"] is None, gap["lost_at"] or "", gap["source"], gap["start"]


def _row(gap: Gap, now: dt.datetime) -> list[object]:
    span = [moment(gap[end]) for end in ("start", "end")]
    return [gap["source"], *span, gap["windows"], gap["what"], gap["issue"], _left(gap, now)]


def _left(gap: Gap, now: dt.datetime) -> str | None:
    if gap["state"] == "closed":
        return "lost"
    if gap["lost_at"] is None:
        return None
    lost_at = parsed(gap["lost_at"])
    return length((lost_at - now).total_seconds()) if lost_at > now else "lost"


def _advice(found: Sequence[Gap], program: str) -> list[str]:
    """Return how to fetch the first gap again, once its cause is mended."""
    stopped = [gap for gap in found if gap["state"] == "stopped"]
    lines = dict.fromkeys(
        _STOPPED.get(gap["source_state"], _NOBODY_KNOWS)[1].format(gap["source"], program) for gap in stopped
    )
    fetched = next((gap for gap in found if gap["state"] != "stopped"), None)
    if fetched is None:
        return [*lines]
    reopen = " --reopen" if fetched["state"] == "closed" else ""
    command = f"{program} backfill {fetched['source']} {fetched['start']} {fetched['end']}{reopen}"
    return [*lines, f"To fetch the first of them now, once its cause is mended: {command}"]
