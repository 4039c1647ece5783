"""Runs the bench: `make bench`, `make bench ROWS="cdn cold"`, `BASE=ref`, `KEEP=1`, `CHECK=1`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.bench.bench import Bench, Figure
from tools.bench.measured import MEASURED, RESULT, document, write
from tools.bench.row import ROWS, Row

#: With CHECK=1: so small a part of the records, and one run, so that a test can see that every row still runs.
CHECK_SCALE = 0.001


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--base", help="a commit; each row then also tells the seconds that its code takes")
    parser.add_argument("--runs", type=int, default=5, help="of each pair at most; 5 by default")
    parser.add_argument("--keep", action="store_true", help=f"write {MEASURED.name}, which the docs are written from")
    parser.add_argument("--check", action="store_true", help="few records, once: figures mean nothing")
    found = parser.parse_args()
    if unknown := set(found.rows) - {row.name for row in ROWS}:
        parser.error(f"no row {', '.join(sorted(unknown))}; for instance cdn")
    if found.keep and (found.rows or found.check):
        parser.error("--keep needs a run of all rows in full")
    return found


def line(row: Row, figure: Figure) -> str:
    """Return a row as it is printed."""
    reached = {True: "reached", False: "NOT REACHED", None: ""}[row.reached(figure.median)]
    values = f"{figure.median:9.3g} ({min(figure.values):.3g} to {max(figure.values):.3g})"
    return f"{row.name:18} {values:30} {row.unit:6} {row.target:7} {reached}"


def main() -> int:
    """Measure rows; return 1 if one could not be measured. A target that is not reached is only told."""
    chosen = arguments()
    rows = [row for row in ROWS if not chosen.rows or row.name in chosen.rows]
    begun, found, failed = time.monotonic(), dict[str, Any](), list[str]()
    scale, runs = (CHECK_SCALE, 1) if chosen.check else (1.0, chosen.runs)
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder), scale, runs, chosen.base) as bench:
        for row in rows:
            try:
                figure = row.measure(bench)
            except Exception as error:  # noqa: BLE001 (the other rows are measured all the same)
                failed.append(row.name)
                print(f"{row.name:18} FAILED: {type(error).__name__}: {error}", flush=True)
                continue
            print(line(row, figure), flush=True)
            described = {"what": row.what, "unit": row.unit, "target": row.target}
            found[row.name] = described | {"reached": row.reached(figure.median)} | figure.document()
    run = document(found, time.monotonic() - begun)
    write(RESULT, run)
    print(f"{RESULT.name} written; {run['minutes']} minutes")
    if chosen.keep and not failed:
        write(MEASURED, run)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
