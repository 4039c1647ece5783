"""The Makefile finds a Python 3.13, whatever way it is installed, and hides no command of the user's."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.lock import ROOT

#: What `python3.13` is on the PATH: the interpreter, and a shim that finds it only if it is told the version.
PATHS = {"an interpreter": "echo found", "a shim of pyenv": '[ "$PYENV_VERSION" = 3.13 ] && echo found'}


@pytest.mark.parametrize("script", PATHS.values(), ids=PATHS)
def test_make_finds_python(tmp_path: Path, script: str) -> None:
    program = tmp_path / "python3.13"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"}
    make = [shutil.which("make") or "make", "--eval", "found: ; @echo $(PYTHON)", "found"]
    shown = subprocess.run(make, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout == "found\n"


def test_no_file_tells_pyenv_a_version() -> None:
    assert ".python-version" not in subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
