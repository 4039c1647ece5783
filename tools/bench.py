"""Measures the hot path: CPU time as a ratio to what nobody can avoid, from alternating runs in one process.

    python -m tools.bench [records]

JSON: body -> Parquet, with identities, over inflate and orjson.loads of the same bytes. Lines: gzip -> Parquet over
zcat. Absolute times drift with the machine; only the ratios of one run mean anything.
"""

# ruff: noqa: S311 (the records are made up)
import gzip
import os
import random
import resource
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from isal import isal_zlib

from tools.golden import WINDOW as KEY
from tools.golden import build

from logarchive.moment import to_epoch_ms  # isort: skip (tools.golden finds the layer)
from logarchive.window import Window  # isort: skip (tools.golden finds the layer)

RUNS = 5
WINDOW = Window.parse(KEY)
START = to_epoch_ms(WINDOW.start)
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"


def elsa_record(at: int, count: int) -> dict[str, Any]:
    """Make a record of about 770 bytes."""
    return {
        "projectName": "Pb123_checkout",
        "projectVersion": "1.0.0",
        "body": f"order {at} {random.getrandbits(120):030x} accepted after {random.randrange(9)} tries, "
        + "the quick brown fox jumps over the lazy dog while the queue drains " * 4,
        "logLevel": random.choice(["INFO", "WARN", "ERROR"]),
        "logType": "nelo2-log",
        "logSource": "json",
        "host": f"10.0.0.{random.randrange(255)}",
        "logTime": START + at * 3_600_000 // count,
        "sendTime": START + at * 3_600_000 // count + 33,
        "thread": f"main-{at % 16}",
        "userAgent": AGENT.format(100),
        "path": f"/v1/orders/{random.randrange(10**6)}",
        "status": 200,
        "pod": f"checkout-5f6b9-{random.getrandbits(20):05x}",
        "requestId": f"{random.getrandbits(128):032x}",
    }


def security365_record(at: int, count: int) -> dict[str, Any]:
    """Make a record with objects in it and an id of its own."""
    moment = START + at * 3_600_000 // count
    return {
        "time": moment,
        "logLevel": "INFO",
        "event": "DOC_CREATE",
        "description": f"document {at} was created",
        "userId": f"u{at % 500}",
        "user": {"name": f"User {at % 500}", "depart": "a/b/c", "email": f"u{at % 500}@example.com"},
        "file": {"size": str(random.randrange(10**6)), "time": {"created": moment - 5}},
        "device": {"ip": "10.1.2.3", "mac": "00:11:22:33:44:55", "id": f"{random.getrandbits(64):016x}"},
        "ip": f"10.0.{at % 256}.7",
        "traceId": f"{random.getrandbits(128):032x}",
        "detail": '{"target":"report.docx","ok":true}',
        "sort": [moment, f"{random.getrandbits(256):064x}"],
    }


def dsa_line(at: int, count: int) -> bytes:
    """Make a line of about 230 bytes with 16 fields."""
    second = at * 3600 // count
    referer = random.choice(["NULL", "https://www.example.com/index.html"])
    return (
        f"2026112221{second // 60:02d}{second % 60:02d} 10.{random.randrange(256)}.{random.randrange(256)}.9 "
        f"www.example.com /static/{random.randrange(10**6)}/p.jpg?v={random.randrange(1000)} {random.randrange(10**6)} "
        f"{random.choice([22, 4, 2])} {random.choice([2, 26, 1046])} {random.choice([200, 200, 404])} {referer} "
        f'{random.randrange(900)} "{AGENT.format(90 + at % 30)}" "(null)" GET HTTP/1.1 hit {random.randrange(65535)}\n'
    ).encode()


def elsa(count: int, folder: Path) -> list[Path]:
    """Write a zip with an array."""
    path = folder / "elsa.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.json", orjson.dumps([elsa_record(at, count) for at in range(count)]))
    return [path]


def security365(count: int, folder: Path) -> list[Path]:
    """Write pages of 10,000 records."""
    for number, page in enumerate(batched(range(count), 10_000, strict=False)):
        records = [security365_record(at, count) for at in page]
        (folder / f"{number}.json").write_bytes(orjson.dumps({"code": 0, "items": records}))
    return sorted(folder.glob("*.json"))


def dsa(count: int, folder: Path) -> list[Path]:
    """Write a gzip of lines."""
    path = folder / "dsa.gz"
    path.write_bytes(gzip.compress(b"".join(dsa_line(at, count) for at in range(count)), 6))
    return [path]


def inflate_and_parse(paths: Sequence[Path]) -> None:
    """Do the least that anyone must do with JSON in a zip, or in pages."""
    for path in paths:
        data = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                (member,) = archive.infolist()
            start = member.header_offset + 30 + len(member.filename)
            data = isal_zlib.decompressobj(-15).decompress(data[start : start + member.compress_size])
        orjson.loads(data)


def zcat(paths: Sequence[Path]) -> None:
    """Do the least that anyone must do with lines in a gzip."""
    subprocess.run(["zcat", *paths], stdout=subprocess.DEVNULL, check=True)


def cpu(work: Callable[[], object]) -> float:
    """Return the seconds of CPU, children included."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def compare(
    make: Callable[[int, Path], list[Path]], least: Callable[[Sequence[Path]], None], count: int, folder: Path
) -> None:
    """Print the ratio of alternating runs for bodies of the provider of that name."""
    name, paths = make.__name__, make(count, folder)
    pairs = [(cpu(lambda: least(paths)), cpu(lambda: build(name, paths, WINDOW, folder))) for _ in range(RUNS)]
    ratios = sorted(full / least for least, full in pairs)
    nanoseconds = [statistics.median(side) / count * 1e9 for side in zip(*pairs, strict=True)]
    print(
        f"{name:12} ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        f"   {nanoseconds[1]:.0f} over {nanoseconds[0]:.0f} ns a record"
    )


def main(count: int) -> None:
    """Compare for each kind of body."""
    random.seed(1)
    with TemporaryDirectory() as directory:
        compare(elsa, inflate_and_parse, count, Path(directory))
        compare(security365, inflate_and_parse, count, Path(directory))
        compare(dsa, zcat, count, Path(directory))
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, the bodies' making included")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
