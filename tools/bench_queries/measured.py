"""What `make bench-queries KEEP=1` has measured: `docs/queries.md` shows it."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.bench_queries.query import SIDES, TO_ALL
from tools.cost import SCANNED_TB
from tools.markdown import table

#: Tracked: the figures that the docs show.
MEASURED = Path(__file__).with_name("measured.json")
#: Athena bills at least so many bytes for a query.
LEAST_BYTES = 10_000_000
#: What must hold of a question to all sources: how many times as fast it is on `history`, and its part of the bytes.
LEAST_TIMES, MOST_BYTES = 5, 0.1
#: What is summed up.
FACTS = ("median", "bytes", "splits")


def dollars(read: int) -> float:
    """Return what a query costs in Athena that reads so many bytes."""
    return max(read, LEAST_BYTES) / 1e12 * SCANNED_TB


def times(row: Mapping[str, Any]) -> float:
    """Return how many times as fast a question is on `history`."""
    logs, history = (row[side]["median"] for side in SIDES)
    return float(logs / history)


def missed(rows: Mapping[str, Any]) -> list[str]:
    """Return what is not as it must be: of the questions to all sources."""
    found: list[str] = []
    for name in TO_ALL:
        logs, history = (rows[name][side]["bytes"] for side in SIDES)
        if times(rows[name]) < LEAST_TIMES:
            found.append(f"{name}: {times(rows[name]):.1f} times as fast, of {LEAST_TIMES}")
        if history > MOST_BYTES * logs:
            found.append(f"{name}: {history / logs:.2f} of the bytes, of {MOST_BYTES}")
    return found


@cache
def measured() -> dict[str, Any]:
    """Return the tracked run."""
    run: dict[str, Any] = json.loads(MEASURED.read_text())
    return run


def archive() -> str:
    """Return what was asked, where and when, for `docs/queries.md`."""
    run = measured()
    machine, logs, history = run["machine"], run["logs"], run["history"]
    return (
        f"{run['date']}, commit {run['commit']}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['load']} programs running on average. {logs['rows']:,} rows: in `logs` {logs['files']:,} objects of "
        f"{logs['bytes'] / logs['files'] / 1e6:.2f} MB, in `history` {history['files']:,} files of "
        f"{history['bytes'] / history['files'] / 1e6:.0f} MB. Each question {run['rounds']} times on each table, "
        "in turn; the seconds are the means of these rounds."
    )


def figures() -> str:
    """Return what each question took, and the saved queries together, for `docs/queries.md`."""
    rows = measured()["rows"]
    saved = {name: row for name, row in rows.items() if row["saved"]}
    sums = together()
    return table(
        ["query", "seconds", "times as fast", "MB read", "splits", "USD in Athena"],
        [
            *([_name(name, row), *_cells(row)] for name, row in rows.items()),
            ["the saved queries together", *_cells(sums)[:-1], _bill(saved)],
        ],
    )


def together() -> dict[str, Any]:
    """Return what all saved queries took."""
    saved = [row for row in measured()["rows"].values() if row["saved"]]
    return {side: {fact: sum(row[side][fact] for row in saved) for fact in FACTS} for side in SIDES}


def _name(name: str, row: Mapping[str, Any]) -> str:
    return f"`{name}`" if row["saved"] else name


def _cells(row: Mapping[str, Any]) -> list[str]:
    logs, history = (row[side] for side in SIDES)
    return [
        f"{logs['median']:.1f} → {history['median']:.1f}",
        f"{times(row):.1f}",
        f"{logs['bytes'] / 1e6:,.0f} → {history['bytes'] / 1e6:,.0f}",
        f"{logs['splits']:,} → {history['splits']:,}",
        _bill({"": row}),
    ]


def _bill(rows: Mapping[str, Any]) -> str:
    return " → ".join(f"{sum(dollars(row[side]['bytes']) for row in rows.values()):.5f}" for side in SIDES)
