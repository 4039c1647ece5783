"""Writes generated tables and examples into the docs (`python -m tools.docs`), or checks them (`--check`).

A region begins with `<!-- name: written by tools/docs.py -->` and ends with `<!-- end -->`.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from console.core.saved_query import SavedQuery, saved_queries, saved_views
from logarchive.action.event import Event
from logarchive.coverage.window_table import WINDOW_COLUMNS
from logarchive.errors import Issue
from logarchive.runtime.metric import UNITS, issue_metric
from logarchive.warning.kind import ADVICE
from tools import cost, layer, parameter, provider_page
from tools.bench import measured
from tools.bench_queries import measured as measured_queries
from tools.layer import log_events
from tools.lock import ROOT
from tools.markdown import fenced, table
from tools.sample import RECORDS, sample

PAGES = ("architecture", "coverage", "deploy", "operations", "performance", "queries", "reference", "table")
DOCS = ("README.md", "README.ko.md", *(f"docs/{name}.md" for name in PAGES))
REGION = re.compile(r"(<!-- (?P<name>[a-z-]+): written by tools/docs.py -->\n).*?(<!-- end -->)", re.DOTALL)
#: Where a fact of a room's docstring begins; it may be continued on the next lines.
FACT = re.compile(r"\n+(?=[A-Z][a-z ]+: )")

METRICS = {
    "WindowsSealed": "visits that sealed their window",
    "WindowsWithIssue": "visits that ended with an issue; counted again at each visit",
    **{issue_metric(issue): f"visits that ended with the issue `{issue}`" for issue in get_args(Issue.__value__)},
    "Rows": "rows that were added to a window's object",
    "Rejects": "rejects of the visit; counted again at each visit of the window",
    "LateRows": "rows that were added after the first visit of their window",
    "RawBytes": "bytes written under `raw/`, manifests included",
    "LogsBytes": "bytes written under `logs/`",
    "Requests": "requests to the provider, retries and downloads included",
    "Throttles": "responses of the provider that asked for fewer requests",
    "WindowsReplayed": "windows that were rebuilt from `raw/`",
    "ReplayErrors": "windows that could not be rebuilt from `raw/`, and were left as they are",
    "LagSeconds": "at each tick: how long the oldest window without a good visit has been due; 0 without a source",
    "HoursToLoss": "at each tick: hours until the provider deletes records that are not archived; needs `retention`",
    "QuietSeconds": "at each tick: archived time since the newest window that had a row",
    "QuietSources": "at each tick: sources without a record for longer than their `quiet_after`",
    "SourceErrors": "sources that could not be used (a wrong field, a missing secret), counted each time they are read",
    "EventErrors": "events that were refused, also those that name a source that nobody knows",
    "ProofEntries": "entries that were appended to the proof log",
    "ProofBacklogSeconds": "at the end of each run of the notary: how long the oldest change has waited for its entry",
    "ProofSigned": "checkpoints that were signed, or found to be up to date and as they were signed",
    "NoticeErrors": "daily notices that could not be sent",
    "Warnings": "at each look of the notary: conditions that hold; always published, without a dimension",
    "ProofErrors": "a stored proof log that is not the one that was signed, or an item of the ledger without an entry",
}

LOG_EVENTS = {
    "invocation.counted": "what an invocation has counted, in all: the fields are the [metrics](#metrics)",
    "source.counted": "what an invocation has counted of one source: the fields are the [metrics](#metrics)",
    "warning.begun": "a [condition](#alarms) has begun that needs a person; `seen` is what was seen of it",
    "warning.again": "an issue that held already was met again after an hour without, perhaps in another window",
    "warning.ended": "a condition has ended that held `since` then",
    "warning.failed": "AWS's metrics of the functions could not be read; all else was judged, the run fails at its end",
    "window.*": "a visit has ended: `window.issue` if it has an issue, otherwise its state (`window.sealed`)",
    "source.invalid": "a source's parameter or secret is wrong, or no function reads the parameter; it is skipped",
    "source.examined": "`doctor` has checked a source; `failed` names the checks that are not good",
    "source.begun": "a source was planned for the first time, from `begin` on; `reason` as in `status`",
    "source.failed": "planning or dispatch failed unexpectedly; the invocation fails after the other sources are done",
    "source.dispatched": "windows are due; `workers` is how many were started (0: all are busy)",
    "tick.unfinished": "a tick had no time for `left` sources; the next tick starts with them",
    "visit.failed": "an unforeseen error ended a visit; the window has an issue and is due again, the invocation fails",
    "revisit.full": "the same bytes came again, or may have: `reason` is why rows were built and merged all the same",
    "window.replayed": "a window was rebuilt from `raw/`; `before` are the rows that it had",
    "replay.failed": "a window could not be rebuilt from `raw/`; it is as it was, and `error` says why",
    "worker.no_slot": "all worker slots of the source are taken; harmless",
    "claim.lost": "another worker has claimed the window meanwhile; harmless",
    "proof.published": "entries were appended to the proof log, which has `size` of them now",
    "proof.taken_in": "windows and heads that an earlier version has written were found, and will be in the log",
    "proof.adopted": "the log has more entries than the ledger knows: it was restored from a backup; the log goes on",
    "proof.unknown": "entries are stored that no checkpoint has, and the ledger does not know; they come next",
    "proof.invalid": "an item of the ledger cannot be read or stated; it waits, the others go on",
    "proof.failed": "the stored proof log is not the one that was signed; nothing was signed, the invocation fails",
    "notice.sent": "the daily notice was sent, with the checkpoint of `size` entries",
    "notice.failed": "the daily notice was not sent; the next run tries again, and this one has signed",
    "coverage.written": "the coverage page was written; `unread` sources are missing on it",
    "coverage.invalid": "the ledger of a source could not be read for the coverage page or a report, which names it",
    "report.written": "a monthly report was written; `unread` sources are missing in it",
    "event.refused": "an event, or the source that it names, is wrong; nothing was changed",
}

WINDOWS = {
    "provider": "as in `logs`",
    "source": "as in `logs`",
    "read_at": "when the ledger was read",
    "date": "the day (UTC) on which the window starts, as in `logs`",
    "window_start": "the window's first moment",
    "window_end": "the moment at which it ends, which is no part of it",
    "state": "`planned`, `archived`, `sealed` or `closed`; a window that was split is not in the table, its parts are",
    "issue": "the issue; NULL without one",
    "error": "its message",
    "verification": "`verified` or `unverified`",
    "visits": "how many good visits it had",
    "announced": "the provider's own total; NULL if it gives none",
    "fetched": "the records of the newest good visit",
    "row_count": "the rows of its object",
    "rejects": "records that could not become rows",
    "outside": "records of the newest good visit that belong to another window",
    "duplicates": "records that the newest good visit has returned twice",
    "strays": "rows outside even the requested time",
    "late": "rows that came after the first visit",
    "kept": "rows that only earlier visits have returned",
    "bytes": "of its object",
    "object": "the object's key; NULL for a window without rows",
    "manifest": "the key of its newest manifest",
    "due_at": "when it is visited again; NULL if no further visit is planned",
    "lost_at": "when the provider begins to delete its records; NULL if that is not known",
    "mapping": "the oldest version of the mapping that has made something of it",
    "written_at": "when a visit or a replay last changed its object; NULL if an earlier version of the archive did",
}


def events() -> str:
    """Return the events and their fields."""
    models: tuple[type[BaseModel], ...] = get_args(Event.__value__)
    return table(
        ["action", "fields", "does"], [[f"`{_action(model)}`", _fields(model), _said(model)] for model in models]
    )


def _action(model: type[BaseModel]) -> str:
    return str(get_args(model.model_fields["action"].annotation)[0])


def _said(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _fields(model: type[BaseModel]) -> str:
    fields = [(name, field) for name, field in model.model_fields.items() if name != "action"]
    return ", ".join(
        f"`{name}`" if field.is_required() else f"`{name}` ({_or_absent(field.default)})" for name, field in fields
    )


def _or_absent(default: object) -> str:
    return "optional" if default is None else json.dumps(default)


def row() -> str:
    """Return a record, and the row that it becomes."""
    cells = {name: dict(value) if name == "attributes" else value for name, value in sample().row.items()}
    text = json.dumps(cells, indent=2, ensure_ascii=False, default=lambda moment: f"{moment:%Y-%m-%d %H:%M:%S.%f}"[:-3])
    return fenced("json", json.dumps(RECORDS[0])) + "\n\nbecomes\n\n" + fenced("json", text)


def result(shown: Mapping[str, Any], listed: str) -> str:
    """Return an action's result with one line for each window or source."""
    text = json.dumps({**shown, listed: ["?"]})
    lines = ",\n".join(f"  {json.dumps(item)}" for item in shown[listed])
    return fenced("json", text.replace('["?"]', f"[\n{lines}\n]"))


def queries(saved: Sequence[SavedQuery]) -> str:
    """Return saved queries, or views."""
    texts = [(query.path.relative_to(ROOT), query.path.read_text()) for query in saved]
    return "\n\n".join(fenced("sql", f"-- {path}\n{text.strip()}") for path, text in texts)


def query_table() -> str:
    """Return what each saved query asks."""
    return table(["saved query", "shows"], [[f"`{query.name}`", query.question] for query in saved_queries()])


def explained(kind: str, used: Iterable[str], meanings: Mapping[str, str]) -> list[str]:
    """Return the names in order; exit if a name has no meaning in this file, or a meaning belongs to no name."""
    names = sorted(used)
    if different := set(names) ^ set(meanings):
        sys.exit(
            f"tools/docs.py: {kind} that stand only in the code, or only in this file: {', '.join(sorted(different))}"
        )
    return names


def metric_table() -> str:
    """Return the metrics of the code."""
    names = explained("metrics", UNITS, METRICS)
    return table(["metric", "unit", "meaning"], [[f"`{name}`", UNITS[name], METRICS[name]] for name in names])


def warning_table() -> str:
    """Return the kinds of conditions that need a person, and what to do."""
    return table(
        ["condition", "means", "what to do"],
        [[f"`{kind}`", advice.means, advice.todo] for kind, advice in ADVICE.items()],
    )


def window_columns() -> str:
    """Return the columns of the table `windows`."""
    explained("columns of windows", WINDOW_COLUMNS, WINDOWS)
    rows = [[f"`{name}`", kind, WINDOWS[name]] for name, kind in WINDOW_COLUMNS.items()]
    return table(["column", "type", "meaning"], rows)


def event_table() -> str:
    """Return the log events that the code writes, with their keys."""
    events = log_events()
    names = explained("log events", events, LOG_EVENTS)
    return table(
        ["message", "meaning", "keys"],
        [[f"`{name}`", LOG_EVENTS[name], ", ".join(f"`{key}`" for key in sorted(events[name]))] for name in names],
    )


def room_picture() -> str:
    """Return a picture of the rooms and their imports, without the arrows that a longer way makes superfluous."""
    arrows = layer.shortest(layer.arrows())
    lines = [f"    {room.name} --> {target}" for room in layer.rooms() for target in sorted(arrows[room.name])]
    return fenced("mermaid", "\n".join(["flowchart TD", *lines]))


def room_list() -> str:
    """Return the rooms with their modules, from the top to the ground."""
    return "\n\n".join(map(_room, layer.rooms()))


def _room(room: layer.Room) -> str:
    title, *facts = (" ".join(fact.split()) for fact in FACT.split(room.said))
    rows = [[f"`{name}`", what] for name, what in room.modules.items()]
    parts = [f"### `{room.name}`: {title}", "\n".join(f"- {fact}" for fact in facts)]
    return "\n\n".join(filter(None, [*parts, table(["module", "what it is"], rows)]))


def parameter_table() -> str:
    """Return the template's parameters."""
    return table(["parameter", "default", "choices", "meaning"], parameter.rows())


def costs() -> str:
    """Return the costs of the stack: idle, of a provider, of a million records."""
    bills = {
        "a month, idle": cost.idle(),
        "a month, for each provider that has a source": cost.provider(),
        "a million records": cost.million(),
        f"a month of `History=true`, {cost.HISTORY_SOURCES} sources": cost.history(),
    }
    return "\n\n".join(_bill(title, lines) for title, lines in bills.items())


def chosen_costs() -> str:
    """Return what costs nothing unless it is chosen."""
    rows = [[what, how, f"{dollars:.2f}"] for what, how, dollars in cost.chosen()]
    return table(["a month, if chosen", "computed from", "USD"], rows)


def _bill(title: str, lines: Sequence[cost.Line]) -> str:
    rows = [[what, how, f"{dollars:.4f}"] for what, how, dollars in lines]
    return table([title, "computed from", "USD"], [*rows, ["**together**", "", f"**{cost.total(lines):.2f}**"]])


REGIONS: Mapping[str, Callable[[], str]] = {
    "source-fields": provider_page.source_fields,
    "columns": provider_page.columns,
    "provider-names": lambda: provider_page.provider_names(("provider", "logs of")),
    "provider-names-ko": lambda: provider_page.provider_names(("공급자", "대상 로그"), "ko"),
    "providers": provider_page.provider_table,
    "events": events,
    "row": row,
    "manifest": lambda: fenced("json", json.dumps(sample().manifest, indent=2)),
    "keys": lambda: fenced("", "\n".join(sample().objects)),
    "tick-result": lambda: result(sample().tick, "windows"),
    "status-result": lambda: result(sample().status, "sources"),
    "doctor-result": lambda: result(sample().doctor["sources"][0], "checks"),
    "query-table": query_table,
    "queries": lambda: queries(saved_queries()),
    "views": lambda: queries(saved_views()),
    "metrics": metric_table,
    "log-events": event_table,
    "window-columns": window_columns,
    "parameters": parameter_table,
    "bench-machine": measured.machine,
    "bench": measured.figures,
    "bench-queries-machine": measured_queries.archive,
    "bench-queries": measured_queries.figures,
    "cost": costs,
    "cost-chosen": chosen_costs,
    "warnings": warning_table,
    "rooms": room_picture,
    "modules": room_list,
}


def filled(text: str) -> str:
    """Return a page with its regions filled. Raises KeyError for a region that is none."""
    return REGION.sub(lambda match: f"{match[1]}{REGIONS[match['name']]()}\n{match[3]}", text)


def main() -> int:
    """Write the regions, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check whether the docs are current")
    stale: list[str] = []
    check = parser.parse_args().check
    for name in DOCS:
        text = (ROOT / name).read_text()
        new = filled(text)
        if check and new != text:
            stale.append(name)
        elif new != text:
            (ROOT / name).write_text(new)
            print(f"wrote {name}")
    for name in stale:
        print(f"{name}: not current, run `.venv/bin/python -m tools.docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
