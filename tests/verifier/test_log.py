"""A log that was rewritten, cut, put back or mixed with another is found, however consistent it is in itself."""

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from logarchive.proof.tree import Tree, leaf_hash
from tests.verifier.archive import BEGIN, VISITS, Archive, Writer, kept, private_key, written
from verifier import verify

NEWEST = "proof/checkpoints/20261120T030000Z"
SIZES = [5, 20, 35, 50]


def bundle_of(archive: Archive) -> str:
    return f"proof/tile/entries/000.p/{len(archive.entries)}"


def rewritten(archive: Archive, entries: list[bytes], root: Path, *, private: int = 1) -> Archive:
    """Return a copy whose log holds other entries, signed in the same steps."""
    other = Archive(root, private_key(private), archive.origin)
    shutil.copytree(archive.root, root, ignore=shutil.ignore_patterns("proof"))
    for hour, (start, end) in enumerate(zip([0, *SIZES], SIZES, strict=False)):
        other.publish(entries[start:end], f"20261120T{hour:02d}0000Z")
    return other


def moved(entries: list[bytes]) -> list[bytes]:
    return [*entries[:20], entries[21], entries[20], *entries[22:]]


def dropped(entries: list[bytes]) -> list[bytes]:
    return [*entries[:20], *entries[21:]]


def doubled(entries: list[bytes]) -> list[bytes]:
    return [*entries[:21], *entries[20:]]


def changed(entries: list[bytes]) -> list[bytes]:
    return [*entries[:20], entries[20].replace(b'"rows":8', b'"rows":7'), *entries[21:]]


WAYS = [moved, dropped, doubled, changed]


@pytest.mark.parametrize("way", WAYS)
def test_entries_that_were_changed_in_a_bundle_are_found(
    short: Archive, way: Callable[[list[bytes]], list[bytes]]
) -> None:
    where = bundle_of(short)
    with kept(short, where):
        short.put(where, b"".join(len(entry).to_bytes(2, "big") + entry for entry in way(short.entries)))
        outcome = short.verify()
        of_another_length = way in {dropped, doubled}
        assert outcome.finds(where, "was cut or changed" if of_another_length else "namely entry 20 (")


@pytest.mark.parametrize("way", WAYS)
def test_a_rewritten_log_is_found_by_the_checkpoints_of_before(
    short: Archive, way: Callable[[list[bytes]], list[bytes]], tmp_path: Path
) -> None:
    """The tiles are computed anew, so only the checkpoints say that it is another log."""
    other = rewritten(short, [*way(short.entries), short.entries[0]][:50], tmp_path / "copy")
    for key in short.keys("proof/checkpoint"):
        shutil.copy(short.root / key, other.root / key)
    outcome = other.verify()
    assert outcome.finds(
        "proof/checkpoints/20261120T020000Z", ": its 35, and 2 later ones up to proof/checkpoints/20261120T030000Z"
    )


def test_a_log_that_its_key_owner_rewrote_is_found_by_a_checkpoint_kept_elsewhere(
    short: Archive, tmp_path: Path
) -> None:
    (tmp_path / "mail").write_bytes((short.root / NEWEST).read_bytes())
    other = rewritten(short, [*changed(short.entries), short.entries[0]], tmp_path / "copy")
    other.publish(short.entries[:1], "20261120T040000Z")
    assert not [what for _, what in other.verify().findings if "signed" in what]
    assert other.verify("--since", str(tmp_path / "mail")).finds(
        f"--since {tmp_path / 'mail'}", "was signed for other entries than this copy holds"
    )


def test_a_log_put_back_to_an_earlier_state_is_found_by_a_checkpoint_kept_elsewhere(
    short: Archive, tmp_path: Path
) -> None:
    other = Archive(tmp_path / "copy")
    other.publish(short.entries[:35], "20261120T020000Z")
    since = str(short.root / NEWEST)
    assert other.verify("--since", since).finds(since, "has more entries than the copy: the log was cut, or put back")


def test_an_older_checkpoint_put_back_is_found_and_the_newest_is_checked(short: Archive) -> None:
    with kept(short, "proof/checkpoint"):
        shutil.copy(short.root / "proof/checkpoints/20261120T010000Z", short.root / "proof/checkpoint")
        outcome = short.verify()
        assert outcome.finds("proof/checkpoint", "is older than its dated copies: it was put back")
        assert len(outcome.findings) == 1
        assert outcome.report["checked"]["entries"] == 50


def test_a_checkpoint_that_is_one_step_behind_is_a_note(short: Archive) -> None:
    with kept(short, "proof/checkpoint"):
        shutil.copy(short.root / "proof/checkpoints/20261120T020000Z", short.root / "proof/checkpoint")
        outcome = short.verify()
        assert (outcome.code, outcome.report["checked"]["entries"]) == (0, 50)
        assert "the notary was at work when the copy was made" in outcome.report["notes"][0]


def test_a_log_that_was_cut_is_found_by_its_dated_checkpoints(short: Archive) -> None:
    """The tiles of the newest state are gone, and its checkpoint was replaced by an older one."""
    tiles = short.keys("proof/tile/entries/000.p/50") + short.keys("proof/tile/0/000.p/50")
    with kept(short, "proof/checkpoint", *tiles):
        shutil.copy(short.root / "proof/checkpoints/20261120T010000Z", short.root / "proof/checkpoint")
        for key in tiles:
            (short.root / key).unlink()
        outcome = short.verify()
        assert outcome.finds(tiles[0], "is missing")
        assert "50 entries could not be read" in outcome.report["notes"][0]


def test_two_trees_of_one_size_are_found(short: Archive) -> None:
    fork = Tree(0, lambda _tile: b"").grown(list(map(leaf_hash, changed(short.entries))))
    root = next(body for tile, body in fork if tile.level == 0)
    tree = verify.Tree()
    for at in range(0, len(root), 32):
        tree.append(root[at : at + 32])
    where = "proof/checkpoints/20261120T030001Z"
    with kept(short, where):
        short.put(where, short.signed(50, tree.root()))
        assert short.verify().finds(where, "was signed for other entries than this copy holds")


def test_a_checkpoint_dated_before_an_older_one_is_found(short: Archive) -> None:
    early, late = "proof/checkpoints/20261119T000000Z", "proof/checkpoints/20261120T020000Z"
    with kept(short, early, late):
        (short.root / late).rename(short.root / early)
        assert short.verify().finds("proof/checkpoints/20261120T000000Z", "has fewer entries than one that is dated")


@pytest.mark.parametrize(
    ("origin", "private", "said"),
    [("bucket/proof", 2, "is not signed by this key"), ("other/proof", 1, "is of another log than the key")],
)
def test_a_checkpoint_of_another_key_or_log_is_found(short: Archive, origin: str, private: int, said: str) -> None:
    other = Archive(short.root, private_key(private), origin)
    with kept(short, "proof/checkpoint"):
        short.put("proof/checkpoint", other.signed(50, b"r" * 32))
        assert short.verify().finds("proof/checkpoint", said)


def test_a_signature_that_is_only_encoded_in_another_way_is_found(short: Archive) -> None:
    """The last character before the padding stands for bits that no byte has: decoders take any."""
    with kept(short, "proof/checkpoint"):
        signed = (short.root / "proof/checkpoint").read_bytes()
        other = signed[:-3] + bytes([signed[-3] + 1]) + signed[-2:]
        assert base64.b64decode(other.split()[-1]) == base64.b64decode(signed.split()[-1])
        short.put("proof/checkpoint", other)
        assert short.verify().finds("proof/checkpoint", "is no checkpoint")


def test_a_log_that_another_key_has_signed_cannot_be_checked(short: Archive) -> None:
    other = Archive(short.root, private_key(2))
    outcome = short.verify(key=other.key.text)
    assert outcome.code == 2
    given = f"no checkpoint of the copy is signed by bucket/proof, key {other.key.text.split('+')[1]}"
    assert outcome.report == {"format": 1, "error": f"{given}; no key can be read in proof/key"}
    with kept(short, "proof/key"):
        for held, said in {
            short.key.text: f", but proof/key is {short.key.text.split('+')[1]}: the key was replaced, or the file of "
            "--key is the wrong one",
            Archive(short.root, origin="b/proof").key.text: ", but proof/key is of another log: b/proof, key ",
            other.key.text: ", which proof/key is as well",
        }.items():
            short.put("proof/key", held.encode())
            assert short.verify(key=other.key.text).report["error"].startswith(given + said)


def test_a_copy_without_a_good_checkpoint_is_a_finding(short: Archive, empty: Archive) -> None:
    shutil.copytree(short.root, empty.root)
    shutil.rmtree(empty.root / "proof/checkpoints")
    signed = (empty.root / "proof/checkpoint").read_bytes()
    empty.put("proof/checkpoint", signed.replace(b"\n50\n", b"\n20\n"))
    outcome = empty.verify()
    assert outcome.findings == [
        ("proof/checkpoint", "was changed: its signature does not belong to its text"),
    ]
    assert "nothing else was checked" in outcome.report["notes"][0]


def test_objects_of_another_stack_are_found_in_a_mixed_copy(short: Archive, tmp_path: Path) -> None:
    other = written(tmp_path / "other", hours=4)
    shutil.copytree(short.root, tmp_path / "mixed")
    shutil.copytree(other.root / "logs", tmp_path / "mixed/logs", dirs_exist_ok=True)
    outcome = Archive(tmp_path / "mixed").verify()
    foreign = set(other.keys("logs/")) - set(short.keys("logs/"))
    assert {where for where, what in outcome.findings if what == "is named by no entry: it was put in"} == foreign


def test_a_log_without_signatures_is_checked_and_said_to_be_unsigned(short: Archive, empty: Archive) -> None:
    shutil.copytree(short.root, empty.root)
    for key in empty.keys("proof/checkpoint"):
        empty.put(key, (empty.root / key).read_bytes().partition(b"\n\n")[0] + b"\n\n")
    assert empty.verify().code == 2
    outcome = empty.verify(key="none")
    assert (outcome.code, outcome.report["signed"]) == (0, False)
    assert outcome.report["notes"][0].startswith("no key was given: nothing here is signed")
    empty.put("proof/checkpoints/20261120T000001Z", b"other/proof\n5\n" + b"A" * 43 + b"=\n\n")
    assert empty.verify(key="none").finds(
        "proof/checkpoints/20261120T000001Z", "is of another log than proof/checkpoint"
    )


def test_a_log_that_had_no_key_for_a_time_has_checkpoints_that_prove_nothing(short: Archive, empty: Archive) -> None:
    shutil.copytree(short.root, empty.root)
    *earlier, newest = empty.keys("proof/checkpoints/")
    for number, key in enumerate(earlier, 1):
        empty.put(key, (empty.root / key).read_bytes().partition(b"\n\n")[0] + b"\n\n")
        outcome = empty.verify()
        assert (outcome.code, outcome.report["signed"]) == (0, True)
        assert re.match(rf"{number} dated checkpoints? without a signature", outcome.report["notes"][0])
    unsigned = (empty.root / newest).read_bytes().partition(b"\n\n")[0] + b"\n\n"
    empty.put("proof/checkpoints/20261120T990000Z", unsigned.replace(b"\n", b"\n9", 1))
    outcome = empty.verify()
    assert (outcome.code, outcome.report["checkpoint"]["from"]) == (0, newest)
    empty.put(newest, unsigned)
    assert empty.verify().finds("proof/checkpoints", "holds no copy of proof/checkpoint: it was taken away")
    empty.put("proof/checkpoint", unsigned)
    assert empty.verify().code == 2


def test_the_key_in_the_copy_is_compared_with_the_one_that_was_given(short: Archive) -> None:
    with kept(short, "proof/key"):
        short.put("proof/key", short.key.text.encode())
        assert short.verify().code == 0
        short.put("proof/key", Archive(short.root, private_key(2)).key.text.encode())
        assert short.verify().finds("proof/key", "is not the key that was given")


def test_checkpoints_of_an_earlier_key_count_if_it_is_given_too(short: Archive, empty: Archive, tmp_path: Path) -> None:
    shutil.copytree(short.root, empty.root)
    empty.private = private_key(2)
    empty.entries = short.entries[:]
    empty.publish(short.entries[:1], "20261120T040000Z")
    assert empty.verify().finds("proof/checkpoints/20261120T030000Z", "is not signed by this key")
    (tmp_path / "keys").write_text(f"{empty.key.text}\n{short.key.text}\n")
    assert not [what for _, what in empty.verify(key=str(tmp_path / "keys")).findings if "sign" in what]


def test_other_signatures_of_a_checkpoint_are_no_finding(short: Archive) -> None:
    """A witness adds its line, and changes none."""
    with kept(short, "proof/checkpoint"):
        witness = Archive(short.root, private_key(2), "witness.example")
        line = witness.key.line(b"s" * 64)
        short.put("proof/checkpoint", (short.root / "proof/checkpoint").read_bytes() + line.encode())
        assert short.verify().code == 0


def test_a_copy_of_the_log_alone_is_checked_as_far_as_it_goes(short: Archive, empty: Archive) -> None:
    shutil.copytree(short.root / "proof", empty.root / "proof")
    outcome = empty.verify()
    assert outcome.code == 0
    assert outcome.report["notes"][:-1] == [
        f"the copy holds no {top}/: nothing of it was checked" for top in ("logs", "raw", "rejects")
    ]
    with kept(empty, bundle_of(short)):
        body = (empty.root / bundle_of(short)).read_bytes()
        empty.put(bundle_of(short), body.replace(b'"rows":8', b'"rows":7'))
        [(where, what)] = [found for found in empty.verify().findings if "add up" not in found[1]]
        assert where == bundle_of(short)
        assert what.endswith(" and 44 more")  # one line, whatever the number of entries


@pytest.mark.parametrize("top", ["logs", "raw", "rejects"])
def test_a_folder_that_is_missing_is_found_unless_it_was_left_out_on_purpose(short: Archive, top: str) -> None:
    folder = (short.root / top).rename(short.root.parent / f"no {top}")
    try:
        assert short.verify().finds(f"{top}/", f"if it was left out on purpose, say --without {top}")
        assert short.verify("--without", top).code == 0
    finally:
        folder.rename(short.root / top)


def test_a_copy_without_rejects_is_noted_only_if_an_entry_names_some(empty: Archive) -> None:
    writer = Writer(empty, "elsa", "shop")
    entries = [writer.source(), *(writer.visit(BEGIN, number, rejects=None) for number in range(VISITS))]
    empty.publish(entries, "20261121T000000Z")
    shutil.rmtree(empty.root / "rejects")
    outcome = empty.verify()
    assert (outcome.code, [note for note in outcome.report["notes"] if "rejects" in note]) == (0, [])


def test_one_of_a_thing_is_in_the_singular() -> None:
    assert verify.counted(1, "entries") == "1 entry"
    assert verify.counted(1, "files in raw/ that no entry leads to (of visits)") == (
        "1 file in raw/ that no entry leads to (of visits)"
    )
    assert verify.counted(2000, "bytes") == "2,000 bytes"


def test_the_report_for_a_program_has_numbers_and_its_version(short: Archive, empty: Archive) -> None:
    report = short.verify().report
    assert report["format"] == 1
    for source in report["sources"]:
        assert (source["days"], source["missing_hours"], source["confirmed_percent"]) == (0.1, 0, 100)
    writer = Writer(empty, "elsa", "shop")
    empty.publish([writer.source(), writer.planned(BEGIN)], "20261121T000000Z")
    [source] = empty.verify().report["sources"]
    assert source["confirmed_percent"] is None


def test_an_empty_log_is_checked(empty: Archive) -> None:
    empty.put("proof/checkpoint", empty.signed(0, verify.EMPTY))
    empty.put("proof/checkpoints/20261120T000000Z", empty.signed(0, verify.EMPTY))
    assert empty.verify().code == 0
    empty.put("proof/checkpoint", empty.signed(0, b"r" * 32))
    assert empty.verify().finds("proof/checkpoint", "was signed for other entries")


def test_the_report_for_a_person_is_a_table_with_what_is_wrong_below(
    short: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(short.root), "--key", short.key.text]
    assert verify.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("source ")
    assert lines[1].split()[3:] == ["0.1", "3", "3", "0", "0", "0", "h", "24", "100", "%"]
    assert lines[6].startswith("confirmed: ")
    assert lines[-1] == "Nothing is wrong."
    keys = short.keys("logs/")[:2]
    with kept(short, *keys):
        for key in keys:
            (short.root / key).unlink()
        assert verify.main(arguments) == 1
        lines = capsys.readouterr().out.splitlines()
        assert [line.partition(":")[0] for line in lines[-3:]] == [*(f"WRONG {key}" for key in keys), "2 findings"]
    assert json.loads(json.dumps(short.verify().report))["findings"] == []
