"""Every command in docs/console.md is one that the console understands, and every command of the console is there."""

import re
import shlex
from itertools import takewhile

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from console.app import app
from tools.lock import ROOT

PAGE = (ROOT / "docs" / "console.md").read_text()
BLOCKS = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = re.findall(r"^ *(?:uvx --from \. )?logarchive (.+)$", BLOCKS, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_docs_is_understood(command: str) -> None:
    words = list(takewhile(lambda word: word != ">", shlex.split(command)))
    found = get_command(app)
    while isinstance(found, TyperGroup) and words:
        found = found.commands[words.pop(0)]
    found.make_context("logarchive", words)


def test_every_command_has_its_section() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert set(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)) == set(group.commands)
