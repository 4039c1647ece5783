"""Is the archive what the provider held? Window by window, every record with every field, equal ones counted."""

import base64
import datetime as dt
import gzip
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.truth.archive import Bucket, Place
from tests.truth.difference import Findings, rows_differ
from tests.truth.ledger import Window
from tests.truth.parquet import SCHEMA, Held, rows, schema_of
from tests.truth.row import Row
from tests.truth.truth import ROWS, Truth


@dataclass(frozen=True)
class _Must:
    """What a window must hold."""

    rows: Counter[Row]
    rejects: Counter[bytes]


def compare(
    bucket: Bucket,
    place: Place,
    windows: Sequence[Window],
    truth: Truth,
    start: dt.datetime,
    end: dt.datetime,
    hosts: Collection[str] = (),
) -> Findings:
    """Compare what stands in the bucket for a half-open range with the truth, as of each window's last good visit.

    Counts `windows`, `records` (that must be there), `rows`, `rejects`, `empty` (windows without a row).
    """
    found = Findings()
    inside = [window for window in windows if window.start < end and window.end > start]
    _tiled(found, inside, start, end)
    existing = {key for key in bucket.keys(f"logs/provider={place.provider}/") if _is_of(key, place, start, end)}
    for window in inside:
        _window(found, bucket, place, window, _must(place.provider, window, truth, hosts), existing)
        existing.discard(place.logs(window))
    for key in sorted(existing):
        found.add("object", key, "belongs to no window of the ledger")
    return found


def _tiled(found: Findings, windows: Sequence[Window], start: dt.datetime, end: dt.datetime) -> None:
    """Check that the windows cover the range without a gap, and never twice."""
    if not windows or windows[0].start > start or windows[-1].end < end:
        found.add("window", f"{start} to {end}", "is not covered by windows")
    for one, following in pairwise(windows):
        found.check(one.end == following.start, "window", following.key, f"does not begin where {one.key} ends")


def _is_of(key: str, place: Place, start: dt.datetime, end: dt.datetime) -> bool:
    match = re.search(rf"/{re.escape(place.source)}-(\d{{8}}T\d{{6}}Z)-P[^/]*\.parquet$", key)
    return match is not None and f"{start:%Y%m%dT%H%M%SZ}" <= match[1] < f"{end:%Y%m%dT%H%M%SZ}"


def _must(provider: str, window: Window, truth: Truth, hosts: Collection[str]) -> _Must:
    must = _Must(Counter(), Counter())
    for text in _due(provider, window, truth, hosts):
        row = ROWS[provider](text)
        if row is None:
            must.rejects[text] += 1
        else:
            must.rows[row] += 1
    return must


def _due(provider: str, window: Window, truth: Truth, hosts: Collection[str]) -> Iterator[bytes]:
    """Yield the records that a window must hold: none before its first good visit."""
    if window.visited_at is None:
        return
    for record in truth(provider, window.start, window.end):
        if record.due(window.visited_at) and (not hosts or record.host in hosts):
            yield record.text


def _window(
    found: Findings, bucket: Bucket, place: Place, window: Window, must: _Must, existing: Collection[str]
) -> None:
    key = place.logs(window)
    data = bucket.read(key) if key in existing else None
    held = list(rows(data)) if data else []
    found.check(data is None or held, "object", key, "holds no row")
    if data is not None:
        found.check(schema_of(data) == SCHEMA, "schema", key, f"{schema_of(data)}")
    has = Counter(one.row for one in held)
    rows_differ(found, window.key, must.rows - has, has - must.rows)
    _identities(found, place, window, held)
    rejects = _rejects(bucket, place, window) if window.item.get("rejects") else Counter[bytes]()
    for text in (must.rejects - rejects).elements():
        found.add("reject", window.key, f"is not in rejects/: {text!r}")
    for text in (rejects - must.rejects).elements():
        found.add("reject", window.key, f"is a reject that ought not to be, or oftener than it ought: {text!r}")
    found.counts.update(windows=1, records=must.rows.total() + must.rejects.total(), empty=int(not held))
    found.counts.update(rows=len(held), rejects=rejects.total())


def _identities(found: Findings, place: Place, window: Window, held: Sequence[Held]) -> None:
    """Check that no two rows have the same id, nor come from the same record, nor belong to another source."""
    ids = Counter(one.record_id for one in held)
    origins = Counter((one.raw_part, one.raw_index) for one in held)
    for what, times in (*ids.items(), *origins.items()):
        found.check(times == 1 and what, "identity", window.key, f"{what} stands {times} times")
    sources = {one.source for one in held}
    found.check(sources <= {place.source}, "identity", window.key, f"holds rows of {sources}")


def _rejects(bucket: Bucket, place: Place, window: Window) -> Counter[bytes]:
    lines = gzip.decompress(bucket.read(place.rejects(window))).splitlines()
    return Counter(map(_rejected, map(json.loads, lines)))


def _rejected(line: Mapping[str, str]) -> bytes:
    record = line["record"]
    return base64.b64decode(record) if line.get("encoding") == "base64" else record.encode()
