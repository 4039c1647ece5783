#!/usr/bin/env python3
"""Check a copy of a log archive against its proof log: `python3 verify.py DIR --key KEY`.

DIR holds a copy of the archive's bucket, or only of its `proof/`; or it is a pack of evidence, a zip. KEY is the public
key that you were given, as one line `name+id+base64` or a file that holds it: never the one in the copy itself. Nothing
is sent, and nothing is written but a temporary file.

What is checked, in this order:
1. the signature of every checkpoint (Ed25519, RFC 8032);
2. that all checkpoints, and those of `--since`, are states of one log that only grew: each root is computed from the
   entries (RFC 6962); and every tile of the tree (c2sp.org/tlog-tiles);
3. the windows that the entries name: no time left out, none twice, numbers that add up;
4. every object that an entry or a manifest names: there, with these bytes; no other under `logs/` and `rejects/`; and
   no window sealed whose manifest is incomplete.

Exit code: 0 nothing is wrong, 1 something is wrong (each finding names the object), 2 it could not be checked.
Needs Python 3.10 or later, and nothing else. It shares no code with what it checks.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import email
import hashlib
import json
import os
import re
import sqlite3
import stat
import struct
import sys
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from io import FileIO, TextIOWrapper
from itertools import takewhile
from typing import Any, BinaryIO

OK, WRONG, UNCHECKED = 0, 1, 2
TILE, HASH = 256, 32
EMPTY = hashlib.sha256().digest()
#: The largest object of each kind that is read into memory. Larger ones are wrong: no writer makes them.
MOST_NOTE, MOST_MAIL = 1 << 16, 1 << 22
MOST_TILE, MOST_BUNDLE, MOST_MANIFEST = TILE * HASH, TILE * (2 + 0xFFFF), 1 << 28
#: The longest key that S3 takes.
MOST_KEY = 1024
#: How many findings of one kind are kept, and printed; the others are counted.
MOST_KEPT, MOST_PRINTED = 1000, 20
#: What reading somebody else's JSON can raise.
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


class CannotCheckError(Exception):
    """The copy, the key or the options are such that nothing can be said."""


class ForeignError(ValueError):
    """A checkpoint belongs to another log or key."""


class UnsignedError(ForeignError):
    """A checkpoint has no signature at all."""


# --- Ed25519, RFC 8032, section 5.1; only what verification needs ----------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
Multiple = tuple[int, int, int]  # y - x, y + x and 2dxy of a point: all that adding it needs
NEUTRAL: Point = (0, 1, 1, 0)


def add(one: Point, other: Point) -> Point:
    """Return the sum of two points."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def decoded(encoded: bytes) -> Point | None:
    """Return the point of 32 bytes; None if they are not the one encoding of a point of the curve."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if len(encoded) != HASH or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def _table(point: Point) -> list[list[Multiple]]:
    """Return b * 256**n * point for each n below 32 and each byte b, so that a multiplication is 32 additions."""
    table: list[list[Multiple]] = []
    for _ in range(32):
        row = [NEUTRAL]
        for _ in range(256):
            row.append(add(row[-1], point))
        point = row.pop()
        products = [1]  # all Z are inverted by one inversion, that of their product
        for _, _, z, _ in row:
            products.append(products[-1] * z % P)
        inverse, multiples = pow(products.pop(), -1, P), list[Multiple]()
        for x, y, z, _ in reversed(row):
            of_z, inverse = inverse * products.pop() % P, inverse * z % P
            multiples.append(((y - x) * of_z % P, (y + x) * of_z % P, 2 * D * x * y * of_z * of_z % P))
        table.append(multiples[::-1])
    return table


@lru_cache(1)
def base_table() -> list[list[Multiple]]:
    """Return the table of the base point."""
    base = decoded((4 * pow(5, -1, P) % P).to_bytes(HASH, "little"))
    return _table(base or NEUTRAL)


@lru_cache(8)
def _key_table(public: bytes) -> list[list[Multiple]] | None:
    """Return the table of a public key's negative; None for no key, or one of order 8 or less, which signs anything."""
    point = decoded(public)
    eightfold = point or NEUTRAL
    for _ in range(3):
        eightfold = add(eightfold, eightfold)
    if point is None or eightfold[0] == 0:
        return None
    x, y, z, t = point
    return _table((P - x, y, z, P - t))


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether a signature is the key's, over this message: whether its R is the encoding of S*B - H*A.

    Refused are an S that is not below the order, an R or a key in any but the one encoding, and keys of small order.
    """
    table, scalar = _key_table(public), int.from_bytes(signature[HASH:], "little")
    if table is None or len(signature) != 2 * HASH or scalar >= ORDER:
        return False
    digest = int.from_bytes(hashlib.sha512(signature[:HASH] + public + message).digest(), "little") % ORDER
    x, y, z, t = NEUTRAL
    for rows, number in ((base_table(), scalar), (table, digest)):
        for row, byte in zip(rows, number.to_bytes(HASH, "little"), strict=True):
            minus, plus, product = row[byte]
            a, b, c, d = (y - x) * minus % P, (y + x) * plus % P, t * product % P, z + z
            e, f, g, h = b - a, d - c, d + c, b + a
            x, y, z, t = e * f % P, g * h % P, f * g % P, e * h % P
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return signature[:HASH] == (y | (x & 1) << 255).to_bytes(HASH, "little")


# --- Keys and checkpoints, c2sp.org/signed-note and c2sp.org/tlog-checkpoint -----------------------------------------


@dataclass(frozen=True)
class Key:
    """A public key; its name is the name of the log that it signs."""

    name: str
    id: bytes
    public: bytes
    #: Keys that the log was signed with before.
    earlier: tuple[Key, ...] = ()

    @classmethod
    def read(cls, text: str) -> Key:
        """Read `name+id+base64`, or a file that holds it, and below it the keys that it has replaced."""
        if (text and "+" not in text) or os.path.isfile(text):
            try:
                with open(text, "rb") as file:
                    text = saved_text(file.read(MOST_NOTE), "strict")
            except (OSError, ValueError) as error:
                raise CannotCheckError(f"--key {text}: no key, and no file that holds one: {error}") from error
        newest, *earlier = [cls.parsed(line) for line in text.split() or [""]]
        return cls(newest.name, newest.id, newest.public, tuple(earlier))

    @classmethod
    def parsed(cls, text: str) -> Key:
        """Read one line. Raises CannotCheckError."""
        try:
            name, hexadecimal, encoded = text.split("+", 2)
            key_id, body = bytes.fromhex(hexadecimal), base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise CannotCheckError(f"--key: {text[:100]!r} is not of the form name+id+base64") from error
        if len(body) != 1 + HASH or body[0] != 1:
            raise CannotCheckError("--key: not an Ed25519 key (one byte 01, then 32 bytes)")
        if key_id != hashlib.sha256(name.encode() + b"\n" + body).digest()[:4]:
            raise CannotCheckError("--key: its id does not belong to its name and bytes; was it cut or mistyped?")
        if _key_table(body[1:]) is None:
            raise CannotCheckError("--key: no point of the curve, or one with which anybody could sign")
        return cls(name, key_id, body[1:])

    @property
    def text(self) -> str:
        """The key as one line."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([1]) + self.public).decode()}"


@dataclass(frozen=True)
class Checkpoint:
    """A state of the log: how many entries, and the root of their tree."""

    where: str
    origin: str
    size: int
    root: bytes
    text: str


def checkpoint(where: str, note: bytes, key: Key | None) -> Checkpoint:
    """Read a checkpoint and check its signature; none is looked at without a key.

    Raises ValueError with what is wrong: ForeignError if it is of another log, or not signed by this key.
    """
    try:
        head, gap, tail = note.decode().partition("\n\n")
        origin, size, root, *_ = f"{head}\n".split("\n")
        found = Checkpoint(where, origin, int(size), _base64(root), f"{head}\n")
        lines = [_signature(line) for line in tail.split("\n")[:-1]]
    except ValueError as error:
        raise ValueError("is no checkpoint") from error
    exact = str(found.size) == size and 0 <= found.size < 1 << 62 and len(found.root) == HASH
    if not (origin and gap and exact and note.endswith(b"\n")):
        raise ValueError("is no checkpoint")
    if key is None:
        return found
    if origin != key.name:
        raise ForeignError("is of another log than the key")
    keys = {(one.name, one.id): one.public for one in (key, *key.earlier)}
    own = [(name, body[:4], body[4:]) for name, body in lines if (name, body[:4]) in keys]
    if not own:
        raise (ForeignError if lines else UnsignedError)("is not signed by this key")
    if not all(ed25519(keys[name, key_id], found.text.encode(), signature) for name, key_id, signature in own):
        raise ValueError("was changed: its signature does not belong to its text")
    return found


#: A signature's line, whatever a mail program has made of the dash before it.
SIGNED = re.compile(r"\S{1,3} (\S+ [A-Za-z0-9+/]+=*)")


def saved_text(body: bytes, errors: str) -> str:
    """Decode a text that a person has saved: programs on Windows write a byte order mark, or UTF-16."""
    return body.decode("utf-16" if body[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", errors)


def excerpt(body: bytes, origin: str) -> bytes:
    """Return the checkpoint of a log that a mail holds, saved as text or as sent; without one, what was given."""
    plain = [part for part in email.message_from_bytes(body).walk() if part.get_content_type() == "text/plain"]
    for text in [*(part.get_payload(decode=True) for part in plain), body]:
        lines = [line.strip("> \t") for line in saved_text(bytes(text or b""), "replace").splitlines()]
        for at, line in enumerate(lines):
            if line == origin and [bool(line) for line in lines[at : at + 4]] == [True, True, True, False]:
                signed = takewhile(bool, map(SIGNED.fullmatch, lines[at + 4 :]))
                signatures = [f"\u2014 {line[1]}" for line in signed if line]
                return "\n".join([*lines[at : at + 4], *signatures, ""]).encode()
    return body


def _signature(line: str) -> tuple[str, bytes]:
    """Return name and bytes of a line that signs a note. Raises ValueError."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.rpartition(" ")
    if dash != "\u2014" or not name:
        raise ValueError("has a line that is no signature")
    return name, _base64(encoded)


def _base64(text: str) -> bytes:
    """Decode what is encoded in the one right way; decoders take others too. Raises ValueError."""
    body = base64.b64decode(text, validate=True)
    if base64.b64encode(body).decode() != text:
        raise ValueError("has base64 that was changed")
    return body


# --- What is found ---------------------------------------------------------------------------------------------------


#: The first word in the plural, of those that are counted.
PLURAL = re.compile(r"\b([a-z]+?)(ies|s)\b")
#: Explains a column of the report.
CONFIRMED = (
    "confirmed: share of the sealed windows whose number of records the provider's own total confirms; "
    "many providers give none"
)


def counted(number: int, what: str) -> str:
    """Return a number of things: `1 entry`, `2 entries`."""
    one = PLURAL.sub(lambda match: match[1] + ("y" if match[2] == "ies" else ""), what, count=1)
    return f"{number:,} {one if number == 1 else what}"


def printable(text: str) -> str:
    """Return a text of somebody else's so that printing it does nothing but print."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[:400])


@dataclass
class Report:  # 9 attributes: those of the JSON report, and how much of it is kept
    """What was found."""

    #: The version of the report in JSON. It changes when a key is renamed or taken away, or its value has another type.
    format: int = 1
    signed: bool = True
    checkpoint: dict[str, Any] | None = None
    sources: list[dict[str, Any]] = field(default_factory=list[Any])
    #: What was checked, and how many of it.
    checked: dict[str, int] = field(default_factory=dict[str, int])
    notes: list[str] = field(default_factory=list[Any])
    findings: list[dict[str, str]] = field(default_factory=list[Any])
    #: What is wrong -> how often.
    counts: dict[str, int] = field(default_factory=dict[str, int])
    shown: float = 0

    def wrong(self, where: str, what: str, detail: str = "") -> None:
        """Add a finding: an object, or a source and window, what is wrong with it (of a fixed set), and details."""
        self.counts[what] = self.counts.get(what, 0) + 1
        if self.counts[what] <= MOST_KEPT:
            self.findings.append({"object": printable(where), "what": what, "detail": printable(detail)})

    def note(self, text: str) -> None:
        """Add what is not wrong, but should be known."""
        self.notes.append(printable(text))

    def count(self, what: str, number: int = 1) -> None:
        """Count what was checked, and show it now and then if a person is watching."""
        self.checked[what] = self.checked.get(what, 0) + number
        if time.monotonic() > self.shown + 1:
            self.shown = time.monotonic()
            if sys.stderr.isatty():
                print(f"\r{self.progress()}\x1b[K", end="", file=sys.stderr, flush=True)

    def progress(self) -> str:
        """Return what was checked so far."""
        return ", ".join(counted(number, what) for what, number in self.checked.items())

    def json(self) -> str:
        """Return the report for a program."""
        fields = {name: value for name, value in vars(self).items() if name != "shown"}
        return json.dumps(fields, indent=2)

    def table(self) -> str:
        """Return the report for a person."""
        head = ("source", "from", "to", "days", "windows", "sealed", "closed", "open", "missing", "rows", "confirmed")
        rows = [head, *(tuple(_cell(source, name) for name in head) for source in self.sources)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines += [CONFIRMED] if self.sources else []
        for source in self.sources:
            lines += [
                f"{source['source']} {part['from']} to {part['to']}: {part['state']}, {part['issue'] or 'no issue'}"
                for part in source["incomplete"]
            ]
        if self.checkpoint:
            signed = "signed" if self.signed else "NOT SIGNED"
            origin, size, root = (self.checkpoint[name] for name in ("origin", "size", "root"))
            lines.append(f"checkpoint: {origin}, {counted(size, 'entries')}, root {root}, {signed}")
        lines += [f"note: {note}" for note in self.notes]
        lines.append(f"checked: {self.progress() or 'nothing'}")
        for what, number in self.counts.items():
            same = [finding for finding in self.findings if finding["what"] == what][:MOST_PRINTED]
            lines += [f"WRONG {finding['object']}: {what}{finding['detail']}" for finding in same]
            lines += [f"WRONG ... and {number - len(same)} more: {what}"] if number > len(same) else []
        number = sum(self.counts.values())
        lines.append(counted(number, "findings") if number else "Nothing is wrong.")
        return "\n".join(lines)


def _cell(source: dict[str, Any], name: str) -> str:
    """Return a cell of the table: a number with its unit, `-` for what there is none of."""
    key, unit = {"missing": ("missing_hours", "h"), "confirmed": ("confirmed_percent", "%")}.get(name, (name, ""))
    return "-" if source[key] is None else f"{source[key]} {unit}".rstrip()


# --- The copy --------------------------------------------------------------------------------------------------------

TOP = ("logs", "raw", "rejects", "proof")
#: A key whose copy lies in the directory, on Windows too: no part is empty, `.` or `..`, or has a drive or a backslash.
PATH = re.compile(r"(?:logs|raw|rejects|proof)(?:/(?!\.{1,2}(?:/|\Z))[^/\\:\0]+)*")
#: Neither links nor, in a pipe's place, waiting for a writer. Windows has none of these.
FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Copy:
    """A directory that holds a copy of the bucket. Nothing outside it is read: links are not followed."""

    def __init__(self, directory: str) -> None:
        """Look which parts of a bucket are there."""
        self.directory = os.path.realpath(directory)
        if not os.path.isdir(self.directory):
            raise CannotCheckError(f"{directory} is no directory")
        self.tops = [top for top in TOP if self._has(top)]
        if "proof" not in self.tops:
            hint = ", but a checkpoint: give the folder that holds proof/" if self._has("checkpoint") else ""
            raise CannotCheckError(f"{directory} holds no proof/: it is no copy of an archive with a proof log{hint}")
        if self._has(ABOUT) and not self._has("proof/tile"):
            raise CannotCheckError(f"{directory} is a pack of evidence that was unpacked: give the zip itself")
        #: Checks a folder once; it remembers only so many, so that memory does not grow.
        self.ensure_folder = lru_cache(10_000)(self._ensure_folder)
        for top in self.tops:
            try:
                self.ensure_folder(top)
            except ValueError as error:
                raise CannotCheckError(f"{directory}: {error}") from error

    def _has(self, name: str) -> bool:
        return os.path.lexists(os.path.join(self.directory, name))

    def path(self, key: str) -> str:
        """Return the path of an object's copy. Raises ValueError for a key that could lead elsewhere."""
        if len(key) > MOST_KEY or not PATH.fullmatch(key):
            raise ValueError("has a key that no archive has")
        return os.path.join(self.directory, key.replace("/", os.sep))

    def open(self, key: str) -> FileIO | None:
        """Open an object; None if it is not there. Raises ValueError for what no copy of a bucket holds."""
        path = self.path(key)
        try:
            self.ensure_folder(key.rpartition("/")[0])
            mode = os.lstat(path).st_mode
            if not stat.S_ISREG(mode):
                raise ValueError(f"is a {kind(mode)} in place of a file")
            return FileIO(os.open(path, FLAGS))
        except FileNotFoundError:
            return None

    def read(self, key: str, most: int = MOST_NOTE) -> bytes | None:
        """Return a small object; None if it is not there."""
        file = self.open(key)
        if file is None:
            return None
        with file:
            body = b"".join(iter(lambda: file.read(1 << 20) if file.tell() <= most else b"", b""))
        if len(body) > most:
            raise ValueError(f"is larger than {most:,} bytes, as no such object is")
        return body

    def digest(self, key: str) -> tuple[bytes, int] | None:
        """Return SHA-256 and size of an object; None if it is not there."""
        file, digest, size = self.open(key), hashlib.sha256(), 0
        if file is None:
            return None
        with file:
            buffer = memoryview(bytearray(min(1 << 18, os.fstat(file.fileno()).st_size + 1)))
            while length := file.readinto(buffer):
                digest.update(buffer[:length])
                size += length
        return digest.digest(), size

    def keys(self, top: str) -> Iterator[str]:
        """Yield the keys under a folder; a link is yielded like a file, and refused when it is read."""
        folders = [top] if os.path.isdir(os.path.join(self.directory, top)) else []
        while folders:
            folder = folders.pop()
            with os.scandir(os.path.join(self.directory, folder)) as items:
                for item in items:
                    if item.is_dir(follow_symlinks=False):
                        folders.append(f"{folder}/{item.name}")
                    else:
                        yield f"{folder}/{item.name}"

    def _ensure_folder(self, folder: str) -> None:
        above = folder.rpartition("/")[0]
        if above:
            self.ensure_folder(above)
        mode = os.lstat(os.path.join(self.directory, folder)).st_mode
        if not stat.S_ISDIR(mode):
            raise ValueError(f"lies behind a {kind(mode)} in place of a folder")


def kind(mode: int) -> str:
    """Return what a mode of `lstat` stands for."""
    return {stat.S_IFLNK: "link", stat.S_IFDIR: "folder", stat.S_IFREG: "file"}.get(stat.S_IFMT(mode), "device")


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

    def append(self, root: bytes) -> None:
        """Add the hash of an entry."""
        count = 1
        self.size += 1
        while self.roots and self.roots[-1][0] == count:
            root, count = node(self.roots.pop()[1], root), count * 2
        self.roots.append((count, root))

    def root(self) -> bytes:
        """Return the root of what was added so far."""
        roots = [root for _, root in self.roots]
        total = roots.pop() if roots else EMPTY
        while roots:
            total = node(roots.pop(), total)
        return total

    def copy(self) -> Tree:
        """Return a tree of the same leaves."""
        tree = Tree()
        tree.size, tree.roots = self.size, self.roots[:]
        return tree


def perfect(hashes: list[bytes]) -> bytes:
    """Return the root over a number of hashes that is a power of two."""
    while len(hashes) > 1:
        hashes = [node(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def tile_path(level: str, number: int, width: int) -> str:
    """Return the key of a tile: `proof/tile/0/x001/x234/067`, with `.p/W` where it has less than 256 hashes."""
    groups = f"{number:,}".split(",")
    groups[0] = groups[0].zfill(3)
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"proof/tile/{level}/{name}" + ("" if width == TILE else f".p/{width}")


#: Every key of a proof log.
LAYOUT = re.compile(
    r"proof/(?:checkpoint|key|checkpoints/[^/]+|tile/(?:\d|entries)/(?:x\d{3}/)*\d{3}(?:\.p/\d{1,3})?)", re.ASCII
)


def bundle(body: bytes) -> list[bytes] | None:
    """Return the entries of a bundle, each behind its length in two bytes; None if it is cut or has more."""
    entries: list[bytes] = []
    at = 0
    while at < len(body):
        length = int.from_bytes(body[at : at + 2], "big")
        entry = body[at + 2 : at + 2 + length]
        if at + 2 > len(body) or len(entry) != length:
            return None
        entries.append(entry)
        at += 2 + length
    return entries


def named(entry: bytes) -> str:
    """Return what an entry is about."""
    try:
        content = json.loads(entry)
        return f"{content['provider']}/{content['source']} {content.get('window', content['entry'])}"
    except MALFORMED:
        return "no JSON that could be read"


class Checkpoints:
    """The checkpoints of a copy, and those that were kept elsewhere."""

    def __init__(self, copy: Copy, key: Key | None, report: Report, db: sqlite3.Connection) -> None:
        """Begin with none."""
        self.copy, self.key, self.report, self.db = copy, key, report, db
        self.foreign = self.unsigned = 0
        self.origin: str | None = None

    def read(self, since: Iterable[str]) -> Checkpoint | None:
        """Read all, and return the largest of the copy; None if all were changed. Raises CannotCheckError."""
        pointer = self._read("proof/checkpoint")
        newest = pointer
        for where in self.copy.keys("proof/checkpoints"):
            found = self._read(where)
            if found and (newest is None or (found.size, where) > (newest.size, newest.where)):
                newest = found
        if newest is None:
            if self.foreign and self.foreign == sum(self.report.counts.values()):
                raise CannotCheckError(f"no checkpoint of the copy is signed by {_given(self.copy, self.key)}")
            self.report.note("there is no good checkpoint: nothing else was checked")
            return None
        if self.unsigned:
            number = counted(self.unsigned, "dated checkpoints")
            self.report.note(f"{number} without a signature: of a time without a key, or it was taken off. "
                             "What has none proves nothing, and was not looked at")  # fmt: skip
        self._compare(pointer, newest)
        for path in since:
            self._read_kept(path, newest)
        self.report.checkpoint = {
            "origin": printable(newest.origin), "size": newest.size, "root": base64.b64encode(newest.root).decode(),
            "from": newest.where,
        }  # fmt: skip
        return newest

    def up_to(self, size: int) -> Iterator[tuple[str, int, bytes]]:
        """Yield name, size and root of each, the smallest first."""
        return iter(self.db.cursor().execute(
            "SELECT name, size, root FROM checkpoints WHERE size <= ? ORDER BY size, name", (size,)
        ))  # fmt: skip

    def _read(self, where: str) -> Checkpoint | None:
        try:
            note = self.copy.read(where)
            if note is None:
                self.report.wrong(where, "is missing")
                return None
            found = checkpoint(where, note, self.key)
            if self.origin not in {None, found.origin}:
                raise ForeignError("is of another log than proof/checkpoint")
            self.origin = found.origin
            return self._take(where, found)
        except (ValueError, OSError) as error:
            if isinstance(error, UnsignedError) and where != "proof/checkpoint":
                self.unsigned += 1
                return None
            self.foreign += isinstance(error, ForeignError)
            self.report.wrong(where, *reason(error))
            return None

    def _read_kept(self, path: str, newest: Checkpoint) -> None:
        try:
            with open(path, "rb") as file:
                found = checkpoint(path, excerpt(file.read(MOST_MAIL), newest.origin), self.key)
        except OSError as error:
            raise CannotCheckError(f"--since {path}: {error.strerror}") from error
        except ValueError as error:
            raise CannotCheckError(f"--since {path} {error}") from error
        if found.origin != newest.origin:
            raise CannotCheckError(f"--since {path} is of another log: {found.origin!r}, not {newest.origin!r}")
        if found.size > newest.size:
            self.report.wrong(path, "has more entries than the copy: the log was cut, or put back to an earlier state",
                              f" ({found.size} and {newest.size})")  # fmt: skip
        self._take(f"--since {path}", found)

    def _take(self, name: str, found: Checkpoint) -> Checkpoint:
        try:
            self.db.execute("INSERT OR IGNORE INTO checkpoints VALUES (?, ?, ?)", (name, found.size, found.root))
        except UnicodeEncodeError as error:
            raise ValueError("has a name that no archive has") from error
        self.report.count("checkpoints")
        return found

    def _compare(self, pointer: Checkpoint | None, newest: Checkpoint) -> None:
        """Hold proof/checkpoint against its dated copies, and those against each other."""
        if newest is pointer and not self.report.counts:
            self.report.wrong("proof/checkpoints", "holds no copy of proof/checkpoint: it was taken away")
        elif pointer and pointer.size < newest.size:
            later = self.db.execute("SELECT count(DISTINCT size) FROM checkpoints WHERE size > ?", (pointer.size,))
            if later.fetchone()[0] > 1:
                self.report.wrong(
                    pointer.where, "is older than its dated copies: it was put back", f" ({newest.where})"
                )
            else:
                self.report.note(
                    f"{newest.where} is one step ahead of proof/checkpoint: the notary was at work when the copy was "
                    "made. It is what was checked"
                )
        before = ("", -1)
        for name, size in self.db.execute("SELECT name, size FROM checkpoints ORDER BY name"):
            if name != "proof/checkpoint":
                if size < before[1]:
                    self.report.wrong(name, "has fewer entries than one that is dated before it", f" ({before[0]})")
                before = (name, size)


class Log:  # 10 attributes: the log as far as it was read
    """The proof log of a copy."""

    def __init__(self, copy: Copy, report: Report, checkpoints: Checkpoints, newest: Checkpoint) -> None:
        """Take the checkpoint up to which the log is checked."""
        self.copy, self.report, self.newest = copy, report, newest
        self.checkpoints = checkpoints.up_to(newest.size)
        #: The tree over the entries; and while tiles hold other hashes than the entries have, the one over the tiles.
        self.trees = [Tree()]
        #: What differs since the last checkpoint, which will say who is right: tile, bundle, entries.
        self.differing: list[tuple[str, str, str]] = []
        #: Neighbouring checkpoints with a root that is none of these: the first, its size, how many, the last.
        self.refuted: list[Any] = []
        #: Hashes of each level above the entries that are not yet a full tile.
        self.levels: dict[int, list[bytes]] = {}
        #: The root of the last full bundle's entries, if its tile says another one and no checkpoint has decided yet.
        self.undecided = b""
        self.unread = 0

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Yield every entry with its number, and check the tree on the way."""
        due = self._hold(next(self.checkpoints, None), [])
        for number in range(-(-self.newest.size // TILE)):
            width = min(TILE, self.newest.size - number * TILE)
            entries, versions = self._bundle(number, width)
            if not versions:
                self.unread += self.newest.size - number * TILE - width
                break
            if len(versions) > len(self.trees):
                self.trees.append(self.trees[0].copy())
            for at in range(width):
                for tree, hashes in zip(self.trees, (versions[0], versions[-1])):  # noqa: B905 (there may be one tree)
                    tree.append(hashes[at])
                due = self._hold(due, versions)
            if width == TILE:
                self._climb(1, number, perfect(versions[-1]))
                self.undecided = perfect(versions[0]) if len(versions) > 1 else b""
            self.report.count("entries", len(entries))
            yield from enumerate(entries, number * TILE)
        else:
            for level, hashes in self.levels.items():
                if hashes:
                    self._tile(level, self.newest.size >> 8 * (level + 1), hashes)
        self._settle(tiles_are_wrong=not self.refuted and due is None)
        self._report_refuted()
        if self.unread:
            self.report.note(
                f"{counted(self.unread, 'entries')} could not be read: what is named there is not known, so objects "
                "that nothing names and time that no window covers were not looked for"
            )

    def _bundle(self, number: int, width: int) -> tuple[list[bytes], list[list[bytes]]]:
        """Return the entries of a bundle and their hashes; behind them those in the tile, if they are others.

        If the entries cannot be read, the hashes in the tile alone; none if neither can.
        """
        where, tile = tile_path("entries", number, width), tile_path("0", number, width)
        stored, body = self._read(tile, MOST_TILE), self._read(where, MOST_BUNDLE)
        tiled = [stored[at : at + HASH] for at in range(0, len(stored), HASH)] if stored else []
        entries = bundle(body) if body is not None else None
        if entries is None or len(entries) != width:
            if body is not None:
                self.report.wrong(where, "does not hold its entries: it was cut or changed", f" ({width} entries)")
            self.unread += width
            return [], [tiled] if len(tiled) == width else []
        hashes = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
        if stored is None or len(tiled) != width or len(stored) != width * HASH or tiled == hashes:
            if stored is not None and stored != b"".join(hashes):
                self.report.wrong(tile, "does not hold the hashes of what is below it: it was changed")
            return entries, [hashes]
        other = [at for at in range(width) if tiled[at] != hashes[at]]
        first = f"entry {number * TILE + other[0]} ({named(entries[other[0]])})"
        self.differing.append((tile, where, first + (f" and {len(other) - 1} more" if len(other) > 1 else "")))
        return entries, [hashes, tiled]

    def _climb(self, level: int, number: int, root: bytes) -> None:
        """Add the root of a full tile to the level above, and check the tile there once it is full."""
        hashes = self.levels.setdefault(level, [])
        hashes.append(root)
        if len(hashes) == TILE:
            self._tile(level, number // TILE, hashes)
            self.levels[level] = []
            self._climb(level + 1, number // TILE, perfect(hashes))

    def _tile(self, level: int, number: int, hashes: list[bytes]) -> None:
        """Compare a tile with the roots of the tiles below it."""
        where = tile_path(str(level), number, len(hashes))
        stored = self._read(where, MOST_TILE)
        if stored is not None and stored != b"".join(hashes):
            self.differing.append((where, "", ""))

    def _hold(self, due: tuple[str, int, bytes] | None, versions: list[list[bytes]]) -> tuple[str, int, bytes] | None:
        """Hold the checkpoints that are due against the tree; return the next one. Only the right tree is kept."""
        while due and due[1] == self.trees[0].size:
            name, _, signed = due
            roots = [tree.root() for tree in self.trees]
            if signed in roots:
                self._report_refuted()
                if len(set(roots)) == len(roots):
                    right = roots.index(signed)
                    self._settle(tiles_are_wrong=right == 0)
                    if self.undecided and right == 0 and self.levels[1]:
                        self.levels[1][-1] = self.undecided
                    self.undecided = b""
                    self.trees, versions[:] = [self.trees[right]], versions[right : right + 1] or versions[-1:]
            else:
                self.refuted = [*(self.refuted[:2] or due[:2]), (self.refuted or [0, 0, 0])[2] + 1, name]
            due = next(self.checkpoints, None)
        return due

    def _settle(self, *, tiles_are_wrong: bool) -> None:
        """Say of tiles that differ from their entries which of both was changed."""
        for tile, where, entries in self.differing:
            if tiles_are_wrong:
                self.report.wrong(tile, "does not hold the hashes of what is below it: it was changed")
            elif entries:
                self.report.wrong(where, "was changed: it does not hold what was signed", f", namely {entries}")
        self.differing = []

    def _report_refuted(self) -> None:
        if self.refuted:
            first, size, number, last = self.refuted
            more = f", and {number - 1} later ones up to {last}" if number > 1 else ""
            self.report.wrong(
                first,
                "was signed for other entries than this copy holds",
                f": its {size}{more}. They were changed, dropped, added or reordered, or there were two logs",
            )
            self.refuted = []

    def _read(self, where: str, most: int) -> bytes | None:
        try:
            body = self.copy.read(where, most)
        except (ValueError, OSError) as error:
            self.report.wrong(where, *reason(error))
            return None
        if body is None:
            self.report.wrong(where, "is missing")
        else:
            self.report.count("tiles")
        return body


def reason(error: Exception) -> tuple[str, str]:
    """Return what is wrong with an object that could not be read, and details."""
    if isinstance(error, OSError):
        return "cannot be read", f": {error.strerror}"
    return str(error), ""


# --- What the entries say --------------------------------------------------------------------------------------------

SCHEMA = """
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA cache_size=-64000;
CREATE TABLE checkpoints (name TEXT PRIMARY KEY, size INTEGER, root BLOB) WITHOUT ROWID;
CREATE TABLE windows (source TEXT, window TEXT, start INTEGER, end INTEGER, state TEXT, issue TEXT, rows INTEGER,
                      verified INTEGER, fetched INTEGER, manifest TEXT, PRIMARY KEY (source, window)) WITHOUT ROWID;
CREATE TABLE names (key TEXT, kind TEXT, sha256 BLOB, about TEXT);
CREATE TABLE objects (key TEXT, kind TEXT, sha256 BLOB, about TEXT, PRIMARY KEY (key, kind)) WITHOUT ROWID;
CREATE TABLE begins (source TEXT PRIMARY KEY, begin INTEGER) WITHOUT ROWID;
BEGIN;
"""
#: The hash that each object must have: the newest one, or the first where nothing is written anew. To sort all names
#: once costs less than to look up what is known with each of them.
NEEDED = """
INSERT INTO objects SELECT key, kind, sha256, about FROM (
    SELECT key, kind, sha256, about, max(CASE WHEN sha256 IS NULL THEN -9e18
        WHEN kind IN ('manifest', 'part') THEN -rowid ELSE rowid END)
    FROM names WHERE (kind = 'part') = ? GROUP BY key, kind)
"""
#: Names that are of another window than that one, or have other bytes where nothing is written anew.
CONTRARY = """
SELECT key, names.about, objects.about FROM names JOIN objects USING (key, kind)
    WHERE (kind = 'part') = ?
        AND (names.about <> objects.about OR (names.sha256 <> objects.sha256 AND kind IN ('manifest', 'part')))
"""
DURATION = re.compile(r"P(?=.)(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?", re.ASCII)
DAY = 86_400
#: The end of the year 9999, behind which no calendar here goes.
LAST = 253_402_300_799
#: Numbers of a visit that together are all that was fetched.
PARTS = ("rejects", "outside", "duplicates")
#: Kinds of objects, and where they lie.
PLACES = {"manifest": "raw/", "part": "raw/", "object": "logs/", "rejects": "rejects/"}


def database(directory: str) -> sqlite3.Connection:
    """Return an empty database in a file, so that memory does not grow with the archive."""
    db = sqlite3.connect(os.path.join(directory, "statements"), isolation_level=None)
    db.executescript(SCHEMA)
    return db


@lru_cache(1000)
def seconds(text: str) -> int:
    """Return an instant such as `2026-11-20T00:00:00Z`, or a day, in seconds since 1970. Raises ValueError."""
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)).timestamp())


def instant(moment: int) -> str:
    """Return seconds since 1970 as an instant."""
    return dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(1000)
def bounds(window: str) -> tuple[int, int]:
    """Return begin and end of a window such as `2026-11-20T00:00:00Z/PT1H`. Raises ValueError."""
    begin, _, length = window.partition("/")
    match = DURATION.fullmatch(length)
    if not match:
        raise ValueError(f"{window!r} is no window")
    days, hours, minutes, rest = (int(group or 0) for group in match.groups())
    start = seconds(begin)
    end = start + ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if end == start or end > LAST:
        raise ValueError(f"{window!r} is no window")
    return start, end


def whole(number: object) -> int:
    """Return a number as JSON has it. Raises ValueError for any but a whole one."""
    if type(number) is not int or abs(number) >= 1 << 62:
        raise ValueError(f"{str(number)[:40]} is no count")
    return number


@dataclass(frozen=True)
class Choice:
    """Which windows are looked at: all, or those of some sources that overlap some time."""

    sources: frozenset[str] = frozenset()
    begin: int = -(1 << 62)
    end: int = 1 << 62

    def has(self, source: str, first: int, last: int) -> bool:
        """Return whether a source's time is looked at, or some of it."""
        return (not self.sources or source in self.sources) and last > self.begin and first < self.end


class Statements:
    """What the entries of a log say, the newest of each window; in a database, so that memory does not grow."""

    def __init__(self, db: sqlite3.Connection, report: Report, choice: Choice) -> None:
        """Begin with none."""
        self.db, self.report, self.choice = db, report, choice
        #: When the newest commit was, as its entry says.
        self.newest = 0
        #: Whether every entry could be read, so that what none names is named nowhere.
        self.entire = True
        self.unknown: set[str] = set()

    def take(self, number: int, entry: bytes) -> None:
        """Take in one entry."""
        try:
            content = json.loads(entry.decode())
            about = content["entry"]
            source = f"{content['provider']}/{content['source']}"
            if about == "source":
                self._source(source, seconds(content["begin"]))
            elif about == "window":
                self.newest = max(self.newest, seconds(content["committed_at"] or "1970-01-01"))
                begin, end = bounds(content["window"])
                if self.choice.has(source, begin, end):
                    self._window(source, begin, end, content)
            elif about not in self.unknown and len(self.unknown) < MOST_PRINTED:
                self.unknown.add(about)
                self.report.note(f"entry {number} is of the kind {about!r}, which this program does not know")
        except (*MALFORMED, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
            self.entire = False
            self.report.wrong(f"entry {number}", "is no statement of an archive", f": {type(error).__name__} {error}")

    def _source(self, source: str, begin: int) -> None:
        self.db.execute(
            "INSERT INTO begins VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET begin = min(begin, excluded.begin)",
            (source, begin),
        )

    def _window(self, source: str, begin: int, end: int, content: dict[str, Any]) -> None:
        about, numbers = f"{source} {content['window']}", content["numbers"]
        fetched, rows, kept = (whole(numbers[name] or 0) for name in ("fetched", "rows", "kept"))
        others = {part: whole(numbers[part]) for part in PARTS}
        if fetched != rows - kept + sum(others.values()):
            text = ", ".join(f"{number} {part}" for part, number in others.items())
            self.report.wrong(about, "has numbers that do not add up in its entry",
                              f": {fetched} fetched, {rows - kept} rows, {text}")  # fmt: skip
        for manifest in content["manifests"]:
            self.name(manifest["key"], manifest["sha256"], "manifest", about)
        for kind in ("object", "rejects"):
            if content[kind]:
                self.name(content[kind]["key"], content[kind]["sha256"], kind, about)
        newest = max((manifest["key"] for manifest in content["manifests"]), default=None)
        # A replay may read other records in the same bytes than the visit has counted in its manifest.
        counted = None if content.get("replayed") is True else fetched
        self.db.execute(
            "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, window) DO UPDATE SET"
            " state = excluded.state, issue = excluded.issue, rows = excluded.rows, verified = excluded.verified,"
            " fetched = excluded.fetched, manifest = coalesce(excluded.manifest, manifest)",
            (source, content["window"], begin, end, content["state"], content["issue"], rows,
             content["verification"] == "verified", counted, newest),
        )  # fmt: skip

    def name(self, key: str, sha256: str | None, kind: str, about: str) -> None:
        """Note an object and the window that it is of.

        It has no hash if it had expired before it was named, or was written by a version that did not note it.
        """
        if not key.startswith(PLACES[kind]):
            raise ValueError(f"{key[:200]!r} is no key of this kind: {kind}")
        self.db.execute("INSERT INTO names VALUES (?, ?, ?, ?)", (key, kind, sha256 and bytes.fromhex(sha256), about))

    def settle(self, *, parts: bool = False) -> None:
        """Find the hash that each object that entries name must have, or each part that manifests name."""
        self.db.execute(NEEDED, (parts,))
        for key, about, other in self.db.execute(CONTRARY, (parts,)):
            if about != other:
                self.report.wrong(key, "is named by two windows", f" ({other}, {about})")
            else:
                self.report.wrong(key, "is named twice, with other bytes", f" ({about})")

    def cover(self) -> None:
        """Settle the objects, find time that is covered twice or left out, and sum up each source."""
        self.settle()
        sources = {row[0] for row in self.db.execute("SELECT DISTINCT source FROM windows")}
        begins = dict(self.db.execute("SELECT source, begin FROM begins"))
        for source in sorted({*sources, *begins}):
            if source in sources or self.choice.has(source, begins[source], self.newest):
                self.report.sources.append(self._covered(source, begins.get(source)))
        unhashed = self.db.execute("SELECT count(*) FROM objects WHERE sha256 IS NULL").fetchone()[0]
        if unhashed:
            self.report.note(
                f"{counted(unhashed, 'objects')} not checked, since the log has no hash: expired before being named, "
                "or written by a version that did not note it"
            )

    def _covered(self, source: str, begin: int | None) -> dict[str, Any]:
        windows = self.db.execute(
            "SELECT window, start, end, state, issue, rows, verified FROM windows"
            " WHERE source = ? AND state <> 'split' ORDER BY start, end", (source,)
        )  # fmt: skip
        if begin is None and self.entire:
            self.report.wrong(source, "has windows, but no entry says from when on it is archived")
        total = {"windows": 0, "sealed": 0, "closed": 0, "open": 0, "rows": 0}
        first, reached, missing, confirmed, incomplete = None, begin, 0, 0, list[dict[str, Any]]()
        for window, start, end, state, issue, rows, full in windows:
            if first is None or reached is None:
                first, reached = start, start if reached is None else min(start, reached)
            if start < reached:
                self.report.wrong(f"{source} {window}", "covers time that another window covers as well",
                                  f", before {instant(reached)}")  # fmt: skip
            missing += self._gap(source, reached, start)
            reached = max(reached, end)
            total["windows"] += 1
            total["rows"] += rows
            confirmed += bool(full and state == "sealed")
            total[state if state in {"sealed", "closed"} else "open"] += 1
            if state != "sealed":
                _append(incomplete, start, end, printable(state), issue and printable(issue))
        self._note_end(source, reached)
        return {
            "source": printable(source), "from": instant(first) if first is not None else None,
            "to": instant(reached) if reached is not None else None,
            "days": round(((reached or 0) - (first or 0)) / DAY, 1) if first is not None else 0, **total,
            "missing_hours": round(missing / 3600, 1) if missing else 0,
            "confirmed_percent": 100 * confirmed // total["sealed"] if total["sealed"] else None,
            "incomplete": incomplete,
        }  # fmt: skip

    def _gap(self, source: str, reached: int, start: int) -> int:
        """Return how much time is left out that is looked at."""
        first, last = max(reached, self.choice.begin), min(start, self.choice.end)
        if first >= last:
            return 0
        if self.entire:
            self.report.wrong(f"{source} {instant(first)}/{instant(last)}", "is covered by no window")
        return last - first

    def _note_end(self, source: str, reached: int | None) -> None:
        """Note a source whose windows end long before the log does."""
        newest = min(self.newest, self.choice.end)
        if self.entire and reached is not None and max(reached, self.choice.begin) < newest - 2 * DAY:
            self.report.note(f"{source}: no window after {instant(reached)}, but the log goes on until "
                             f"{instant(self.newest)}: the source was removed, or is not planned")  # fmt: skip


def _append(ranges: list[dict[str, Any]], start: int, end: int, state: str, issue: str | None) -> None:
    """Add a window to ranges of neighbouring windows of one state and issue."""
    last = ranges[-1] if ranges else {}
    if last and (last["to"], last["state"], last["issue"]) == (instant(start), state, issue):
        last["to"] = instant(end)
    else:
        ranges.append({"from": instant(start), "to": instant(end), "state": state, "issue": issue})


# --- The objects -----------------------------------------------------------------------------------------------------

#: Source, begin and length of the window of a key under `logs/` or `rejects/`.
WINDOW = re.compile(
    r"(?:logs|rejects)/provider=([^/]+)/date=[^/]+/([^/]+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\dZ)-([^/.]+)"
    r"\.(?:parquet|jsonl\.gz)", re.ASCII
)  # fmt: skip
OPEN = "; its window is still open: if the copy was made after a later visit, let the notary run and copy again"
#: How many objects a thread hashes at a time, and how many such batches wait.
BATCH, WAITING = 16, 4


class Objects:
    """The objects of a copy, held against what the entries and manifests name."""

    def __init__(self, copy: Copy, statements: Statements, report: Report, threads: int) -> None:
        """Take what the entries say."""
        self.copy, self.db, self.statements, self.report = copy, statements.db, statements, report
        self.threads = threads

    def check(self, *, foreign: bool, without: Container[str]) -> None:
        """Check the manifests, then the parts that they name and every other object; then look for what none names."""
        for role in ("object", "manifest", "rejects"):
            top = PLACES[role].strip("/")
            if top in self.copy.tops or not self._has(role):
                continue
            if top in without or self.copy.tops == ["proof"]:
                self.report.note(f"the copy holds no {top}/: nothing of it was checked")
            else:
                self.report.wrong(f"{top}/", "is missing, although entries name objects of it; if it was left out on "
                                  f"purpose, say --without {top}")  # fmt: skip
        for role in ("manifest", "object", "rejects", "part"):
            if PLACES[role].strip("/") in self.copy.tops:
                self.each(role)
        if foreign:
            self._foreign()

    def _has(self, role: str) -> bool:
        """Return whether any object of a kind is named."""
        return bool(self.db.execute("SELECT 1 FROM objects WHERE kind = ?", (role,)).fetchone())

    def each(self, role: str) -> None:
        """Hash every object of a kind, several at a time; manifests name the parts."""
        rows = self.db.cursor().execute(
            "SELECT key, sha256, about FROM objects WHERE kind = ? AND sha256 IS NOT NULL ORDER BY key", (role,)
        )
        waiting: deque[tuple[list[Any], Callable[[], list[Any]]]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            while batch := rows.fetchmany(BATCH):
                keys = [row[0] for row in batch]
                if self.threads == 1:  # a thread that only waits for another one costs more than it hashes
                    self._compare(role, batch, self._digests(keys))
                    continue
                waiting.append((batch, pool.submit(self._digests, keys).result))
                if len(waiting) > WAITING * self.threads:
                    done, result = waiting.popleft()
                    self._compare(role, done, result())
            for done, result in waiting:
                self._compare(role, done, result())
        if role == "manifest":
            self.statements.settle(parts=True)

    def _digests(self, keys: list[str]) -> list[Any]:
        """Return hash and size of each object, None if it is missing, or the error."""
        results: list[Any] = []
        for key in keys:
            try:
                results.append(self.copy.digest(key))
            except (ValueError, OSError) as error:
                results.append(error)
        return results

    def _compare(self, role: str, batch: list[Any], digests: list[Any]) -> None:
        for (key, sha256, about), result in zip(batch, digests, strict=True):
            if isinstance(result, Exception):
                what, detail = reason(result)
                self.report.wrong(key, what, f"{detail} ({about})")
            elif result is None:
                self.report.wrong(key, "is missing", f" ({about})")
            else:
                self.report.count("objects")
                self.report.count("bytes", result[1])
                if result[0] != sha256:
                    self._changed(key, result[0], role, about)
                elif role == "manifest":
                    self._manifest(key, about)

    def _changed(self, key: str, digest: bytes, role: str, about: str) -> None:
        """Say what an object holds instead of its own bytes, as long as there are few."""
        what, detail = "was changed", ""
        if self.report.counts.get(what, 0) < MOST_PRINTED:
            self.db.execute("CREATE INDEX IF NOT EXISTS digests ON names (sha256, key)")
            of = "SELECT key FROM names WHERE sha256 = ?"
            if role in {"object", "rejects"} and self.db.execute(f"{of} AND key = ?", (digest, key)).fetchone():
                what = "is an older version of this object, put back"
            elif other := self.db.execute(f"{of} AND key <> ? LIMIT 1", (digest, key)).fetchone():
                what, detail = "holds the bytes of another object", f": {other[0]}"
        is_open = role in {"object", "rejects"} and self._state(*about.rpartition(" ")[::2]) in {"planned", "archived"}
        self.report.wrong(key, what, f"{detail} ({about}{OPEN if is_open else ''})")

    def _manifest(self, key: str, about: str) -> None:
        """Note the parts that a manifest names, and hold it against the entry of its window."""
        try:
            content = json.loads(self.copy.read(key, MOST_MANIFEST) or b"")
            source, window = f"{content['provider']}/{content['source']}", content["window"]
            if about != f"{source} {window}":
                self.report.wrong(key, "is the manifest of another window than its entry says", f" ({about})")
            for part in content["parts"]:
                self.statements.name(part["key"], part["object_sha256"], "part", about)
            numbers = content["numbers"]
            counts = numbers and [whole(numbers[name]) for name in ("fetched", "rows", *PARTS)]
            if counts and counts[0] != sum(counts[1:]):
                self.report.wrong(key, "has numbers that do not add up", f" ({about})")
            newest = self.db.execute(
                "SELECT state, fetched FROM windows WHERE source = ? AND window = ? AND manifest = ?",
                (source, window, key),
            ).fetchone()
            if newest and newest[0] == "sealed":
                if not content["complete"]:
                    self.report.wrong(
                        key, "says that its visit is not complete, but its window is sealed", f" ({about})"
                    )
                elif newest[1] not in {None, counts[0]}:
                    self.report.wrong(key, "has another number of fetched records than the entry of its window",
                                      f": {counts[0]} and {newest[1]} ({about})")  # fmt: skip
        except (*MALFORMED, OSError, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
            self.report.wrong(key, "is no manifest", f": {type(error).__name__} {error} ({about})")

    def _foreign(self) -> None:
        """Look for objects that nothing names."""
        for top in self.copy.tops:
            for key in self.copy.keys(top):
                if top == "proof":
                    if not LAYOUT.fullmatch(key):
                        self.report.count("files in proof/ that are no part of a log as this program knows it")
                elif self._named(key):
                    continue
                elif top == "raw":
                    self.report.count("files in raw/ that no entry leads to (of visits that never counted)")
                else:
                    self._put_in(key)

    def _named(self, key: str) -> bool:
        try:
            return self.db.execute("SELECT 1 FROM objects WHERE key = ?", (key,)).fetchone() is not None
        except UnicodeEncodeError:
            return False

    def _put_in(self, key: str) -> None:
        """Say what is known of an object under `logs/` or `rejects/` that no entry names."""
        match = WINDOW.fullmatch(key)
        state = None
        if match:
            provider, source, year, month, day, hour, minute, second, length = match.groups()
            state = self._state(f"{provider}/{source}", f"{year}-{month}-{day}T{hour}:{minute}:{second}/{length}")
        self.report.wrong(key, "is named by no entry: it was put in", OPEN if state in {"planned", "archived"} else "")

    def _state(self, source: str, window: str) -> str | None:
        rows = self.db.execute("SELECT state FROM windows WHERE source = ? AND window = ?", (source, window))
        return next((str(state) for (state,) in rows), None)


# --- A pack of evidence ----------------------------------------------------------------------------------------------

#: The file that says what a pack is about, and those that explain it to people and prove nothing.
ABOUT, README = "pack.json", ("README.en.txt", "README.ko.txt")
PROOF = re.compile(r"entry-(0|[1-9]\d{0,18})\.tlog-proof", re.ASCII)
#: Where the list of records lies in a JSON document, by provider.
RECORDS: dict[str, list[str]] = {
    "apigateway": ["events", "content"], "elsa": [], "multidrm": ["content"], "security365": ["items"],
}  # fmt: skip
#: How many manifests one entry names at most; the next entry of the window names others.
MOST_VISITS = 100
#: Bytes before a file's name in a zip, and what a zip without extensions can hold.
LOCAL = 30
MOST_FILES, MOST_BYTES = 0xFFFF, 0xF0000000


class PackError(ValueError):
    """A pack is not as it was written, at a place behind which nothing can be checked."""


def zip_header(name: bytes, crc: int, size: int) -> bytes:
    """Return what stands before a file in the zip of a pack: stored as it is, dated 1980."""
    return struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0x21, crc, size, size, len(name), 0) + name


def zip_end(files: list[tuple[bytes, int, int]]) -> bytes:
    """Return what stands behind the files (name, CRC-32, size) in the zip of a pack: its directory."""
    lines: list[bytes] = []
    at = 0
    for name, crc, size in files:
        lines += struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 0x0314, 20, 0, 0, 0, 0x21, crc, size, size, len(name),
                             0, 0, 0, 0, 0o100644 << 16, at), name  # fmt: skip
        at += LOCAL + len(name) + size
    directory = b"".join(lines)
    return directory + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(files), len(files), len(directory), at, 0)


class Pack(Copy):
    """The zip of a pack as a copy. Every byte of it is read and has to be as it was written; nothing is unpacked."""

    def __init__(self, file: BinaryIO) -> None:  # no folder, so none of a folder's attributes
        """Hash every file. Raises PackError."""
        self.file, self.tops = file, ["raw", "proof"]
        #: Name of a file -> where it begins, its size, its SHA-256.
        self.files: dict[str, tuple[int, int, bytes]] = {}
        read: list[tuple[bytes, int, int]] = []
        while len(head := file.read(LOCAL)) == LOCAL and head.startswith(b"PK\x03\x04"):
            crc, size, length = struct.unpack_from("<I4xIH", head, 14)
            name = file.read(length)
            text = name.decode("ascii", "backslashreplace")
            if head[8:10] != b"\0\0":
                raise PackError(f"holds {text} compressed, as no pack does: was it unpacked and packed again?")
            if head + name != zip_header(name, crc, size):
                raise PackError(f"was changed in the header of {text}")
            if text in self.files:
                raise PackError(f"holds {text} twice")
            self.files[text] = (file.tell(), size, self._hash(text, crc, size))
            read.append((name, crc, size))
            if len(read) > MOST_FILES or file.tell() > MOST_BYTES:
                raise PackError("holds more than a pack can")
        end = zip_end(read)
        if head + file.read(len(end)) != end:
            raise PackError("was cut or changed behind its last file")

    def read(self, key: str, most: int = MOST_NOTE) -> bytes | None:
        """Return a small file; None if it is not there."""
        start, size, _ = self.files.get(key, (0, -1, b""))
        if size > most:
            raise PackError(f"holds {key} with {size:,} bytes, as no pack does")
        self.file.seek(start)
        return self.file.read(size) if size >= 0 else None

    def digest(self, key: str) -> tuple[bytes, int] | None:
        """Return SHA-256 and size of a file; None if it is not there."""
        if key not in self.files:
            return None
        _, size, digest = self.files[key]
        return digest, size

    def _hash(self, name: str, crc: int, size: int) -> bytes:
        digest, found = hashlib.sha256(), 0
        while size:
            piece = self.file.read(min(size, 1 << 20))
            if not piece:
                raise PackError(f"was cut within {name}")
            digest.update(piece)
            found, size = zlib.crc32(piece, found), size - len(piece)
        if found != crc:
            raise PackError(f"was changed in {name}: its bytes do not have their checksum")
        return digest.digest()


def inclusion(text: bytes) -> tuple[int, list[bytes], bytes]:
    """Return index, hashes and checkpoint of a proof (c2sp.org/tlog-proof). Raises ValueError."""
    head, _, note = text.partition(b"\n\n")
    match = re.fullmatch(rb"c2sp\.org/tlog-proof@v1\nindex (0|[1-9]\d{0,18})((?:\n[A-Za-z0-9+/]{43}=)*)", head)
    if not match:
        raise ValueError("is no proof of the form c2sp.org/tlog-proof")
    return int(match[1]), [base64.b64decode(line) for line in match[2].split()], note


def root_of(entry: bytes, index: int, size: int, hashes: list[bytes]) -> bytes | None:
    """Return the root that a proof leads to (RFC 9162, section 2.1.3.2); None if it does not fit the size."""
    found, last = hashlib.sha256(b"\x00" + entry).digest(), size - 1
    for hash_ in hashes:
        while last and index % 2 == 0 and index == last:
            index, last = index // 2, last // 2
        if not last:
            return None
        found = node(hash_, found) if index % 2 else node(found, hash_)
        index, last = index // 2, last // 2
    return None if last else found


def records(provider: str, body: bytes) -> list[bytes] | None:
    """Return the records of a part as they stand there; None where that takes more than a few lines (CSV, archives)."""
    try:
        if body.startswith(b"\x1f\x8b"):
            unpacked = zlib.decompressobj(31)
            body = unpacked.decompress(body, MOST_MANIFEST)
            if not unpacked.eof or unpacked.unused_data:
                return None
        text, path = body.decode("utf-8-sig"), RECORDS.get(provider)
        if provider == "dsa" and "\0" not in text:
            return [line.rstrip("\r").encode() for line in text.split("\n") if line.strip(" \t\r\v\f")]
        return None if path is None else [one.encode() for one in elements(text.strip(" \t\r\n"), path)]
    except (*MALFORMED, zlib.error):
        return None


def elements(text: str, path: list[str]) -> list[str]:
    """Return the texts of the elements of the array at a path of a JSON document. Raises ValueError or IndexError."""
    decode, between = json.JSONDecoder(strict=False).raw_decode, re.compile(r"[^ \t\r\n,:]")
    if decode(text)[1] != len(text):
        raise ValueError("is not one document")

    def follow(at: int) -> int:
        match = between.search(text, at)
        return match.start() if match else len(text)

    at, found = 0, list[str]()
    for key in path:
        if text[at] != "{":
            raise ValueError("is no object")
        name, at = decode(text, follow(at + 1))
        while name != key:
            name, at = decode(text, follow(decode(text, follow(at))[1]))
        at = follow(at)
    if text[at] != "[":
        raise ValueError("is no list")
    at = follow(at + 1)
    while text[at] != "]":
        end = decode(text, at)[1]
        found.append(text[at:end])
        at = follow(end)
    return found


def about_text(source: str, window: str, row: dict[str, Any] | None) -> bytes:
    """Return the text of the file that says what a pack is about. `row` has a manifest, a raw_index and a raw_part."""
    content = {"pack": 1, "row": row and dict(sorted(row.items())), "source": source, "window": window}
    return f"{json.dumps(content, indent=2)}\n".encode()


class Evidence:  # 9 attributes: what a pack says it is about, and what it is checked with
    """What a pack proves."""

    def __init__(self, pack: Pack, key: Key | None, report: Report, db: sqlite3.Connection) -> None:
        """Read what it is about, and check the signature of its checkpoint. Raises PackError or CannotCheckError."""
        self.pack, self.report, self.db = pack, report, db
        self.note = self._needed("proof/checkpoint")
        try:
            self.log = checkpoint("proof/checkpoint", self.note, key)
        except ForeignError as error:
            raise CannotCheckError(f"proof/checkpoint {error}; the key given is {_given(pack, key)}") from error
        except ValueError as error:
            raise PackError(f"holds a proof/checkpoint that {error}") from error
        report.count("checkpoints")
        root = base64.b64encode(self.log.root).decode()
        report.checkpoint = {"origin": printable(self.log.origin), "size": self.log.size, "root": root,
                             "from": "proof/checkpoint"}  # fmt: skip
        _compare_key(pack, key, report)
        about = json.loads(self._needed(ABOUT))
        self.source, self.window, self.row = str(about["source"]), str(about["window"]), about["row"]
        if self._needed(ABOUT) != about_text(self.source, self.window, self.row):
            raise PackError(f"holds a {ABOUT} that is not as it was written")
        #: The files that something in the pack names.
        self.named = {*README, ABOUT, "proof/checkpoint", "proof/key"}

    def check(self) -> None:
        """Check everything, then that nothing else is there."""
        entries = self._entries()
        statements = Statements(self.db, self.report, Choice())
        for number, entry in entries:
            statements.take(number, entry)
        statements.entire = False  # of other windows, and of where the source begins, the pack says nothing
        statements.cover()
        if entries:
            self._sum(*entries[-1])
            objects = Objects(self.pack, statements, self.report, 1)
            if self.row:
                self._row(objects, str(self.row["manifest"]), str(self.row["raw_part"]), whole(self.row["raw_index"]))
            else:
                self._window(objects, min(json.loads(entries[-1][1])["visits"], MOST_VISITS * len(entries)))
            self.named |= {key for (key,) in self.db.execute(
                "SELECT key FROM objects WHERE kind IN ('manifest', 'part') AND sha256 IS NOT NULL"
            )}  # fmt: skip
        else:
            self.report.wrong(ABOUT, "is about what no entry of the pack proves", f" ({self.source} {self.window})")
            self.named |= {"record.txt", *(key for key in self.pack.files if key.startswith("raw/"))}
        for name in sorted(self.pack.files.keys() - self.named):
            outside = name.startswith("/") or ".." in name.split("/") or re.search(r"[\\:\0]", name)
            self.report.wrong(name, "leads out of the folder in which a pack is unpacked" if outside
                              else "is named by nothing in the pack: it was put in")  # fmt: skip
        self.report.note(f"{' and '.join(README)} explain the pack; nothing proves them")

    def _needed(self, name: str) -> bytes:
        body = self.pack.read(name)
        if body is None:
            raise PackError(f"holds no {name}")
        return body

    def _entries(self) -> list[tuple[int, bytes]]:
        """Return the entries that the checkpoint proves, the newest last."""
        found: list[tuple[int, bytes]] = []
        for match in filter(None, map(PROOF.fullmatch, self.pack.files)):
            name, number = f"entry-{match[1]}.json", int(match[1])
            self.named |= {name, match[0]}
            try:
                entry = self._needed(name)
                index, hashes, note = inclusion(self._needed(match[0]))
                if (index, note) != (number, self.note):
                    self.report.wrong(match[0], "is the proof of another entry, or for another proof/checkpoint")
                elif root_of(entry, index, self.log.size, hashes) != self.log.root:
                    self.report.wrong(name, "is not in the log: it was changed, or its proof was")
                elif named(entry) != f"{self.source} {self.window}":
                    self.report.wrong(name, "is about something else than the pack", f" ({named(entry)})")
                else:
                    self.report.count("entries")
                    found.append((number, entry))
            except ValueError as error:
                self.report.wrong(match[0], *reason(error))
        return sorted(found)

    def _sum(self, number: int, entry: bytes) -> None:
        content = json.loads(entry)
        state = f"{content['state']}, {content['issue'] or 'no issue'}"
        self.report.note(f"entry {number} says of {self.source} {self.window}: {state}, "
                         f"as of {content['committed_at'] or 'its planning'}")  # fmt: skip
        self.report.note("whether the log has a later entry of this window, only the whole proof/ shows")

    def _window(self, objects: Objects, visits: int) -> None:
        objects.each("manifest")
        objects.each("part")
        (manifests,) = self.db.execute("SELECT count(*) FROM objects WHERE kind = 'manifest'").fetchone()
        if manifests < visits:
            named = f": of {counted(visits, 'visits')} it names {counted(manifests, 'manifests')}"
            self.report.wrong(ABOUT, "leaves out entries of its window", named)

    def _row(self, objects: Objects, manifest: str, part: str, index: int) -> None:
        self.named.add("record.txt")
        self.db.execute("DELETE FROM objects WHERE key <> ?", (manifest,))
        objects.each("manifest")
        self.db.execute("DELETE FROM objects WHERE kind = 'part' AND key <> ?", (part,))
        if not self.db.execute("SELECT 1 FROM objects WHERE kind = 'part'").fetchone():
            self.report.wrong(part, "is named by no manifest of the pack")
            return
        found = sum(self.report.counts.values())
        objects.each("part")
        if sum(self.report.counts.values()) == found:
            self._record(part, index)

    def _record(self, part: str, index: int) -> None:
        """Compare record.txt with the record in the part, where there is a simple way to it."""
        body = self.pack.read(part, MOST_MANIFEST) if self.pack.files[part][1] <= MOST_MANIFEST else None
        found = None if body is None else records(self.source.partition("/")[0], body)
        if index < 0 or (found is not None and index >= len(found)):
            self.report.wrong(part, "does not have the record that the pack is about", f" (number {index})")
        elif self.pack.read("record.txt", MOST_MANIFEST) != (found and found[index]):
            self.report.wrong("record.txt", "is not the record in the part", f" (number {index} of {part})")


def verify_pack(path: str, key: Key | None) -> Report:
    """Check a pack of evidence. Raises CannotCheckError."""
    report = Report(signed=key is not None)
    with open(path, "rb") as file, tempfile.TemporaryDirectory(prefix="verify-") as directory:
        if file.read(4) != b"PK\x03\x04":
            raise CannotCheckError(f"{path} is neither a directory nor a pack of evidence")
        file.seek(0)
        db = database(directory)
        try:
            Evidence(Pack(file), key, report, db).check()
        except PackError as error:
            report.wrong(path, str(error))
        except (*MALFORMED, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
            report.wrong(path, "holds a file that is not as it was written", f": {type(error).__name__} {error}")
        finally:
            db.close()
    return report


# --- The command -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """What is checked, and how far; the options of the command have the same names."""

    directory: str
    key: str
    since: Sequence[str] = ()
    source: Sequence[str] = ()
    begin: str | None = None
    end: str | None = None
    without: Sequence[str] = ()
    threads: int = 1


def verify(options: Options) -> Report:
    """Check a copy or a pack of evidence. Raises CannotCheckError."""
    key = None if options.key == "none" else Key.read(options.key)
    if os.path.isfile(options.directory):
        if options.since or options.source or options.begin or options.end or options.without:
            raise CannotCheckError("--since, --source, --from, --to and --without are for a copy, not for a pack")
        return verify_pack(options.directory, key)
    copy = Copy(options.directory)
    report = Report(signed=key is not None)
    choice = Choice(
        frozenset(options.source),
        _moment("--from", options.begin or instant(0)),
        _moment("--to", options.end or "9999-12-31"),
    )
    with tempfile.TemporaryDirectory(prefix="verify-") as directory:
        db = database(directory)
        try:
            checkpoints = Checkpoints(copy, key, report, db)
            newest = checkpoints.read(options.since)
            if newest:
                statements = Statements(db, report, choice)
                log = Log(copy, report, checkpoints, newest)
                for number, entry in log.entries():
                    statements.take(number, entry)
                statements.entire &= not log.unread
                statements.cover()
                _ensure_chosen(report, options)
                everything = not (options.source or options.begin or options.end) and statements.entire
                objects = Objects(copy, statements, report, max(1, options.threads))
                objects.check(foreign=everything, without=options.without)
                _compare_key(copy, key, report)
                if not options.since:
                    signed = " that is signed with the same key" if key else ""
                    report.note(f"no earlier checkpoint was given (--since): a rewritten history{signed} would not be "
                                "found, see docs/proof.md")  # fmt: skip
        finally:
            db.close()
    return report


def _moment(option: str, text: str) -> int:
    try:
        return seconds(text)
    except ValueError as error:
        raise CannotCheckError(f"{option}: {text!r} is no moment; for instance 2026-11-20T00:00:00Z") from error


def _ensure_chosen(report: Report, options: Options) -> None:
    """Raise CannotCheckError if the options leave nothing to check."""
    missing = set(options.source) - {source["source"] for source in report.sources}
    if missing and not report.findings:
        raise CannotCheckError(f"no entry of the log names the source {', '.join(sorted(missing))} in this time; "
                               "a source is written like elsa/checkout")  # fmt: skip
    if (options.begin or options.end) and not any(source["windows"] for source in report.sources):
        raise CannotCheckError("no window of the log is in this time")


def _compare_key(copy: Copy, key: Key | None, report: Report) -> None:
    """Compare the key in the copy, which proves nothing, with the one that was given."""
    if key is None:
        report.note("no key was given: nothing here is signed, so whoever could write the copy could have made it up")
        return
    try:
        held = copy.read("proof/key")
        same = held is None or held.decode().split() == [key.text]
    except (ValueError, OSError):
        same = False
    if not same:
        report.wrong("proof/key", "is not the key that was given", f": that is {_given(copy, key)}")


def _given(copy: Copy | Pack, key: Key | None) -> str:
    """Return name and id of the key that was given, and what `proof/key` says beside it, which proves nothing."""
    if key is None:
        return "no key"
    given = f"{key.name}, key {key.id.hex()}"
    try:
        held = Key.parsed((copy.read("proof/key") or b"").decode().strip())
    except (ValueError, OSError, CannotCheckError):
        return f"{given}; no key can be read in proof/key"
    if held.name != key.name:
        return f"{given}, but proof/key is of another log: {held.name}, key {held.id.hex()}"
    if held.id != key.id:
        return f"{given}, but proof/key is {held.id.hex()}: the key was replaced, or the file of --key is the wrong one"
    return f"{given}, which proof/key is as well"


def main(arguments: list[str] | None = None) -> int:
    """Check a copy and say what is wrong with it."""
    parser = argparse.ArgumentParser(
        prog="verify.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", metavar="DIR", help="a copy of the bucket, or of its proof/; or a pack")
    parser.add_argument("--key", required=True, help="the public key that you were given, or a file that holds it; "
                        "`none` for a log without signatures")  # fmt: skip
    parser.add_argument("--since", action="append", default=[], metavar="FILE",
                        help="a checkpoint that you have kept, or the mail that it came in")  # fmt: skip
    parser.add_argument("--source", action="append", default=[], metavar="PROVIDER/NAME", help="only this source")
    parser.add_argument("--from", dest="begin", metavar="TIME", help="only windows after it: 2026-11-20T00:00:00Z; "
                        "in UTC, unless it ends with another zone such as +09:00")  # fmt: skip
    parser.add_argument("--to", dest="end", metavar="TIME", help="only windows before it")
    parser.add_argument("--without", action="append", default=[], choices=("logs", "raw", "rejects"),
                        help="what was left out of the copy on purpose")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, help="how many objects are hashed at a time"
    )
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        report = verify(Options(**{name: value for name, value in vars(options).items() if name != "json"}))
        text, code = report.json() if options.json else report.table(), WRONG if report.counts else OK
    except Exception as error:  # noqa: BLE001 (Python's own code for an exception, 1, would mean a finding)
        known = isinstance(error, (CannotCheckError, OSError))
        problem = printable(str(error) if known else f"unexpectedly: {type(error).__name__}: {error}")
        text, code = (
            json.dumps({"format": Report.format, "error": problem})
            if options.json
            else f"cannot be checked: {problem}",
            UNCHECKED,
        )
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    print(text, file=sys.stderr if code == UNCHECKED and not options.json else sys.stdout)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
