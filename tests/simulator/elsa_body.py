"""How a download's records lie in the response body. The page "download" says application/zip and nothing more."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence

from tests.simulator.message import Response

LAYOUTS = ("array", "lines", "wrapper", "members", "csv", "bare_array", "bare_lines", "bare_csv")
EMPTY = ("array", "zip", "body")
_DECODER = json.JSONDecoder()


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the top-level keys of a JSON object, each with the exact text of its value."""
    at = text.index("{") + 1
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at + (text[at] == ","))
        _, end = _DECODER.raw_decode(text, at + 1)
        yield key, text[at + 1 : end]
        at = end


def project(text: bytes, fields: Sequence[str]) -> bytes:
    """Return a record with only the named top-level keys, the texts of the values unchanged."""
    kept = (f"{json.dumps(key, ensure_ascii=False)}:{value}" for key, value in pairs(text.decode()) if key in fields)
    return b"{" + ",".join(kept).encode() + b"}"


def zipped(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a zip of the members; equal members give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_STORED if name.endswith("/") else zipfile.ZIP_DEFLATED
            archive.writestr(info, content, compresslevel=1)
    return buffer.getvalue()


def table(texts: Sequence[bytes]) -> bytes:
    """Return records as CSV with a header and a byte order mark; strings without quotes, other values as their JSON."""
    rows = [dict(pairs(text.decode())) for text in texts]
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name, "null")) for name in names] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "surrogatepass")


def _cell(value: str) -> str:
    if value.startswith('"'):
        return str(json.loads(value))
    return "" if value == "null" else value


def body(texts: Sequence[bytes], name: str, layout: str, empty: str) -> Response:
    """Return the response to a download: the layout asked for, or the way an empty result is played."""
    if not texts and empty != "array":
        return Response(200, zipped(()) if empty == "zip" else b"", "application/zip")
    if layout == "members":
        return _zip(_members(texts, name))
    content = _content(texts, layout.removeprefix("bare_"))
    extension = {"csv": "csv", "lines": "jsonl"}.get(layout.removeprefix("bare_"), "json")
    if layout.startswith("bare_"):
        return Response(200, content, "text/csv" if extension == "csv" else "application/json")
    return _zip([(f"{name}.{extension}", content)])


def _zip(members: Sequence[tuple[str, bytes]]) -> Response:
    disposition = {"Content-Disposition": 'attachment; filename="logs.zip"'}
    return Response(200, zipped(members), "application/zip", disposition)


def _content(texts: Sequence[bytes], layout: str) -> bytes:
    if layout == "lines":
        return b"".join(text + b"\n" for text in texts)
    if layout == "csv":
        return table(texts)
    array = b"[" + b",".join(texts) + b"]"
    return b'{"logs":' + array + b"}" if layout == "wrapper" else array


def _members(texts: Sequence[bytes], name: str) -> list[tuple[str, bytes]]:
    third = len(texts) // 3 + 1
    chunks = [texts[at : at + third] for at in range(0, len(texts), third)]
    members = [(f"{name}/", b""), (f"{name}/empty.json", b"")]
    return members + [(f"{name}/{number}.json", _content(chunk, "array")) for number, chunk in enumerate(chunks)]
