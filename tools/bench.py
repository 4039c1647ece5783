"""Measure the hot path: CPU time as a ratio to what nobody can avoid, from alternating runs in one process.

    python -m tools.bench [records]

JSON: zip -> Parquet, with identities, over inflate + orjson.loads of the same bytes. Lines: gzip -> Parquet over zcat.
Absolute times drift with the machine; only the ratios of one run mean anything.
"""

from __future__ import annotations

# ruff: noqa: S311, S106 (the records are made up)
import datetime as dt
import gzip
import os
import random
import resource
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "shared"))

import orjson
from isal import isal_zlib

from logarchive.column.convert import epoch_ms, item, severity, text
from logarchive.column.field_mapping import FieldMapping
from logarchive.moment import to_epoch_ms
from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.record.layout import JsonLayout, Layout
from logarchive.row.build import Builder
from logarchive.row.built import Built
from logarchive.vendor.tencent_log_line import LAYOUT
from logarchive.vendor.tencent_log_line import columns as line_columns
from logarchive.window import Window

RUNS = 5
WINDOW = Window(dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 14, tzinfo=dt.UTC))
START = to_epoch_ms(WINDOW.start)
ELSA = {
    "time": FieldMapping("logTime", epoch_ms),
    "severity_text": FieldMapping("logLevel", text),
    "severity_number": FieldMapping("logLevel", severity, take=False),
    "body": FieldMapping("body", text),
    "service_name": FieldMapping("projectName", text),
    "service_version": FieldMapping("projectVersion", text),
    "host_name": FieldMapping("host", text),
}
SECURITY365 = {
    "time": FieldMapping("time", epoch_ms),
    "severity_text": FieldMapping("logLevel", text),
    "body": FieldMapping("description", text),
    "user_id": FieldMapping("userId", text),
    "user_name": FieldMapping("user.name", text),
    "client_address": FieldMapping("ip", text),
    "trace_id": FieldMapping("traceId", text),
}
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


def cdn_line(at: int, count: int) -> bytes:
    """Make a line of about 230 bytes with 16 fields."""
    second = at * 3600 // count
    referer = random.choice(["NULL", "https://www.example.com/index.html"])
    return (
        f"2026112221{second // 60:02d}{second % 60:02d} 10.{random.randrange(256)}.{random.randrange(256)}.9 "
        f"www.example.com /static/{random.randrange(10**6)}/p.jpg?v={random.randrange(1000)} {random.randrange(10**6)} "
        f"{random.choice([22, 4, 2])} {random.choice([2, 26, 1046])} {random.choice([200, 200, 404])} {referer} "
        f'{random.randrange(900)} "{AGENT.format(90 + at % 30)}" "(null)" GET HTTP/1.1 hit {random.randrange(65535)}\n'
    ).encode()


def provider(
    layout: Layout, columns: dict[str, FieldMapping], unique_id: FieldMapping | None = None
) -> Provider[Any, Any]:
    """Make a provider of which only the records matter."""
    none = cast("Any", None)
    return Provider(
        name="bench", source=none, secret=none, secret_group="bench", auth=none, fetch=none, fault=none, feed_id=none,
        layout=layout, columns=lambda _settings: columns, unique_id=unique_id, bounded=isinstance(layout, JsonLayout),
    )  # fmt: skip


def part(path: Path) -> Part:
    """Show a file as a part."""
    return Part(
        path=path, sha256="", bytes=path.stat().st_size, suffix=path.suffix, request={}, status=200, headers={},
        time=WINDOW.end, key=f"raw/{path.name}",
    )  # fmt: skip


def ours(of: Provider[Any, Any], paths: list[Path], directory: Path) -> Built:
    """Build an object."""
    parts = [part(path) for path in paths]
    return Builder(
        records=of.record_format(None),
        source_name="bench",
        window=WINDOW,
        ensure_time=lambda: None,
    ).build("v1", parts, None, directory)  # fmt: skip


def inflate_and_parse(paths: list[Path]) -> None:
    """Do the least that anyone must do with JSON in a zip, or in pages."""
    for path in paths:
        data = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                (entry,) = archive.infolist()
            start = entry.header_offset + 30 + len(entry.filename)
            data = isal_zlib.decompressobj(-15).decompress(data[start : start + entry.compress_size])
        orjson.loads(data)


def cpu(work: Callable[[], object]) -> float:
    """Return the seconds of CPU, children included."""
    before = os.times()
    work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def compare(name: str, least: Callable[[], object], full: Callable[[], object], count: int) -> None:
    """Print the ratio of alternating runs."""
    pairs = [(cpu(least), cpu(full)) for _ in range(RUNS)]
    ratios = sorted(b / a for a, b in pairs)
    nanoseconds = [statistics.median(side) / count * 1e9 for side in zip(*pairs, strict=True)]
    print(
        f"{name:12} ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        f"   {nanoseconds[1]:.0f} over {nanoseconds[0]:.0f} ns a record"
    )


def main(count: int) -> None:
    """Make the bodies, then compare."""
    random.seed(1)
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        zipped = directory / "elsa.zip"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("0.json", orjson.dumps([elsa_record(at, count) for at in range(count)]))
        pages = [directory / f"page{page}.json" for page in range(max(1, count // 10_000))]
        for number, page in enumerate(pages):
            records = [security365_record(number * 10_000 + at, count) for at in range(min(count, 10_000))]
            page.write_bytes(orjson.dumps({"code": 0, "items": records}))
        lines = directory / "lines.gz"
        lines.write_bytes(gzip.compress(b"".join(cdn_line(at, count) for at in range(count)), 6))

        elsa = provider(JsonLayout(), ELSA)
        security365 = provider(JsonLayout(path="items"), SECURITY365, FieldMapping("sort", item(1), take=False))
        cdn = provider(LAYOUT, dict(line_columns("+08:00")))
        compare("elsa", lambda: inflate_and_parse([zipped]), lambda: ours(elsa, [zipped], directory), count)
        compare("security365", lambda: inflate_and_parse(pages), lambda: ours(security365, pages, directory), count)
        zcat = ["zcat", str(lines)]
        least = lambda: subprocess.run(zcat, stdout=subprocess.DEVNULL, check=True)  # noqa: E731
        compare("lines", least, lambda: ours(cdn, [lines], directory), count)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, the bodies' making included")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
