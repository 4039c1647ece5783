"""Every command of the console that a page shows is one that it understands, and docs/console.md has all of them."""

import re
import shlex
from collections.abc import Iterator
from itertools import dropwhile, takewhile

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from console.app import app, shared_first
from tests.markdown import blocks
from tools.lock import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINE = re.compile(r"^ *(?:uvx --from \. )?logarchive (.+)$", re.MULTILINE)


def commands() -> Iterator[str]:
    for page in PAGES:
        for block in blocks(page.read_text(), "bash"):
            yield from LINE.findall(block)


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_a_command_of_the_docs_is_understood(command: str) -> None:
    values = command.replace("$RAW_INDEX", "12")
    words = shared_first(takewhile(lambda word: word != ">", shlex.split(values)))
    words = list(dropwhile(lambda word: word.startswith("-"), words))
    found = get_command(app)
    while isinstance(found, TyperGroup) and words:
        found = found.commands[words.pop(0)]
    found.make_context("logarchive", words)


def test_every_command_has_its_section() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    page = (ROOT / "docs" / "console.md").read_text()
    assert set(re.findall(r"^### (\w+)$", page, re.MULTILINE)) == set(group.commands)
