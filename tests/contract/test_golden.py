"""Bodies of answers, and the rows that they must become: `.venv/bin/python -m tools.golden` writes the latter."""

from pathlib import Path
from shutil import copyfile

import pytest

from tools.golden import FIXTURES, beside, bodies, text, write
from tools.registry import names

BODIES = [body for name in names() for body in bodies(FIXTURES / name)]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body.parent.name}/{body.name}")
def test_a_body_becomes_the_rows_of_its_golden_file(body: Path) -> None:
    assert beside(body).exists(), f"run `.venv/bin/python -m tools.golden {body.parent.name}`"
    assert text(body) == beside(body).read_text()


def test_a_new_body_gets_a_golden_file_of_the_window_that_was_named(tmp_path: Path) -> None:
    body = FIXTURES / "apigateway" / "sample.json"
    folder = tmp_path / "apigateway"
    folder.mkdir()
    copyfile(body, folder / body.name)
    for window in ("2024-05-08T04:00:00Z/PT1H", "2026-11-22T13:00:00Z/PT1H"):  # once written, it stays
        assert list(write(folder, window)) == ["apigateway/sample.json.golden.json: 1 rows, 0 rejects"]
        assert beside(folder / body.name).read_text() == beside(body).read_text()
