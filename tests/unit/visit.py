"""A visit without AWS or a provider's API: bodies in, rows out."""

from __future__ import annotations

import atexit
import datetime as dt
import functools
import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, cast

from arro3.core import Array

from logarchive.column.arrow import filled, unzoned
from logarchive.column.convert import FieldMapping, epoch_ms, integer, severity, text, zoned_time
from logarchive.column.record_frame import Frame
from logarchive.moment import to_epoch_ms
from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.record.layout import ANY, JsonLayout, Layout, LineLayout
from logarchive.row.build import Builder, Built
from logarchive.row.parquet import object_visits
from logarchive.store.bucket import sha256_of
from logarchive.window import Span, Window

_parquet: Any = import_module("pyarrow.parquet")
WINDOW = Window(dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 14, tzinfo=dt.UTC))
START = to_epoch_ms(WINDOW.start)
END = to_epoch_ms(WINDOW.end)

COLUMNS = {
    "time": FieldMapping("time", epoch_ms),
    "severity_text": FieldMapping("level", text),
    "severity_number": FieldMapping("level", severity, take=False),
    "body": FieldMapping("message", text),
    "client_port": FieldMapping("port", integer),
    "user_name": FieldMapping("user.name", text),
}
LINE_COLUMNS = {
    "time": FieldMapping("time", zoned_time("+00:00")),
    "url_path": FieldMapping("path", text),
    "http_response_size": FieldMapping("bytes", integer),
    "http_request_referrer": FieldMapping("referer", text),
}
LINES = LineLayout(
    head={"time": ANY, "path": ANY, "bytes": ANY}, text="referer", tails=({}, {"range": "[0-9]+-[0-9]+|[a-z][0-9]*"})
)


def provider(
    layout: Layout = JsonLayout(),  # noqa: B008 (frozen)
    *,
    columns: Mapping[str, FieldMapping] | None = None,
    unique_id: FieldMapping | None = None,
) -> Provider[Any, Any]:
    lines = isinstance(layout, LineLayout)
    mapping = columns or (LINE_COLUMNS if lines else COLUMNS)
    unused = cast("Any", None)
    return Provider(
        name="test",
        source=unused,
        secret=unused,
        secret_group="test",
        auth=unused,
        fetch=unused,
        fault=unused,
        layout=layout,
        columns=lambda _settings: mapping,
        feed_id=unused,
        unique_id=unique_id,
        bounded=not lines,
    )


@functools.cache
def _root(_process: int) -> TemporaryDirectory[str]:
    """Return the folder of one process: those that `make mutants` forks have another place for what they leave."""
    root = TemporaryDirectory()
    atexit.register(root.cleanup)
    return root


def directory() -> Path:
    """Return a new folder, which is gone when the tests have ended."""
    return Path(mkdtemp(dir=_root(os.getpid()).name))


def part(body: bytes, *, key: str = "raw/0", own: Span | None = None, asked: Span | None = None, **more: Any) -> Part:
    path = directory() / "body"
    path.write_bytes(body)
    received: dict[str, Any] = {"suffix": "", "request": {}, "status": 200, "headers": {}, "time": WINDOW.end, **more}
    return Part(path=path, sha256="", bytes=len(body), key=key, own=own, asked=asked, **received)


def visit(
    *bodies: bytes | Part,
    of: Provider[Any, Any] | None = None,
    existing: Built | None = None,
    name: str = "v1",
    alive: Callable[[], None] = lambda: None,
    source: Any = None,
    source_name: str = "shop",
    window: Window = WINDOW,
    **more: Any,
) -> Built:
    parts = [one if isinstance(one, Part) else part(one, key=f"raw/{at}") for at, one in enumerate(bodies)]
    records = (of or provider()).record_format(source)
    builder = Builder(records=records, source_name=source_name, window=window, ensure_time=alive, **more)
    return builder.build(name, parts, existing.path if existing else None, directory())


def rows(built: Built) -> list[dict[str, Any]]:
    """Return an object's rows without their NULL columns; attributes stay a list of pairs."""
    table: list[dict[str, Any]] = _parquet.read_table(built.path).to_pylist() if built.path else []
    return [{name: value for name, value in row.items() if value is not None} for row in table]


def as_they_came(built: Built) -> list[dict[str, Any]]:
    """Return an object's rows in the order of their records."""
    return sorted(rows(built), key=itemgetter("raw_part", "raw_index"))


def visits(built: Built) -> tuple[str, ...]:
    return object_visits(built.path) if built.path else ()


def sha256(built: Built) -> str:
    return sha256_of(built.path) if built.path else ""


def rejects(built: Built) -> list[dict[str, Any]]:
    if built.rejects_path is None:
        return []
    with gzip.open(built.rejects_path) as file:
        return [json.loads(line) for line in file]


def columns_of(frame: Frame) -> list[Any]:
    """Return a frame's columns and attributes as lists."""
    return lists_of(frame.columns, frame.attributes)


def lists_of(made: Mapping[str, Sequence[Any] | Array], attributes: Array) -> list[Any]:
    """Return columns and attributes as lists."""
    columns = {name: one if isinstance(one, Array) else filled(name, one) for name, one in made.items()}
    return [*((name, unzoned(columns[name]).to_pylist()) for name in sorted(columns)), attributes.to_pylist()]


def zipped(*contents: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for at, content in enumerate(contents):
            archive.writestr(f"{at}.json", content)
    return file.getvalue()


def array(records: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(records) + b"]"


def lines(records: Sequence[bytes]) -> bytes:
    return b"".join(record + b"\n" for record in records)


def wrapped(records: Sequence[bytes]) -> bytes:
    return b'{"code": 0, "logs": [' + b" ,\n ".join(records) + b'], "total": 3}'
