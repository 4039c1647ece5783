"""The demo's copy of the bucket: what is spoiled must be named, and is put right again."""

import json
from io import StringIO
from pathlib import Path

import pytest

from tools.bucket_copy import BucketCopy, Check
from tools.demo.page import Page
from tools.demo.spoiling import REPORT, Spoiling, found, show_report, spoiled
from tools.stack import StackError

SPOILING = Spoiling("one byte changed", "raw/a", b"other")


def report(*objects: str) -> str:
    return json.dumps({"findings": [{"object": name, "what": "was changed", "detail": ""} for name in objects]})


def test_a_finding_that_names_the_spoiled_object_is_shown() -> None:
    assert found(Check(1, report("logs/b", "raw/a"), ""), SPOILING) == "raw/a was changed"


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (Check(0, report(), ""), "not found"),
        (Check(2, '{"error": "no"}', ""), "not found"),
        (Check(1, report("logs/b"), ""), "not named"),
        (Check(1, report(), ""), "not named"),
    ],
)
def test_a_spoiling_that_is_not_found_by_name_ends_the_demo(check: Check, problem: str) -> None:
    with pytest.raises(StackError, match=problem):
        found(check, SPOILING)


@pytest.mark.parametrize("check", [Check(1, report("raw/a"), ""), Check(2, '{"error": "no"}', "")])
def test_a_finding_in_an_untouched_copy_ends_the_demo(check: Check) -> None:
    with pytest.raises(StackError, match="nobody has touched"):
        show_report(Page(StringIO()), check)


def test_the_report_on_an_untouched_copy_says_what_is_confirmed() -> None:
    counts = dict.fromkeys(REPORT, 0) | {"source": "elsa/shop", "confirmed_percent": None}
    output = StringIO()
    show_report(Page(output), Check(0, json.dumps({"sources": [counts], "checked": {"checkpoints": 1}}), ""))
    assert "confirmed %" in output.getvalue()
    assert "Confirmed: the sealed windows" in output.getvalue()
    assert "Checked: 1 checkpoint. Nothing is wrong." in output.getvalue()


@pytest.mark.parametrize("body", [b"other", None])
def test_a_spoiled_object_is_put_right_whatever_happens(tmp_path: Path, body: bytes | None) -> None:
    (tmp_path / "raw").mkdir()
    path = tmp_path / "raw" / "a"
    path.write_bytes(b"own")

    def fail() -> None:
        with spoiled(tmp_path, Spoiling("", "raw/a", body)):
            assert body == (path.read_bytes() if path.exists() else None)
            raise StackError

    with pytest.raises(StackError):
        fail()
    assert path.read_bytes() == b"own"


def test_the_check_runs_without_an_environment_and_says_what_it_lacks(tmp_path: Path) -> None:
    check = BucketCopy(tmp_path, "none").check()
    assert (check.code, check.output) == (2, "")
    assert "holds no proof/" in check.error
