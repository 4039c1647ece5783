"""Writes beside each body of `tests/fixtures` the rows and rejects that it becomes (`python -m tools.golden [NAME]`).

A change of a mapping is then reviewed as a diff of these files. The source is the example of the provider's page; the
window is the one in the golden file, or `--window` for a body that has none yet.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools.lock import ROOT
from tools.provider_page import example
from tools.registry import names, providers

sys.path.insert(0, str(ROOT / "layers" / "shared"))  # where the functions find the layer

from logarchive.part import Part
from logarchive.row.build import Builder
from logarchive.window import Window

_parquet: Any = import_module("pyarrow.parquet")
FIXTURES = ROOT / "tests" / "fixtures"
WINDOW = "2026-11-22T13:00:00Z/PT1H"


def bodies(folder: Path) -> list[Path]:
    """Return the bodies of one provider: whatever is neither a golden file nor the README."""
    return sorted(path for path in folder.iterdir() if path.suffix != ".md" and not path.name.endswith(".golden.json"))


def beside(body: Path) -> Path:
    """Return the golden file of a body."""
    return body.with_name(f"{body.name}.golden.json")


def golden(body: Path, window: Window) -> dict[str, Any]:
    """Return what a body in a folder named by its provider becomes: rows without empty columns, and rejects."""
    provider = providers()[body.parent.name]
    own = window if provider.bounded else None
    part = Part(
        path=body,
        sha256="",
        bytes=body.stat().st_size,
        suffix=body.suffix,
        request={},
        status=200,
        headers={},
        time=window.end,
        asked=own and own.widened(provider.margin),
        own=own,
        key=body.name,
    )
    with TemporaryDirectory() as directory:
        built = Builder(
            records=provider.record_format(example(provider.name)),
            source_name="golden",
            window=window,
            ensure_time=lambda: None,
        ).build("v1", [part], None, Path(directory))
        rows: list[dict[str, Any]] = _parquet.read_table(built.path).to_pylist() if built.path else []
        rejects = gzip.decompress(built.rejects_path.read_bytes()).splitlines() if built.rejects_path else []
    return {
        "window": window.key,
        "rows": [_shown(row) for row in rows],
        "rejects": [json.loads(line) for line in rejects],
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON without its empty columns and its id, which other tests check."""
    shown = {name: value for name, value in row.items() if value is not None and name != "record_id"}
    return shown | {"time": row["time"].isoformat(timespec="milliseconds"), "attributes": dict(row["attributes"])}


def text(body: Path, window: str = WINDOW) -> str:
    """Return what the golden file of a body must hold; `window` is for a body that has none yet."""
    file = beside(body)
    key = json.loads(file.read_text())["window"] if file.exists() else window
    return json.dumps(golden(body, Window.parse(key)), ensure_ascii=False, indent=1) + "\n"


def write(folder: Path, window: str = WINDOW) -> Iterator[str]:
    """Write the golden files of one provider's bodies; yield a line about each."""
    for body in bodies(folder):
        new = text(body, window)
        beside(body).write_text(new)
        made = json.loads(new)
        yield f"{folder.name}/{beside(body).name}: {len(made['rows'])} rows, {len(made['rejects'])} rejects"


def main() -> None:
    """Write the golden files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}; all by default")
    parser.add_argument("--window", default=WINDOW, help="of bodies without a golden file; %(default)s by default")
    options = parser.parse_args()
    for name in options.name or names():
        print(*write(FIXTURES / name, options.window), sep="\n")


if __name__ == "__main__":
    main()
