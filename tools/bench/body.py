"""What the providers return in the bench: made-up bodies of an hour, the same ones each time.

Also run as a program, so that the process that measures stays small: `python -m tools.bench.body KIND COUNT FOLDER`.
"""

# ruff: noqa: S311 (the records are made up)
import gzip
import random
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from pathlib import Path
from typing import Any

import orjson

from logarchive.moment import to_epoch_ms
from logarchive.window import Window

WINDOW = Window.parse("2026-11-20T00:00:00Z/PT1H")
START = to_epoch_ms(WINDOW.start)
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
#: As many records as ELSA puts into one file, less one: a full file would be asked for again in halves.
ELSA_FILE = 199_999
PAGE = 10_000
#: Of so many lines, one cannot be read; of so many records, one has a float.
ONE_UNREADABLE, ONE_FLOAT = 5_000, 1_000


def elsa_record(at: int, count: int) -> dict[str, Any]:
    """Make a record of about 770 bytes."""
    moment = START + at * 3_600_000 // count
    return {
        "projectName": "Pb123_checkout",
        "projectVersion": "1.0.0",
        "body": f"order {at} {random.getrandbits(120):030x} accepted after {random.randrange(9)} tries, "
        + "the quick brown fox jumps over the lazy dog while the queue drains " * 4,
        "logLevel": random.choice(["INFO", "WARN", "ERROR"]),
        "logType": "nelo2-log",
        "logSource": "json",
        "host": f"10.0.0.{random.randrange(255)}",
        "logTime": moment,
        "sendTime": moment + 33,
        "thread": f"main-{at % 16}",
        "userAgent": AGENT.format(100),
        "path": f"/v1/orders/{random.randrange(10**6)}",
        "status": 200,
        "pod": f"checkout-5f6b9-{random.getrandbits(20):05x}",
        "requestId": f"{random.getrandbits(128):032x}",
    }


def varied_record(at: int, count: int) -> dict[str, Any]:
    """Make an ELSA record with any of four more keys: 16 sets of keys."""
    more = {"userId": f"u{at % 500}", "retry": at % 3, "region": "kr-1", "traceId": f"{random.getrandbits(128):032x}"}
    return elsa_record(at, count) | {key: value for key, value in more.items() if random.getrandbits(1)}


def descending_record(at: int, count: int) -> dict[str, Any]:
    """Make the same ELSA records, the newest first."""
    return elsa_record(count - 1 - at, count)


def small_record(at: int, count: int) -> dict[str, Any]:
    """Make an ELSA record of about 80 bytes, for as many as a window may have."""
    return {"logTime": START + at * 3_600_000 // count, "body": f"{random.getrandbits(128):032x}"}


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


def float_record(at: int, count: int) -> dict[str, Any]:
    """Make a Security365 record; one in a thousand has a float."""
    return security365_record(at, count) | ({} if at % ONE_FLOAT else {"elapsed": 1.25})


def cdn_line(at: int, count: int, fields: int = 16) -> bytes:
    """Make a line of about 230 bytes with 16 fields, or the first of them."""
    second = at * 3600 // count
    referer = random.choice(["NULL", "https://www.example.com/index.html"])
    head = (
        f"2026112008{second // 60:02d}{second % 60:02d} 10.{random.randrange(256)}.{random.randrange(256)}.9 "
        f"www.example.com /static/{random.randrange(10**6)}/p.jpg?v={random.randrange(1000)} {random.randrange(10**6)} "
        f"{random.choice([22, 4, 2])} {random.choice([2, 26, 1046])} {random.choice([200, 200, 404])} {referer} "
        f'{random.randrange(900)} "{AGENT.format(90 + at % 30)}" "(null)"'
    )
    more = {12: "", 15: " GET HTTP/1.1 hit", 16: f" GET HTTP/1.1 hit {random.randrange(65535)}"}
    return f"{head}{more[fields]}\n".encode()


def mixed_line(at: int, count: int) -> bytes:
    """Make a line of 12, 15 or 16 fields."""
    return cdn_line(at, count, random.choice([12, 15, 16]))


def spoiled_line(at: int, count: int) -> bytes:
    """Make a line; some cannot be read."""
    return cdn_line(at, count) if (at + 1) % ONE_UNREADABLE else b"truncated\n"


type Make[T] = Callable[[int, int], T]


def _files(make: Make[dict[str, Any]], count: int, folder: Path) -> None:
    """Write zips with an array each, none larger than ELSA's."""
    for number, numbers in enumerate(batched(range(count), ELSA_FILE, strict=False)):
        with zipfile.ZipFile(folder / f"{number:02}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("0.json", orjson.dumps([make(at, count) for at in numbers]))


def _late(make: Make[dict[str, Any]], count: int, folder: Path) -> None:
    """Write a zip with ten of eleven records, and one with the others, which come late: of all times of the hour."""
    records = [make(at, count) for at in range(count)]
    for name, some in (("0.zip", [one for at, one in enumerate(records) if at % 11]), ("1.zip", records[::11])):
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("0.json", orjson.dumps(some))


def _pages(make: Make[dict[str, Any]], count: int, folder: Path) -> None:
    """Write pages of 10,000 records."""
    for number, numbers in enumerate(batched(range(count), PAGE, strict=False)):
        page = {"code": 0, "items": [make(at, count) for at in numbers]}
        (folder / f"{number:03}.json").write_bytes(orjson.dumps(page))


def _hosts(make: Make[bytes], count: int, folder: Path) -> None:
    """Write five gzips of lines, each of the whole hour: as of five hosts."""
    for number in range(5):
        with gzip.open(folder / f"{number}.gz", "wb", 6) as file:
            file.writelines(make(at, count) for at in range(number, count, 5))


def _lines(make: Make[bytes], count: int, folder: Path) -> None:
    """Write a gzip of lines."""
    with gzip.open(folder / "0.gz", "wb", 6) as file:
        file.writelines(make(at, count) for at in range(count))


#: Kind -> the provider, and what writes its bodies.
KINDS: dict[str, tuple[str, Callable[[int, Path], None]]] = {
    "elsa": ("elsa", lambda count, folder: _files(elsa_record, count, folder)),
    "elsa-varied": ("elsa", lambda count, folder: _files(varied_record, count, folder)),
    "elsa-late": ("elsa", lambda count, folder: _late(elsa_record, count, folder)),
    "elsa-descending": ("elsa", lambda count, folder: _files(descending_record, count, folder)),
    "elsa-small": ("elsa", lambda count, folder: _files(small_record, count, folder)),
    "security365": ("security365", lambda count, folder: _pages(security365_record, count, folder)),
    "security365-float": ("security365", lambda count, folder: _pages(float_record, count, folder)),
    "cdn": ("dsa", lambda count, folder: _lines(cdn_line, count, folder)),
    "cdn-hosts": ("dsa", lambda count, folder: _hosts(cdn_line, count, folder)),
    "cdn-mixed": ("dsa", lambda count, folder: _lines(mixed_line, count, folder)),
    "cdn-spoiled": ("dsa", lambda count, folder: _lines(spoiled_line, count, folder)),
}


def paths(folder: Path) -> list[Path]:
    """Return the bodies in a folder, in order."""
    return sorted(path for path in folder.iterdir() if path.is_file())


def contents(bodies: Sequence[Path]) -> Iterator[bytes]:
    """Yield what is in the bodies, inflated."""
    from isal import isal_zlib  # who only makes bodies needs neither

    for path in bodies:
        if path.suffix == ".gz":
            yield gzip.decompress(path.read_bytes())
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                (member,) = archive.infolist()
            start = member.header_offset + 30 + len(member.filename)
            body = path.read_bytes()[start : start + member.compress_size]
            yield isal_zlib.decompressobj(-15).decompress(body)
        else:
            yield path.read_bytes()


if __name__ == "__main__":
    random.seed(1)
    KINDS[sys.argv[1]][1](int(sys.argv[2]), Path(sys.argv[3]))
