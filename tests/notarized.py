"""Archives with a proof log, on fakes; and what must hold of every log, whatever happened to the notary."""

import base64
import datetime as dt
import hashlib
import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import Any

from logarchive.action.notary import notary, signer
from logarchive.ledger.entry import Entry, Head, StoredObject
from logarchive.ledger.ledger import BATCH, Ledger
from logarchive.numbers import WindowNumbers
from logarchive.proof.notary import PAGE, Notary
from logarchive.runtime.aws import NotaryAws
from logarchive.runtime.invocation import Invocation
from logarchive.runtime.metric import Tally
from logarchive.store.bucket import Store
from logarchive.store.place import Place
from logarchive.window import Window
from tests.fake_aws import FakeKms, FakeS3, FakeTable, Gate
from tests.scenario import HOUR, MINUTE, START, Scenario, some


def with_key(scenario: Scenario, seed: bytes = bytes(32)) -> str:
    """Have the notary of a scenario sign with an Ed25519 key; return the key's line for a verifier."""
    ed25519: Any = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    scenario.kms = FakeKms(private.sign, private.public_key().public_bytes_raw(), scenario.kms.gate)
    return some(signer("bucket", scenario.kms)).key.text  # type: ignore[arg-type] # a drop-in


def dump(s3: FakeS3, directory: Path) -> None:
    """Copy a bucket into a directory, as `aws s3 sync` would."""
    for key, stored in s3.objects.items():
        path = directory / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored.body)


@dataclass
class Archive:
    """The ledger and bucket of one source, with windows of an hour; what a worker would store is made up."""

    table: FakeTable = field(default_factory=FakeTable)
    s3: FakeS3 = field(default_factory=FakeS3)
    kms: FakeKms = field(default_factory=FakeKms)
    now: dt.datetime = START
    logged: list[str] = field(default_factory=list[str])
    counted: Tally = field(default_factory=Tally)
    hours: int = 0

    def __post_init__(self) -> None:
        if not self.table.items:
            self.ledger.create(Head(begin=START, cursor=START, feed_id="feed"), self.now)

    def copy(self) -> "Archive":
        """Return one that goes its own way from here."""
        table, s3 = FakeTable(dict(self.table.items)), FakeS3(dict(self.s3.objects), writes=self.s3.writes)
        kms = FakeKms(self.kms.signature, self.kms.public, signed=list(self.kms.signed))
        return Archive(table, s3, kms, self.now, hours=self.hours)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.table, "elsa", "shop")  # type: ignore[arg-type] # drop-ins

    @property
    def store(self) -> Store:
        return Store(self.s3, "bucket")  # type: ignore[arg-type]

    def gated(self, gate: Gate) -> None:
        """Put a gate around every call to AWS."""
        self.table.gate = self.s3.gate = self.kms.gate = gate

    def plan(self, count: int) -> None:
        """Plan the next windows."""
        windows = [window(self.hours + number) for number in range(count)]
        self.hours += count
        for some_of_them in batched(windows, BATCH, strict=False):
            planned = [Entry(window_key=one.key, state="planned", due_at=one.end) for one in some_of_them]
            assert self.ledger.plan(some(self.ledger.head()), planned, self.now)

    def commit(self, hour: int, visits: int = 1) -> None:
        """Archive a window once more, with rows that no other visit brought."""
        entry = some(self.ledger.read(window(hour)))
        if entry.due_at is None:
            entry = some(self.ledger.make_due(entry, self.now))
        due = max(self.now, some(entry.due_at))
        held = some(self.ledger.claim(entry, "worker", due, due + HOUR))
        place = Place("elsa", "shop", window(hour))
        names = [f"v{held.attempt:04d}-{number}" for number in range(visits)]
        for name in names:
            self.store.keep(place.manifest(name), f"manifest {name}".encode())
        rows = f"rows {held.attempt}".encode()
        found = self.store.find_tagged(place.logs)
        etag = self.store.replace_bytes(place.logs, rows, found[1] if found else None).etag
        sha256 = hashlib.sha256(rows).hexdigest()
        stored = StoredObject(key=place.logs, etag=etag, sha256=sha256, bytes=len(rows), visits=())
        result = held.replace(
            state="sealed",
            due_at=None,
            visits=(*held.visits, *names),
            manifest=place.manifest(names[-1]),
            object=stored,
            numbers=WindowNumbers(fetched=held.attempt, rows=held.attempt),
            unmerged_claims=0,
        )
        assert self.ledger.commit(held, result, self.now)

    def notary(self, page: int = PAGE, seconds: float = 900) -> Notary:
        """Return a notary in an invocation of its own."""
        invocation = Invocation(
            name="notary",
            started=self.now,
            deadline=self.now + dt.timedelta(seconds=seconds),
            clock=lambda: self.now,
            sleep=lambda _seconds: None,
            log=lambda event, **_keys: self.logged.append(event),
            count=self.counted,
        )
        aws = NotaryAws(self.store, self.table, self.kms)  # type: ignore[arg-type] # drop-ins
        made = notary(aws, invocation, signer("bucket", aws.kms))
        made.page = page
        return made

    def run(self, page: int = PAGE) -> dict[str, Any]:
        """Let the notary's schedule fire."""
        self.now += MINUTE
        return self.notary(page).run()


def window(hour: int) -> Window:
    return Window(START + hour * HOUR, START + (hour + 1) * HOUR)


# --- What holds of every log: this reads the bucket, and uses nothing of `proof/` ---


def checkpoint(text: bytes) -> tuple[int, bytes]:
    """Return the size and the root of a checkpoint's text."""
    origin, size, root = text.decode().split("\n")[:3]
    assert origin == "bucket/proof"
    return int(size), base64.b64decode(root)


def lines(s3: FakeS3) -> list[bytes]:
    """Return the entries up to the newest checkpoint, each as its line of JSON."""
    note = s3.objects.get("proof/checkpoint")
    size = checkpoint(note.body)[0] if note else 0
    found: list[bytes] = []
    for number in range(-(-size // 256)):
        width = min(256, size - number * 256)
        body = s3.objects[f"proof/tile/entries/{number:03d}" + (f".p/{width}" if width < 256 else "")].body
        while body:
            length = int.from_bytes(body[:2], "big")
            found.append(body[2 : 2 + length])
            body = body[2 + length :]
    assert len(found) == size
    return found


def roots(entries: Sequence[bytes]) -> list[bytes]:
    """Return the root of the first 0, 1, 2, … entries (RFC 6962, section 2.1)."""
    found, peaks = [hashlib.sha256().digest()], list[tuple[int, bytes]]()
    for entry in entries:
        count, node = 1, hashlib.sha256(b"\x00" + entry).digest()
        while peaks and peaks[-1][0] == count:
            count, node = count * 2, hashlib.sha256(b"\x01" + peaks.pop()[1] + node).digest()
        peaks.append((count, node))
        whole = node
        for _, peak in peaks[-2::-1]:
            whole = hashlib.sha256(b"\x01" + peak + whole).digest()
        found.append(whole)
    return found


def check_history(s3: FakeS3, kms: FakeKms) -> None:
    """Check that all that was ever signed, or stored as a checkpoint, are states of one log that only grew."""
    every = roots(lines(s3))
    dated = [stored.body for key, stored in s3.objects.items() if key.startswith("proof/checkpoints/")]
    for size, root in map(checkpoint, [*kms.signed, *dated]):
        assert size < len(every), f"a tree of {size} entries was signed, the log has {len(every) - 1}"
        assert root == every[size], f"two trees of {size} entries were signed"


def check_complete(table: FakeTable, s3: FakeS3) -> None:
    """Check that nothing is marked, and that the newest entries say what the ledger says."""
    assert [key for key, item in table.items.items() if "unproven" in item] == []
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    named: dict[tuple[str, str], set[str]] = {}
    for entry in map(json.loads, lines(s3)):
        key = f"{entry['provider']}#{entry['source']}", entry.get("window", "#head")
        newest[key] = entry
        for manifest in entry.get("manifests", ()):
            named.setdefault(key, set()).add(manifest["key"])
            body = s3.objects[manifest["key"]].body
            assert manifest["sha256"] == hashlib.sha256(body).hexdigest()
    stated = {key for key in table.items if key[1] == "#head" or not key[1].startswith("#")}
    assert set(newest) == stated
    for key in stated:
        check_entry(table.items[key], newest[key], named.get(key, set()))


def check_entry(item: dict[str, Any], entry: dict[str, Any], named: set[str]) -> None:
    """Check the newest entry of an item."""
    if entry["entry"] == "source":
        assert (entry["begin"], entry["feed"]) == (item["begin"], item["feed"])
        return
    names = ("state", "issue", "attempt", "verification")
    assert {name: entry[name] for name in names} == {name: item.get(name) for name in names}
    assert (entry["numbers"]["rows"], entry["visits"]) == (item["rows"], len(item["visits"]))
    stored = item.get("object") or item.get("placeholder")
    assert (entry["object"] or {}).get("sha256") == (stored or {}).get("sha256")
    assert {key.split("/")[-2] for key in named} >= set(item["visits"])
    if item.get("manifest"):
        assert entry["manifests"][-1]["key"] == item["manifest"]
