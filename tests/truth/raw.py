"""Does raw prove itself? Every part's bytes against its manifest, every object's against the ledger, every number."""

import gzip
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tests.truth.archive import Bucket, Place
from tests.truth.difference import Findings
from tests.truth.ledger import Window

MANIFEST = "/manifest.json"
#: These are stored gzip-compressed, everything else as it came.
PACKED = (".json.gz", ".jsonl.gz", ".csv.gz", ".txt.gz", ".html.gz")
NAMED = re.compile(r"/[0-9]{5}\.(?:(?:json|jsonl|csv|txt|html)\.gz|zip|gz|tar)$")
SUMMANDS = ("rows", "rejects", "outside", "duplicates")


def check_raw(
    bucket: Bucket, place: Place, windows: Sequence[Window], secrets: Collection[str] = (), *, killed: bool = False
) -> Findings:
    """Check manifests, parts, Parquet objects and numbers; no manifest may hold one of the `secrets`.

    Counts `manifests`, `complete` (those of good visits), `parts`, `objects` (Parquet). Where visits were `killed`,
    parts may stand that no manifest names.
    """
    found = Findings()
    for window in windows:
        keys = bucket.keys(place.raw(window))
        named: set[str] = set()
        for key in keys:
            if key.endswith(MANIFEST):
                named |= _manifest(found, bucket, key, secrets)
        if not killed:
            orphans = {key for key in keys if not key.endswith(MANIFEST)} - named
            found.check(not orphans, "raw", window.key, f"no manifest names {sorted(orphans)}")
        _ledger(found, bucket, place, window, keys)
    return found


def _manifest(found: Findings, bucket: Bucket, key: str, secrets: Collection[str]) -> set[str]:
    text = bucket.read(key).decode()
    manifest = json.loads(text)
    for secret in secrets:
        found.check(secret not in text, "raw", key, "holds a secret")
    for part in manifest["parts"]:
        _part(found, bucket, part)
    numbers = manifest["numbers"]
    if numbers is not None:
        parts_of_it = [numbers[name] for name in SUMMANDS]
        found.check(numbers["fetched"] == sum(parts_of_it), "raw", key, f"the numbers do not add up: {numbers}")
    found.counts.update(manifests=1, complete=int(manifest["complete"]), parts=len(manifest["parts"]))
    return {part["key"] for part in (*manifest["parts"], *manifest["earlier"])}


def _part(found: Findings, bucket: Bucket, part: Mapping[str, Any]) -> None:
    key = part["key"]
    data = bucket.read(key)
    body = gzip.decompress(data) if key.endswith(PACKED) else data
    found.check(NAMED.search(key), "raw", key, "is no name for a part, or for one that must be packed")
    same = [_sha256(data), len(data)] == [part["object_sha256"], part["object_bytes"]]
    found.check(same, "raw", key, "does not hold the bytes that its manifest names")
    received = [_sha256(body), len(body)] == [part["sha256"], part["bytes"]]
    found.check(received, "raw", key, "does not unfold to the body that its manifest names")


def _ledger(found: Findings, bucket: Bucket, place: Place, window: Window, keys: Collection[str]) -> None:
    item = window.item
    if window.visited_at is None:
        return
    found.check(item.get("manifest") in keys, "raw", window.key, f"has no manifest {item.get('manifest')}")
    stored = item.get("object")
    existing = place.logs(window) in bucket.keys(place.logs(window))
    found.check(existing == (stored is not None), "object", place.logs(window), f"the ledger says {stored}")
    if stored is not None and existing:
        data = bucket.read(place.logs(window))
        same = [_sha256(data), len(data)] == [stored["sha256"], int(stored["bytes"])]
        found.check(same, "object", place.logs(window), "does not hold the bytes that the ledger names")
        found.counts["objects"] += 1


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
