"""Whatever a copy holds, the verifier says plainly what is wrong: no traceback, nothing read outside the copy."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.archive import BEGIN, HOUR, Archive, Writer, kept
from verifier import verify

DEEP = b"[" * 100_000
STATEMENT: dict[str, Any] = {
    "entry": "window",
    "provider": "elsa",
    "source": "shop",
    "window": "2026-11-20T00:00:00Z/PT1H",
    "state": "planned",
    "issue": None,
    "committed_at": None,
    "numbers": {"fetched": 0, "rows": 0, "rejects": 0, "outside": 0, "duplicates": 0, "kept": 0},
    "verification": "unverified",
    "manifests": [],
    "object": None,
    "rejects": None,
}
HUGE = 10**4000
OBJECT = {"key": "logs/x.parquet", "sha256": "00" * 32}


def stated(**changes: Any) -> bytes:
    return json.dumps(STATEMENT | changes).encode()


#: Entries that no writer makes.
ENTRIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\xff\xfe",
    "not UTF-8": stated().replace(b"shop", b"sh\xffp"),
    "deep": DEEP[:60_000],
    "a number": b"7",
    "null": b"null",
    "another kind, a list": stated(entry=[1]),
    "no source": stated(source=None, provider=None, entry="source"),
    "a surrogate": stated(source="\ud800"),
    "a null character": stated(manifests=[{"key": "raw/\0", "sha256": "00" * 32}], state="\0"),
    "window of no length": stated(window="2026-11-20T00:00:00Z/P"),
    "window without an end": stated(window="2026-11-20T00:00:00Z"),
    "window beyond all time": stated(window="9999-12-31T00:00:00Z/P999999D"),
    "window of a huge length": stated(window=f"2026-11-20T00:00:00Z/P{HUGE}D"),
    "window in other digits": stated(window="2026-11-20T00:00:00Z/PT\u0661H"),
    "window as a number": stated(window=7),
    "no numbers": stated(numbers=None),
    "numbers as text": stated(numbers=STATEMENT["numbers"] | {"rows": "0"}),
    "numbers not whole": stated(numbers=STATEMENT["numbers"] | {"rows": 0.5}),
    "numbers not finite": stated(numbers=STATEMENT["numbers"] | {"rows": float("nan")}),
    "numbers that are true": stated(numbers=STATEMENT["numbers"] | {"rows": True, "kept": True}),
    "huge numbers": stated(numbers=STATEMENT["numbers"] | {"rows": 10**30, "kept": 10**30}),
    "numbers too long to read": stated(state=1).replace(b'"state": 1', b'"state": ' + b"9" * 5000),
    "state as a list": stated(state=[1]),
    "issue as an object": stated(issue={"a": 1}),
    "manifests as a number": stated(manifests=1),
    "manifest as text": stated(manifests=["raw/x"]),
    "hash of another length": stated(object=OBJECT | {"sha256": "0"}),
    "hash as a number": stated(object=OBJECT | {"sha256": 7}),
    "object elsewhere": stated(object=OBJECT | {"key": "proof/key"}),
    "object as a list": stated(object=[1]),
    "time as a number": stated(committed_at=7),
    "time that never was": stated(committed_at="2026-02-30T00:00:00Z"),
}
KEYS = [
    "logs/../../outside",
    "logs//etc/passwd",
    "logs/./x",
    "logs/a\\..\\..\\outside",
    "logs/C:outside",
    "logs/\0",
    "logs/" + "x" * 5000,
    "logs/" + "x/" * 3000 + "x",
    "logs/\x1b]0;title\x07",
]


def log_of(archive: Archive, *entries: bytes) -> None:
    writer = Writer(archive, "elsa", "shop")
    archive.publish([writer.source(), *entries], "20261121T000000Z")


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_that_no_writer_makes_is_a_finding(empty: Archive, name: str) -> None:
    log_of(empty, ENTRIES[name])
    (empty.root / "raw").mkdir()
    outcome = empty.verify()
    if name == "a null character":  # which text may hold; what it names is not there
        assert outcome.finds("raw/\\x00", "has a key that no archive has")
    elif name == "another kind, a list":
        assert outcome.code in {0, 1}
    else:
        assert outcome.finds("entry 1", "is no statement of an archive: ")
    assert all("\x1b" not in text and text.isprintable() for finding in outcome.findings for text in finding)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_leads_elsewhere_is_never_opened(empty: Archive, key: str) -> None:
    (empty.root.parent / "outside").write_bytes(b"")
    log_of(empty, stated(object=OBJECT | {"key": key}))
    (empty.root / "logs").mkdir()
    outcome = empty.verify()
    assert outcome.code == 1
    [(where, what)] = outcome.findings
    assert where == verify.printable(key)
    assert what.startswith(("has a key that no archive has", "is missing", "cannot be read"))


def test_an_unknown_kind_of_entry_is_a_note(empty: Archive) -> None:
    log_of(empty, *[stated(entry="later", more=number) for number in range(5)])
    outcome = empty.verify()
    assert outcome.code == 0
    assert "entry 1 is of the kind 'later', which this program does not know" in outcome.report["notes"]
    assert sum("later" in note for note in outcome.report["notes"]) == 1


@pytest.mark.parametrize("body", [b"", DEEP, b"7", b"null", b"\xff", b'{"provider":', b'{"parts":{}}'])
def test_a_manifest_that_is_none_is_a_finding(empty: Archive, body: bytes) -> None:
    """Its hash is that of the entry: a bug of the writer, or whoever had the key."""
    hashed = empty.put("raw/provider=elsa/m/manifest.json", body)
    log_of(empty, stated(manifests=[hashed]))
    assert empty.verify().finds(hashed["key"], "is no manifest: ")


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\xff\xfe",
        b"bucket/proof\n",
        b"bucket/proof\n-1\n" + b"A" * 43 + b"=\n\n",
        b"bucket/proof\n" + b"9" * 5000 + b"\n" + b"A" * 43 + b"=\n\n",
        b"bucket/proof\n1" + b"0" * 30 + b"\n" + b"A" * 43 + b"=\n\n",
        b"bucket/proof\n007\n" + b"A" * 43 + b"=\n\n",
        b"bucket/proof\n7\nAAAA\n\n",
        b"bucket/proof\n7\n" + b"A" * 43 + b"=\n",
        b"\n7\n" + b"A" * 43 + b"=\n\n",
        b"bucket/proof\n7\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 bucket/proof ====\n",
        b"bucket/proof\n7\n" + b"A" * 43 + b"=\n\nno signature\n",
        b"x" * 70_000,
    ],
)
def test_a_checkpoint_that_is_none_is_a_finding(short: Archive, note: bytes) -> None:
    with kept(short, "proof/checkpoint"):
        short.put("proof/checkpoint", note)
        outcome = short.verify()
        said = "is larger than 65,536 bytes" if len(note) > 65_536 else "is no checkpoint"
        assert outcome.finds("proof/checkpoint", said)
        assert outcome.report["checked"]["entries"] == 50  # those of the newest dated copy


def test_a_signed_size_beyond_all_entries_ends_at_the_first_bundle_that_is_not_there(empty: Archive) -> None:
    for key in ("proof/checkpoint", "proof/checkpoints/20261121T000000Z"):
        empty.put(key, empty.signed(2**61, b"r" * 32))
    outcome = empty.verify()
    assert outcome.finds("proof/tile/entries/000", "is missing")
    assert outcome.report["notes"][0].startswith("2,305,843,009,213,693,952 entries could not be read")


def test_a_large_file_in_place_of_a_tile_is_not_read(short: Archive) -> None:
    where = "proof/tile/0/000.p/50"
    with kept(short, where):
        with (short.root / where).open("wb") as file:
            file.truncate(1 << 40)
        assert short.verify().finds(where, "is larger than 8,192 bytes, as no such object is")


def test_a_folder_that_is_a_link_is_not_followed(short: Archive, empty: Archive) -> None:
    shutil.copytree(short.root, empty.root)
    folder = empty.root / "logs/provider=elsa"
    folder.rename(empty.root.parent / "outside")
    folder.symlink_to(empty.root.parent / "outside")
    outcome = empty.verify()
    assert outcome.code == 1
    assert {what.partition(" (")[0] for _, what in outcome.findings} == {
        "lies behind a link in place of a folder",
        "is named by no entry: it was put in",
    }
    (empty.root / "raw").rename(empty.root.parent / "raw")
    (empty.root / "raw").symlink_to(empty.root.parent / "raw")
    outcome = empty.verify()
    assert (outcome.code, outcome.report["error"].rpartition(": ")[2]) == (2, "lies behind a link in place of a folder")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "yesterday"], "--from: 'yesterday' is no moment; for instance 2026-11-20T00:00:00Z"),
        (["--to", "2026-13-01"], "--to: '2026-13-01' is no moment"),
        (["--source", "elsa/other"], "no entry of the log names the source elsa/other"),
        (["--from", "2027-01-01"], "no window of the log is in this time"),
        (["--since", "/nowhere"], "--since /nowhere: No such file"),
        (["--since", "/dev/null"], "--since /dev/null is no checkpoint"),
    ],
)
def test_options_that_leave_nothing_to_check_are_refused(short: Archive, options: list[str], said: str) -> None:
    outcome = short.verify(*options)
    assert outcome.code == 2
    assert said in outcome.report["error"]


def test_a_folder_that_is_no_copy_is_refused(tmp_path: Path) -> None:
    assert Archive(tmp_path / "nowhere").verify().code == 2
    assert "holds no proof/: it is no copy of an archive with" in Archive(tmp_path).verify().report["error"]
    (tmp_path / "proof").mkdir()
    (tmp_path / "pack.json").touch()
    assert "is a pack of evidence that was unpacked" in Archive(tmp_path).verify().report["error"]


def test_a_part_of_the_archive_is_checked_alone(short: Archive) -> None:
    outcome = short.verify(
        "--source", "elsa/shop-elsa", "--from", "2026-11-20T01:00:00Z", "--to", "2026-11-20T02:00:00Z"
    )
    [source] = outcome.report["sources"]
    assert (outcome.code, source["source"], source["windows"]) == (0, "elsa/shop-elsa", 1)
    assert outcome.report["checked"]["objects"] == 6
    changed = [short.keys(f"logs/provider={name}/")[at] for name in ("dsa", "elsa") for at in (0, 1)]
    with kept(short, *changed):
        for key in changed:
            short.put(key, b"changed")
        options = ("--source", "elsa/shop-elsa", "--from", "2026-11-20T01:00:00Z")
        assert [where for where, _ in short.verify(*options).findings] == [changed[3]]


def test_an_archive_that_begins_later_than_it_is_looked_at_has_no_gap_before(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    empty.publish([writer.source(), *(writer.planned(BEGIN + at * HOUR) for at in (0, 1, 4))], "20261121T000000Z")
    assert empty.verify("--from", "2026-11-20T04:30:00Z").code == 0
    assert empty.verify("--to", "2026-11-20T02:00:00Z").code == 0
    gap = ("elsa/shop 2026-11-20T03:00:00Z/2026-11-20T04:00:00Z", "is covered by no window")
    assert empty.verify("--from", "2026-11-20T03:00:00Z").findings == [gap]


def test_many_findings_of_a_kind_are_counted_and_not_all_printed(
    empty: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = [{"key": f"logs/{at}", "sha256": "00" * 32} for at in range(verify.MOST_KEPT + 50)]
    begins = [BEGIN + at * HOUR for at in range(len(objects))]
    names = [Writer(empty, "elsa", "shop").place(begin).window.key for begin in begins]
    log_of(empty, *(stated(window=name, object=one) for name, one in zip(names, objects, strict=True)))
    (empty.root / "logs").mkdir()
    outcome = empty.verify()
    assert (len(outcome.findings), outcome.report["counts"]) == (1000, {"is missing": 1050})
    verify.main([str(empty.root), "--key", empty.key.text])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WRONG")]
    assert (len(lines), lines[-1]) == (21, "WRONG ... and 1030 more: is missing")


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_of_the_log_is_a_finding_and_never_an_exception(short: Archive, seed: int) -> None:
    """Twenty files each: bytes changed, cut, put in; without a key, so that nothing stops at the signature."""
    rng = random.Random(seed)
    keys = [*short.keys("proof/tile/entries/000.p/50"), *short.keys("proof/checkpoint"), *short.keys("raw/")[:20]]
    for _ in range(20):
        key = rng.choice(keys)
        with kept(short, key):
            body = bytearray((short.root / key).read_bytes())
            at = rng.randrange(len(body))
            body[at : at + rng.choice((0, 1, 5))] = rng.choice((b"", b"\0", b"\xff", b"[[[[", b'"', b"9" * 30, b"\n"))
            if bytes(body) != (short.root / key).read_bytes():
                short.put(key, bytes(body))
                outcome = short.verify(key=rng.choice(("none", short.key.text)))
                assert "unexpectedly" not in outcome.report.get("error", "")
                assert outcome.code in {1, 2} or key.startswith("proof/checkpoint")
