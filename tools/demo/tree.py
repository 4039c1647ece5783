"""What lies in the bucket: counts for each prefix, and one window in full."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from tests.truth import Bucket, Window
from tools.demo.page import Page, size
from tools.demo.world import DemoSource

KINDS = {
    "raw": "every response as received, and a manifest for each visit",
    "logs": "one Parquet object for each window that has a row",
    "rejects": "records that cannot become rows, with the reason",
    "proof": "the proof log: what was archived, stated and signed",
}
#: How many keys of a window are shown, its ends first.
MOST_KEYS = 14


def sizes(bucket: Bucket) -> dict[str, int]:
    """Return the size of every object by its key."""
    pages = bucket.client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
    return {item.get("Key", ""): item.get("Size", 0) for page in pages for item in page.get("Contents", [])}


def show(page: Page, bucket: Bucket, objects: Mapping[str, int]) -> None:
    """Show the counts of each prefix: of raw by source, of logs by day, of the others by folder."""
    page.line(f"s3://{bucket.name}")
    for kind, what in KINDS.items():
        below = {key: length for key, length in objects.items() if key.startswith(f"{kind}/")}
        page.line()
        page.line(_counted(f"{kind}/", what, below.values()))
        for prefix, keys in groupby(sorted(below), _second_folder if kind in {"raw", "logs"} else _first_folder):
            page.line(_counted("", f"  {prefix}", [below[key] for key in keys]))


def _first_folder(key: str) -> str:
    _, first, *below = key.split("/")
    return f"{first}/" if below else first


def _second_folder(key: str) -> str:
    return "/".join(key.split("/")[1:3]) + "/"


def _counted(kind: str, what: str, lengths: Collection[int]) -> str:
    return f"{kind:<10}{what:<63}{len(lengths):>6,} objects{size(sum(lengths)):>10}"


def show_window(page: Page, bucket: Bucket, source: DemoSource, window: Window, objects: Mapping[str, int]) -> None:
    """Show everything that lies in the bucket for one window, with the role of each part."""
    raw, logs, rejects = source.place.raw(window), source.place.logs(window), source.place.rejects(window)
    roles = _roles(bucket, raw, objects)
    page.line(raw)
    for key in _abridged([key for key in sorted(objects) if key.startswith(raw)]):
        text = f"  {key.removeprefix(raw):<38}{size(objects[key]):>10}  {roles.get(key, '')}" if key else "  ..."
        page.line(text)
    for key in (logs, rejects):
        if key in objects:
            page.line(f"{key:<84}{size(objects[key]):>10}")


def _abridged(keys: Sequence[str]) -> list[str]:
    """Leave out the middle of many keys; an empty text stands for it."""
    half = MOST_KEYS // 2
    return list(keys) if len(keys) <= MOST_KEYS else [*keys[:half], "", *keys[-half:]]


def _roles(bucket: Bucket, raw: str, objects: Mapping[str, int]) -> dict[str, str]:
    manifests = [key for key in objects if key.startswith(raw) and key.endswith("/manifest.json")]
    return {key: role for manifest in manifests for key, role in _roles_of(json.loads(bucket.read(manifest)))}


def _roles_of(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in manifest["parts"]:
        host = f", {part['host']}" if "host" in part else ""
        yield part["key"], part["role"] + host + _range(part["own"] or part["asked"])


def _range(span: Sequence[str] | None) -> str:
    return f", {span[0][11:19]} to {span[1][11:19]}" if span else ""
