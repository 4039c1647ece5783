"""Whatever is changed in a copy is found, and the finding names the object: each way, each kind, each provider."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.verifier.archive import Archive, kept
from tools.registry import names

#: Kind of object -> what begins its keys, with the provider in it, and how they end.
KINDS = {
    "part": ("raw/provider={}/", ""),
    "manifest": ("raw/provider={}/", "/manifest.json"),
    "object": ("logs/provider={}/", ".parquet"),
    "rejects": ("rejects/provider={}/", ".jsonl.gz"),
}
#: Objects of the log, in the archive of `small`: all that its checkpoint needs.
LOG = (
    "proof/checkpoint",
    "proof/tile/entries/000",
    "proof/tile/entries/001.p/34",
    "proof/tile/0/000",
    "proof/tile/0/001.p/34",
    "proof/tile/1/000.p/1",
)


def flipped(at: float) -> Callable[[Path, Path], None]:
    def change(path: Path, _other: Path) -> None:
        body = bytearray(path.read_bytes())
        body[int(at * (len(body) - 1))] ^= 1
        path.write_bytes(body)

    return change


def linked(path: Path, other: Path) -> None:
    path.unlink()
    path.symlink_to(other)


def made_a_folder(path: Path, _other: Path) -> None:
    path.unlink()
    path.mkdir()


def made_a_pipe(path: Path, _other: Path) -> None:
    path.unlink()
    os.mkfifo(path)


#: What is done to an object -> how, and what the finding says of an object that an entry names.
CHANGES: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "first bit": (flipped(0), "was changed"),
    "a bit": (flipped(0.5), "was changed"),
    "last bit": (flipped(1), "was changed"),
    "a byte more": (lambda path, _other: path.write_bytes(path.read_bytes() + b"\n"), "was changed"),
    "a byte less": (lambda path, _other: path.write_bytes(path.read_bytes()[:-1]), "was changed"),
    "emptied": (lambda path, _other: path.write_bytes(b""), "was changed"),
    "deleted": (lambda path, _other: path.unlink(), "is missing"),
    "another's bytes": (lambda path, other: shutil.copy(other, path), "holds the bytes of another object: "),
    "a link": (linked, "is a link in place of a file"),
    "a folder": (made_a_folder, "is a folder in place of a file"),
    "a pipe": (made_a_pipe, "is a device in place of a file"),
}


def keys(archive: Archive, kind: str, provider: str) -> list[str]:
    prefix, suffix = KINDS[kind]
    return [
        key
        for key in archive.keys(prefix.format(provider))
        if key.endswith(suffix) and (kind != "part" or not key.endswith("/manifest.json"))
    ]


def test_an_untouched_copy_has_no_finding(archive: Archive) -> None:
    outcome = archive.verify()
    assert (outcome.code, outcome.findings) == (0, [])
    [note] = outcome.report["notes"]
    assert note.startswith("no earlier checkpoint was given (--since): a rewritten history that is signed")
    assert outcome.report["checked"]["entries"] == 290
    assert {(source["windows"], source["sealed"], source["rows"]) for source in outcome.report["sources"]} == {
        (19, 19, 19 * 8)
    }


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("age", [0, -1])
@pytest.mark.parametrize("provider", names())
def test_a_changed_object_is_found(short: Archive, kind: str, age: int, provider: str, change: str) -> None:
    every = keys(short, kind, provider)
    key, other = every[age], every[1]
    do, what = CHANGES[change]
    with kept(short, key):
        do(short.root / key, short.root / other)
        outcome = short.verify()
        assert outcome.finds(key, what + (other if "bytes of" in what else ""))
        assert [where for where, _ in outcome.findings] == [key]


#: An older dated copy that is taken away is not found: nothing names it, and the later ones say all that it says.
ON_THE_LOG = [
    (key, change)
    for key in (*LOG, "oldest", "newest")
    for change in CHANGES
    if key != "oldest" or change not in {"deleted", "a folder"}
]


@pytest.mark.parametrize(("key", "change"), ON_THE_LOG)
def test_a_changed_object_of_the_log_is_found(archive: Archive, key: str, change: str) -> None:
    every = archive.keys("proof/checkpoints/")
    key = {"oldest": every[0], "newest": every[-1]}.get(key, key)
    other = "proof/tile/entries/001.p/34" if key == "proof/tile/entries/000" else "proof/tile/entries/000"
    with kept(archive, key):
        CHANGES[change][0](archive.root / key, archive.root / other)
        outcome = archive.verify()
        gone = change in {"deleted", "a folder"} and key == every[-1]
        assert outcome.finds("proof/checkpoints" if gone else key, "")
        assert len(outcome.findings) == 1 or "entries" in key  # what changed entries name is then perhaps not found
