"""`make mutants` judges only by tests that pass on the unchanged code."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.lock import ROOT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "def test_right(): pass\ndef test_wrong(): assert 0",
            "::test_wrong fails on the unchanged code",
        ),
        ("import nowhere\ndef test_right(): pass", "test_one.py cannot be collected"),
        ("", "pytest has ended with NO_TESTS_COLLECTED"),
    ],
)
def test_nothing_is_said_to_survive_where_the_tests_of_the_unchanged_code_do_not_pass(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "test_one.py").write_text(text)
    command = [sys.executable, "-m", "tools.mutants", "moment.py", "--jobs=2", f"--tests={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "survived" not in done.stdout


def test_a_change_of_what_no_test_reaches_survives(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_right(): pass")
    command = [sys.executable, "-m", "tools.mutants", "provider/credential.py", "--jobs=2", f"--tests={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "survived: provider/credential.py" in done.stdout
