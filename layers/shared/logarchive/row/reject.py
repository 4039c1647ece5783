"""Rejects: what could not become a row, in a file of its own, so that nothing disappears silently."""

import base64
import gzip
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import orjson

from logarchive.record.block import Bad

#: A longer record is cut: the manifest names the part that holds all of it.
_SHOWN_BYTES = 64 * 1024


class Rejects:
    """Writes rejects as gzip JSON lines, deterministically; no file without a reject."""

    def __init__(self, path: Path) -> None:
        """Write to `path`, once there is something to write."""
        self.path = path
        self.count = 0
        self._open = ExitStack()
        self._file: gzip.GzipFile | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End the file, if there is one."""
        self._open.close()

    def add(self, part: str, index: int, bad: Bad) -> None:
        """Write one reject."""
        if self._file is None:
            raw = self._open.enter_context(self.path.open("wb"))
            self._file = self._open.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0))
        line = {"reason": bad.reason, "part": part, "index": index, **_shown(bad.text)}
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self.count += 1


def _shown(record: bytes) -> dict[str, Any]:
    """Show a record as text, or as base64 where it is no UTF-8; cut when it is long."""
    kept = record[:_SHOWN_BYTES]
    cut: dict[str, Any] = {"truncated_from_bytes": len(record)} if len(record) > len(kept) else {}
    try:
        # A character cut in two at the limit does not make text binary.
        text = kept.decode("utf-8", "ignore" if cut and _is_text(record) else "strict")
    except UnicodeDecodeError:
        return {"record": base64.b64encode(kept).decode(), "encoding": "base64", **cut}
    return {"record": text, **cut}


def _is_text(record: bytes) -> bool:
    try:
        record.decode()
    except UnicodeDecodeError:
        return False
    return True
