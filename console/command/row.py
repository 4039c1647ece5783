"""`logarchive row`: from a row of `logs` back to the record as it was received, with its neighbours and its request."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from console.account.bucket import read
from console.account.stack import Stack
from console.command.query import run
from console.core.draft import object_of
from console.core.record import records
from console.core.report import LOOK, OK, Report, Table
from console.failure import ConsoleError
from console.session import Session, session_of
from verifier.evidence import PART

_EXAMPLE = "raw/provider=elsa/source=shop/date=2026-11-22/20261122T130000Z-PT1H/20261122T150002Z-0001/00000.json.gz#12"
#: Of neighbours so much is shown.
_BRIEF = 160


@dataclass(frozen=True)
class Found:
    """A record in its part."""

    part: str
    index: int
    records: Sequence[str] | None
    #: What the manifest of the part's visit says of the part.
    manifest: Mapping[str, Any]
    #: Whether the part has the bytes that its manifest names.
    intact: bool


def row(
    context: typer.Context,
    part: Annotated[
        str | None, typer.Argument(metavar="RAW_PART[#RAW_INDEX]", help="The row's column raw_part.")
    ] = None,
    index: Annotated[int | None, typer.Argument(metavar="RAW_INDEX", help="Its column raw_index.", min=0)] = None,
    where: Annotated[str | None, typer.Option(help="In place of both: a condition in SQL that the row meets.")] = None,
    around: Annotated[int, typer.Option("--context", help="How many records before and behind it.", min=0)] = 2,
) -> None:
    """Show the original record of a row, its neighbours, and the request that returned it."""
    session = session_of(context)
    if (part is None) == (where is None):
        raise ConsoleError(f"give the row's raw_part and raw_index, or --where; for instance {_EXAMPLE}")
    key, number = _queried(session, where) if where else place(part or "", index)
    session.end(report(_found(session.stack, key, number), around))


def place(part: str, index: int | None) -> tuple[str, int]:
    """Return the key of a part and the index in it. Raises ConsoleError if they are none. Pure."""
    key, _, number = part.partition("#")
    if index is None and re.fullmatch("[0-9]{1,18}", number):
        index = int(number)
    if index is not None and not PART.fullmatch(key):
        raise ConsoleError(f"{key}: is not a part as `raw_part` names it; for instance {_EXAMPLE}")
    if index is None:
        raise ConsoleError(f"{part}: is not RAW_PART#RAW_INDEX; for instance {_EXAMPLE}")
    return key, index


def _queried(session: Session, where: str) -> tuple[str, int]:
    result = run(session, f"SELECT raw_part, raw_index FROM logs WHERE {where} LIMIT 2")  # noqa: S608 (the user's own)
    if not result.rows:
        raise ConsoleError(f"no row meets {where}")
    if len(result.rows) > 1:
        session.screen.tell("More than one row meets the condition; this is one of them.")
    key, index = result.rows[0]
    return str(key), int(index)


def _found(stack: Stack, key: str, index: int) -> Found:
    body = read(stack, key)
    where = f"{key.rpartition('/')[0]}/manifest.json"
    about = about_part(object_of(read(stack, where), where), key, where)
    match = PART.fullmatch(key)
    provider = match["provider"] if match else ""
    intact = hashlib.sha256(body).hexdigest() == about.get("object_sha256")
    return Found(key, index, records(provider, body), about, intact)


def about_part(manifest: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    """Return what a manifest says of a part; nothing if it does not name the part. Pure."""
    try:
        parts: dict[str, Mapping[str, Any]] = {one["key"]: one for one in manifest["parts"]}
    except (KeyError, TypeError):
        raise ConsoleError(f"{where}: is no manifest") from None
    return parts.get(key, {})


def report(found: Found, around: int) -> Report:
    """Return a record with what is around it. Raises ConsoleError if its part has none of that index. Pure."""
    records = found.records
    if records is not None and found.index >= len(records):
        raise ConsoleError(f"{found.part} has {len(records)} records, counted from 0: none of the number {found.index}")
    first = max(0, found.index - around)
    before = list(records[first : found.index]) if records else []
    after = list(records[found.index + 1 : found.index + 1 + around]) if records else []
    record = records[found.index] if records else None
    data = {
        "raw_part": found.part, "raw_index": found.index, "records": len(records) if records else None,
        "record": record, "before": before, "after": after, "received": found.manifest.get("time"),
        "request": found.manifest.get("request"), "status": found.manifest.get("status"), "intact": found.intact,
    }  # fmt: skip
    lines = ["Records of this form cannot be shown here; the part can be copied with `aws s3 cp`."]
    if record is not None:
        itself = f"> {found.index:>6}  {record}"
        lines = [*_numbered(before, first), itself, *_numbered(after, found.index + 1)]
    return Report(data, [Table(("what", "is"), _facts(found), folds=True)], lines, OK if found.intact else LOOK)


def _facts(found: Found) -> list[tuple[str, object]]:
    request: Mapping[str, Any] = found.manifest.get("request") or {}
    bytes_ = "as its manifest says" if found.intact else "NOT as its manifest says: the object was changed"
    total = f" of {len(found.records):,}, counted from 0" if found.records else ""
    return [
        ("part", found.part),
        ("record", f"{found.index:,}{total}"),
        ("request", f"{request.get('method', '')} {request.get('url', '')}".strip() or None),
        ("status", found.manifest.get("status")),
        ("received", found.manifest.get("time")),
        ("bytes", bytes_),
    ]


def _numbered(records: Sequence[str], first: int) -> list[str]:
    texts = (one if len(one) <= _BRIEF else f"{one[:_BRIEF]}…" for one in records)
    return [f"  {number:>6}  {text}" for number, text in enumerate(texts, first)]
