"""Objects that only a query engine can misread, made by the layer: on days before those of the saved queries."""

import datetime as dt
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from logarchive.row.build import Built
from logarchive.store.place import Place
from logarchive.window import Window
from tests.unit.exchange import source
from tests.unit.small_archive import HOUR, elsa
from tests.unit.visit import part, visit
from tools.registry import providers

_parquet: Any = import_module("pyarrow.parquet")  # ships no types

#: A day with odd attributes; with a window that was merged; without an object; with a record of the day before; with an
#: object that has a column more.
ODD, MERGED, EMPTY, BEFORE, WIDER = ("2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05", "2026-11-06")
NAME = "odd"
#: The column of `WIDER`.
ADDED = "added_later"

#: A field of a record, and the text that it is in `attributes`.
FIELDS: dict[str, tuple[object, str]] = {
    "a.b": ("dot", "dot"),
    "with space": ("space", "space"),
    "": ("no name", "no name"),
    'quote\'s "both"': ("'\"", "'\""),
    "한국어 키": ("값 😀", "값 😀"),
    "UPPER": ("upper", "upper"),
    "upper": ("lower", "lower"),
    "n" * 300: ("long", "long"),
    "empty": ("", ""),
    "lines": ("a\nb\r\n\tc", "a\nb\r\n\tc"),
    "nul": ("a\u0000b", "a\u0000b"),
    "percent": ("100% _ \\ ; --", "100% _ \\ ; --"),
    "true": (True, "true"),
    "big": (123456789012345678901234567890, "123456789012345678901234567890"),
    "small": (0.1, "0.1"),
    "list": ([1, {"x": None}], '[1,{"x":null}]'),
    "json": ('{"a"', '{"a"'),
}


def window(day: str, hour: int = 13) -> Window:
    begin = dt.datetime.fromisoformat(f"{day}T{hour:02}:00+00:00")
    return Window(begin, begin + HOUR)


def place(provider: str, of: Window) -> Place:
    return Place(provider, NAME, of)


def raw_key(provider: str, of: Window, name: str = "v1") -> str:
    return f"raw/{provider}/{NAME}/{of.slug}/{name}"


def built(provider: str, of: Window, body: bytes, name: str = "v1", existing: Built | None = None) -> Built:
    how: Any = {"of": providers()[provider], "source": source(provider), "source_name": NAME, "window": of}
    made = visit(part(body, key=raw_key(provider, of, name)), name=name, existing=existing, **how)
    assert made.numbers.rejects == 0
    return made


def write(bucket: Path) -> None:
    """Write the objects below a folder that stands for the bucket."""
    fields = {name: value for name, (value, _) in FIELDS.items()}
    _put(bucket, "elsa", window(ODD), built("elsa", window(ODD), records(elsa(f"{ODD}T13:05", body="odd", **fields))))

    early = [elsa(f"{MERGED}T13:05", body="both"), elsa(f"{MERGED}T13:10", body="first only")]
    late = [elsa(f"{MERGED}T13:05", body="both"), elsa(f"{MERGED}T13:01", body="late")]
    first = built("elsa", window(MERGED), records(*early))
    second = built("elsa", window(MERGED), records(*late), "v2", first)
    _put(bucket, "elsa", window(MERGED), second)

    # Lines have local times of +08:00; the first one is of the second before midnight in UTC.
    text = "203.0.113.7 www.example.com /m 1 22 2 200 NULL 10 - - GET HTTP/1.1 hit -\n"
    lines = f"20261105075959 {text}20261105080000 {text}"
    _put(bucket, "dsa", window(BEFORE, 0), built("dsa", window(BEFORE, 0), lines.encode()))

    made = built("elsa", window(WIDER), records(elsa(f"{WIDER}T13:05", body="wider")))
    table = _parquet.read_table(made.path)
    _put(bucket, "elsa", window(WIDER), made)
    path = bucket / place("elsa", window(WIDER)).logs
    _parquet.write_table(table.add_column(1, ADDED, [["new"]]), path, compression="zstd", store_schema=False)


def records(*items: dict[str, object]) -> bytes:
    return json.dumps(items).encode()


def _put(bucket: Path, provider: str, of: Window, made: Built) -> None:
    assert made.path
    to = bucket / place(provider, of).logs
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(made.path.read_bytes())
