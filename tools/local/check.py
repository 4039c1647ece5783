"""The proof that what a function has left in the bucket is the truth."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests import truth
from tests.integration.stage import SECRETS, Stage
from tests.truth.parquet import rows
from tests.truth.row import fields
from tests.truth.truth import ROWS

#: What a record's text is called, where only texts and times are compared.
BODY = {"apigateway": "message", "multidrm": "description", "security365": "description"}


@dataclass(frozen=True)
class Found:
    """How much there is, and everything that is not as it must be."""

    windows: int
    rows: int
    differences: Sequence[str]


def check(
    on: Stage, place: truth.Place, answer: Mapping[str, Any], start: dt.datetime, least: int, hosts: Sequence[str]
) -> Found:
    """Compare what a source's first visits have left with the simulator's truth; `least` windows must be there."""
    windows = [window for window in on.windows(place.provider, place.source) if window.visited_at]
    wrong = [str(error) for error in answer["errors"]]
    wrong += [json.dumps(window) for window in answer["windows"] if window["state"] != "archived" or window["issue"]]
    if len(windows) < least:
        return Found(len(windows), 0, [*wrong, f"only {len(windows)} windows were archived"])
    findings = [truth.check_raw(on.bucket, place, windows, SECRETS)]
    if place.provider in ROWS:
        findings.append(truth.lead_back(on.bucket, place, windows))
        findings.append(truth.compare(on.bucket, place, windows, on.simulator.truth, start, windows[-1].end, hosts))
    else:
        findings.append(_texts(on, place, windows))
    wrong += [str(one) for found in findings for one in found.differences]
    count = findings[-1].counts["rows"]
    return Found(len(windows), count, wrong if count else [*wrong, "there is not a single row"])


def _texts(on: Stage, place: truth.Place, windows: Sequence[truth.Window]) -> truth.Findings:
    """Compare times and texts only: what stands in for the comparison of every field, where that is not written yet."""
    found = truth.Findings()
    for window in windows:
        must = Counter[tuple[int, object]]()
        for record in on.simulator.truth(place.provider, window.start, window.end):
            if record.due(window.visited_at or window.start):
                text = record.value.get(BODY[place.provider])
                must[record.time_ms, text if isinstance(text, str) else None] += 1
        key = place.logs(window)
        held = list(rows(on.bucket.read(key))) if on.bucket.keys(key) else []
        has = Counter[tuple[int, object]](
            (told["time"], told.get("body")) for told in (fields(one.row) for one in held)
        )
        found.counts["rows"] += len(held)
        found.check(has == must, "changed", window.key, f"missing {list(must - has)[:3]}, extra {list(has - must)[:3]}")
    return found
