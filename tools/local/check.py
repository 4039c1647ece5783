"""The proof that what a function has left in the bucket is the truth."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests import truth
from tests.integration.stage import SECRETS, Stage


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
    findings = [
        truth.check_raw(on.bucket, place, windows, SECRETS),
        truth.lead_back(on.bucket, place, windows),
        truth.compare(on.bucket, place, windows, on.simulator.truth, start, windows[-1].end, hosts),
    ]
    wrong += [str(one) for found in findings for one in found.differences]
    count = findings[-1].counts["rows"]
    return Found(len(windows), count, wrong if count else [*wrong, "there is not a single row"])
