"""Does every row lead back to its record? Its `raw_part` is read, and its `raw_index`-th record made a row again."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.truth.archive import Bucket, Place
from tests.truth.body import RECORDS
from tests.truth.difference import Findings
from tests.truth.dsa_row import dsa_row
from tests.truth.elsa_row import row_of
from tests.truth.ledger import Window
from tests.truth.parquet import Held, rows
from tests.truth.row import Row, fields

#: What row a record must become, as it was read back from a part.
ROWS: dict[str, Callable[[Any], Row | None]] = {"elsa": row_of, "dsa": dsa_row}


def lead_back(bucket: Bucket, place: Place, windows: Sequence[Window]) -> Findings:
    """Follow every row of these windows back to its record. Counts `rows` and `parts`."""
    found = Findings()
    standing = set(bucket.keys(f"logs/provider={place.provider}/"))
    for window in windows:
        if place.logs(window) in standing:
            _window(found, bucket, place, window)
    return found


def _window(found: Findings, bucket: Bucket, place: Place, window: Window) -> None:
    parts: dict[str, list[Any]] = {}
    for held in rows(bucket.read(place.logs(window))):
        key = held.raw_part
        if key not in parts:
            found.check(key.startswith(place.raw(window)), "way back", key, f"is named by a row of {window.key}")
            parts[key] = RECORDS[place.provider](bucket.read(key))
        _row(found, place, held, parts[key])
        found.counts["rows"] += 1
    found.counts["parts"] += len(parts)


def _row(found: Findings, place: Place, held: Held, records: Sequence[Any]) -> None:
    if not 0 <= held.raw_index < len(records):
        found.add("way back", held.raw_part, f"has no record {held.raw_index}, only {len(records)}")
        return
    record = records[held.raw_index]
    row = ROWS[place.provider](record)
    if row != held.row:
        has = fields(held.row)
        found.add("way back", held.raw_part, f"record {held.raw_index} is not the one of the row {has}: {record!r}")
