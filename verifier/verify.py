#!/usr/bin/env python3
"""Check a copy of a log archive against its proof log: `python3 verify.py DIR --key KEY`.

DIR holds a copy of the archive's bucket, or only of its `proof/`. KEY is the public key that you were given, as one
line `name+id+base64` or a file that holds it: never the one in the copy itself. Nothing is sent or written.

What is checked, in this order:
1. the signature of every checkpoint (Ed25519, RFC 8032), and that all of them, and those of `--since`, are states of
   one log that only grew: each root is computed from the entries;
2. every tile of the tree (c2sp.org/tlog-tiles);
3. the windows that the entries name: no time left out, none twice, numbers that add up, none sealed that is incomplete;
4. every object that an entry or a manifest names: there, with these bytes; and no other under `logs/` and `rejects/`.

Exit code: 0 nothing is wrong, 1 something is wrong (each finding names the object), 2 it could not be checked.
Needs Python 3.10 or later, and nothing else. It shares no code with what it checks.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import hashlib
import json
import os
import re
import sqlite3
import stat
import sys
import tempfile
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator

OK, WRONG, UNCHECKED = 0, 1, 2
TILE, HASH = 256, 32
EMPTY = hashlib.sha256().digest()


class CannotCheckError(Exception):
    """The copy, the key or the options are such that nothing can be said."""


# --- Ed25519, RFC 8032, section 5.1; only what verification needs -------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = "tuple[int, int, int, int]"  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = _add(total, point)
        point, number = _add(point, point), number >> 1
    return total


def _point(encoded: bytes) -> Point | None:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether a signature is the key's, over this message."""
    if len(public) != HASH or len(signature) != 2 * HASH:
        return False
    key, first = _point(public), _point(signature[:HASH])
    scalar = int.from_bytes(signature[HASH:], "little")
    if key is None or first is None or scalar >= ORDER:
        return False
    digest = int.from_bytes(hashlib.sha512(signature[:HASH] + public + message).digest(), "little") % ORDER
    left, right = _times(scalar, BASE), _add(first, _times(digest, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


# --- Keys and checkpoints, c2sp.org/signed-note and c2sp.org/tlog-checkpoint -----------------------------------------


@dataclass(frozen=True)
class Key:
    """A public key; its name is the name of the log that it signs."""

    name: str
    id: bytes
    public: bytes

    @classmethod
    def read(cls, text: str) -> Key:
        """Read `name+id+base64`, or the file that holds it."""
        if "+" not in text or os.path.exists(text):
            try:
                text = Path(text).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise CannotCheckError(f"--key {text}: no key, and no file that holds one: {error}") from error
        try:
            name, hexadecimal, encoded = text.strip().split("+", 2)
            key_id, body = bytes.fromhex(hexadecimal), base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise CannotCheckError(f"--key: {text.strip()[:100]!r} is not of the form name+id+base64") from error
        if len(body) != 1 + HASH or body[0] != 1:
            raise CannotCheckError("--key: not an Ed25519 key (one byte 01, then 32 bytes)")
        if key_id != hashlib.sha256(name.encode() + b"\n" + body).digest()[:4]:
            raise CannotCheckError("--key: its id does not belong to its name and bytes; was it cut or mistyped?")
        return cls(name, key_id, body[1:])


@dataclass(frozen=True)
class Checkpoint:
    """A state of the log: how many entries, and the root of their tree."""

    where: str
    size: int
    root: bytes
    text: str


def checkpoint(where: str, note: bytes, key: Key) -> Checkpoint:
    """Read a checkpoint and check its signature. Raises ValueError with what is wrong."""
    try:
        head, _, tail = note.decode().partition("\n\n")
        origin, size, root, *_ = f"{head}\n".split("\n")
        found = Checkpoint(where, int(size), base64.b64decode(root, validate=True), f"{head}\n")
    except ValueError as error:
        raise ValueError("is no checkpoint") from error
    if len(found.root) != HASH or str(found.size) != size or found.size < 0:
        raise ValueError("is no checkpoint")
    if origin != key.name:
        raise ValueError(f"is of another log: {origin!r} in place of {key.name!r}")
    others: list[str] = []
    for line in tail.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        try:
            signature = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise ValueError("has a line that is no signature") from error
        if dash != "\u2014" or not name:
            raise ValueError("has a line that is no signature")
        if (name, signature[:4]) == (key.name, key.id):
            if ed25519(key.public, found.text.encode(), signature[4:]):
                return found
            raise ValueError("has been changed: its signature does not belong to its text")
        others.append(f"{name} {signature[:4].hex()}")
    raise ValueError(f"is not signed by this key, but by {', '.join(others) or 'nobody'}")


# --- What is found -------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What was found."""

    findings: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)

    def wrong(self, where: str, what: str) -> None:
        """Add a finding: an object, or a source and window, and what is wrong with it."""
        self.findings.append((where, what))

    def count(self, what: str, number: int = 1) -> None:
        """Count what was checked."""
        self.checked[what] = self.checked.get(what, 0) + number


# --- The copy --------------------------------------------------------------------------------------------------------

TOP = ("logs", "raw", "rejects", "proof")


class Copy:
    """A directory that holds a copy of the bucket. Nothing outside it is read: links are not followed."""

    def __init__(self, directory: str) -> None:
        """Look which parts of a bucket are there."""
        self.directory = os.path.realpath(directory)
        if not os.path.isdir(self.directory):
            raise CannotCheckError(f"{directory} is no directory")
        self.tops = [top for top in TOP if os.path.isdir(os.path.join(self.directory, top))]
        if "proof" not in self.tops:
            raise CannotCheckError(f"{directory} holds no proof/: it is no copy of an archive with a proof log")

    def path(self, key: str) -> str:
        """Return the path of an object's copy. Raises ValueError for a key that could lead elsewhere."""
        parts = key.split("/")
        if parts[0] not in TOP or any(part in {"", ".", ".."} or "\\" in part or "\0" in part for part in parts):
            raise ValueError(f"the key {key[:200]!r} is none of an archive")
        return os.path.join(self.directory, *parts)

    def read(self, key: str, most: int = 1 << 26) -> bytes | None:
        """Return a small object; None if it is not there."""
        try:
            with open(self._regular(key), "rb") as file:
                return file.read(most)
        except FileNotFoundError:
            return None

    def digest(self, key: str) -> tuple[str, int] | None:
        """Return SHA-256 and size of an object; None if it is not there."""
        digest, size = hashlib.sha256(), 0
        try:
            with open(self._regular(key), "rb", buffering=0) as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
                    size += len(piece)
        except FileNotFoundError:
            return None
        return digest.hexdigest(), size

    def keys(self, top: str) -> Iterator[str]:
        """Yield the keys under a top folder; a link is yielded like a file, and refused when it is read."""
        folders = [top]
        while folders:
            folder = folders.pop()
            with os.scandir(os.path.join(self.directory, folder)) as items:
                for item in items:
                    key = f"{folder}/{item.name}"
                    if item.is_dir(follow_symlinks=False):
                        folders.append(key)
                    else:
                        yield key

    def _regular(self, key: str) -> str:
        path = self.path(key)
        at = self.directory
        for part in key.split("/"):
            at = os.path.join(at, part)
            if stat.S_ISLNK(os.lstat(at).st_mode):
                raise ValueError("is a link; a copy of a bucket has none")
        return path


# --- The log: entries, tiles, checkpoints ----------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of two neighbours (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A Merkle tree that takes one leaf after another and can tell its root at any time."""

    def __init__(self) -> None:
        """Begin with no leaf."""
        self.size = 0
        #: Roots of perfect subtrees, the largest first, each with the number of its leaves.
        self.roots: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash of an entry."""
        self.size, count = self.size + 1, 1
        while self.roots and self.roots[-1][0] == count:
            leaf, count = node(self.roots.pop()[1], leaf), count * 2
        self.roots.append((count, leaf))

    def root(self) -> bytes:
        """Return the root of what was added so far."""
        if not self.roots:
            return EMPTY
        *left, (_, total) = self.roots
        for _, other in reversed(left):
            total = node(other, total)
        return total


def tile_path(level: str, number: int, width: int) -> str:
    """Return the key of a tile: `proof/tile/0/x001/x234/067`, with `.p/W` where it has less than 256 hashes."""
    groups = f"{number:,}".split(",")
    groups[0] = groups[0].zfill(3)
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"proof/tile/{level}/{name}" + ("" if width == TILE else f".p/{width}")


def bundle(body: bytes) -> list[bytes] | None:
    """Return the entries of a bundle, each behind its length in two bytes; None if it is cut or has more."""
    entries, at = [], 0
    while at < len(body):
        length = int.from_bytes(body[at : at + 2], "big")
        entry = body[at + 2 : at + 2 + length]
        if at + 2 > len(body) or len(entry) != length:
            return None
        entries.append(entry)
        at += 2 + length
    return entries


class Log:
    """The proof log of a copy."""

    def __init__(self, copy: Copy, key: Key, report: Report, since: list[str]) -> None:
        """Read the checkpoints, the copy's and those that were kept elsewhere."""
        self.copy, self.report = copy, report
        self.newest = self._newest(key)
        self.marks: dict[int, list[Checkpoint]] = {}
        for found in [self.newest, *self._dated(key), *self._kept(key, since)]:
            if found.size > self.newest.size:
                report.wrong(found.where, f"has {found.size} entries, proof/checkpoint only {self.newest.size}: "
                             "the log was cut, or the checkpoint put back")
            else:
                self.marks.setdefault(found.size, []).append(found)

    def entries(self) -> Iterator[bytes]:
        """Yield every entry, and check the tree on the way; a bundle that cannot be read ends it."""
        tree = Tree()
        levels: dict[int, list[bytes]] = {}
        self._roots(tree)
        for number in range(-(-self.newest.size // TILE)):
            width = min(TILE, self.newest.size - number * TILE)
            where = tile_path("entries", number, width)
            body = self._read(where)
            entries = bundle(body) if body is not None else None
            if entries is None or len(entries) != width:
                if body is not None:
                    self.report.wrong(where, f"does not hold {width} entries, but is cut or changed")
                self.report.notes.append(f"entries from {number * TILE} on could not be read: nothing after is checked")
                return
            hashes = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
            self._tile(0, number, hashes, entries)
            if width == TILE:
                self._climb(levels, 0, number, hashes)
            for hash_ in hashes:
                tree.append(hash_)
                self._roots(tree)
            yield from entries
        for level, hashes in levels.items():
            if len(hashes) % TILE:
                rest = hashes[-(len(hashes) % TILE) :]
                self._tile(level, (self.newest.size >> 8 * level) // TILE, rest)
        self.report.count("entries", tree.size)

    def _climb(self, levels: dict[int, list[bytes]], level: int, number: int, hashes: list[bytes]) -> None:
        """Add the root of a full tile to the level above, and check the tile there once it is full."""
        while len(hashes) > 1:
            hashes = [node(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
        above = levels.setdefault(level + 1, [])
        above.append(hashes[0])
        if len(above) == TILE:
            self._tile(level + 1, number // TILE, above)
            levels[level + 1] = []
            self._climb(levels, level + 1, number // TILE, above)

    def _tile(self, level: int, number: int, hashes: list[bytes], entries: list[bytes] | None = None) -> None:
        """Compare a tile with the hashes that the entries have."""
        where = tile_path(str(level), number, len(hashes))
        stored = self._read(where)
        if stored is None or stored == b"".join(hashes):
            return
        if len(stored) != len(hashes) * HASH or entries is None:
            self.report.wrong(where, "does not hold the hashes of its entries")
            return
        for at, entry in enumerate(entries):
            if stored[at * HASH : (at + 1) * HASH] != hashes[at]:
                self.report.wrong(
                    f"{tile_path('entries', number, len(hashes))} entry {number * TILE + at}",
                    f"does not have the hash that {where} holds: one of both was changed ({named(entry)})",
                )

    def _roots(self, tree: Tree) -> None:
        for mark in self.marks.pop(tree.size, []):
            if tree.root() != mark.root:
                self.report.wrong(mark.where, f"is signed for other entries than the first {mark.size} of this copy: "
                                  "entries were changed, dropped, added or put in another order")
            self.report.count("checkpoints")

    def _read(self, where: str) -> bytes | None:
        try:
            body = self.copy.read(where)
        except ValueError as error:
            self.report.wrong(where, str(error))
            return None
        if body is None:
            self.report.wrong(where, "is missing")
        else:
            self.report.count("tiles")
        return body

    def _newest(self, key: Key) -> Checkpoint:
        where = "proof/checkpoint"
        note = self.copy.read(where)
        if note is None:
            raise CannotCheckError(f"{where} is missing: without it nothing is proved")
        try:
            return checkpoint(where, note, key)
        except ValueError as error:
            if "changed" in str(error):
                self.report.wrong(where, str(error))
            raise CannotCheckError(f"{where} {error}") from error

    def _dated(self, key: Key) -> Iterator[Checkpoint]:
        if os.path.isdir(os.path.join(self.copy.directory, "proof", "checkpoints")):
            for where in sorted(self.copy.keys("proof/checkpoints")):
                yield from self._checked(where, self.copy.read(where) or b"", key)

    def _kept(self, key: Key, since: list[str]) -> Iterator[Checkpoint]:
        for path in since:
            try:
                note = Path(path).read_bytes()
            except OSError as error:
                raise CannotCheckError(f"--since {path}: {error.strerror}") from error
            yield from self._checked(path, note, key)

    def _checked(self, where: str, note: bytes, key: Key) -> Iterator[Checkpoint]:
        try:
            yield checkpoint(where, note, key)
        except ValueError as error:
            self.report.wrong(where, str(error))


def named(entry: bytes) -> str:
    """Return what an entry is about."""
    try:
        content = json.loads(entry)
        return f"{content['provider']}/{content['source']} {content.get('window', content['entry'])}"
    except (ValueError, KeyError, TypeError):
        return "no JSON that could be read"


# --- What the entries say --------------------------------------------------------------------------------------------

SCHEMA = """
CREATE TABLE windows (source TEXT, window TEXT, start INTEGER, end INTEGER, state TEXT, issue TEXT, rows INTEGER,
                      verified INTEGER, fetched INTEGER, manifest TEXT, PRIMARY KEY (source, window)) WITHOUT ROWID;
CREATE TABLE objects (key TEXT PRIMARY KEY, sha256 TEXT, kind TEXT, about TEXT, seen INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TABLE former (key TEXT, sha256 TEXT, PRIMARY KEY (key, sha256)) WITHOUT ROWID;
CREATE TABLE begins (source TEXT PRIMARY KEY, begin INTEGER) WITHOUT ROWID;
"""
DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
#: Numbers of a visit that together are all that was fetched.
PARTS = ("rejects", "outside", "duplicates")


def seconds(text: str) -> int:
    """Return an instant such as `2026-11-20T00:00:00Z` in seconds since 1970."""
    return int(dt.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def instant(moment: int) -> str:
    """Return seconds since 1970 as an instant."""
    return dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def bounds(window: str) -> tuple[int, int]:
    """Return begin and end of a window such as `2026-11-20T00:00:00Z/PT1H`. Raises ValueError."""
    begin, _, length = window.partition("/")
    match = DURATION.fullmatch(length)
    if not match:
        raise ValueError(f"{window!r} is no window")
    days, hours, minutes, rest = (int(group or 0) for group in match.groups())
    return seconds(begin), seconds(begin) + ((days * 24 + hours) * 60 + minutes) * 60 + rest


class Statements:
    """What the entries of a log say, the newest of each window; in a database, so that memory does not grow."""

    def __init__(self, directory: str, report: Report, chosen: Callable[[str, int, int], bool]) -> None:
        """Begin with none. `chosen` says which windows are looked at."""
        self.report, self.chosen = report, chosen
        self.db = sqlite3.connect(os.path.join(directory, "statements"))
        self.db.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {SCHEMA}")

    def take(self, number: int, entry: bytes) -> None:
        """Take in one entry."""
        try:
            content = json.loads(entry)
            source = f"{content['provider']}/{content['source']}"
            if content["entry"] == "source":
                self._source(source, seconds(content["begin"]))
            elif content["entry"] == "window":
                begin, end = bounds(content["window"])
                if self.chosen(source, begin, end):
                    self._window(source, begin, end, content)
            else:
                self.report.notes.append(f"entry {number} is of the kind {content['entry']!r}, which is not known here")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.report.wrong(f"entry {number}", f"is no statement of an archive: {type(error).__name__} {error}")

    def _source(self, source: str, begin: int) -> None:
        self.db.execute(
            "INSERT INTO begins VALUES (?1, ?2) ON CONFLICT (source) DO UPDATE SET begin = min(begin, ?2)",
            (source, begin),
        )

    def _window(self, source: str, begin: int, end: int, content: dict[str, Any]) -> None:
        about, numbers = f"{source} {content['window']}", content["numbers"]
        rows = numbers["rows"] - (numbers.get("kept") or 0)
        if numbers["fetched"] != rows + sum(numbers[part] for part in PARTS):
            self.report.wrong(about, "the numbers of its entry do not add up: "
                              f"{numbers['fetched']} fetched, {rows} rows, "
                              + ", ".join(f"{numbers[part]} {part}" for part in PARTS))
        for manifest in content["manifests"]:
            self.name(manifest["key"], manifest["sha256"], "manifest", about)
        newest = content["manifests"][-1]["key"] if content["manifests"] else None
        for kind in ("object", "rejects"):
            if content[kind]:
                self._replace(content[kind]["key"], content[kind]["sha256"], kind, about)
        self.db.execute(
            "INSERT INTO windows VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (source, window)"
            " DO UPDATE SET state=?5, issue=?6, rows=?7, verified=?8, fetched=?9, manifest=coalesce(?10, manifest)",
            (source, content["window"], begin, end, content["state"], content["issue"], numbers["rows"],
             content["verification"] == "verified", numbers["fetched"], newest),
        )

    def name(self, key: str, sha256: str, kind: str, about: str) -> None:
        """Note an object that is never overwritten."""
        new = "INSERT INTO objects (key, sha256, kind, about) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
        if not self.db.execute(new, (key, sha256, kind, about)).rowcount:
            (other,) = self.db.execute("SELECT sha256 FROM objects WHERE key = ?", (key,)).fetchone()
            if other != sha256:
                self.report.wrong(key, "is named twice, with different bytes")

    def _replace(self, key: str, sha256: str, kind: str, about: str) -> None:
        self.db.execute(
            "INSERT OR IGNORE INTO former SELECT key, sha256 FROM objects WHERE key = ? AND sha256 <> ?", (key, sha256)
        )
        self.db.execute(
            "INSERT INTO objects (key, sha256, kind, about) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key)"
            " DO UPDATE SET sha256 = ?2, about = ?4",
            (key, sha256, kind, about),
        )

    def cover(self) -> None:
        """Find time that is left out or covered twice, and sum up each source."""
        sources = [row[0] for row in self.db.execute("SELECT DISTINCT source FROM windows ORDER BY source")]
        begins = dict(self.db.execute("SELECT source, begin FROM begins"))
        for source in sorted({*sources, *begins}):
            self.report.sources.append(self._covered(source, begins.get(source)))

    def _covered(self, source: str, begin: int | None) -> dict[str, Any]:
        windows = self.db.execute(
            "SELECT window, start, end, state, issue, rows, verified FROM windows"
            " WHERE source = ? AND state <> 'split' ORDER BY start, end", (source,),
        )
        if begin is None:
            self.report.wrong(source, "has windows, but no entry says from when on it is archived")
        reached, first, incomplete = begin, None, []
        total = {"windows": 0, "sealed": 0, "closed": 0, "open": 0, "rows": 0, "verified": 0}
        for window, start, end, state, issue, rows, verified in windows:
            first = start if first is None else first
            if reached is not None and start < reached and (begin is None or end > begin) and total["windows"]:
                self.report.wrong(f"{source} {window}", f"covers time before {instant(reached)} a second time")
            elif reached is not None and start > reached and self.chosen(source, reached, start):
                self.report.wrong(f"{source} {instant(reached)}/{instant(start)}", "is covered by no window")
            reached = end if reached is None else max(reached, end)
            total["windows"] += 1
            total["rows"] += rows
            total["verified"] += bool(verified and state == "sealed")
            total[state if state in {"sealed", "closed"} else "open"] += 1
            if state != "sealed":
                incomplete.append((start, end, state, issue))
        return {
            "source": source, "from": first and instant(first), "to": reached and instant(reached), **total,
            "incomplete": list(merged(incomplete)),
        }


def merged(windows: list[tuple[int, int, str, str | None]]) -> Iterator[dict[str, Any]]:
    """Yield neighbouring windows of one state and issue as one range."""
    at = 0
    while at < len(windows):
        start, end, state, issue = windows[at]
        at += 1
        while at < len(windows) and windows[at][0] == end and windows[at][2:] == (state, issue):
            end, at = windows[at][1], at + 1
        yield {"from": instant(start), "to": instant(end), "state": state, "issue": issue}


# --- The objects ------------------------------------------------------------------------------------------------------


class Objects:
    """The objects of a copy, held against what the entries and manifests name."""

    def __init__(self, copy: Copy, statements: Statements, report: Report, threads: int) -> None:
        """Take what the entries say."""
        self.copy, self.db, self.statements, self.report = copy, statements.db, statements, report
        self.threads, self.bytes, self.told = threads, 0, time.monotonic()

    def check(self, *, all_windows: bool) -> None:
        """Check the manifests, then the parts that they name and every other object; then look for what none names."""
        for top in TOP:
            if top not in self.copy.tops:
                self.report.notes.append(f"the copy holds no {top}/: nothing of it was checked")
        if "raw" in self.copy.tops:
            self._each("manifest", self._manifest)
        for kind in ("object", "rejects", "part"):
            self._each(kind, lambda _key, _body: None)
        if all_windows:
            self._foreign()

    def _each(self, kind: str, look: Callable[[str, bytes], None]) -> None:
        """Hash every object of a kind, several at a time; call `look` with those whose content matters."""
        rows = self.db.cursor().execute("SELECT key, sha256, about FROM objects WHERE kind = ? ORDER BY key", (kind,))
        waiting: deque[tuple[str, str, str, Future[Any]]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            for key, sha256, about in rows:
                if key.partition("/")[0] not in self.copy.tops:
                    continue
                waiting.append((key, sha256, about, pool.submit(self._hashed, key, kind == "manifest")))
                if len(waiting) > 16 * self.threads:
                    self._compare(*waiting.popleft(), look)
            while waiting:
                self._compare(*waiting.popleft(), look)

    def _hashed(self, key: str, whole: bool) -> tuple[str, int, bytes] | None:
        if whole:
            body = self.copy.read(key)
            return None if body is None else (hashlib.sha256(body).hexdigest(), len(body), body)
        digest = self.copy.digest(key)
        return digest and (*digest, b"")

    def _compare(
        self, key: str, sha256: str, about: str, hashed: Future[Any], look: Callable[[str, bytes], None]
    ) -> None:
        try:
            result = hashed.result()
        except (ValueError, OSError) as error:
            self.report.wrong(key, f"{error} ({about})")
            return
        if result is None:
            self.report.wrong(key, f"is missing ({about})")
            return
        digest, size, body = result
        self.bytes += size
        self._progress()
        self.report.count("objects")
        self.report.count("bytes", size)
        if digest != sha256:
            self.report.wrong(key, f"{self._why(key, digest)} ({about})")
        else:
            look(key, body)

    def _why(self, key: str, digest: str) -> str:
        if self.db.execute("SELECT 1 FROM former WHERE key = ? AND sha256 = ?", (key, digest)).fetchone():
            return "is an older version of this object, put back"
        other = self.db.execute(
            "SELECT key FROM objects WHERE sha256 = ?1 UNION SELECT key FROM former WHERE sha256 = ?1", (digest,)
        ).fetchone()
        return f"holds the bytes of {other[0]}" if other else "was changed"

    def _manifest(self, key: str, body: bytes) -> None:
        """Note the parts that a manifest names, and hold it against the entry of its window."""
        try:
            content = json.loads(body)
            source, window = f"{content['provider']}/{content['source']}", content["window"]
            numbers = content["numbers"]
            for part in content["parts"]:
                self.statements.name(part["key"], part["object_sha256"], "part", f"{source} {window}")
            if numbers and numbers["fetched"] != numbers["rows"] + sum(numbers[part] for part in PARTS):
                self.report.wrong(key, "the numbers of the manifest do not add up")
            newest = self.db.execute(
                "SELECT state, fetched FROM windows WHERE source = ? AND window = ? AND manifest = ?",
                (source, window, key),
            ).fetchone()
            if newest and newest[0] == "sealed":
                if not content["complete"]:
                    self.report.wrong(key, f"says that its visit is not complete, but {source} {window} is sealed")
                elif numbers["fetched"] != newest[1]:
                    self.report.wrong(
                        key, f"has {numbers['fetched']} records fetched, the entry of {source} {window} {newest[1]}"
                    )
        except (ValueError, KeyError, TypeError) as error:
            self.report.wrong(key, f"is no manifest: {type(error).__name__} {error}")

    def _foreign(self) -> None:
        """Look for objects that nothing names."""
        for top in ("logs", "rejects", "raw"):
            if top not in self.copy.tops:
                continue
            for key in self.copy.keys(top):
                if self.db.execute("SELECT 1 FROM objects WHERE key = ?", (key,)).fetchone():
                    continue
                if top == "raw":
                    self.report.count("objects under raw/ that no entry leads to")
                else:
                    self.report.wrong(key, "is named by no entry: it was put in")

    def _progress(self) -> None:
        if sys.stderr.isatty() and time.monotonic() - self.told > 1:
            self.told = time.monotonic()
            print(f"\r{self.bytes / 1e9:.1f} GB checked", end="", file=sys.stderr)


# --- The command ------------------------------------------------------------------------------------------------------


def verify(options: argparse.Namespace) -> Report:
    """Check a copy. Raises CannotCheckError."""
    report, copy, key = Report(), Copy(options.directory), Key.read(options.key)
    begin, end = (seconds(options.begin) if options.begin else None), (seconds(options.end) if options.end else None)

    def chosen(source: str, first: int, last: int) -> bool:
        named_one = not options.source or source in options.source
        return named_one and (begin is None or last > begin) and (end is None or first < end)

    with tempfile.TemporaryDirectory(prefix="verify-") as directory:
        statements = Statements(directory, report, chosen)
        log = Log(copy, key, report, options.since)
        for number, entry in enumerate(log.entries()):
            statements.take(number, entry)
        statements.cover()
        everything = not options.source and begin is None and end is None
        Objects(copy, statements, report, options.threads).check(all_windows=everything)
        statements.db.close()
    return report


def table(report: Report) -> str:
    """Return the report for a person."""
    head = ("source", "from", "to", "windows", "sealed", "closed", "open", "rows", "verified")
    rows = [head, *(tuple(str(source[name]) for name in head) for source in report.sources)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for source in report.sources:
        lines += [
            f"{source['source']} {part['from']} to {part['to']}: {part['state']}, {part['issue'] or 'no issue'}"
            for part in source["incomplete"]
        ]
    lines += [f"note: {note}" for note in report.notes]
    lines.append("checked: " + ", ".join(f"{number:,} {what}" for what, number in report.checked.items()))
    lines += [f"WRONG {where}: {what}" for where, what in report.findings]
    lines.append(f"{len(report.findings)} findings" if report.findings else "Nothing is wrong.")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Check a copy and say what is wrong with it."""
    parser = argparse.ArgumentParser(prog="verify.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", help="a copy of the bucket, or of its proof/")
    parser.add_argument("--key", required=True, help="the public key that you were given, or a file that holds it")
    parser.add_argument("--since", action="append", default=[], metavar="FILE", help="a checkpoint that you have kept")
    parser.add_argument("--source", action="append", default=[], metavar="PROVIDER/NAME", help="only this source")
    parser.add_argument("--from", dest="begin", metavar="TIME", help="only windows after it: 2026-11-20T00:00:00Z")
    parser.add_argument("--to", dest="end", metavar="TIME", help="only windows before it")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        report = verify(options)
    except (CannotCheckError, ValueError, OSError) as error:
        print(json.dumps({"error": str(error)}) if options.json else f"cannot be checked: {error}",
              file=sys.stdout if options.json else sys.stderr)
        return UNCHECKED
    if options.json:
        findings = [{"object": where, "what": what} for where, what in report.findings]
        print(json.dumps({**vars(report), "findings": findings}, indent=2))
    else:
        print(table(report))
    return WRONG if report.findings else OK


if __name__ == "__main__":
    raise SystemExit(main())
