"""The rows of the bench: what is measured, what it should reach, and how."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.bench import cold, count
from tools.bench.bench import BEFORE, Bench, Figure
from tools.bench.process import Program
from tools.lock import ROOT

MIB = 1024 * 1024
#: How many records the rows are of. ELSA gives no more in one file.
ELSA, SECURITY365, CDN, PEER, LATE = 199_000, 100_000, 500_000, 50_000, 110_000
MOST, HOUR_RECORDS = 5_000_000, 10_000
#: Years of hourly windows against one day of them.
DAY, YEARS = 24, 5 * 365 * 24
SOURCES = 1000
PEERS = Path(__file__).with_name("peer.py")


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    name: str
    what: str
    measure: Callable[[Bench], Figure]
    #: What it should be at most; None: it is only told.
    most: float | None = None
    #: What it should be at least.
    least: float | None = None
    unit: str = "times"

    def reached(self, value: float) -> bool | None:
        """Return whether a value reaches the target; None without one."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    @property
    def target(self) -> str:
        """The target as the table shows it."""
        if self.most is not None:
            return f"≤ {self.most:g}"
        return "" if self.least is None else f"≥ {self.least:g}"


def life(bench: Bench) -> Figure:
    """Compare three visits with one."""
    three, one = (bench.work("visit", "elsa", ELSA, visits) for visits in (3, 1))
    return bench.ratio(three, one)


def peer(name: str) -> Callable[[Bench], Figure]:
    """Return the life with another tool against ours."""

    def measure(bench: Bench) -> Figure:
        python = ROOT / ".tools" / name / "bin" / "python"
        if not python.exists():
            raise RuntimeError(f"{name} is not installed: make .tools/{name}/installed")
        folder = bench.bodies("elsa", PEER)
        theirs = Program((str(python), str(PEERS), name, str(folder), "3"))
        return bench.ratio(theirs, bench.work("visit", "elsa", PEER, 3), 3)

    return measure


def visit(bench: Bench) -> Figure:
    """Compare one visit with the least."""
    return bench.ratio(bench.work("visit", "elsa", ELSA, 1), bench.work("parse", "elsa", ELSA))


def throughput(bench: Bench) -> Figure:
    """Return the speed of the same visit, in MiB of JSON a second."""
    pairs = bench.in_turn(bench.work("visit", "elsa", ELSA, 1), bench.work("parse", "elsa", ELSA))
    size = pairs[0][1].facts["bytes"] / MIB
    least = [size / parsed.seconds for _, parsed in pairs]
    return Figure([size / visited.seconds for visited, _ in pairs], {"orjson_alone": Figure(least).median})


def build(kind: str, records: int, least: str = "parse") -> Callable[[Bench], Figure]:
    """Return a build against the least that anyone must do with the same bodies."""
    return lambda bench: bench.ratio(bench.work("build", kind, records), bench.work(least, kind, records))


def against(kind: str, other: str, records: int) -> Callable[[Bench], Figure]:
    """Return a build against that of the same records in another order."""
    return lambda bench: bench.ratio(bench.work("build", kind, records), bench.work("build", other, records))


def hour(bench: Bench) -> Figure:
    """Return the seconds of a first visit of 10,000 records, and of a revisit: `tools.cost` computes with them."""
    three, one = (bench.work("visit", "elsa", HOUR_RECORDS, visits) for visits in (3, 1))
    pairs = bench.in_turn(three, one)
    revisits = Figure([life.facts["revisit_seconds"] for life, _ in pairs])
    return Figure([first.seconds for _, first in pairs], {"revisit_seconds": revisits.median})


def peak(bench: Bench) -> Figure:
    """Return the peak of memory of one visit."""
    pairs = bench.in_turn(bench.work("visit", "elsa", ELSA, 1), bench.work("parse", "elsa", ELSA))
    return Figure([visited.peak_mib * MIB / 1e6 for visited, _ in pairs])


def growth(bench: Bench) -> Figure:
    """Return what each record more adds to the peak, from 200,000 to five million small ones."""
    small, large = (bench.work("build", "elsa-small", records).run() for records in (MOST // 25, MOST))
    added = bench.count(MOST) - bench.count(MOST // 25)
    return Figure([(large.peak_mib - small.peak_mib) * MIB / added], {"peak_mib": large.peak_mib})


def merge(bench: Bench) -> Figure:
    """Compare a merge of 10,000 late records into an object of 100,000 with building all."""
    return bench.ratio(bench.work("merge", "elsa-late", LATE), bench.work("build", "elsa-late", LATE))


def size(kind: str, records: int) -> Callable[[Bench], Figure]:
    """Return an object's size against the records as lines in a gzip."""

    def measure(bench: Bench) -> Figure:
        facts = bench.work("sizes", kind, records).run().facts
        return Figure([facts["parquet"] / facts["gzip"]], facts)

    return measure


def cold_start(bench: Bench) -> Figure:
    """Compare a cold start with one of the code before."""
    now, before = (cold.start(tree, bench.account()) for tree in (ROOT, bench.tree(bench.base or bench.before)))
    for program in (now, before):
        program.run()  # its .pyc files are there from then on
    pairs = bench.in_turn(now, before, 9)
    seconds = {"seconds": Figure([one.whole_seconds for one, _ in pairs]).median}
    return Figure([one.whole_seconds / other.whole_seconds for one, other in pairs], seconds)


def status(what: str) -> Callable[[Bench], Figure]:
    """Return what `status` reads after years against what it reads after a day."""

    def measure(bench: Bench) -> Figure:
        day, years = (bench.counted(count.status, hours) for hours in (DAY, bench.count(YEARS)))
        return Figure([years[what] / day[what]], {"day": day[what], "years": years[what]})

    return measure


def tick(what: str) -> Callable[[Bench], Figure]:
    """Return what an idle tick of many sources takes."""
    return lambda bench: Figure([bench.counted(count.tick, bench.count(SOURCES))[what]])


def layer(_bench: Bench) -> Figure:
    """Return the size of the layer as `sam build` makes it, unzipped; needs the package index."""
    with tempfile.TemporaryDirectory() as directory:
        machine = os.uname().machine.replace("aarch64", "arm64")
        for name in ("logarchive", "requirements.txt", "layer.mk", machine):
            source = ROOT / "layers" / "shared" / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(directory, name))
        environment = {**os.environ, "ARTIFACTS_DIR": f"{directory}/built"}
        environment["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
        place = ["-C", directory, "-f", f"{machine}/Makefile", "-I", directory]
        subprocess.run(["make", *place, "build-LogarchiveLayer"], check=True, env=environment, capture_output=True)
        files = [path for path in Path(directory, "built").rglob("*") if path.is_file()]
        return Figure([sum(path.stat().st_size for path in files) / 1e6], {"files": len(files)})


ROWS = (
    Row("life", "a window's life, a first visit and two revisits with the same bytes ÷ a first visit", life, 1.15),
    Row("life-dlt", "the same life with dlt ÷ ours", peer("dlt"), least=6),
    Row("life-grove", "the same life with grove ÷ ours", peer("grove"), least=6),
    Row("elsa-visit", "ELSA, a whole visit ÷ inflating and `orjson.loads`", visit, 4.5),
    Row("elsa-build", "ELSA, build, equal keys ÷ the same", build("elsa", ELSA), 3.0),
    Row("elsa-varied", "ELSA, build, keys vary ÷ the same", build("elsa-varied", ELSA), 3.6),
    Row(
        "security365",
        "Security365, build, no float ÷ `orjson.loads`",
        build("security365", SECURITY365),
        4.5,
    ),
    Row(
        "security365-float",
        "Security365, build, a float in one of 1,000 records ÷ the same",
        build("security365-float", SECURITY365),
        6.0,
    ),
    Row("cdn", "CDN lines, build ÷ `zcat`", build("cdn", CDN, "zcat"), 5.0),
    Row(
        "cdn-mixed",
        "CDN lines of 12, 15 and 16 fields, build ÷ `zcat`",
        build("cdn-mixed", CDN, "zcat"),
        7.0,
    ),
    Row(
        "cdn-spoiled",
        "CDN lines, one of 5,000 unreadable, build ÷ `zcat`",
        build("cdn-spoiled", CDN, "zcat"),
        7.0,
    ),
    Row(
        "elsa-descending",
        "ELSA, build, the newest record first ÷ the oldest first",
        against("elsa-descending", "elsa", ELSA),
    ),
    Row("cdn-hosts", "CDN lines, build, files of five hosts ÷ one file in order", against("cdn-hosts", "cdn", CDN)),
    Row("throughput", "ELSA, a whole visit: JSON for each second of CPU", throughput, unit="MiB/s"),
    Row("hour", "ELSA, a first visit of 10,000 records", hour, unit="s"),
    Row("peak", "peak of memory, ELSA visit of 199,000 records", peak, 170, unit="MB"),
    Row("growth", "memory for each record more, up to 5,000,000", growth, 25, unit="bytes"),
    Row("cold", f"cold start: import and first idle tick ÷ those of commit {BEFORE}", cold_start, 0.6),
    Row("status-calls", "`status`, calls: 5 years of hours ÷ a day", status("calls"), 1.0),
    Row("status-bytes", "`status`, bytes read: 5 years of hours ÷ a day", status("bytes"), 1.05),
    Row("tick-calls", "idle tick of 1,000 sources", tick("calls"), 60, unit="calls"),
    Row("tick-seconds", "the same, on an emulator of AWS", tick("seconds"), 10, unit="s"),
    Row("merge", "10,000 late records merged into an object of 100,000 ÷ building all", merge, 0.6),
    Row("size-security365", "Parquet ÷ NDJSON in gzip, Security365", size("security365", SECURITY365), 0.9),
    Row("size-cdn", "Parquet ÷ the lines in gzip, CDN", size("cdn", CDN), 1.0),
    Row("layer", "the layer, unzipped", layer, 85, unit="MB"),
)
