"""Golden files: a body, and beside it the rows and rejects that it must become."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from logarchive.part import Part
from logarchive.provider.provider import Provider
from logarchive.row.build import build
from logarchive.window import Window

_parquet: Any = import_module("pyarrow.parquet")
FIXTURES = Path(__file__).parents[1] / "fixtures"
WINDOW = Window(dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 14, tzinfo=dt.UTC))


def kept(path: Path, window: Window = WINDOW, *, bounded: bool) -> Part:
    """Return a body as a part that answers for the window."""
    span = window if bounded else None
    return Part(
        path=path,
        sha256="",
        bytes=path.stat().st_size,
        suffix=path.suffix,
        request={},
        status=200,
        headers={},
        time=window.end,
        asked=span and span.widened(dt.timedelta(milliseconds=1)),
        own=span,
        key=path.name,
    )


def made(
    provider: Provider[Any, Any], configured: Any, body: Path, directory: Path, window: Window = WINDOW
) -> dict[str, Any]:
    """Return what a body becomes: rows without empty columns, and rejects."""
    built = build(
        records=provider.record_format(configured),
        source_name="golden",
        window=window,
        visit="v1",
        parts=[kept(body, window, bounded=provider.bounded)],
        standing=None,
        directory=directory,
        alive=lambda: None,
    )
    rows: list[dict[str, Any]] = _parquet.read_table(built.path).to_pylist() if built.path else []
    rejects = gzip.decompress(built.rejects_path.read_bytes()).splitlines() if built.rejects_path else []
    return {"rows": [_told(row) for row in rows], "rejects": [json.loads(line) for line in rejects]}


def expected(name: str) -> Any:
    """Return what stands in the golden file beside a body."""
    return json.loads((FIXTURES / f"{name}.golden.json").read_text())


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON; its id is the business of other tests."""
    told = {name: value for name, value in row.items() if value is not None and name != "record_id"}
    told["time"] = row["time"].isoformat(timespec="milliseconds")
    told["attributes"] = dict(row["attributes"])
    return told
