#!/usr/bin/env python3
"""Make a pack of evidence for one window, or for one row, out of a copy of a log archive.

    python3 evidence.py DIR --window PROVIDER/SOURCE/WINDOW --key KEY --out pack.zip
    python3 evidence.py DIR --row RAW_PART#RAW_INDEX --key KEY --out pack.zip

DIR holds a copy of the archive's bucket, or of its `proof/` and what belongs to the window. WINDOW is written as in
the ledger, `2026-11-22T13:00:00Z/PT1H`; RAW_PART and RAW_INDEX are the columns of the row. Whoever gets the pack needs
no copy: `python3 verify.py pack.zip --key KEY` checks it.

The copy is checked first: of what does not verify, no pack is made. The same copy gives the same bytes.

Exit code: 0 the pack is there, 1 there is nothing that could be proved, 2 it could not be checked.
Needs Python 3.10 or later, and verify.py beside it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING or __package__:
    from verifier import verify
else:  # run as a program: verify.py lies beside it
    import verify

HERE = Path(__file__).parent
PART = re.compile(
    r"raw/provider=(?P<provider>[^/]+)/source=(?P<source>[^/]+)/date=[^/]+/"
    r"(?P<date>\d{4})(?P<month>\d\d)(?P<day>\d\d)T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)Z-(?P<length>P\w+)/"
    r"[^/]+/[^/]+"
)
LANGUAGES = ("en", "ko")
MOST_FILES, MOST_BYTES = 65_000, 3_900_000_000


class NoEvidenceError(Exception):
    """What was asked for cannot be proved."""


# --- What is asked for ----------------------------------------------------------------------------------------------


def subject(options: argparse.Namespace) -> tuple[str, str, tuple[str, int] | None]:
    """Return source and window, and for a row its part and index. Raises CannotCheckError."""
    if options.row:
        part, _, index = options.row.rpartition("#")
        match = PART.fullmatch(part)
        if not match or not re.fullmatch("[0-9]{1,18}", index):
            raise verify.CannotCheckError(
                f"--row {options.row}: is not RAW_PART#RAW_INDEX; for instance raw/provider=elsa/source=shop/"
                "date=2026-11-22/20261122T130000Z-PT1H/20261122T150002Z-0001/00000.json.gz#12"
            )
        date = "{date}-{month}-{day}T{hour}:{minute}:{second}Z/{length}".format(**match.groupdict())
        return f"{match['provider']}/{match['source']}", date, (part, int(index))
    provider, _, rest = options.window.partition("/")
    source, _, window = rest.partition("/")
    try:
        verify.bounds(window)
    except ValueError as error:
        raise verify.CannotCheckError(
            f"--window {options.window}: is not PROVIDER/SOURCE/WINDOW; "
            "for instance elsa/shop/2026-11-22T13:00:00Z/PT1H"
        ) from error
    return f"{provider}/{source}", window, None


# --- The log --------------------------------------------------------------------------------------------------------


def entries_of(copy: verify.Copy, size: int, source: str, window: str) -> tuple[list[bytes], dict[int, bytes]]:
    """Return the hashes of all entries, and the entries of one window by their number."""
    hashes: list[bytes] = []
    found: dict[int, bytes] = {}
    for number in range(-(-size // verify.TILE)):
        where = verify.tile_path("entries", number, min(verify.TILE, size - number * verify.TILE))
        body = copy.read(where, verify.MOST_BUNDLE)
        for entry in verify.bundle(body or b"") or []:
            if window.encode() in entry and verify.named(entry) == f"{source} {window}":
                found[len(hashes)] = entry
            hashes.append(hashlib.sha256(b"\x00" + entry).digest())
    return hashes, found


def proofs(hashes: list[bytes], numbers: list[int]) -> dict[int, list[bytes]]:
    """Return for each of these entries the hashes that lead from it to the root, its neighbour first."""
    found: dict[int, list[bytes]] = {number: [] for number in numbers}
    level = 0
    while len(hashes) > 1:
        for number, proof in found.items():
            neighbour = number >> level ^ 1
            if neighbour < len(hashes):
                proof.append(hashes[neighbour])
        pairs = [verify.node(*hashes[at : at + 2]) for at in range(0, len(hashes) - 1, 2)]
        hashes, level = pairs + hashes[len(pairs) * 2 :], level + 1
    return found


def tlog_proof(number: int, hashes: list[bytes], checkpoint: bytes) -> bytes:
    """Return a proof as c2sp.org/tlog-proof writes it."""
    lines = ["c2sp.org/tlog-proof@v1", f"index {number}", *(base64.b64encode(one).decode() for one in hashes)]
    return "\n".join([*lines, "", ""]).encode() + checkpoint


# --- The pack -------------------------------------------------------------------------------------------------------


class Draft:
    """The files of a pack, by name: bytes, or the path of an object of the copy."""

    def __init__(self, copy: verify.Copy, source: str, window: str, row: tuple[str, int] | None) -> None:
        """Begin with none. `row` is a part and the index of a record in it."""
        self.copy, self.source, self.window, self.asked = copy, source, window, row
        self.files: dict[str, bytes | str] = {}
        self.row: dict[str, Any] | None = None

    def take(self, contents: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """Take the objects that are asked for, and return the entries that lead to them, with the newest."""
        needed, seen = {max(contents)}, set[str]()
        for number, content in contents.items():
            for manifest in content["manifests"]:
                if manifest["key"] not in seen and not self.row and self._manifest(**manifest):
                    needed.add(number)
                seen.add(manifest["key"])
        if self.asked and not self.row:
            raise NoEvidenceError(f"{self.asked[0]}: no manifest that the log names holds this part")
        return {number: content for number, content in contents.items() if number in needed}

    def _manifest(self, key: str, sha256: str | None) -> bool:
        """Take a manifest and its parts, or that part of it which is asked for; return whether it is of use."""
        if sha256 is None:
            return self.asked is None
        body = self.copy.read(key, verify.MOST_MANIFEST)
        if body is None:
            raise NoEvidenceError(f"{key} is missing in the copy")
        parts = [part["key"] for part in json.loads(body)["parts"]]
        if self.asked:
            part, index = self.asked
            if part not in parts:
                return False
            self.row, parts = {"manifest": key, "raw_index": index, "raw_part": part}, [part]
        self.files[key] = body
        self.files.update((part, self.copy.path(part)) for part in parts)
        return True

    def record(self) -> None:
        """Take the text of the row's record, where there is a simple way to it."""
        if self.asked is None:
            return
        part, index = self.asked
        large = os.path.getsize(self.copy.path(part)) > verify.MOST_MANIFEST
        found = None if large else verify.records(
            self.source.partition("/")[0], self.copy.read(part, verify.MOST_MANIFEST) or b""
        )  # fmt: skip
        if found is not None:
            if index >= len(found):
                raise NoEvidenceError(f"{part} has {len(found)} records, counted from 0: none of the number {index}")
            self.files["record.txt"] = found[index]

    def write(self, file: BinaryIO) -> None:
        """Write the zip: the files in the order of their names, stored as they are."""
        written: list[tuple[bytes, int, int]] = []
        total = 0
        for name, content in sorted(self.files.items()):
            crc, size = 0, 0
            for piece in pieces(content):
                crc, size = zlib.crc32(piece, crc), size + len(piece)
            total += size + 1000
            if total > verify.MOST_BYTES or len(written) == verify.MOST_FILES:
                raise NoEvidenceError("a pack holds at most 65,535 files and 4 GB; make packs of rows")
            written.append((name.encode(), crc, size))
            file.write(verify.zip_header(*written[-1]))
            for piece in pieces(content):
                file.write(piece)
        file.write(verify.zip_end(written))


def pieces(content: bytes | str) -> Iterator[bytes]:
    """Yield bytes, or those of the file at a path."""
    if isinstance(content, bytes):
        yield content
        return
    with open(content, "rb") as file:
        yield from iter(lambda: file.read(1 << 20), b"")


# --- The texts for people -------------------------------------------------------------------------------------------

#: What a person types to check a pack by hand; the same in every language.
BY_HAND = {
    "SIGNATURE": r"""
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'
  cut -d+ -f3- KEY | openssl base64 -d -A | tail -c 32; } > key.der
sed '/^$/,$d' proof/checkpoint > signed.txt
grep -F -- '— @ORIGIN@ ' proof/checkpoint | sed 's/.* //' | openssl base64 -d -A | tail -c 64 > signature
openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in signed.txt -sigfile signature
""",
    "INCLUSION": r"""
for ENTRY in entry-*.json; do
  NAME=${ENTRY%.json}; I=${NAME#entry-}; LAST=$(($(sed -n 2p proof/checkpoint) - 1))
  { printf '\000'; cat "$ENTRY"; } | openssl dgst -sha256 -binary > node
  for HASH in $(sed '1,/^index /d;/^$/,$d' "$NAME.tlog-proof"); do
    while [ $((I % 2)) = 0 ] && [ "$I" = "$LAST" ] && [ "$I" != 0 ]; do I=$((I / 2)); LAST=$((LAST / 2)); done
    echo "$HASH" | openssl base64 -d > other
    { printf '\001'; if [ $((I % 2)) = 1 ]; then cat other node; else cat node other; fi; } > pair
    openssl dgst -sha256 -binary < pair > node; I=$((I / 2)); LAST=$((LAST / 2))
  done
  IS='IS NOT'; if [ "$(openssl base64 -in node)" = "$(sed -n 3p proof/checkpoint)" ]; then IS='is'; fi
  echo "$ENTRY $IS in the log"
done
""",
    "HASHES": r"""
find . -path './raw/*' -type f | while read -r FILE; do
  SUM=$(sha256sum "$FILE" | cut -c1-64); IS='IS NOT'
  case "$FILE" in
    */manifest.json) if grep -q "$SUM" entry-*.json; then IS='is'; fi;;
    *) if find . -name manifest.json -exec cat {} + | grep -q "$SUM"; then IS='is'; fi;;
  esac
  echo "$FILE $IS named"
done
""",
    "RECORD": r"""
tr -d '\n' < record.txt > line
@UNPACK@ '@PART@' \
| tr -d '\n' | grep -c -F -f line
""",
}


def readme(language: str, facts: dict[str, str], flags: set[str]) -> bytes:
    """Return the text that explains a pack. A line of the template that begins with words in braces needs them all."""
    lines: list[str] = []
    for line in (HERE / f"evidence.{language}.txt").read_text(encoding="utf-8").splitlines():
        needed, _, text = line[1:].partition("}") if line[:1] == "{" else ("", "", line)
        if set(needed.split()) <= flags:
            lines.append(text)
    whole = "\n".join(lines)
    for name, commands in BY_HAND.items():
        indented = "\n".join(f"  {line}" for line in commands.strip().splitlines())
        whole = whole.replace(f"@{name}@", indented)
    for name, value in facts.items():
        whole = whole.replace(f"@{name}@", value)
    return re.sub("\n\n\n+", "\n\n\n", f"{whole}\n").encode()


def explain(
    draft: Draft, contents: dict[int, dict[str, Any]], log: verify.Checkpoint, options: argparse.Namespace
) -> None:
    """Add the texts for people."""
    newest = contents[max(contents)]
    stored: dict[str, Any] = newest["object"] or {}
    part, index = draft.asked or ("", 0)
    flags = {
        "row" if draft.asked else "window",
        newest["state"],
        newest["verification"],
        "unsigned" if options.key == "none" else "signed",
        "contact" if options.contact else "whoever",
        "record" if "record.txt" in draft.files else "unshown",
        *(["issue", newest["issue"]] if newest["issue"] else []),
        *(["object"] if stored else []),
        *(["key"] if "proof/key" in draft.files else []),
        *(["dated"] if newest["committed_at"] else []),
        *(["gone"] if any(None in one.values() for entry in contents.values() for one in entry["manifests"]) else []),
    }
    begin, end = verify.bounds(draft.window)
    stated = verify.seconds(newest["committed_at"] or "1970-01-01")
    korean = [verify.instant(moment + 9 * 3600).replace("T", " ").rstrip("Z") for moment in (begin, end, stated)]
    facts = {
        "ORIGIN": log.origin, "SIZE": str(log.size), "SOURCE": draft.source, "WINDOW": draft.window,
        "BEGIN": verify.instant(begin), "END": verify.instant(end), "BEGIN_KST": korean[0], "END_KST": korean[1],
        "STATE": newest["state"], "COMMITTED": newest["committed_at"] or "", "COMMITTED_KST": korean[2],
        "ISSUE": newest["issue"] or "",
        "OBJECT": stored.get("key", ""), "SHA256": stored.get("sha256", ""), "PART": part, "INDEX": str(index),
        "UNPACK": "gunzip -c" if part.endswith(".gz") else "cat", "LAST": "e" if draft.asked else "d",
        "CONTACT": options.contact,
    }  # fmt: skip
    for language in LANGUAGES:
        draft.files[f"README.{language}.txt"] = readme(language, facts, flags)


# --- The command ----------------------------------------------------------------------------------------------------


def ensure(report: verify.Report) -> None:
    """Raise NoEvidenceError if anything is wrong."""
    if report.counts:
        raise NoEvidenceError("; ".join(f"{one['object']}: {one['what']}{one['detail']}" for one in report.findings))


def checked(options: argparse.Namespace, source: str, window: str) -> verify.Report:
    """Check the copy, as far as the window goes."""
    begin, end = map(verify.instant, verify.bounds(window))
    without = ("logs", "raw", "rejects")  # what a pack needs of raw/ is looked for below
    return verify.verify(verify.Options(options.directory, options.key, (), (source,), begin, end, without))


def make(options: argparse.Namespace) -> str:
    """Make a pack, and return what the log says of its window. Raises NoEvidenceError or CannotCheckError."""
    source, window, row = subject(options)
    copy = verify.Copy(options.directory)
    note = copy.read("proof/checkpoint")
    if note is None:
        raise verify.CannotCheckError("proof/checkpoint is missing")
    log = verify.checkpoint("proof/checkpoint", note, None)
    if options.key == "none" and note.partition(b"\n\n")[2]:
        raise verify.CannotCheckError("--key none is for a log without signatures, but proof/checkpoint is signed: "
                                      "give the archive's public key, as one line or a file")  # fmt: skip
    hashes, entries = entries_of(copy, log.size, source, window)
    if not entries:
        raise NoEvidenceError(f"{source} {window} is not in the log: no entry that can be read is about it")
    if json.loads(entries[max(entries)])["state"] == "split":
        raise NoEvidenceError(f"{source} {window} was split before anything was archived; make packs of its parts")
    ensure(checked(options, source, window))
    draft = Draft(copy, source, window, row)
    contents = draft.take({number: json.loads(entry) for number, entry in entries.items()})
    draft.record()
    draft.files |= {verify.ABOUT: verify.about_text(source, window, draft.row), "proof/checkpoint": note}
    if options.key != "none":
        draft.files["proof/key"] = f"{verify.Key.read(options.key).text}\n".encode()
    for number, proof in proofs(hashes, list(contents)).items():
        draft.files[f"entry-{number}.json"] = entries[number]
        draft.files[f"entry-{number}.tlog-proof"] = tlog_proof(number, proof, note)
    explain(draft, contents, log, options)
    keep(draft, options)
    newest = contents[max(contents)]
    return f"{options.out}: {source} {window}, {newest['state']}, {newest['issue'] or 'no issue'}"


def keep(draft: Draft, options: argparse.Namespace) -> None:
    """Write the pack, check it, and only then give it its name."""
    unchecked = f"{options.out}.unchecked"
    try:
        with open(unchecked, "wb") as file:
            draft.write(file)
        ensure(verify.verify_pack(unchecked, None if options.key == "none" else verify.Key.read(options.key)))
        os.replace(unchecked, options.out)
    finally:
        if os.path.exists(unchecked):
            os.remove(unchecked)


def main(arguments: list[str] | None = None) -> int:
    """Make a pack of evidence."""
    parser = argparse.ArgumentParser(
        prog="evidence.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", metavar="DIR", help="a copy of the bucket, or of proof/ and what belongs to it")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--window", metavar="PROVIDER/SOURCE/WINDOW", help="elsa/shop/2026-11-22T13:00:00Z/PT1H")
    what.add_argument("--row", metavar="RAW_PART#RAW_INDEX", help="the columns raw_part and raw_index of the row")
    parser.add_argument("--key", required=True, help="the archive's public key, or a file that holds it; "
                        "`none` for a log without signatures")  # fmt: skip
    parser.add_argument("--out", required=True, metavar="FILE", help="the pack, a zip")
    parser.add_argument("--contact", default="", metavar="TEXT", help="whom to ask, for the last lines of its README")
    options = parser.parse_args(arguments)
    try:
        print(make(options))
    except NoEvidenceError as error:
        print(f"no pack was made: {error}", file=sys.stderr)
        return verify.WRONG
    except (verify.CannotCheckError, OSError) as error:
        print(f"no pack was made: {error}", file=sys.stderr)
        return verify.UNCHECKED
    except verify.MALFORMED as error:
        print(f"no pack was made, since the copy cannot be checked: {error}", file=sys.stderr)
        return verify.UNCHECKED
    return verify.OK


if __name__ == "__main__":
    raise SystemExit(main())
