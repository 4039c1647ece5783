"""Writer and verifier, which share no code, agree with each other and with programs of others on what they compute."""

import ast
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash as their_leaf_hash

from logarchive.proof.checkpoint import Checkpoint
from logarchive.proof.tree import Tile, Tree, leaf_hash
from tests.verifier.archive import Archive
from verifier import verify

ROOT = Path(__file__).parents[2]
FIXTURE = json.loads((ROOT / "tests/fixtures/proof/tlog_tiles.json").read_text())
#: The leaves that Certificate Transparency's own tests have, and the roots of the first one, the first two, and so on.
LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def digest(hashes: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(hashes)).hexdigest()


def grown(store: dict[str, bytes], start: int, leaves: Sequence[bytes]) -> Tree:
    """Append to a tree whose tiles are in a store."""

    def read(tile: Tile) -> bytes:
        return store[tile.path]

    store.update((tile.path, body) for tile, body in Tree(start, read).grown(leaves))
    return Tree(start + len(leaves), read)


def test_writer_and_verifier_have_the_roots_of_certificate_transparency() -> None:
    store: dict[str, bytes] = {}
    ours, theirs = list[str](), verify.Tree()
    for at, leaf in enumerate(map(bytes.fromhex, LEAVES)):
        ours.append(grown(store, at, [leaf_hash(leaf)]).root().hex())
        theirs.append(hashlib.sha256(b"\x00" + leaf).digest())
        assert theirs.root().hex() == ROOTS[at]
    assert tuple(ours) == ROOTS
    assert verify.Tree().root() == Tree(0, lambda _tile: b"").root()


def test_writer_and_verifier_agree_with_go_on_roots_tiles_and_proofs() -> None:
    store: dict[str, bytes] = {}
    last, tree = 0, verify.Tree()
    for size, expected in sorted((int(size), one) for size, one in FIXTURE["trees"].items()):
        leaves = [leaf_hash(b"%d" % number) for number in range(last, size)]
        ours, last = grown(store, last, leaves), size
        for leaf in leaves:
            tree.append(leaf)
        root = Checkpoint("log", size, ours.root()).text.splitlines()[2]
        assert root == Checkpoint("log", size, tree.root()).text.splitlines()[2] == expected["root"]
        assert {path: digest([store[path]]) for path in expected["tiles"]} == expected["tiles"]
        inclusion = {index: digest(ours.inclusion(int(index))) for index in expected["inclusion"]}
        assert inclusion == expected["inclusion"]
        consistency = {earlier: digest(ours.consistency(int(earlier))) for earlier in expected["consistency"]}
        assert consistency == expected["consistency"]
    for number, path in FIXTURE["paths"].items():
        assert Tile(0, int(number)).path == path == verify.tile_path("0", int(number), 256).removeprefix("proof/")
        partial = Tile(1, int(number), 17)
        assert partial.path == verify.tile_path("1", int(number), 17).removeprefix("proof/")
        assert partial.entries_path == verify.tile_path("entries", int(number), 17).removeprefix("proof/")


def test_tlog_scales_reads_our_log_and_agrees_on_everything(archive: Archive) -> None:
    reader = TilesReader(LocalBackend(archive.root / "proof"))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(archive.key.text))
    size, ours = len(archive.entries), Tree(len(archive.entries), archive.tile)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root_hash) == (archive.origin, size, ours.root())
    assert reader.calculate_root_hash() == ours.root()
    assert [reader.get_entry(index) for index in range(size)] == archive.entries
    for index in range(0, size, 7):
        proof = reader.get_inclusion_proof(index, size)
        assert proof.node_hashes == ours.inclusion(index)
        proof.check(their_leaf_hash(archive.entries[index]), ours.root())
    for earlier in range(1, size, 7):
        consistency = reader.get_consistency_proof(earlier, size)
        assert consistency.node_hashes == ours.consistency(earlier)
        consistency.check(ours.range_hash(0, earlier), ours.root())


def test_the_verifier_reads_the_writers_keys_and_checkpoints(archive: Archive) -> None:
    key = verify.Key.read(archive.key.text)
    assert (key.name, key.id, key.public, key.text) == (
        archive.key.name,
        archive.key.id,
        archive.key.public,
        archive.key.text,
    )
    note = (archive.root / "proof/checkpoint").read_bytes()
    found, parsed = verify.checkpoint("", note, key), Checkpoint.parse(note)
    assert (found.origin, found.size, found.root, found.text) == (
        parsed.origin,
        parsed.size,
        parsed.root,
        parsed.text,
    )


def test_the_verifier_imports_nothing_but_the_standard_library() -> None:
    """Somebody who trusts nobody has to read it, and to run it where nothing is installed."""
    nodes = list(ast.walk(ast.parse((ROOT / "verifier/verify.py").read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
    assert not [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
    assert {"socket", "subprocess", "urllib", "http", "ctypes", "importlib", "pickle"}.isdisjoint(names)
    calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    assert {"eval", "exec", "compile", "__import__", "os.system", "os.remove", "os.unlink"}.isdisjoint(calls)


def test_the_verifier_runs_by_itself_and_needs_no_more_than_python_3_10(short: Archive, tmp_path: Path) -> None:
    source = (ROOT / "verifier/verify.py").read_text()
    ast.parse(source, feature_version=(3, 10))
    (tmp_path / "verify.py").write_text(source)
    found = [python for minor in range(10, 13) if (python := python_of(minor))]
    for python in [Path(sys.executable), *found]:
        done = subprocess.run(
            [python, "-I", "-S", tmp_path / "verify.py", short.root, "--key", short.key.text],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), python
        assert done.stdout.endswith("Nothing is wrong.\n")


def python_of(minor: int) -> Path | None:
    """Return an older Python where this machine has one."""
    folders = (Path("/usr/bin"), Path("/usr/local/bin"), *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin"))
    return next((path for folder in folders if (path := folder / f"python3.{minor}").exists()), None)


@pytest.mark.parametrize("name", ["verify", "evidence"])
def test_the_layer_does_not_know_the_verifier(name: str) -> None:
    for path in (*ROOT.glob("layers/shared/logarchive/**/*.py"), *ROOT.glob("functions/**/*.py")):
        assert f"verifier.{name}" not in path.read_text()
