"""The docs cannot lie where a machine can tell: generated parts, commands, links, examples, limits."""

import json
import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from logarchive.action import notary
from logarchive.action.event import parse_event
from logarchive.action.result import MOST_WINDOWS
from logarchive.errors import Issue
from logarchive.ledger.ledger import BATCH
from logarchive.ledger.planner import TICK_WINDOWS
from logarchive.net.exchange import ATTEMPTS
from logarchive.row.build import MAX_RECORDS
from logarchive.visit.collection import STABLE_TRIES
from logarchive.visit.outcome import BACK_OFF
from logarchive.visit.worker import CANDIDATES, LEASE_MARGIN
from tests.markdown import Block, Heading, blocks, read
from tools import docs, layer
from tools.lock import ROOT
from tools.markdown import table
from tools.sample import sample

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
#: Places on one machine, and numbers of a tracker: no reader of the repository can see them.
FOREIGN = re.compile(r"(?<![\w.}])/(?:home|root|Users)/|(?<!`)#\d+\b")


every_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def code_blocks(page: Path, language: str) -> list[str]:
    return blocks(page.read_text(), language)


def anchors(page: Path) -> set[str]:
    titles = [part.title for part in read(page.read_text()) if isinstance(part, Heading)]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def outline(page: Path) -> list[tuple[object, ...]]:
    """Return the levels of the headings, and the code between them without its comments and a picture's labels."""
    return [
        (part.level,) if isinstance(part, Heading) else (part.language, _without_words(part))
        for part in read(page.read_text())
    ]


def _without_words(block: Block) -> str:
    words = r"(?<=\w): .*$" if block.language == "mermaid" else r"(^|\s+)# .*$"
    return re.sub(words, "", block.code, flags=re.MULTILINE)


@pytest.mark.parametrize("name", docs.DOCS)
def test_what_is_generated_is_current(name: str) -> None:
    text = (ROOT / name).read_text()
    assert docs.filled(text) == text


def test_a_fact_of_a_room_is_one_bullet_however_many_lines_it_has() -> None:
    bullets = re.findall(r"^- .*$", docs.room_list(), re.MULTILINE)
    assert [bullet for bullet in bullets if not re.fullmatch(r"- [A-Z][a-z ]+: .*\.", bullet)] == []


def test_every_region_is_somewhere_and_once() -> None:
    found = [match["name"] for name in docs.DOCS for match in docs.REGION.finditer((ROOT / name).read_text())]
    assert sorted(found) == sorted(docs.REGIONS)


def test_a_stale_region_is_written_anew_and_the_rest_left_alone() -> None:
    stale = "before\n<!-- keys: written by tools/docs.py -->\nold\n<!-- end -->\nafter\n"
    fresh = docs.filled(stale)
    assert "old" not in fresh
    assert all(key in fresh for key in sample().objects)
    assert (fresh[:7], fresh[-6:]) == ("before\n", "after\n")
    assert docs.filled(fresh) == fresh


def test_a_region_that_nobody_writes_is_an_error() -> None:
    with pytest.raises(KeyError):
        docs.filled("<!-- weather: written by tools/docs.py -->\n<!-- end -->")


def test_a_bar_in_a_cell_does_not_end_the_cell() -> None:
    assert table(["a"], [["x|y"]]).splitlines()[-1] == r"| x\|y |"


@pytest.mark.parametrize("found", [{"known", "new"}, set[str]()])
def test_a_name_without_a_meaning_or_a_meaning_without_a_name_ends_the_writing(found: set[str]) -> None:
    with pytest.raises(SystemExit, match="new" if found else "known"):
        docs.explained("metrics", found, {"known": "what is known"})


@every_page
def test_every_make_command_is_a_target(page: Path) -> None:
    commands = re.findall(r"(?:^|`|= ?\d* )make ([a-z-]+)", page.read_text(), re.MULTILINE)
    assert set(commands) <= TARGETS


def test_the_readme_names_the_demo_and_contributing_every_command() -> None:
    assert code_blocks(ROOT / "README.md", "bash")[0] == "make demo\n"
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    assert [target for target in TARGETS - {"help"} if f"make {target}" not in contributing] == []


def test_the_readme_is_no_longer_than_twelve_kilobytes() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 12 * 1024
    assert len((ROOT / "README.ko.md").read_text()) <= 12 * 1024


@pytest.mark.parametrize("name", ["README", "docs/first-aid"])
def test_a_page_in_two_languages_has_the_same_headings_and_commands_in_both(name: str) -> None:
    assert outline(ROOT / f"{name}.md") == outline(ROOT / f"{name}.ko.md")


@every_page
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if not target.startswith("https:"):
            assert not path or (page.parent / path).exists(), target
            assert not anchor or anchor in anchors(page.parent / path if path else page), target


@every_page
def test_every_event_in_a_command_is_understood(page: Path) -> None:
    for event in re.findall(r"'(\{\"action\".*?\})'", page.read_text()):
        document = json.loads(event)
        (notary.parse if document["action"] in notary.ACTIONS else parse_event)(document)


@every_page
def test_every_shell_command_can_be_parsed(page: Path) -> None:
    for block in code_blocks(page, "bash"):
        script = block.replace("<URL of this repository>", "https://example.com/repository")
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@every_page
def test_no_page_names_what_a_reader_cannot_see(page: Path) -> None:
    assert FOREIGN.findall(page.read_text()) == []


def test_every_issue_has_its_own_section() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    sections = text.partition("\n## Issues\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^### (.*)$", sections, re.MULTILINE)) == sorted(get_args(Issue.__value__))


def test_the_limits_told_are_those_of_the_code() -> None:
    reference, architecture, operations = (
        (ROOT / "docs" / f"{name}.md").read_text() for name in ("reference", "architecture", "operations")
    )
    minutes = [str(wait.seconds // 60) for wait in BACK_OFF]
    assert f"at most {MOST_WINDOWS:,} windows" in reference
    assert f"at most {TICK_WINDOWS} per source and tick" in architecture
    assert f"at most {BATCH + 1} items" in architecture
    assert f"first {CANDIDATES} due windows" in architecture
    assert f"{MAX_RECORDS:,} records" in architecture
    assert f"{MAX_RECORDS:,} records" in operations
    assert f"{', '.join(minutes[:-1])}, then {minutes[-1]} minutes" in architecture
    assert f"{', '.join(minutes)} minutes, then every six hours" in operations
    assert (ATTEMPTS, STABLE_TRIES, LEASE_MARGIN.seconds) == (4, 4, 60)  # "four attempts", "four times", "one minute"


def test_the_picture_of_the_rooms_leaves_out_what_a_longer_way_shows() -> None:
    assert layer.shortest({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert "visit" in layer.arrows()["action"]
    assert layer.arrows()[layer.GROUND] == set()


def test_every_module_of_the_layer_stands_in_the_list_of_rooms() -> None:
    assert sorted(module for room in layer.rooms() for module in room.modules) == sorted(layer.trees())


def test_log_events_are_found_with_the_keys_they_carry() -> None:
    found = layer.log_events()
    assert {"source", "window", "error", "traceback"} == found["visit.failed"]
    assert {"rows", "issue", "due_at"} <= found["window.*"]


def test_the_sample_is_an_archived_window_with_a_reject() -> None:
    (window,) = sample().tick["windows"]
    assert (window["state"], window["rows"], window["rejects"]) == ("archived", 2, 1)
    assert sample().manifest["complete"]
    assert sample().row["body"] == "payment refused"
