"""Packs of evidence: made of a copy that the layer wrote, checked by the verifier and by hand, and tampered with."""

import argparse
import contextlib
import dataclasses
import datetime as dt
import gzip
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from logarchive.proof.checkpoint import Checkpoint, note
from logarchive.proof.tree import Tile, Tree, leaf_hash
from logarchive.record.block import Verbatim
from logarchive.record.reader import blocks
from logarchive.window import Window
from tests.notarized import dump, with_key
from tests.scenario import Record, Scenario, read_rows
from tests.unit import small_archive, visit
from tests.unit.exchange import source
from tests.verifier.archive import ORIGIN, Archive, private_key
from tests.verifier.visited import VisitedWindow, windows
from tools.golden import FIXTURES, bodies
from tools.lock import ROOT
from tools.registry import names, providers
from verifier import evidence, verify

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"a seed of the tests, 32 bytes...")
KEY = Archive(Path(), PRIVATE).key.text
KEY_ID = KEY.split("+")[1]
OTHER = Archive(Path(), private_key()).key.text
GOLDEN = FIXTURES / "evidence"
WINDOW = Window(dt.datetime(2026, 11, 22, 13, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 14, tzinfo=dt.UTC))
SHOP = f"elsa/shop/{WINDOW.key}"
EXPLAINED = re.compile(r"README\.(en|ko)\.txt")


@dataclasses.dataclass
class Made:
    """A copy, and the packs that are made of it."""

    folder: Path
    to: Path
    key: str = KEY

    def pack(self, *options: str) -> tuple[int, str, bytes]:
        """Return the exit code, what was said, and the pack, empty if there is none."""
        code, said = run(evidence.main, str(self.folder), *options, "--key", self.key, "--out", str(self.to))
        body = self.to.read_bytes() if self.to.exists() else b""
        self.to.unlink(missing_ok=True)
        return code, said, body

    def good(self, *options: str) -> bytes:
        """Return a pack that has to be made, and to verify."""
        code, said, body = self.pack(*options)
        assert (code, checked(body, self.key)["findings"]) == (0, []), said
        return body

    def part(self, provider: str, source: str, visit: str = "0002") -> str:
        """Return the key of a part of the window."""
        (path,) = self.folder.glob(f"raw/provider={provider}/source={source}/date=2026-11-22/*/*{visit}/00000*")
        return str(path.relative_to(self.folder))


def run(main: Callable[[list[str]], int], *arguments: str) -> tuple[int, str]:
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
        code = main(list(arguments))
    return code, said.getvalue()


def checked(pack: bytes, key: str = KEY) -> Any:
    """Return what the verifier reports of a pack, with its exit code."""
    path = visit.directory() / "pack.zip"
    path.write_bytes(pack)
    code, said = run(verify.main, str(path), "--key", key, "--json")
    return {"findings": [], **json.loads(said), "code": code}


def files(pack: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(contents: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a zip as a pack is written."""
    listed = [(name.encode(), zlib.crc32(body), len(body)) for name, body in contents]
    stored = [verify.zip_header(*one) + body for one, (_, body) in zip(listed, contents, strict=True)]
    return b"".join(stored) + verify.zip_end(listed)


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Return an archive of all providers: each window planned, then visited twice; the log was signed many times."""
    found = Archive(tmp_path_factory.mktemp("visited"), PRIVATE)
    for number, (window, records) in enumerate(windows(found)):
        first = window.visit(records[:-1] or records)
        found.publish([window.source(), window.state(), first, window.visit(records, "sealed")], f"2026{number:02d}")
    found.publish([VisitedWindow(found, "elsa", f"more-{n}", WINDOW).source() for n in range(211)], "2027")
    return found


@pytest.fixture
def made(visited: Archive, tmp_path: Path) -> Made:
    return Made(visited.root, tmp_path / "pack.zip")


@pytest.fixture(scope="module")
def shop(visited: Archive, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the pack of a window."""
    return Made(visited.root, tmp_path_factory.mktemp("packs") / "shop.zip").good("--window", SHOP)


@pytest.fixture(scope="module")
def row(visited: Archive, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the pack of a row."""
    found = Made(visited.root, tmp_path_factory.mktemp("packs") / "row.zip")
    return found.good("--row", f"{found.part('elsa', 'shop')}#3")


# --- Making ---------------------------------------------------------------------------------------------------------

FIRST = [next(group) for _, group in groupby(small_archive.WINDOWS, key=lambda one: one[0])]


@pytest.mark.parametrize(("provider", "source", "start", "records"), FIRST, ids=[one[0] for one in FIRST])
def test_a_window_of_each_provider_becomes_a_pack_that_verifies(
    made: Made, provider: str, source: str, start: str, records: Sequence[object]
) -> None:
    pack = made.good("--window", f"{provider}/{source}/{start}:00Z/PT1H")
    report = checked(pack)
    assert (report["checked"]["entries"], report["checked"]["objects"]) == (2, 4)
    (source_of_it,) = report["sources"]
    assert (source_of_it["source"], source_of_it["rows"]) == (f"{provider}/{source}", len(records))
    assert made.good("--window", f"{provider}/{source}/{start}:00Z/PT1H") == pack


@pytest.mark.parametrize(("provider", "source", "start", "records"), FIRST, ids=[one[0] for one in FIRST])
def test_a_row_of_each_provider_becomes_a_pack_that_shows_its_record(
    made: Made, provider: str, source: str, start: str, records: Sequence[object]
) -> None:
    last = len(records) - 1
    held = files(made.good("--row", f"{made.part(provider, source)}#{last}"))
    shown = held["record.txt"].decode()
    assert (shown if provider == "dsa" else json.loads(shown)) == records[last]
    assert sorted(name.rpartition("/")[2] for name in held if name.startswith("raw/"))[1:] == ["manifest.json"]
    assert checked(made.good("--row", f"{made.part(provider, source, '0001')}#0"))["checked"]["entries"] == 2


@pytest.mark.parametrize("body", [body for name in names() for body in bodies(FIXTURES / name)], ids=str)
def test_a_record_is_shown_only_as_the_layer_reads_it(body: Path) -> None:
    provider = providers()[body.parent.name]
    time = provider.record_format(source(provider.name)).columns["time"].key
    part = visit.part(body.read_bytes())
    items = [item for block in blocks(part, provider.layout, time) for item in block.exactly().items]
    for packed in (body.read_bytes(), gzip.compress(body.read_bytes())):
        shown = verify.records(provider.name, packed)
        assert shown is not None or body.name in {"table.csv", "odd.json", "lines.log"}
        assert shown is None or len(shown) == len(items)
        for text, item in zip(shown or [], items, strict=bool(shown)):
            assert not isinstance(item, dict) or provider.name == "dsa" or json.loads(text) == plain(item)


def plain(item: object) -> object:
    """Return a record as JSON is read elsewhere."""
    scalar: Callable[[Verbatim], object] = lambda one: json.loads(one.text)  # noqa: E731 (typed)
    return json.loads(json.dumps(item, default=scalar))


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("dsa", b"\xff a line\n"),
        ("dsa", b"a\0line\n"),
        ("dsa", zipped([("lines.log", b"a line\n")])),
        ("dsa", gzip.compress(b"a line\n", mtime=0) * 2),
        ("dsa", gzip.compress(b"a line\n", mtime=0)[:-4]),
        ("elsa", b"[{}] [{}]"),
        ("elsa", b"[{}"),
        ("elsa", b'{"logTime": 1, "list": [{}]}'),
        ("elsa", b"logTime,body\n1,2\n"),
        ("multidrm", b'{"content": null}'),
        ("multidrm", b'{"other": [{}]}'),
        ("apigateway", b'{"content": [{}], "events": {}}'),
        ("apigateway", b'{"events": ["content", [{}]]}'),
        ("unknown", b"[{}]"),
    ],
)
def test_a_record_that_takes_more_than_a_few_lines_to_find_is_not_shown(provider: str, body: bytes) -> None:
    assert verify.records(provider, body) is None


def zipped_body(provider: str, records: Sequence[object]) -> bytes:
    return visit.zipped(small_archive.body(provider, records))


def test_a_record_in_a_csv_or_an_archive_is_not_shown_and_the_pack_says_how_to_find_it(tmp_path: Path) -> None:
    bundle = Archive(tmp_path / "copy", PRIVATE)
    window = VisitedWindow(bundle, "elsa", "shop", WINDOW, zipped_body, ".zip")
    bundle.publish([window.source(), window.visit(small_archive.ELSA, "sealed")], "2026")
    made = Made(bundle.root, tmp_path / "pack.zip")
    held = files(made.good("--row", f"{made.part('elsa', 'shop', '0001')}#4"))
    assert "record.txt" not in held
    assert "Decompress the response" in held["README.en.txt"].decode()


def test_a_pack_is_a_plain_zip_that_other_programs_read(row: bytes, tmp_path: Path) -> None:
    assert list(files(row)) == sorted(files(row))
    (tmp_path / "pack.zip").write_bytes(row)
    if unzip := shutil.which("unzip"):
        subprocess.run([unzip, "-tq", str(tmp_path / "pack.zip")], check=True, capture_output=True)


def test_a_part_that_two_visits_have_received_is_proved_by_the_first(tmp_path: Path) -> None:
    made = stated(
        tmp_path,
        lambda window: window.visit(small_archive.ELSA),
        lambda window: window.visit(small_archive.ELSA, "sealed"),
    )
    report = checked(made.good("--row", f"{made.part('elsa', 'shop', '0001')}#0"))
    assert (report["checked"]["entries"], report["checked"]["objects"]) == (2, 2)
    assert checked(made.good("--window", SHOP))["checked"]["objects"] == 3


def test_the_newest_entry_of_a_pack_is_the_one_with_the_largest_number(tmp_path: Path) -> None:
    planned: list[Change] = [lambda window: window.state()] * 7
    visits = STATES["archived"][0], STATES["closed"][0]
    report = checked(stated(tmp_path, *planned, *visits).good("--window", SHOP))
    assert report["notes"][0].startswith("entry 10 says")
    assert report["sources"][0]["closed"] == 1


def test_a_pack_of_more_files_than_a_zip_can_hold_is_neither_made_nor_read(visited: Archive) -> None:
    draft = evidence.Draft(verify.Copy(str(visited.root)), "elsa/shop", WINDOW.key, None)
    draft.files = {f"{number}": b"" for number in range(0x10000)}
    with pytest.raises(evidence.NoEvidenceError, match="65,535 files"):
        draft.write(io.BytesIO())
    headers = b"".join(verify.zip_header(b"%d" % number, 0, 0) for number in range(0x10000))
    assert [what for _, what in findings(headers)] == ["holds more than a pack can"]


def test_a_pack_that_would_not_verify_is_not_kept(visited: Archive, tmp_path: Path) -> None:
    draft = evidence.Draft(verify.Copy(str(visited.root)), "elsa/shop", WINDOW.key, None)
    draft.files["proof/checkpoint"] = (visited.root / "proof/checkpoint").read_bytes()
    with pytest.raises(evidence.NoEvidenceError, match=r"holds no pack\.json"):
        evidence.keep(draft, argparse.Namespace(out=str(tmp_path / "pack.zip"), key=KEY))
    assert list(tmp_path.iterdir()) == []


def test_a_window_whose_entry_does_not_name_all_visits_yet_has_a_pack(tmp_path: Path) -> None:
    def visited_often(window: VisitedWindow) -> bytes:
        window.entry = window.entry.replace(visits=tuple(f"v{number:04d}" for number in range(150)))
        gone: Any = [{"key": window.place.manifest(name), "sha256": None} for name in window.entry.visits[:100]]
        return window.state("archived", None, *gone)

    stated(tmp_path, visited_often).good("--window", SHOP)


def test_a_window_that_was_split_has_packs_of_its_parts_only(tmp_path: Path) -> None:
    code, said, pack = stated(tmp_path, lambda window: window.state("split")).pack("--window", SHOP)
    assert (code, "make packs of its parts" in said, pack) == (1, True, b"")


def changed(key: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = next(folder.glob(key))
        path.write_bytes(path.read_bytes() + b" ")

    return change


def removed(key: str) -> Callable[[Path], None]:
    return lambda folder: next(folder.glob(key)).unlink()


VISIT = "raw/provider=elsa/source=shop/date=2026-11-22/*/*0002"
REFUSED: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "a changed part": (changed(f"{VISIT}/00000*"), 1, "00000.json.gz: was changed"),
    "a changed manifest": (changed(f"{VISIT}/manifest.json"), 1, "manifest.json: was changed"),
    "a missing part": (removed(f"{VISIT}/00000*"), 1, "00000.json.gz: is missing"),
    "a missing manifest": (removed(f"{VISIT}/manifest.json"), 1, "manifest.json: is missing"),
    "no raw/ at all": (lambda folder: shutil.rmtree(folder / "raw"), 1, "manifest.json is missing in the copy"),
    "a changed object": (changed("logs/provider=elsa/date=2026-11-22/shop-*"), 1, "parquet: was changed"),
    "a changed tile": (changed("proof/tile/0/000"), 1, "proof/tile/0/000"),
    "a changed entry": (
        lambda folder: (folder / "proof/tile/entries/000").write_bytes(
            (folder / "proof/tile/entries/000").read_bytes().replace(b'"sealed"', b'"closed"')
        ) and None, 1, "proof/tile/entries/000",
    ),
    "a checkpoint put back": (
        lambda folder: shutil.copy(min(folder.glob("proof/checkpoints/*")), folder / "proof/checkpoint"),
        1, "proof/checkpoint",
    ),
    "no checkpoint": (removed("proof/checkpoint"), 2, "proof/checkpoint is missing"),
    "no proof/": (lambda folder: shutil.rmtree(folder / "proof"), 2, "holds no proof/"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_of_what_does_not_verify_no_pack_is_made(visited: Archive, tmp_path: Path, what: str) -> None:
    change, code, text = REFUSED[what]
    shutil.copytree(visited.root, tmp_path / "copy")
    change(tmp_path / "copy")
    found, said, pack = Made(tmp_path / "copy", tmp_path / "pack.zip").pack("--window", SHOP)
    assert (found, pack) == (code, b"")
    assert said.startswith("no pack was made")
    assert text in said
    assert not list(tmp_path.glob("*.unchecked"))


PART = f"raw/provider=elsa/source=shop/date=2026-11-22/{WINDOW.slug}/20261122T160000Z-0002/00000.json.gz"
WRONG: list[tuple[Sequence[str], int, str]] = [
    (["--window", "elsa/shop/2026-11-22T14:00:00Z/PT1H"], 1, "is not in the log"),
    (["--window", "elsa/shop/2026-11-22T13:00:00Z/PT2H"], 1, "is not in the log"),
    (["--window", "elsa/other/2026-11-22T13:00:00Z/PT1H"], 1, "is not in the log"),
    (["--row", PART.replace("00000", "00001") + "#0"], 1, "no manifest that the log names holds this part"),
    (["--row", PART.replace("T13", "T15") + "#0"], 1, "is not in the log"),
    (["--row", f"{PART}#5"], 1, "has 5 records"),
    (["--row", PART], 2, "is not RAW_PART#RAW_INDEX; for instance raw/"),
    (["--row", f"{PART}#-1"], 2, "is not RAW_PART#RAW_INDEX; for instance raw/"),
    (["--row", f"raw/../{PART}#1"], 2, "is not RAW_PART#RAW_INDEX; for instance raw/"),
    (["--window", "elsa/shop"], 2, "is not PROVIDER/SOURCE/WINDOW; for instance elsa/"),
    (["--window", "elsa/shop/2026-11-22/1h"], 2, "is not PROVIDER/SOURCE/WINDOW; for instance elsa/"),
]


@pytest.mark.parametrize(("options", "code", "text"), WRONG, ids=lambda one: str(one)[-40:])
def test_what_is_not_there_is_said_plainly(made: Made, options: Sequence[str], code: int, text: str) -> None:
    found, said, pack = made.pack(*options)
    assert (found, pack) == (code, b"")
    assert text in said


def test_a_pack_needs_the_key_of_the_archive(made: Made) -> None:
    made.key = OTHER
    assert made.pack("--window", SHOP)[::2] == (2, b"")


def test_every_row_of_an_archive_that_the_notary_has_signed_has_a_pack(tmp_path: Path) -> None:
    scenario = Scenario(world=[Record(f"{second}", second) for second in (60, 120, 1800)])
    made = Made(tmp_path / "copy", tmp_path / "pack.zip", with_key(scenario))
    scenario.tick()
    scenario.until_sealed()
    scenario.notarize()
    dump(scenario.s3, made.folder)
    rows = [row for path in made.folder.glob("logs/**/*.parquet") for row in read_rows(path.read_bytes())]
    assert len(rows) == 3
    for row in rows:
        made.good("--row", f"{row['raw_part']}#{row['raw_index']}")
    for entry in scenario.entries():
        report = checked(made.good("--window", f"elsa/shop/{entry.window_key}"), made.key)
        assert report["sources"][0]["sealed"] == 1


# --- What a pack says -----------------------------------------------------------------------------------------------


type Change = Callable[[VisitedWindow], bytes]


class Unsigned(Archive):
    """An archive without a key."""

    def signed(self, size: int, root: bytes) -> bytes:
        return note(Checkpoint(self.origin, size, root))


def stated(folder: Path, *states: Change, key: str = KEY) -> Made:
    """Return a copy whose one window was planned, and then has these states."""
    copy = (Unsigned if key == "none" else Archive)(folder / "copy", PRIVATE)
    window = VisitedWindow(copy, "elsa", "shop", WINDOW)
    copy.publish([window.source(), window.state(), *(state(window) for state in states)], "2026")
    return Made(copy.root, folder / "pack.zip", key)


STATES: dict[str, tuple[Change, str, str]] = {
    "planned": (lambda window: window.state(), "NOT ARCHIVED YET", "[미수집]"),
    "archived": (lambda window: window.visit(small_archive.ELSA), "NOT FINAL", "[미확정]"),
    "closed": (lambda window: window.visit(small_archive.ELSA, "closed", "truncated"), "NOT COMPLETE", "[불완전]"),
}


def test_a_pack_of_one_window_says_nothing_of_how_long_its_source_goes_on(tmp_path: Path) -> None:
    def late(window: VisitedWindow) -> bytes:
        return window.visit(small_archive.ELSA).replace(b"2026-11-22T15:00:09Z", b"2026-11-29T15:00:09Z")

    assert "no window after" not in str(checked(stated(tmp_path, late).good("--window", SHOP))["notes"])


@pytest.mark.parametrize("state", STATES)
def test_a_window_that_is_not_complete_gets_a_pack_that_says_so(tmp_path: Path, state: str) -> None:
    change, english, korean = STATES[state]
    pack = stated(tmp_path, change).good("--window", SHOP)
    report, held = checked(pack), files(pack)
    assert f"{state}, " in report["notes"][0]
    assert all(source["incomplete"] for source in report["sources"] if source["windows"])
    assert f"state     {state}" in held["README.en.txt"].decode()
    assert english in held["README.en.txt"].decode()
    assert korean in held["README.ko.txt"].decode()


@pytest.mark.parametrize(
    "issue", ["forbidden", "throttled", "unavailable", "malformed", "truncated", "shrunk", "mismatch", "too_large",
              "expired"],
)  # fmt: skip
def test_the_issue_of_a_window_is_said_and_explained(tmp_path: Path, issue: Any) -> None:
    made = stated(tmp_path, lambda window: window.state("planned", issue))
    code, said, pack = made.pack("--window", SHOP)
    assert (code, said.endswith(f"planned, {issue}\n")) == (0, True)
    english, korean = (files(pack)[f"README.{language}.txt"].decode() for language in ("en", "ko"))
    assert re.search(rf"issue     {issue}\n(.*\n)*Reason: .*\n", english)
    assert re.search(rf"이슈        {issue}\n(.*\n)*사유: .*\n", korean)


def test_a_visit_whose_raw_had_expired_is_left_out_and_the_pack_says_so(tmp_path: Path) -> None:
    gone = f"raw/provider=elsa/source=shop/date=2026-11-22/{WINDOW.slug}/20261122T140000Z-0001/manifest.json"
    hashed: Any = {"key": gone, "sha256": None}
    made = stated(
        tmp_path, lambda window: window.state("archived", None, hashed), lambda window: window.visit(small_archive.ELSA)
    )
    pack = made.good("--window", SHOP)
    assert checked(pack)["checked"]["entries"] == 2
    assert "1 object not checked" in str(checked(pack)["notes"])
    assert "Some parts were deleted" in files(pack)["README.en.txt"].decode()
    assert "보존 기간" in files(pack)["README.ko.txt"].decode()
    put_in = checked(zipped([*files(pack).items(), (gone, b"{}")]))
    assert [(one["object"], one["what"]) for one in put_in["findings"]] == [
        (gone, "is named by nothing in the pack: it was put in")
    ]


def test_a_pack_of_an_archive_without_a_key_says_that_nothing_is_signed(tmp_path: Path) -> None:
    made = stated(tmp_path, lambda window: window.visit(small_archive.ELSA, "sealed"), key="none")
    pack = made.good("--window", SHOP)
    assert checked(pack, "none")["signed"] is False
    assert (checked(pack)["code"], "not signed" in checked(pack)["error"]) == (2, True)
    assert "proof/key" not in files(pack)
    assert "IT IS NOT SIGNED" in files(pack)["README.en.txt"].decode()
    assert "[서명 없음]" in files(pack)["README.ko.txt"].decode()


def test_a_signed_archive_gives_no_pack_that_says_it_is_unsigned(made: Made) -> None:
    code, said, pack = dataclasses.replace(made, key="none").pack("--window", SHOP)
    assert (code, pack) == (2, b"")
    assert "--key none is for a log without signatures, but proof/checkpoint is signed" in said


def readmes(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts of some packs, and their names; hashes are left out, which a new library may change."""
    sealed = stated(folder / "sealed", lambda window: window.visit(small_archive.ELSA, "sealed"))
    options = ["--row", f"{sealed.part('elsa', 'shop', '0001')}#3", "--contact", "보안팀 <security@example.com>"]
    closed = stated(folder / "closed", STATES["closed"][0])
    unsigned = stated(folder / "unsigned", STATES["archived"][0], key="none")
    packs = {
        "row": sealed.good(*options),
        "closed": closed.good("--window", SHOP),
        "unsigned": unsigned.good("--window", SHOP),
    }
    for name, pack in packs.items():
        for language in ("en", "ko"):
            text = files(pack)[f"README.{language}.txt"].decode()
            yield f"{name}.{language}.txt", re.sub("[0-9a-f]{64}", "(SHA-256)", text)


def test_the_texts_for_people_are_as_they_were_read(tmp_path: Path) -> None:
    for name, text in readmes(tmp_path):
        assert (GOLDEN / name).read_text(encoding="utf-8") == text, f"read it, then: python -m {__name__}"


def test_no_line_of_a_text_needs_a_fact_that_is_not_there(row: bytes, shop: bytes) -> None:
    for pack in (row, shop):
        for name in ("README.en.txt", "README.ko.txt"):
            text = files(pack)[name].decode()
            assert not re.search("@[A-Z0-9_]+@|^[{]", text, re.MULTILINE), name
            assert max(map(len, text.splitlines())) <= 120


# --- By hand --------------------------------------------------------------------------------------------------------


def by_hand(pack: bytes, folder: Path, language: str) -> str:
    """Unpack a pack, type what its README says, and return what is printed."""
    folder.mkdir()
    for name, body in files(pack).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    (folder / "KEY").write_text(f"{KEY}\n", encoding="utf-8")
    text = files(pack)[f"README.{language}.txt"].decode()
    section = text[text.index("\n4. ") : text.index("\n5. ")]
    commands = "\n".join(line for line in section.splitlines() if line.startswith("  "))
    done = subprocess.run(["sh"], input=commands, cwd=folder, text=True, capture_output=True, check=False)
    return f"{done.stdout}{done.stderr}"


OPENSSL = shutil.which("openssl")
HAS_OPENSSL = bool(OPENSSL) and "OpenSSL 3" in subprocess.run(
    [OPENSSL or "", "version"], capture_output=True, text=True, check=False
).stdout  # fmt: skip


@pytest.mark.skipif(not HAS_OPENSSL, reason="needs OpenSSL 3")
@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_a_text_says_to_type_checks_a_pack(row: bytes, shop: bytes, tmp_path: Path, language: str) -> None:
    for name, pack, entries, objects in (("row", row, 1, 2), ("shop", shop, 2, 4)):
        said = by_hand(pack, tmp_path / name, language)
        assert "Signature Verified Successfully" in said
        assert (said.count(" is in the log"), said.count(" is named"), "IS NOT" in said) == (entries, objects, False)
        assert said.endswith("\n1\n") == (name == "row")


@pytest.mark.skipif(not HAS_OPENSSL, reason="needs OpenSSL 3")
@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("proof/checkpoint", "Signature Verification Failure"),
        (r"entry-\d+\.json", " IS NOT in the log"),
        (r"entry-\d+\.tlog-proof", " IS NOT in the log"),
        (r".*/manifest\.json", "manifest.json IS NOT named"),
        (r".*/00000\.json\.gz", "00000.json.gz IS NOT named"),
        ("record.txt", "\n0\n"),
    ],
)
def test_what_a_text_says_to_type_finds_a_change(row: bytes, tmp_path: Path, pattern: str, said: str) -> None:
    held = files(row)
    (name,) = [name for name in held if re.fullmatch(pattern, name)]
    at = held[name].index(b"\n\n") - 30 if name.endswith("tlog-proof") else 20
    at = held[name].index(b"\n") + 1 if name == "proof/checkpoint" else at
    held[name] = held[name][:at] + bytes([held[name][at] ^ 1]) + held[name][at + 1 :]
    assert said in by_hand(zipped(list(held.items())), tmp_path / "unpacked", "en")


# --- Checking -------------------------------------------------------------------------------------------------------


def test_every_changed_byte_of_a_pack_is_found_and_every_cut(row: bytes) -> None:
    pack = zipped([one for one in files(row).items() if not EXPLAINED.fullmatch(one[0])])
    verify.Pack(io.BytesIO(pack))
    for at in range(len(pack)):
        with pytest.raises(verify.PackError):
            verify.Pack(io.BytesIO(pack[:at] + bytes([pack[at] ^ 1 << at % 8]) + pack[at + 1 :]))
        with pytest.raises(verify.PackError):
            verify.Pack(io.BytesIO(pack[:at]))


def test_a_file_behind_a_pack_or_before_it_is_found(row: bytes) -> None:
    assert [one["what"] for one in checked(row + b"\0")["findings"]] == ["was cut or changed behind its last file"]
    assert checked(b"\0" + row)["code"] == 2


def findings(pack: bytes, key: str = KEY) -> list[tuple[str, str]]:
    report = checked(pack, key)
    assert report["code"] == bool(report["findings"]) or report["code"] == 2
    assert "unexpectedly" not in report.get("error", "")
    return [(one["object"], f"{one['what']}{one['detail']}") for one in report["findings"]] or (
        [("", report["error"])] if "error" in report else []
    )


def variants(held: dict[str, bytes], name: str) -> Iterator[dict[str, bytes]]:
    """Yield files of which one was changed, exchanged with each other one, or renamed."""
    body = held[name]
    for variant in {body[:-2], body + b"x", body.replace(b"e", b"f", 1), b"", b"[]", *held.values()} - {body}:
        yield {**held, name: variant}
    yield {other if other != name else f"{name}x": held[other] for other in held}


@pytest.mark.parametrize("subject", ["row", "shop"])
def test_every_file_of_a_pack_that_is_changed_exchanged_renamed_or_left_out_is_named(
    request: pytest.FixtureRequest, subject: str
) -> None:
    held = files(request.getfixturevalue(subject))
    for name in held:
        for changed in variants(held, name):
            found = findings(zipped(list(changed.items())))
            if EXPLAINED.fullmatch(name):
                assert [where for where, _ in found] == ([] if name in changed else [f"{name}x"])
            else:
                assert found, (name, changed)
                said = " ".join(f"{where} {what}" for where, what in found)
                assert len(found) == 1 or name not in changed or "/00000" not in name
                assert name.removesuffix(".json") in said or name == verify.ABOUT, (name, said)


def without(*patterns: str) -> Callable[[dict[str, bytes]], None]:
    def change(held: dict[str, bytes]) -> None:
        for name in [name for name in held if any(re.search(pattern, name) for pattern in patterns)]:
            del held[name]

    return change


def with_file(name: str, body: bytes = b"?") -> Callable[[dict[str, bytes]], None]:
    return lambda held: held.update({name: body})


def about(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(held: dict[str, bytes]) -> None:
        content = json.loads(held[verify.ABOUT])
        for name, value in changes.items():
            (content["row"] if name in content["row"] else content)[name] = value
        held[verify.ABOUT] = f"{json.dumps(content, indent=2)}\n".encode()

    return change


def proof(pattern: bytes, text: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(held: dict[str, bytes]) -> None:
        (name,) = [name for name in held if name.endswith(".tlog-proof")]
        held[name] = re.sub(pattern, text, held[name], count=1)

    return change


PUT_IN = "is named by nothing in the pack: it was put in"
OUTSIDE = "leads out of the folder in which a pack is unpacked"
CHANGES: dict[str, tuple[str, Callable[[dict[str, bytes]], None], str]] = {
    "a file more": ("row", with_file("notes.txt"), f"notes.txt {PUT_IN}"),
    "an object that the entry names, unchecked": (
        "shop", with_file(f"logs/provider=elsa/date=2026-11-22/shop-{WINDOW.slug}.parquet"), PUT_IN,
    ),
    "a part more": ("row", with_file(PART.replace("00000", "00001")), PUT_IN),
    "a proof without its entry": ("row", without(r"entry-\d+\.json"), "holds no entry-3.json"),
    "an entry without its proof": ("row", without("tlog-proof"), "no entry of the pack proves"),
    "a visit left out": (
        "shop", without("0001/", r"entry-2\."), "leaves out entries of its window: of 2 visits it names 1 manifest",
    ),
    "a name above": ("row", with_file("../record.txt"), f"../record.txt {OUTSIDE}"),
    "a name below and above": ("row", with_file("raw/../../x"), OUTSIDE),
    "an absolute name": ("row", with_file("/etc/passwd"), f"/etc/passwd {OUTSIDE}"),
    "a name of Windows": ("row", with_file("raw\\..\\..\\x"), OUTSIDE),
    "a drive": ("row", with_file("C:x"), OUTSIDE),
    "a part of which another record was changed": (
        "row",
        lambda held: held.update({PART: gzip.compress(gzip.decompress(held[PART]).replace(b"refused", b"granted"))}),
        f"{PART} was changed",
    ),
    "another record": ("row", about(raw_index=2), "record.txt is not the record in the part (number 2 of"),
    "a record that is not there": ("row", about(raw_index=5), "does not have the record"),
    "a negative record": ("row", about(raw_index=-1), "does not have the record"),
    "a number that is none": ("row", about(raw_index=1e300), "is not as it was written"),
    "a number that is text": ("row", about(raw_index="3"), "is not as it was written"),
    "a number that is true": ("row", about(raw_index=True), "is not as it was written"),
    "a number of 4,000 digits": ("row", about(raw_index=10**3999), "is not as it was written"),
    "a number without an end": ("row", lambda held: held.update({verify.ABOUT: b'{"row": 1e999}'}), "is not as it"),
    "a part that the manifest does not name": (
        "row", about(raw_part=PART.replace("0002", "0001")), "is named by no manifest of the pack",
    ),
    "a manifest that no entry names": (
        "row", about(manifest=PART.replace("00000.json.gz", "no.json")), "is named by no manifest of the pack",
    ),
    "a row that is a list": ("row", about(row=[1]), "is not as it was written"),
    "a subject with something more": (
        "row", lambda held: held.update({verify.ABOUT: held[verify.ABOUT] + b"\n"}), "holds a pack.json that is not as",
    ),
    "another window": ("row", about(window="2026-11-22T14:00:00Z/PT1H"), "is about something else than the pack"),
    "another source": ("row", about(source="elsa/other"), "is about something else than the pack"),
    "JSON without an end": ("row", lambda held: held.update({verify.ABOUT: b"[" * 4000}), "is not as it was written"),
    "another index": ("row", proof(rb"index 3", b"index 2"), "is the proof of another entry"),
    "an index beyond the log": ("row", proof(rb"index 3", b"index 999999999999"), "is the proof of another entry"),
    "an index of 30 digits": ("row", proof(rb"index 3", b"index " + b"9" * 30), "is no proof of the form"),
    "an index with a zero before": ("row", proof(rb"index 3", b"index 03"), "is no proof of the form"),
    "extra data in a proof": ("row", proof(rb"index 3", b"extra eA==\nindex 3"), "is no proof of the form"),
    "a hash more": ("row", proof(rb"\n\n", b"\n" + b"A" * 43 + b"=\n\n"), "is not in the log"),
    "a hash less": ("row", proof(rb"index 3\n.*\n", b"index 3\n"), "is not in the log"),
    "another hash": ("row", proof(rb"index 3\n.*\n", b"index 3\n" + b"A" * 43 + b"=\n"), "is not in the log"),
    "a proof for another checkpoint": ("row", proof(rb"\n\nbucket", b"\n\nbasket"), "or for another proof/checkpoint"),
    "a key that is another one": (
        "row", with_file("proof/key", OTHER.encode()), "proof/key is not the key that was given",
    ),
    "a signature that is another one": (
        "row",
        lambda held: held.update({"proof/checkpoint": re.sub(rb"\n\d+\n", b"\n9\n", held["proof/checkpoint"])}),
        "holds a proof/checkpoint that was changed",
    ),
    "a checkpoint of 1 MB": ("row", with_file("proof/checkpoint", b"x" * 1_000_000), "with 1,000,000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_pack_that_was_tampered_with_is_found_by_name(request: pytest.FixtureRequest, what: str) -> None:
    subject, change, text = CHANGES[what]
    held = files(request.getfixturevalue(subject))
    before = dict(held)
    change(held)
    assert held != before
    assert text in " ".join(f"{where} {said}" for where, said in findings(zipped(list(held.items()))))


def test_a_file_that_is_there_twice_is_found(row: bytes) -> None:
    held = list(files(row).items())
    for at in range(len(held)):
        ((_, said),) = findings(zipped([*held, held[at]]))
        assert said == f"holds {held[at][0]} twice"


def test_a_bomb_is_refused_before_it_is_unpacked(row: bytes) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.en.txt", b"\0" * 20_000_000)
    ((_, said),) = findings(bomb.getvalue())
    assert "holds README.en.txt compressed, as no pack does" in said
    cut = verify.zip_header(b"README.en.txt", 0, 0xFFFFFFFF) + b"x"
    assert [what for _, what in findings(cut)] == ["was cut within README.en.txt"]
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as archive:
        for name, body in files(row).items():
            archive.writestr(name, body)
    assert "was changed in the header of README.en.txt" in findings(again.getvalue())[0][1]


def test_another_key_or_log_cannot_be_checked_with_this_key(row: bytes) -> None:
    for key in (OTHER, Archive(Path(), PRIVATE, "other/proof").key.text):
        report = checked(row, key)
        assert (report["code"], "proof/checkpoint is" in report["error"]) == (2, True)


def test_a_log_that_grew_another_way_does_not_prove_the_entry(row: bytes) -> None:
    held = files(row)
    signed = Archive(Path(), PRIVATE).signed(1 << 61, leaf_hash(held["entry-3.json"]))
    proof(rb"\n\n(.|\n)*", b"\n\n" + signed)(held)
    held["proof/checkpoint"] = signed
    assert ("entry-3.json", "is not in the log: it was changed, or its proof was") in findings(
        zipped(list(held.items()))
    )


def test_an_entry_of_another_window_is_found_although_it_is_in_the_log(made: Made, row: bytes) -> None:
    other = files(made.good("--window", "dsa/edge/2026-11-22T13:00:00Z/PT1H"))
    held = {**files(row), **{name: body for name, body in other.items() if name.startswith("entry-")}}
    said = findings(zipped(list(held.items())))
    assert {what for _, what in said} == {f"is about something else than the pack (dsa/edge {WINDOW.key})"}
    assert len(said) == 2


def test_a_key_in_a_pack_is_never_taken_for_a_path(row: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    held = {**files(row), "proof/key": str(tmp_path / "key").encode()}
    assert findings(zipped(list(held.items()))) == [
        ("proof/key", f"is not the key that was given: that is {ORIGIN}, key {KEY_ID}; no key can be read in proof/key")
    ]


def test_options_that_are_for_a_copy_are_refused(row: bytes, tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(row)
    for option in (["--since", "x"], ["--source", "x"], ["--from", "2026-11-22"], ["--to", "2026-11-22"]):
        code, said = run(verify.main, str(tmp_path / "pack.zip"), "--key", KEY, *option)
        assert (code, "not for a pack" in said) == (2, True)


def test_both_programs_run_alone_and_the_check_leaves_nothing_behind(
    visited: Archive, row: bytes, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("verify.py", "evidence.py", "evidence.en.txt", "evidence.ko.txt"):
        shutil.copy(ROOT / "verifier" / name, programs)
    folder = tmp_path / "empty"
    folder.mkdir()

    def python(*arguments: str) -> str:
        command = [sys.executable, "-E", "-s", "-B", *arguments, "--key", KEY]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout

    part = Made(visited.root, tmp_path).part("elsa", "shop")
    out = str(tmp_path / "pack.zip")
    assert "sealed, no issue" in python(
        f"{programs}/evidence.py", str(visited.root), "--row", f"{part}#3", "--out", out
    )
    assert Path(out).read_bytes() == row
    assert "Nothing is wrong." in python(f"{programs}/verify.py", out)
    assert list(folder.iterdir()) == []


# --- Proofs ---------------------------------------------------------------------------------------------------------


def test_proofs_are_those_that_go_writes_byte_for_byte() -> None:
    found = json.loads((GOLDEN / "tlog_proofs.json").read_text(encoding="utf-8"))
    assert found["key"] == KEY
    for text in found["proofs"]:
        index, hashes, signed = verify.inclusion(text.encode())
        log = verify.checkpoint("", signed, verify.Key.read(KEY))
        leaves = [leaf_hash(b"entry %d" % number) for number in range(log.size)]
        assert evidence.proofs(leaves, [index])[index] == hashes
        assert Archive(Path(), PRIVATE).signed(log.size, log.root) == signed
        assert evidence.tlog_proof(index, hashes, signed).decode() == text
        assert verify.root_of(b"entry %d" % index, index, log.size, hashes) == log.root


def test_a_proof_fits_one_entry_one_index_and_one_size_only() -> None:
    stored: dict[Tile, bytes] = {}
    entries = [b"%d" % number for number in range(20)]
    leaves = list(map(leaf_hash, entries))
    for size in range(1, 21):
        stored.update(Tree(size - 1, stored.__getitem__).grown(leaves[size - 1 : size]))
        root = Tree(size, stored.__getitem__).root()
        for index, hashes in evidence.proofs(leaves[:size], list(range(size))).items():
            assert hashes == Tree(size, stored.__getitem__).inclusion(index)
            for other in range(size):
                assert (verify.root_of(entries[index], other, size, hashes) == root) == (other == index)
                assert (verify.root_of(entries[other], index, size, hashes) == root) == (other == index)
            for wrong in (hashes[1:], hashes[:-1]) if hashes else ():
                assert verify.root_of(entries[index], index, size, wrong) != root
            assert verify.root_of(entries[index], index, size, [*hashes, root]) is None


if __name__ == "__main__":
    for name, text in readmes(visit.directory()):
        (GOLDEN / name).write_text(text, encoding="utf-8")
