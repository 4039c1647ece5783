"""Runs the bench: `make bench-queries`, `CHECK=1`, `KEEP=1`."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from console.core.saved_query import saved_queries
from tools.bench.measured import document, write
from tools.bench_queries.delay import Delay, delayed
from tools.bench_queries.engine import Engine, connected
from tools.bench_queries.measured import MEASURED, missed, times
from tools.bench_queries.month import SOURCES, Month
from tools.bench_queries.month import write as write_objects
from tools.bench_queries.query import SIDES, over
from tools.foreign import GATEWAY, build, gateway
from tools.lock import ROOT
from tools.stack import Ended, StackError, end_on_signals, free_port, local_stack
from tools.trino_server import catalogs, program, trino

#: Written by every run.
RESULT = ROOT / "build" / "bench-queries.json"
DELAY_SECONDS, ROUNDS = 0.03, 2
#: Writing the large files takes what a query may use, three tenths of it.
HEAP = "8G"
#: With CHECK=1: so little that every step is gone through within a minute or two.
FEW = Month(days=2, hours=2, rows=200)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench_queries", description=__doc__)
    parser.add_argument("--keep", action="store_true", help=f"write {MEASURED.name}, which the docs are written from")
    parser.add_argument("--check", action="store_true", help="few rows: figures mean nothing")
    found = parser.parse_args()
    if found.keep and found.check:
        parser.error("--keep needs a run in full")
    return found


@contextmanager
def step(name: str) -> Generator[None]:
    """Say how long a step takes."""
    begun = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)


def measure(engine: Engine, delay: Delay, rounds: int) -> dict[str, Any]:
    """Fill `history`, then ask everything of both tables; return what was asked and what it took."""
    with step("history"):
        engine.fill()
    number, size = engine.files()
    [(rows,)] = engine.ask("SELECT count(*) FROM history").rows
    delay.seconds = DELAY_SECONDS
    print(f"{rows:,} rows; history has {number} files of {size / number / 1e6:.0f} MB", flush=True)
    found: dict[str, Any] = {}
    for query, taken in engine.compare(over(engine.month, saved_queries()), rounds):
        found[query.name] = {"saved": query.saved} | {side: one.document() for side, one in taken.items()}
        print(line(query.name, found[query.name]), flush=True)
    return {"rounds": rounds, "rows": found, "history": {"files": number, "bytes": size, "rows": rows}}


def line(name: str, row: dict[str, Any]) -> str:
    """Return what a question took as it is printed."""
    sides = (
        f"{side}: {row[side]['median']:7.2f} s {row[side]['bytes'] / 1e6:8.1f} MB {row[side]['splits']:6} splits"
        for side in SIDES
    )
    return f"{name:22} {'   '.join(sides)}   {times(row):5.1f} times"


def run(month: Month, rounds: int) -> dict[str, Any]:
    """Make the archive and the stack, and measure."""
    build(GATEWAY, shutil.which("go"))
    with ExitStack() as running:
        buckets = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="logarchive-")))
        stack = running.enter_context(
            local_stack(step=step, ArchiveFrom=str(month.first), ScheduleExpression="rate(1 day)")
        )
        bucket = stack.outputs["BucketName"]
        with step("logs"):
            size = write_objects(buckets / bucket, month)
        s3, delay = running.enter_context(delayed(running.enter_context(gateway(GATEWAY, free_port(), buckets))))
        server = running.enter_context(trino(catalogs(stack.aws, s3), command=program(heap=HEAP, quick=False)))
        with step("Trino"):
            server.wait_until_ready()
            engine = running.enter_context(connected(server.address, stack.outputs["DatabaseName"], bucket, month))
        found = measure(engine, delay, rounds)
    objects = month.days * month.hours * len(SOURCES)
    return found | {"logs": {"files": objects, "bytes": size, "rows": objects * month.rows}}


def main() -> int:
    """Measure; return 1 if it could not be measured. A target that is not reached is only told."""
    chosen = arguments()
    end_on_signals()
    begun = time.monotonic()
    try:
        found = run(FEW, 2) if chosen.check else run(Month(), ROUNDS)
    except StackError as error:
        print(f"make bench-queries: {error}", file=sys.stderr)
        return 1
    except Ended:
        return 130
    result = document(found["rows"], time.monotonic() - begun) | found
    write(RESULT, result)
    print(f"{RESULT.name} written; {result['minutes']} minutes")
    for text in [] if chosen.check else missed(found["rows"]):
        print(f"NOT REACHED: {text}")
    if chosen.keep:
        write(MEASURED, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
