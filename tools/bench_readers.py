"""Show that every reader takes linear time and bounded memory, whatever it reads: bodies that double in size.

    python -m tools.bench_readers [case …]

Each body is built into a window's object in a process of its own. Fails where the CPU time grows more than 2.2-fold
with a doubling, or the memory beyond 200 MB plus four times the largest record. Below 0.2 s the time is not judged.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, cast

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "shared"))

from functions.elsa.app import columns as elsa_columns
from functions.elsa.app import provider as elsa
from logarchive.errors import ArchiveFailure
from logarchive.moment import to_epoch_ms
from logarchive.part import Part
from logarchive.record.block import MAX_RECORD_BYTES
from logarchive.row.build import Builder
from logarchive.row.record_format import RecordFormat
from logarchive.vendor.tencent_log_line import LAYOUT
from logarchive.vendor.tencent_log_line import columns as line_columns
from logarchive.window import Window

KIB, MIB = 1024, 1024 * 1024
SIZES = [64 * KIB << step for step in range(11)]
MOST_GROWTH, FREE_MIB, TIMES_RECORD = 2.2, 200, 4
#: Shorter times are the machine's.
LEAST_SECONDS = 0.2
#: How often each size is measured, and how often more where the time seems to grow too fast.
ROUNDS, MORE_ROUNDS = 2, 9
FORK = multiprocessing.get_context("fork")
WINDOW = Window(dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 14, tzinfo=dt.UTC))
TIME = b'"logTime":%d' % to_epoch_ms(WINDOW.start)
RECORD = b'{%b,"body":"%b","host":"h","c":{"k":1}}' % (TIME, b"m" * 400)
FLOAT = b'{%b,"body":"%b","elapsed":1.50}' % (TIME, b"m" * 400)
HEAD = b"20261122210000 192.0.2.1 h.test /p?q=1 5 22 2 200 NULL 7 "
LINE = HEAD + b'"Mozilla/5.0 (X11; Linux x86_64)" NULL GET HTTP/1.1 hit 80\n'
MIXED = LINE * 20 + HEAD + rb'"Tab 10\" Build" bytes=0-99' + b"\n" + HEAD + b"a b c NULL GET HTTP/1.1 hit\n" + b"bad\n"


def fill(piece: bytes, size: int, separator: bytes = b",") -> bytes:
    """Repeat a piece until a size is reached."""
    return separator.join([piece] * max(1, size // (len(piece) + len(separator))))


def one(inner: bytes) -> bytes:
    """Return an array of one record."""
    return b"[{%b,%b}]" % (TIME, inner)


@dataclass(frozen=True)
class Case:
    """A kind of body: how it is made in a size, and the share of it that is one record."""

    body: Callable[[int], bytes]
    one_record: bool = False
    lines: bool = False


CASES: dict[str, Case] = {
    "array": Case(lambda size: b"[" + fill(RECORD, size) + b"]"),
    "array, floats": Case(lambda size: b"[" + fill(FLOAT, size) + b"]"),
    "wrapper": Case(lambda size: b'{"code":0,"data":{"list":[' + fill(FLOAT, size) + b"]}}"),
    "lines": Case(lambda size: fill(RECORD, size, b"\n")),
    "lines, one bad in ten": Case(lambda size: fill(b"\n".join([RECORD] * 9 + [b"{bad}"]), size, b"\n")),
    "glued objects": Case(lambda size: fill(RECORD.replace(b",", b",\n "), size, b"\n")),
    "a brace missing": Case(lambda size: b'[{"a":{"k":1}, ' + fill(RECORD, size) + b"]"),
    "cut in a nested array": Case(lambda size: b'[{"logTime":1,"c":[' + fill(b'{"a":1}', size), one_record=True),
    "bad elements": Case(lambda size: b"[" + fill(b"17", size) + b"]"),
    "bad lines": Case(lambda size: RECORD + b"\n" + fill(b"17", size, b"\n")),
    "not UTF-8": Case(lambda size: b"[" + fill(RECORD.replace(b"mm", b"\xff\xfe"), size) + b"]"),
    "one text": Case(lambda size: one(b'"body":"%b"' % (b"x" * size)), one_record=True),
    "one text of escapes": Case(lambda size: one(b'"body":"%b"' % (rb"\n" * (size // 2))), one_record=True),
    "one text with a smile": Case(
        lambda size: one(b'"a":1.50,"body":"\xf0\x9f\x98\x80%b"' % (b"x" * size)), one_record=True
    ),
    "one key many times": Case(lambda size: one(fill(b'"a":1', size)), one_record=True),
    "one list of numbers": Case(lambda size: one(b'"a":[%b]' % fill(b"1.5", size)), one_record=True),
    "one list of lists": Case(lambda size: one(b'"a":[%b]' % fill(b"[]", size)), one_record=True),
    "records of 48 KB, one key": Case(lambda size: fill(one(fill(b'"a":1', 48_000))[1:-1], size, b"\n")),
    "a long key over leaves": Case(
        lambda size: one(b'"%b":{%b}' % (b"k" * (size // 2), fill(b'"a":1', size // 2))), one_record=True
    ),
    "records with long keys": Case(
        lambda size: fill(one(b'"%b":{%b}' % (b"k" * 500, fill(b'"a":1', 700)))[1:-1], size, b"\n")
    ),
    "braces": Case(lambda size: b'{"a":' * (size // 5), one_record=True),
    "brackets": Case(lambda size: b"[" * size, one_record=True),
    "blank": Case(lambda size: b" \n" * (size // 2)),
    "CSV": Case(lambda size: b"logTime,body\n" + fill(b'%d,"two\nlines"' % to_epoch_ms(WINDOW.start), size, b"\n")),
    "CSV, a wide header": Case(
        lambda size: fill(b",", 20_000, b"") + b"logTime\n" + fill(b"," * 20_000 + b"1", size, b"\n")
    ),
    "CSV, long names": Case(
        lambda size: b"logTime," + fill(b"n" * 1000, 200_000) + b"\n" + fill(b"1" + b"," * 200, size, b"\n")
    ),
    "CSV, short rows": Case(lambda size: b"logTime,body\n" + fill(b"1", size, b"\n")),
    "CSV, an open quote": Case(lambda size: b'logTime,body\n1,"' + fill(b"x" * 99, size, b"\n"), one_record=True),
    "log lines": Case(lambda size: fill(LINE, size, b""), lines=True),
    "log lines, mixed": Case(lambda size: fill(MIXED, size, b""), lines=True),
    "log lines of quotes": Case(lambda size: LINE + fill(HEAD + b'" ' * 200 + b"\n", size, b""), lines=True),
    "log lines of a letter": Case(lambda size: LINE + fill(b"x", size, b"\n"), lines=True),
    "one log line": Case(
        lambda size: LINE + HEAD + fill(b"a=1 bytes=1", size, b" ") + b"\n", one_record=True, lines=True
    ),
    "blank log lines": Case(lambda size: LINE + b" \n" * (size // 2), lines=True),
}


class Measured(NamedTuple):
    """What a build took, and what came of it."""

    seconds: float
    mib: float
    result: str


def measure(name: str, path: Path) -> Measured:
    """Build a body in this process."""
    case = CASES[name]
    columns = line_columns("+08:00") if case.lines else elsa_columns(cast("Any", None))
    layout = LAYOUT if case.lines else elsa.layout
    part = Part(
        path=path,
        sha256="",
        bytes=path.stat().st_size,
        suffix="",
        request={},
        status=200,
        headers={},
        time=WINDOW.end,
        key="raw/0",
        own=None if case.lines else WINDOW,
    )
    builder = Builder(
        records=RecordFormat(layout=layout, columns=columns, bounded=not case.lines),
        source_name="bench",
        window=WINDOW,
        ensure_time=lambda: None,
    )
    start = time.process_time()
    with TemporaryDirectory() as directory:
        try:
            numbers = builder.build("v1", [part], None, Path(directory)).numbers
            result = f"{numbers.rows} rows, {numbers.rejects} rejects"
        except ArchiveFailure as error:
            result = f"{type(error).__name__}: {error}"[:60]
    return Measured(time.process_time() - start, peak_kib() / KIB, result)


def peak_kib() -> int:
    """Return this process's peak of memory; that of `getrusage` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def measured(name: str, path: Path) -> Measured:
    """Build a body in a process of its own, which is a copy of this one: its modules are loaded."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=lambda: sender.send(measure(name, path)))
    process.start()
    sender.close()
    result: Measured = receiver.recv()
    process.join()
    return result


def write(name: str, size: int, path: Path) -> None:
    """Write a body of a size."""
    path.write_bytes(CASES[name].body(size))


class Series:
    """A case in all sizes, measured in some rounds, from the smallest to the largest."""

    def __init__(self, name: str, directory: Path) -> None:
        """Write the bodies and measure them."""
        self.name, self.paths = name, [directory / f"{size}" for size in SIZES]
        for path, size in zip(self.paths, SIZES, strict=True):
            # In a process of its own too: this one stays small.
            writer = FORK.Process(target=write, args=(name, size, path))
            writer.start()
            writer.join()
        self.least = [measured(name, path) for path in self.paths]
        #: For each size, how much longer twice its size has taken, each time that both were measured in turn.
        self.ratios: list[list[float]] = [[b.seconds / a.seconds] for a, b in pairwise(self.least)]
        for _ in range(ROUNDS - 1):
            self.repeat(range(len(SIZES)))

    def repeat(self, numbers: Sequence[int]) -> None:
        """Measure neighbouring sizes once more."""
        found = [(at, measured(self.name, self.paths[at])) for at in numbers]
        for at, one in found:
            self.least[at] = min(self.least[at], one)
        for (at, one), (_, twice) in pairwise(found):
            self.ratios[at].append(twice.seconds / one.seconds)

    def growth(self) -> tuple[float, int]:
        """Return how much the time grows at most with a doubling, and the number of the size that is doubled.

        The median of what was measured in turn: what else runs on the machine slows both down.
        """
        judged = [at for at, one in enumerate(self.least[:-1]) if one.seconds >= LEAST_SECONDS]
        return max(((median(self.ratios[at]), at) for at in judged), default=(0, 0))

    def memory(self) -> float:
        """Return the share that was used of the memory that a size may take."""
        record = [min(size, MAX_RECORD_BYTES) / MIB if CASES[self.name].one_record else 0 for size in SIZES]
        return max(one.mib / (FREE_MIB + TIMES_RECORD * most) for one, most in zip(self.least, record, strict=True))


def run(name: str) -> bool:
    """Measure a case in all sizes, print it, and return whether it keeps the bounds."""
    with TemporaryDirectory() as directory:
        series = Series(name, Path(directory))
        for _ in range(MORE_ROUNDS):
            growth, at = series.growth()
            if growth > MOST_GROWTH:
                series.repeat((at, at + 1))
    growth, at = series.growth()
    memory, last = series.memory(), series.least[-1]
    good = growth <= MOST_GROWTH and memory <= 1
    times = f"{growth:5.2f} x" if growth else f"{'-':>7}"  # too short to be judged
    print(
        f"{name:28} {last.seconds:7.2f} s {times} {max(one.mib for one in series.least):5.0f} MB"
        f" {100 * memory:4.0f} % {'' if good else f'TOO MUCH from {SIZES[at] // KIB} KB on '} {last.result}",
        flush=True,
    )
    return good


def main() -> None:
    """Measure the cases that are named, or all."""
    if unknown := set(sys.argv[1:]) - CASES.keys():
        sys.exit(f"no case {', '.join(sorted(unknown))}; there are: {'; '.join(CASES)}")
    start = time.monotonic()
    print(f"{'case':28} {'64 MB':>9} {'growth':>7} {'memory':>8} of what it may take")
    kept = [run(name) for name in sys.argv[1:] or CASES]
    print(f"{len(kept)} cases in {(time.monotonic() - start) / 60:.0f} minutes")
    if not all(kept):
        sys.exit(f"{kept.count(False)} of {len(kept)} cases grow too fast or too large")


if __name__ == "__main__":
    main()
