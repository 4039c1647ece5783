"""Rejects: what could not become a row, in a file of its own, so that nothing disappears silently."""

import base64
import codecs
import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from logarchive.record.block import Bad

#: A longer record is cut: the manifest names the part that holds all of it.
_SHOWN_BYTES = 64 * 1024
_LINES_BETWEEN_LOOKS = 4096


class Rejects(ExitStack):
    """Writes the rejects of a visit as gzip JSON lines, deterministically; no file without a reject."""

    def __init__(self, path: Path, visit: str) -> None:
        super().__init__()
        self.path, self._visit = path, visit
        self.count = 0
        self._file: gzip.GzipFile | None = None

    def add(self, part: str, index: int, bad: Bad) -> None:
        """Write one reject."""
        if self._file is None:
            raw = self.enter_context(self.path.open("wb"))
            self._file = self.enter_context(_gzip(raw))
        line = {"reason": bad.reason, "visit": self._visit, "part": part, "index": index, **_shown(bad.text)}
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self.count += 1


def merge_rejects(existing: Path, own: Path, target: Path, ensure_time: Callable[[], None]) -> bool:
    """Write the existing rejects, then those of the own visit that they lack; return False if they lack none.

    Two rejects are the same if their records are. Each keeps the visit that it came in first. `ensure_time` is called
    now and then, and may raise.
    """
    known: Counter[bytes] = Counter()
    with target.open("wb") as raw, _gzip(raw) as file:
        for line in _lines(existing, ensure_time):
            known[_identity(line)] += 1
            file.write(line)
        lacking = 0
        for line in _lines(own, ensure_time):
            identity = _identity(line)
            known[identity] -= 1
            if known[identity] < 0:
                file.write(line)
                lacking += 1
    return lacking > 0


def write_none(path: Path) -> None:
    """Write a file without a reject."""
    with path.open("wb") as raw, _gzip(raw):
        pass


def same_lines(left: Path, right: Path) -> bool:
    """Return whether two files hold the same rejects in the same order."""
    with gzip.open(left) as one, gzip.open(right) as other:
        return all(mine == its for mine, its in zip_longest(one, other))


def _gzip(raw: BinaryIO) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)


def _lines(path: Path, ensure_time: Callable[[], None]) -> Iterator[bytes]:
    with gzip.open(path) as file:
        for number, line in enumerate(file):
            if number % _LINES_BETWEEN_LOOKS == 0:
                ensure_time()
            yield line


def _identity(line: bytes) -> bytes:
    """Return a digest of what follows the key `record`: within a text before it, its quotes would be escaped."""
    return hashlib.blake2b(line.partition(b'"record":')[2], digest_size=10).digest()


def _shown(record: bytes) -> dict[str, Any]:
    """Show a record as text, or as base64 where it is no UTF-8; cut when it is long."""
    kept = record[:_SHOWN_BYTES]
    cut: dict[str, Any] = {"truncated_from_bytes": len(record)} if len(record) > len(kept) else {}
    try:
        # A character cut in two at the limit does not make text binary.
        text = codecs.getincrementaldecoder("utf-8")().decode(kept, final=not cut)
    except UnicodeDecodeError:
        return {"record": base64.b64encode(kept).decode(), "encoding": "base64", **cut}
    return {"record": text, **cut}
