"""A copy of a small archive, whose proof log is made with the layer's own writer; and the verifier, run on it."""

import contextlib
import datetime as dt
import hashlib
import io
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from logarchive.ledger.entry import Entry, Head
from logarchive.numbers import WindowNumbers
from logarchive.proof.checkpoint import Checkpoint, VerifierKey, note
from logarchive.proof.statement import Hashed, source_statement, window_statement
from logarchive.proof.tree import WIDTH, Tile, Tree, leaf_hash, tiles
from logarchive.store.place import Place, visit_name
from logarchive.window import Window
from tools.registry import names
from verifier import verify

BEGIN = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ORIGIN = "bucket/proof"
#: Five sources, 19 hours of each and three visits of an hour: two bundles of entries, and tiles of two levels.
HOURS, VISITS = 19, 3


def private_key(number: int = 1) -> Ed25519PrivateKey:
    """Return a key; the same number gives the same key."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


@dataclass
class Archive:
    """A directory as `aws s3 sync` would leave it, and the key that signs its log."""

    root: Path
    private: Ed25519PrivateKey = field(default_factory=private_key)
    origin: str = ORIGIN
    entries: list[bytes] = field(default_factory=list[bytes])

    @property
    def key(self) -> VerifierKey:
        """The public key."""
        return VerifierKey(self.origin, self.private.public_key().public_bytes_raw())

    def put(self, key: str, body: bytes) -> Hashed:
        """Write an object."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return {"key": key, "sha256": hashlib.sha256(body).hexdigest()}

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below a prefix, in order."""
        top = self.root / prefix.partition("/")[0]
        found = (path.relative_to(self.root).as_posix() for path in top.rglob("*") if path.is_file())
        return sorted(key for key in found if key.startswith(prefix))

    def signed(self, size: int, root: bytes) -> bytes:
        """Return a checkpoint."""
        state = Checkpoint(self.origin, size, root)
        return note(state, self.key.line(self.private.sign(state.text.encode())))

    def publish(self, new: Sequence[bytes], moment: str) -> None:
        """Append entries, and sign."""
        start = len(self.entries)
        self.entries += new
        for tile, body in Tree(start, self.tile).grown(list(map(leaf_hash, new))):
            self.put(f"proof/{tile.path}", body)
        for tile in tiles(0, start, len(self.entries)):
            held = self.entries[tile.number * WIDTH : tile.number * WIDTH + tile.width]
            body = b"".join(len(entry).to_bytes(2, "big") + entry for entry in held)
            self.put(f"proof/{tile.entries_path}", body)
        signed = self.signed(len(self.entries), Tree(len(self.entries), self.tile).root())
        self.put("proof/checkpoint", signed)
        self.put(f"proof/checkpoints/{moment}", signed)

    def tile(self, tile: Tile) -> bytes:
        """Return the hashes of a tile."""
        return (self.root / "proof" / tile.path).read_bytes()

    def verify(self, *options: str, key: str | None = None) -> "Outcome":
        """Run the verifier."""
        output = io.StringIO()
        arguments = [str(self.root), "--key", key or self.key.text, "--json", "--threads", "2", *options]
        with contextlib.redirect_stdout(output):
            code = verify.main(arguments)
        return Outcome(code, json.loads(output.getvalue()))


@dataclass(frozen=True)
class Outcome:
    """What the verifier says."""

    code: int
    report: dict[str, Any]

    @property
    def findings(self) -> list[tuple[str, str]]:
        """Each object and what is wrong with it."""
        return [(found["object"], found["what"] + found["detail"]) for found in self.report["findings"]]

    def finds(self, where: str, what: str) -> bool:
        """Say whether it is found that something is wrong with an object."""
        assert self.code == 1, self.report
        return any(one == where and what in said for one, said in self.findings)


@dataclass
class Writer:
    """Writes windows as visits would."""

    archive: Archive
    provider: str
    source_name: str

    def source(self, begin: dt.datetime = BEGIN) -> bytes:
        """Return the statement that time is promised from `begin` on."""
        return source_statement(self.provider, self.source_name, Head(begin=begin, cursor=begin, feed_id="f"))

    def place(self, start: dt.datetime, length: dt.timedelta = HOUR) -> Place:
        """Return where a window's objects lie."""
        return Place(self.provider, self.source_name, Window(start, start + length))

    def planned(self, start: dt.datetime, **changes: Any) -> bytes:
        """Return the statement of a window that is not visited yet."""
        entry = Entry(window_key=self.place(start).window.key, state=changes.get("state", "planned"))
        objects: Any = {"manifests": [], "object": changes.get("object"), "rejects": None}
        return window_statement(self.provider, self.source_name, entry, "2026-11-21T00:00:00Z", **objects)

    def visit(self, start: dt.datetime, number: int, **changes: Any) -> bytes:
        """Write the objects of a visit, and return the statement of its commit."""
        place = self.place(start, changes.pop("length", HOUR))
        name = visit_name(start + (number + 1) * HOUR, number + 1)
        counts: dict[str, Any] = {"announced": 9, "fetched": 9, "rows": 8, "rejects": 1, "outside": 0, "duplicates": 0}
        manifest = self.manifest(place, name, changes.pop("manifest", {}), counts)
        stored = self.archive.put(place.logs, f"{self.source_name} {place.window.key} {name}".encode())
        rejects = self.archive.put(place.rejects, f"{self.source_name} {place.window.key} rejects".encode())
        entry = Entry(
            window_key=place.window.key,
            state="sealed" if number == VISITS - 1 else "archived",
            attempt=number + 1,
            visits=tuple(f"v{at}" for at in range(number + 1)),
            numbers=WindowNumbers(**counts, verification="verified"),
        )
        committed = f"{start + (number + 1) * HOUR:%Y-%m-%dT%H:%M:%SZ}"
        objects: Any = {"manifests": [manifest], "object": {**stored, "bytes": 1}, "rejects": rejects}
        statement = window_statement(self.provider, self.source_name, entry, committed, **objects)
        return json.dumps(json.loads(statement) | changes, separators=(",", ":")).encode()

    def manifest(self, place: Place, visit: str, changes: dict[str, Any], counts: dict[str, Any]) -> Hashed:
        """Write a manifest, and the part that all visits of the window name."""
        first = visit_name(place.window.start + HOUR, 1)
        body = f"{self.source_name} {place.window.key}".encode()
        part = {"key": place.part(first, 0, ".json"), "object_sha256": hashlib.sha256(body).hexdigest()}
        self.archive.put(str(part["key"]), body)
        names = {"provider": self.provider, "source": self.source_name, "window": place.window.key, "visit": visit}
        content = names | {"complete": True, "numbers": counts, "parts": [part]} | changes
        return self.archive.put(place.manifest(visit), json.dumps(content).encode())


def writers(archive: Archive) -> list[Writer]:
    """Return a writer of one source of each provider."""
    return [Writer(archive, provider, f"shop-{provider}") for provider in names()]


def written(root: Path, hours: int = HOURS) -> Archive:
    """Write an archive of all providers: every hour is visited three times; the log is signed once an hour."""
    archive = Archive(root)
    archive.publish([writer.source() for writer in writers(archive)], "20261120T000000Z")
    for hour in range(hours):
        start = BEGIN + hour * HOUR
        new = [writer.visit(start, number) for number in range(VISITS) for writer in writers(archive)]
        archive.publish(new, f"{start + HOUR:%Y%m%dT%H%M%SZ}")
    return archive


@contextlib.contextmanager
def kept(archive: Archive, *keys: str) -> Generator[None]:
    """Put objects back as they were, whatever was done to them."""
    before = {key: (archive.root / key).read_bytes() if (archive.root / key).exists() else None for key in keys}
    try:
        yield
    finally:
        for key, body in before.items():
            path = archive.root / key
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
            if body is not None:
                path.write_bytes(body)
