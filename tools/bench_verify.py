"""How fast the verifier is, and how much memory it takes (`make bench-verify`), on copies that are made for it.

Copies of /dev/shm, so that no disk is measured. What else runs on the machine makes all times longer; so hashing is
compared with hashlib's own rate over the same files, measured in turn with it, and times are those of the processor.
"""

import contextlib
import datetime as dt
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from logarchive.proof.checkpoint import Checkpoint, VerifierKey, note
from logarchive.proof.tree import WIDTH, Tile, Tree, leaf_hash
from tools.bench_readers import KIB, MIB
from tools.lock import ROOT
from verifier import verify

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = VerifierKey("bench/proof", PRIVATE.public_key().public_bytes_raw())
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HOUR, YEAR = dt.timedelta(hours=1), 365 * 24
#: An entry as the notary writes it, of a window without rejects.
ENTRY = (
    '{"entry":"window","attempt":%(visit)d,"committed_at":"%(at)s","issue":null,"manifests":[{"key":"raw/provider=elsa/'
    'source=%(source)s/date=%(date)s/%(slug)s-PT1H/%(slug)s-000%(visit)d/manifest.json","sha256":"%(sha256)s"}],'
    '"numbers":{"announced":null,"fetched":9000,"rows":9000,"rejects":0,"outside":0,"duplicates":0,"strays":0,"late":0,'
    '"kept":0},"object":{"bytes":900000,"key":"logs/provider=elsa/date=%(date)s/%(source)s-%(slug)s-PT1H.parquet",'
    '"sha256":"%(sha256)s"},"provider":"elsa","rejects":null,"source":"%(source)s","state":"%(state)s",'
    '"verification":"unverified","visits":%(visit)d,"window":"%(at)s/PT1H"}'
)
#: What must hold; the rate for objects of 1 MiB. What an object costs besides its hash is shown for small ones.
MOST_MS, LEAST_RATE, MOST_SECONDS, MOST_MIB = 0.5, 0.8, 2.0, 300
SIGNATURES, ROUNDS = 1000, 3


def entries(sources: int, hours: int, sha256: str = "00" * 32) -> Iterator[bytes]:
    """Yield the entries of some sources whose windows are visited three times each."""
    begin = f"{BEGIN:%Y-%m-%dT%H:%M:%SZ}"
    for source in range(sources):
        yield f'{{"entry":"source","begin":"{begin}","feed":"f","provider":"elsa","source":"s{source}"}}'.encode()
    for hour in range(hours):
        start = BEGIN + hour * HOUR
        values = {"at": f"{start:%Y-%m-%dT%H:%M:%SZ}", "date": f"{start:%Y-%m-%d}", "slug": f"{start:%Y%m%dT%H%M%SZ}"}
        for visit, state in enumerate(("archived", "archived", "sealed"), 1):
            for source in range(sources):
                more = {"visit": visit, "state": state, "source": f"s{source}", "sha256": sha256}
                yield (ENTRY % (values | more)).encode()


@dataclass
class Log:
    """A copy with a log; the layer writes its tiles, the verifier's own tree computes the roots that are signed."""

    root: Path
    tree: verify.Tree

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def write(self, lines: Iterable[bytes], each: int) -> int:
        """Write a log, signed after so many entries each and at the end; return the number of its entries."""
        for chunk in batched(lines, WIDTH * WIDTH, strict=False):
            start, leaves = self.tree.size, [leaf_hash(entry) for entry in chunk]
            for tile, body in Tree(start, self._read).grown(leaves):
                self.put(f"proof/{tile.path}", body)
            for number, bundle in enumerate(batched(chunk, WIDTH, strict=False), start // WIDTH):
                body = b"".join(len(entry).to_bytes(2, "big") + entry for entry in bundle)
                self.put(f"proof/{Tile(0, number, len(bundle)).entries_path}", body)
            for leaf in leaves:
                self.tree.append(leaf)
                if self.tree.size % each == 0:
                    self._sign()
        self._sign()
        return self.tree.size

    def _sign(self) -> None:
        state = Checkpoint(KEY.name, self.tree.size, self.tree.root())
        signed = note(state, KEY.line(PRIVATE.sign(state.text.encode())))
        self.put("proof/checkpoint", signed)
        self.put(f"proof/checkpoints/{self.tree.size:015d}", signed)

    def _read(self, tile: Tile) -> bytes:
        return (self.root / "proof" / tile.path).read_bytes()


def checked(root: Path) -> float:
    """Verify a copy in this process, with one thread; return the seconds."""
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = verify.main([str(root), "--key", KEY.text, "--threads", "1", "--without", "raw"])
    if code:
        sys.exit(output.getvalue())
    return time.perf_counter() - start


def checked_alone(root: Path) -> tuple[float, float]:
    """Verify a copy in a process of its own; return its seconds of the processor and its peak of memory in MiB."""
    program = (
        "import sys, time; sys.path.insert(0, 'verifier'); import verify; code = verify.main(sys.argv[1:]);"
        "print(code, time.process_time(), open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    command = [sys.executable, "-c", program, str(root), "--key", KEY.text]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    code, seconds, peak = done.stdout.splitlines()[-1].split()
    if code != "0":
        sys.exit(done.stdout)
    return float(seconds), int(peak) / KIB


def signature() -> tuple[str, bool]:
    """Measure one signature."""
    messages = [b"%d" % number for number in range(SIGNATURES)]
    signed = [(message, PRIVATE.sign(message)) for message in messages]
    verify.ed25519(KEY.public, *signed[0])  # makes the tables
    least = min(_seconds(lambda: all(verify.ed25519(KEY.public, *one) for one in signed)) for _ in range(ROUNDS))
    each = 1000 * least / SIGNATURES
    return f"{each:.2f} ms a signature; {35_040 * each / 1000:.0f} s for a year with one in 15 minutes", each < MOST_MS


def _seconds(do: Callable[[], object]) -> float:
    start = time.process_time()
    do()
    return time.process_time() - start


def hashing(root: Path, mib: int, size: int) -> tuple[str, bool]:
    """Compare the rate of a whole check with that of hashlib over the same objects, in turn."""
    body = os.urandom(size)
    lines = list(entries(1, mib * MIB // size, hashlib.sha256(body).hexdigest()))
    log = Log(root, verify.Tree())
    log.write((line for line in lines if b'"archived"' not in line), 1 << 30)
    for line in lines:
        if b'"sealed"' in line:
            log.put(json.loads(line)["object"]["key"], body)
    paths = [path for path in root.glob("logs/**/*") if path.is_file()]
    ours, theirs = list[float](), list[float]()
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for path in paths:
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256")
        theirs.append(time.perf_counter() - start)
        ours.append(checked(root))
    rate = min(theirs) / min(ours)
    done = len(paths) * size / MIB / min(ours)
    each = 1e6 * (min(ours) - min(theirs)) / len(paths)
    return (
        f"{rate:.2f} of hashlib's rate on one core, {done:.0f} MiB/s; {each:.0f} µs an object besides",
        rate >= LEAST_RATE or size < MIB,
    )


def log_alone(root: Path, sources: int, hours: int) -> tuple[int, float, float]:
    """Check a log without its objects."""
    size = Log(root, verify.Tree()).write(entries(sources, hours), sources * 72)
    return size, *min(checked_alone(root) for _ in range(ROUNDS if size < MIB else 1))


def main() -> None:
    """Measure and print; fail where something takes too much."""
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    results = {"signatures": signature()}
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:  # noqa: S108
        for size in (64 * KIB, MIB):
            results[f"hashing, {mib} MiB in {size // KIB:,} KiB"] = hashing(Path(name) / f"{size}", mib, size)
        size, seconds, peak = log_alone(Path(name) / "year", 1, YEAR)
        text = f"{seconds:.1f} s, {1e6 * seconds / size:.0f} µs an entry; {peak:.0f} MiB"
        results[f"a source and year: {size:,} entries"] = text, seconds < MOST_SECONDS
        size, seconds, peak = log_alone(Path(name) / "years", 10, 5 * YEAR)
        text = f"{seconds:.0f} s, {peak:.0f} MiB"
        results[f"ten sources, five years: {size:,} entries"] = text, peak < MOST_MIB
    for what, (text, good) in results.items():
        print(f"{what:45} {text}{'' if good else '  TOO MUCH'}")
    if not all(good for _, good in results.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
