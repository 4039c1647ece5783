"""Does every row lead back to its record? Its `raw_part` is read, and its `raw_index`-th record made a row again."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.truth.archive import Bucket, Place
from tests.truth.body import RECORDS
from tests.truth.difference import Findings
from tests.truth.ledger import Window
from tests.truth.parquet import Held, rows
from tests.truth.row import Row, fields
from tests.truth.truth import ROWS


def lead_back(
    bucket: Bucket, place: Place, windows: Sequence[Window], row_of: Callable[[Any], Row | None] | None = None
) -> Findings:
    """Follow every row of these windows back to its record. Counts `rows` and `parts`.

    `row_of` stands in where the parts are told otherwise than by default: in another zone, for instance.
    """
    found = Findings()
    row_of = row_of or ROWS[place.provider]
    existing = set(bucket.keys(f"logs/provider={place.provider}/"))
    for window in windows:
        if place.logs(window) in existing:
            _window(found, bucket, place, window, row_of)
    return found


def _window(found: Findings, bucket: Bucket, place: Place, window: Window, row_of: Callable[[Any], Row | None]) -> None:
    parts: dict[str, list[Any]] = {}
    for held in rows(bucket.read(place.logs(window))):
        key = held.raw_part
        if key not in parts:
            found.check(key.startswith(place.raw(window)), "way back", key, f"is named by a row of {window.key}")
            parts[key] = RECORDS[place.provider](bucket.read(key))
        _row(found, row_of, held, parts[key])
        found.counts["rows"] += 1
    found.counts["parts"] += len(parts)


def _row(found: Findings, row_of: Callable[[Any], Row | None], held: Held, records: Sequence[Any]) -> None:
    if not 0 <= held.raw_index < len(records):
        found.add("way back", held.raw_part, f"has no record {held.raw_index}, only {len(records)}")
        return
    record = records[held.raw_index]
    row = row_of(record)
    if row != held.row:
        has = fields(held.row)
        found.add("way back", held.raw_part, f"record {held.raw_index} is not the one of the row {has}: {record!r}")
