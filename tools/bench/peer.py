"""The same window's life with dlt, or with grove, in an environment that holds it: `python peer.py dlt FOLDER VISITS`.

Each gets the same files, inflates and parses them with the same libraries where its own do not, and writes local files:
dlt a Parquet table that a revisit replaces, grove NDJSON in gzip. Neither keeps raw bytes, ids or rejects; nothing is
uploaded. It imports nothing of the archive.
"""

import json
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PAGE = 10_000


def records(folder: Path) -> Iterator[list[Any]]:
    """Yield the records of all bodies, in pages."""
    orjson: Any = _orjson()
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for page in batched(orjson.loads(archive.read(archive.namelist()[0])), PAGE, strict=False):
                yield list(page)


def _orjson() -> Any:  # noqa: ANN401 (a module)
    """Return orjson, or json where the environment has none: grove itself uses json."""
    try:
        return import_module("orjson")
    except ModuleNotFoundError:
        return json


def with_dlt(folder: Path, target: Path) -> Callable[[], None]:
    """Return what loads all records into a table of Parquet files."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DATA_WRITER__DISABLE_COMPRESSION": "false"}
    dlt: Any = import_module("dlt")
    import_module("pyarrow.parquet")
    to_files = dlt.destinations.filesystem(target.as_uri())
    pipeline = dlt.pipeline("bench", pipelines_dir=str(target / "work"), destination=to_files, dataset_name="logs")

    def load() -> None:
        resource = dlt.resource(records(folder), name="records", write_disposition="replace")
        pipeline.run(resource, loader_file_format="parquet").raise_on_failed_jobs()

    return load


def with_grove(folder: Path, target: Path) -> Callable[[], None]:
    """Return what copies all records into files of NDJSON."""
    os.environ |= {"GROVE_OUTPUT_HANDLER": "local_file", "GROVE_OUTPUT_LOCAL_FILE_PATH": str(target)}
    os.environ |= {"GROVE_CACHE_HANDLER": "local_memory"}
    base: Any = import_module("grove.connectors").BaseConnector
    constants: Any = import_module("grove.constants")
    config = import_module("grove.models").ConnectorConfig(key="k", identity="i", name="n", connector="bench")
    for handler in ("grove.outputs.local_file", "grove.caches.local_memory"):
        import_module(handler)

    def collect(connector: Any) -> None:  # noqa: ANN401 (grove has no types)
        connector.pointer = "0"
        for page in records(folder):
            connector.save(page)

    order = {"CONNECTOR": "bench", "POINTER_PATH": "logTime", "LOG_ORDER": constants.CHRONOLOGICAL}
    connector = type("Connector", (base,), {**order, "collect": collect})
    return lambda: connector(config, {}).run()


def main() -> None:
    """Visit so many times, and print what it took."""
    name, folder, visits = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    with TemporaryDirectory() as directory:
        visit = {"dlt": with_dlt, "grove": with_grove}[name](folder, Path(directory))
        before = os.times()
        for _ in range(visits):
            visit()
        seconds = sum(os.times()[:4]) - sum(before[:4])
        written = sum(path.stat().st_size for path in Path(directory).rglob("*.gz" if name == "grove" else "*.parquet"))
    if not written:
        raise SystemExit(f"{name} has written nothing")
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak, "written": written}))


if __name__ == "__main__":
    main()
