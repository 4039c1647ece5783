"""The archive that is asked: an object for each hour and source, written by the archive's own writer.

Of each provider an hour is built from records, as by a visit. Every object takes some of its rows in another order,
with other times, ids and places in `raw/`, and with other digits in their longer texts: what repeats from hour to hour
would make large files smaller than they are. So 37 million rows take minutes, and not hours.
"""

# ruff: noqa: S311 (the records are made up)
import datetime as dt
import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from arro3.core import Array, RecordBatch

from logarchive.column.arrow import SCHEMA, declared, filled, joined
from logarchive.column.schema import COLUMNS
from logarchive.moment import HOUR, to_epoch_ms
from logarchive.row import parquet
from logarchive.store.place import Place, visit_name
from logarchive.window import Window
from tests.unit.exchange import source
from tests.unit.small_archive import body
from tests.unit.visit import part, visit
from tools.bench.body import WINDOW
from tools.bench_queries.record import records
from tools.registry import providers

_arrow: Any = import_module("pyarrow")  # ships no types

#: Ten sources: provider and name.
SOURCES = (
    *(("elsa", name) for name in ("shop", "search", "login", "batch")),
    *(("dsa", name) for name in ("edge", "video")),
    *(("security365", name) for name in ("office", "plant")),
    ("apigateway", "main"),
    ("multidrm", "site"),
)
#: Columns whose texts get other digits in every hour.
TEXTS = ("body", "url_path", "url_query", "trace_id")
#: An hour takes its rows from so many times more.
SPARE = 1.2
_DIGITS = b"0123456789"


@dataclass(frozen=True)
class Month:
    """How much is asked: so many days, hours of a day, and rows of an object."""

    first: dt.date = dt.date(2026, 10, 1)
    days: int = 31
    hours: int = 24
    rows: int = 5000

    @property
    def last(self) -> dt.date:
        """The last day."""
        return self.first + dt.timedelta(days=self.days - 1)

    def windows(self) -> Iterator[Window]:
        """Yield the windows of a source."""
        begin = dt.datetime.combine(self.first, dt.time(), dt.UTC)
        for day in range(self.days):
            for hour in range(self.hours):
                start = begin + dt.timedelta(days=day, hours=hour)
                yield Window(start, start + HOUR)

    def places(self) -> list[Place]:
        """Return the places of all objects, those of one provider together."""
        return [Place(provider, name, window) for provider, name in SOURCES for window in self.windows()]


def visited(provider: str, count: int) -> Path:
    """Build the object of an hour of made-up records, as a visit does."""
    received = part(body(provider, records(provider, count)))
    made = visit(received, of=providers()[provider], source=source(provider), window=WINDOW)
    if made.path is None or made.object_rows != count:
        raise RuntimeError(f"{made.object_rows} rows of {count} records of {provider}: {made.numbers}")
    return made.path


def built(provider: str, count: int) -> RecordBatch:
    """Return the rows of such an object."""
    return joined([*parquet.read(visited(provider, count))])


def hour(rows: RecordBatch, place: Place, count: int) -> RecordBatch:
    """Make the rows of another hour out of some of these, the same ones each time."""
    chance = random.Random(place.logs)
    taken = rows.take(filled("raw_index", chance.sample(range(rows.num_rows), count)))
    digits = bytes.maketrans(_DIGITS, bytes(chance.sample(_DIGITS, len(_DIGITS))))
    start, length = to_epoch_ms(place.window.start), HOUR // dt.timedelta(milliseconds=1)
    text = chance.randbytes(16 * count).hex()
    made = {
        "time": filled("time", sorted(chance.choices(range(start, start + length), k=count))),
        "source": filled("source", [place.source_name] * count),
        "record_id": filled("record_id", [text[at : at + 32] for at in range(0, len(text), 32)]),
        "raw_part": filled("raw_part", [place.part(visit_name(place.window.end, 1), 0, ".json.gz")] * count),
        "raw_index": filled("raw_index", range(count)),
        "attributes": _attributes(taken.column("attributes"), digits),
        **{name: Array.from_arrow(_translated(_arrow.array(taken.column(name)), digits)) for name in TEXTS},
    }
    return RecordBatch.from_arrays([made.get(name, taken.column(name)) for name in COLUMNS], schema=SCHEMA)


def _attributes(column: Array, digits: bytes) -> Array:
    pairs = _arrow.array(column)
    values = Array.from_arrow(_translated(pairs.items, digits))
    return declared(Array.from_arrow(pairs.keys), values, pairs.offsets.to_pylist())


def _translated(column: Any, digits: bytes) -> Any:  # noqa: ANN401 (an array of pyarrow's)
    """Return a column of texts with each digit replaced."""
    valid, offsets, data = _arrow.concat_arrays([column]).buffers()
    return _arrow.Array.from_buffers(
        column.type, len(column), [valid, offsets, data and _arrow.py_buffer(data.to_pybytes().translate(digits))]
    )


def write(folder: Path, month: Month) -> int:
    """Write the objects below a folder, on all cores; return their bytes."""
    at_once = os.cpu_count() or 1
    places = month.places()
    shares = [places[start::at_once] for start in range(at_once)]
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(write_all, [folder] * at_once, shares, [month.rows] * at_once))


def write_all(folder: Path, places: Sequence[Place], count: int) -> int:
    """Write the objects of some places below a folder; return their bytes."""
    known: dict[str, RecordBatch] = {}
    size = 0
    for place in places:
        if place.provider not in known:
            known = {place.provider: built(place.provider, round(SPARE * count))}
        path = folder / place.logs
        path.parent.mkdir(parents=True, exist_ok=True)
        version = providers()[place.provider].record_format(source(place.provider)).mapping_version
        parquet.write(path, [hour(known[place.provider], place, count)], (visit_name(place.window.end, 1),), version)
        size += path.stat().st_size
    return size
