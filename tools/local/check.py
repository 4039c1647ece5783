"""Compares what a function has archived with the simulator's records, and verifies what the notary has signed."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import truth
from tests.integration.stage import Stage
from tests.simulator import HIDDEN
from tools.bucket_copy import BucketCopy, copy


@dataclass(frozen=True)
class Found:
    """How many windows and rows there are, and every difference."""

    windows: int
    rows: int
    differences: Sequence[str]


def check(
    on: Stage, place: truth.Place, result: Mapping[str, Any], start: dt.datetime, least: int, hosts: Sequence[str]
) -> Found:
    """Compare the archive after a source's first visits with the simulator's records; there must be `least` windows."""
    windows = [window for window in on.windows(place.provider, place.source) if window.visited_at]
    wrong = [str(error) for error in result["errors"]]
    wrong += [json.dumps(window) for window in result["windows"] if window["state"] != "archived" or window["issue"]]
    if len(windows) < least:
        return Found(len(windows), 0, [*wrong, f"only {len(windows)} windows were archived"])
    findings = [
        truth.check_raw(on.bucket, place, windows, HIDDEN),
        truth.lead_back(on.bucket, place, windows),
        truth.compare(on.bucket, place, windows, on.simulator.truth, start, windows[-1].end, hosts),
    ]
    wrong += [str(one) for finding in findings for one in finding.differences]
    count = findings[-1].counts["rows"]
    return Found(len(windows), count, wrong if count else [*wrong, "there is not a single row"])


def check_proof(on: Stage, folder: Path) -> Sequence[str]:
    """Verify a copy of the bucket with the program that an auditor would use; return what it finds."""
    copy(on.aws.store, folder)
    verified = BucketCopy(folder, str(folder / "proof" / "key")).check()
    return (verified.output + verified.error).splitlines() if verified.code else []
