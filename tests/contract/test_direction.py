"""The rules of imports in pyproject.toml find what they forbid: `lint-imports` on a copy with one wrong import."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = "layers/shared/logarchive"


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("window.py", "import logarchive.errors", "logarchive.window is not allowed to import logarchive.errors"),
        (
            "errors.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import logarchive.ledger.entry",
            "logarchive.errors is not allowed to import logarchive.ledger",
        ),
        ("net/pacing.py", "import logarchive.visit.worker", "logarchive.net is not allowed to import logarchive.visit"),
        (
            "net/request.py",
            "import logarchive.ledger.entry",
            "logarchive.net is not allowed to import logarchive.led",
        ),
        ("record/block.py", "import logarchive.record.reader", "Imports inside a room do not go in a circle BROKEN"),
        ("cellar/shelf.py", "", "logarchive.cellar"),
        ("../../../functions/elsa/app.py", "import logarchive.row.build", "Allowed are the modules in this contract's"),
        ("../../../functions/elsa/app.py", "import boto3", "functions is not allowed to import boto3"),
        ("../../../functions/elsa/app.py", "import orjson", "functions is not allowed to import orjson"),
        (
            "../../../functions/elsa/app.py",
            "import functions.dsa.app",
            "functions.elsa is not allowed to import functions.dsa",
        ),
        ("errors.py", "import functions.elsa.app", "logarchive is not allowed to import functions"),
        (
            "../../../console/account/stack.py",
            "import logarchive.moment",
            "console is not allowed to import logarchive",
        ),
        ("../../../console/account/stack.py", "import console.app", "console.account is not allowed to import console"),
        ("../../../verifier/verify.py", "import console.core.report", "verifier is not allowed to import console"),
    ],
)
def test_an_import_in_the_wrong_direction_breaks_a_rule(tmp_path: Path, file: str, line: str, said: str) -> None:
    for folder in (LAYER, "functions", "console", "verifier"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    changed = tmp_path / LAYER / file
    if not changed.exists():
        changed.parent.mkdir()
        (changed.parent / "__init__.py").touch()
    with changed.open("a") as text:
        text.write(f"\n{line}\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path / 'layers' / 'shared'}{os.pathsep}{tmp_path}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert said in done.stdout
