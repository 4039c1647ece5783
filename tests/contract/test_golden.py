"""Bodies of answers, and the rows that they must become: `.venv/bin/python -m tools.golden` writes the latter."""

import json
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


def test_a_body_gets_a_golden_file_of_the_window_that_was_named_and_of_no_window_that_it_does_not_fit(
    tmp_path: Path,
) -> None:
    body = FIXTURES / "apigateway" / "sample.json"
    copy = tmp_path / "apigateway" / body.name
    copy.parent.mkdir()
    copyfile(body, copy)
    for window in ("2024-05-08T04:00:00Z/PT1H", None):  # once written, it stays
        assert write(copy, window) == "wrote apigateway/sample.json.golden.json: 1 rows, 0 rejects"
        assert beside(copy).read_text() == beside(body).read_text()
    changed = beside(copy).read_text().replace("2024-05-08", "2024-05-09")
    beside(copy).write_text(changed.replace('"window": "2024-05-09', '"window": "2024-05-08'))
    with pytest.raises(ValueError, match=r"mapping 1 made other rows of it; set mapping_version=2 in functions/apigat"):
        write(copy, version=1)
    write(copy, version=2)
    assert json.loads(beside(copy).read_text())["mapping"] == 2
    write(copy, version=3)
    assert json.loads(beside(copy).read_text())["mapping"] == 2, "its rows did not change"
    with pytest.raises(ValueError, match=r"apigateway/sample\.json: 1 records lie outside 2026-11-22T13:00:00Z/PT1H"):
        write(copy, "2026-11-22T13:00:00Z/PT1H")
