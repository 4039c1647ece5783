"""Writes beside each body of `tests/fixtures` the rows and rejects that it becomes (`python -m tools.golden [NAME]`).

A change of a mapping is then reviewed as a diff of these files. Each names the `mapping_version` that made its rows
first; other rows need a higher one in app.py. The source is the example of the provider's page; the window is the one
in the golden file, or `--window` for one body, whose path is then named: `elsa/array.json`.
"""

import argparse
import gzip
import json
from collections.abc import Sequence
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from logarchive.part import Part
from logarchive.row.build import Builder, Built
from logarchive.window import Window
from tools.lock import ROOT
from tools.provider_page import example
from tools.registry import names, providers

FIXTURES = ROOT / "tests" / "fixtures"
WINDOW = "2026-11-22T13:00:00Z/PT1H"


def bodies(folder: Path) -> list[Path]:
    """Return the bodies of one provider: whatever is neither a golden file nor the README."""
    return sorted(path for path in folder.iterdir() if path.suffix != ".md" and not path.name.endswith(".golden.json"))


def beside(body: Path) -> Path:
    """Return the golden file of a body."""
    return body.with_name(f"{body.name}.golden.json")


def build(
    name: str, paths: Sequence[Path], window: Window, directory: Path, existing: Path | None = None, visit: str = "v1"
) -> Built:
    """Build an object of bodies of a provider and of an existing object, as its example source would."""
    provider = providers()[name]
    own = window if provider.bounded else None
    parts = [
        Part(
            path=path,
            sha256="",
            bytes=path.stat().st_size,
            suffix=path.suffix,
            request={},
            status=200,
            headers={},
            time=window.end,
            asked=own and own.widened(provider.margin),
            own=own,
            key=path.name,
        )
        for path in paths
    ]
    records = provider.record_format(example(name))
    builder = Builder(records=records, source_name="golden", window=window, ensure_time=lambda: None)
    return builder.build(visit, parts, existing, directory)


def golden(body: Path, window: Window) -> dict[str, Any]:
    """Return what a body in a folder named by its provider becomes: rows without empty columns, and rejects.

    Raises ValueError if it has records of another time.
    """
    parquet: Any = import_module("pyarrow.parquet")  # not above: the bench measures the memory of who only builds
    with TemporaryDirectory() as directory:
        built = build(body.parent.name, [body], window, Path(directory))
        if strays := built.numbers.strays:
            place = f"{body.parent.name}/{body.name}"
            raise ValueError(
                f"{place}: {strays} records lie outside {window.key}; for instance: {place} --window {WINDOW}"
            )
        rows: list[dict[str, Any]] = parquet.read_table(built.path).to_pylist() if built.path else []
        rejects = gzip.decompress(built.rejects_path.read_bytes()).splitlines() if built.rejects_path else []
    return {
        "window": window.key,
        # As they lie in the body, so that which record a row is of can be seen.
        "rows": [_shown(row) for row in sorted(rows, key=itemgetter("raw_part", "raw_index"))],
        "rejects": [json.loads(line) for line in rejects],
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON without its empty columns and its id, which other tests check."""
    shown = {name: value for name, value in row.items() if value is not None and name != "record_id"}
    return shown | {"time": row["time"].isoformat(timespec="milliseconds"), "attributes": dict(row["attributes"])}


def text(body: Path, window: str | None = None, version: int | None = None) -> str:
    """Return what the golden file of a body must hold, for that window or the one it already names.

    Raises ValueError if a version of the mapping (that of the provider by default) has made other rows of it before.
    """
    file = beside(body)
    before: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    made = golden(body, Window.parse(window or before.get("window", WINDOW)))
    mapping, now = before.get("mapping", 0), version or providers()[body.parent.name].mapping_version
    if made != {name: value for name, value in before.items() if name != "mapping"}:
        if now <= mapping and made["window"] == before["window"]:
            raise ValueError(
                f"{body.parent.name}/{body.name}: mapping {mapping} made other rows of it; "
                f"set mapping_version={mapping + 1} in functions/{body.parent.name}/app.py"
            )
        mapping = now
    return json.dumps({"mapping": mapping or now, **made}, ensure_ascii=False, indent=1) + "\n"


def write(body: Path, window: str | None = None, version: int | None = None) -> str:
    """Write the golden file of a body; return a line about it."""
    new = text(body, window, version)
    beside(body).write_text(new)
    made = json.loads(new)
    return f"wrote {body.parent.name}/{beside(body).name}: {len(made['rows'])} rows, {len(made['rejects'])} rejects"


def main() -> None:
    """Write the golden files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "name", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}, or a body; all by default"
    )
    parser.add_argument("--window", help=f"of the one body that is named; for instance {WINDOW}")
    options = parser.parse_args()
    places = [FIXTURES / name for name in options.name or names()]
    if options.window and not (len(places) == 1 and places[0].is_file()):
        parser.error(f"--window: name the one body that it is of; for instance elsa/array.json --window {WINDOW}")
    for body in (body for place in places for body in (bodies(place) if place.is_dir() else [place])):
        try:
            print(write(body, options.window))
        except ValueError as error:
            parser.exit(1, f"tools.golden: {error}\n")


if __name__ == "__main__":
    main()
