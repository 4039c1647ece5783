"""`make provider`: what it refuses, and what it writes into a copy of the repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import alike
from tools.lock import ROOT
from tools.named_query import REGION
from tools.new_provider import FILES, refusal
from tools.registry import names

ADDED = [path.format(name="newcomer") for path in FILES.values()]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "NAME is missing; for instance: make provider NAME=activity"),
        ("Activity", "NAME=Activity: a name is 2 to 20 lower-case letters and digits, a letter first; for instance: "),
        ("cloud-trail", "NAME=cloud-trail: a name is 2 to 20 lower-case letters and digits"),
        ("365", "NAME=365: a name is 2 to 20 lower-case letters and digits, a letter first"),
        ("a" * 21, "a name is 2 to 20 lower-case letters"),
        ("../x", "NAME=../x: a name is 2 to 20 lower-case letters"),
        ("elsa", "NAME=elsa: functions/elsa is there already; choose another name"),
        ("import", "NAME=import: the word means something in Python or in SQL"),
        ("order", "NAME=order: the word means something in Python or in SQL"),
        ("scheduler", "NAME=scheduler: template.yaml uses the word for something else"),
        ("logs", "NAME=logs: template.yaml uses the word for something else"),
    ],
)
def test_a_name_that_cannot_be_a_provider_s_is_refused_in_a_sentence(name: str, reason: str) -> None:
    assert (refusal(name) or "").startswith(reason) or reason in (refusal(name) or "")


def run(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=place, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository in which the skeleton of a provider was written."""
    place = tmp_path_factory.mktemp("copy") / "repository"
    kept = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(ROOT, place, ignore=kept)
    (place / ".venv").symlink_to(sys.prefix)
    done = run(place, "tools.new_provider", "newcomer")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"wrote {path}" in done.stdout.splitlines() for path in ADDED)
    return place


def test_the_template_the_queries_and_the_docs_name_the_new_provider(copy: Path) -> None:
    for path in ("template.yaml", "queries/rows-by-day.sql"):
        text = REGION.sub("", (copy / path).read_text())
        assert list(alike.faults(text, [*names(), "newcomer"])) == []
    assert "[newcomer](docs/providers/newcomer.md)" in (copy / "README.md").read_text()
    assert "[newcomer](providers/newcomer.md)" in (copy / "docs" / "reference.md").read_text()


def test_nothing_is_written_for_a_provider_that_is_there(copy: Path) -> None:
    before = (copy / "template.yaml").read_text()
    done = run(copy, "tools.new_provider", "newcomer")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "make provider: NAME=newcomer: functions/newcomer is there already" in done.stderr
    assert (copy / "template.yaml").read_text() == before


def test_a_page_whose_example_is_no_source_is_named(copy: Path) -> None:
    page = copy / "docs" / "providers" / "newcomer.md"
    right = page.read_text()
    page.write_text(right.replace('{"secret": ', '{"secrets": ', 1))
    done = run(copy, "tools.golden", "newcomer")
    page.write_text(right)
    said = "tools.golden: docs/providers/newcomer.md: its first JSON block is no source: secret: Field required; "
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(said)


@pytest.mark.slow
def test_a_skeleton_passes_its_tests_the_linters_and_the_type_checkers(copy: Path) -> None:
    code = [path for path in ADDED if path.endswith(".py")]
    for check in (
        ["tools.docs", "--check"],
        ["tools.named_query", "--check"],
        ["pytest", "-qn0", "tests/unit/test_newcomer.py"],
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", *code],
        ["pyright", *code],
    ):
        done = run(copy, *check)
        assert done.returncode == 0, done.stdout + done.stderr
    program = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([program, "template.yaml"], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_tests_say_what_is_left_to_do(copy: Path) -> None:
    said = run(copy, "pytest", "-qn0", "tests/contract", "-k", "newcomer or place").stdout
    for missing in (
        "functions/newcomer/app.py: `columns` feeds no column but time",
        "functions/newcomer/app.py:20: PATH",
        "Description: FILL IN what newcomer archives.",
        "newcomer: tests/simulator/simulator.py: it is not played; test_roles.py, `make local`",
        "newcomer: tools/demo/world.py: sources() has no source of it",
    ):
        assert missing in said
