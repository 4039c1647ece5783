"""What `make bench KEEP=1` has measured: read by the docs and by `tools.cost`."""

import datetime as dt
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.lock import ROOT
from tools.markdown import table

#: Tracked: the figures that the docs show.
MEASURED = Path(__file__).with_name("measured.json")
#: Written by every run.
RESULT = ROOT / "build" / "bench.json"


def document(rows: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Return a run as it is stored: when, where, of which commit, and its rows."""
    now = dt.datetime.now(dt.UTC)
    return {
        "date": f"{now:%Y-%m-%d}",
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True).strip(),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load": round(os.getloadavg()[1], 1),
        },
        "minutes": round(seconds / 60, 1),
        "rows": dict(rows),
    }


def write(path: Path, run: Mapping[str, Any]) -> None:
    """Write a run."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n")


@cache
def measured() -> dict[str, Any]:
    """Return the tracked run."""
    run: dict[str, Any] = json.loads(MEASURED.read_text())
    return run


def figure(row: str, fact: str | None = None) -> float:
    """Return the median of a row in the tracked run, or one of its facts."""
    found = measured()["rows"][row]
    return float(found["facts"][fact] if fact else found["median"])


def machine() -> str:
    """Return when and where it was measured, for `docs/performance.md`."""
    run = measured()
    found = run["machine"]
    return (
        f"{run['date']}, commit {run['commit']}: {found['processor']}, {found['cores']} cores, CPython "
        f"{found['python']}, {found['load']} programs running on average, {run['minutes']:g} minutes."
    )


def figures() -> str:
    """Return the rows: the figure, its range, what it should be, and whether it is."""
    reached = {True: "yes", False: "**no**", None: ""}
    rows = [
        [row["what"], _number(row), _range(row), row["target"], reached[row["reached"]], _behind(row["facts"])]
        for row in measured()["rows"].values()
    ]
    return table(["what", "median", "range", "target", "reached", "behind it"], rows)


def _number(row: Mapping[str, Any]) -> str:
    return f"{row['median']:,.4g}" + ("" if row["unit"] == "times" else f" {row['unit']}")


def _range(row: Mapping[str, Any]) -> str:
    return "" if row["min"] == row["max"] else f"{row['min']:.3g} to {row['max']:.3g}"


def _behind(facts: Mapping[str, Any]) -> str:
    if "other_seconds" in facts:
        return f"{facts['seconds']:.3g} s ÷ {facts['other_seconds']:.3g} s"
    return ", ".join(f"{name.replace('_', ' ')} {value:,.6g}" for name, value in facts.items())


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
