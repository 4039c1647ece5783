"""Every place outside `functions/` that must know each provider does; if one is left out, the message says where."""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping

import pytest

from console.core.saved_query import QUERIES
from tests.integration.lives import LIVES
from tests.integration.test_error_responses import CODES
from tests.simulator import Simulator
from tests.simulator.access import FIELDS
from tests.truth import body, truth
from tests.unit import small_archive
from tests.unit.simulated import REQUESTS
from tests.unit.test_fetch import GOOD
from tests.unit.test_saved_queries import SHOWN
from tools import alike
from tools.demo.world import LATE, sources
from tools.lock import ROOT
from tools.new_provider import FILES
from tools.registry import names


def stems(folder: str, suffix: str) -> set[str]:
    return {path.name.removesuffix(suffix) for path in (ROOT / folder).glob(f"*{suffix}")}


def with_golden_files() -> set[str]:
    return {path.parent.name for path in (ROOT / "tests" / "fixtures").glob("*/*.golden.json")}


def played_in_the_demo() -> set[str]:
    return {source.provider for source in sources("http://127.0.0.1", dt.datetime(2026, 11, 20, tzinfo=dt.UTC))}


#: What is missing, and where, if a provider is not among those that are there.
PLACES: Mapping[str, Callable[[], Collection[str]]] = {
    "docs/providers/{name}.md: there is no such page": lambda: stems("docs/providers", ".md"),
    "events/local/{name}.json: there is no such event for `make local`": lambda: stems("events/local", ".json"),
    "queries/views/{name}.sql: there is no such view": lambda: stems("queries/views", ".sql"),
    "tests/fixtures/{name}: there is no body with a golden file": with_golden_files,
    "tests/unit/test_saved_queries.py: SHOWN has no rows of its view": lambda: SHOWN,
    "tests/unit/small_archive.py: WINDOWS has no records of it": lambda: {name for name, *_ in small_archive.WINDOWS},
    "tests/simulator/simulator.py: it is not played; test_roles.py, `make local` and `make demo` need that": (
        lambda: Simulator().providers
    ),
    "tests/simulator/access.py: FIELDS does not say what a source of it needs": lambda: FIELDS,
    "tests/unit/simulated.py: REQUESTS has no request to it": lambda: REQUESTS,
    "tests/unit/test_fetch.py: GOOD has no good response of it": lambda: GOOD,
    "tests/integration/test_error_responses.py: CODES has no error of it under HTTP 200": lambda: {
        name for name, *_ in CODES
    },
    "tests/truth/truth.py: ROWS does not say what row a record becomes": lambda: truth.ROWS,
    "tests/truth/body.py: RECORDS does not say how its bodies are read": lambda: body.RECORDS,
    "tests/integration/lives.py: LIVES has no life of it": lambda: {name.rpartition(" ")[2] for name in LIVES},
    "tools/demo/world.py: sources() has no source of it": played_in_the_demo,
    "tools/demo/world.py: LATE has no record of it": lambda: LATE,
}


@pytest.mark.parametrize("place", PLACES)
def test_every_place_knows_every_provider(place: str) -> None:
    missing = [f"{name}: {place.format(name=name)}" for name in sorted(set(names()) - set(PLACES[place]()))]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("name", names())
def test_nothing_is_left_as_make_provider_wrote_it(name: str) -> None:
    left = [
        f"{path}:{number}: {line.strip()}"
        for path in ("template.yaml", *(path.format(name=name) for path in FILES.values()))
        if (ROOT / path).exists()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if "FILL IN" in line and (path != "template.yaml" or alike.named(line, [name]))
    ]
    assert not left, "\n".join(left)


@pytest.mark.parametrize("folder", ["docs/providers", "events/local", "queries/views"])
def test_nothing_is_kept_for_a_provider_that_is_none(folder: str) -> None:
    assert {path.stem for path in (ROOT / folder).iterdir()} | with_golden_files() <= set(names())


def test_the_query_over_all_providers_names_all_of_them() -> None:
    faults = list(alike.faults((QUERIES / "rows-by-day.sql").read_text(), names()))
    assert not faults, f"queries/rows-by-day.sql: {faults}"


#: A count in prose is wrong with the next provider. A decision tells what was the case when it was taken.
COUNT = re.compile(
    r"(?<![\d,=])\b(three|four|five|six|seven|eight|nine|ten|\d+) (\w+ )?"
    r"(providers|functions|roles|schedules|saved queries)\b",
    re.IGNORECASE,
)


def test_no_text_counts_the_providers() -> None:
    folders = ("docs", "functions", "layers/shared/logarchive", "tests", "tools")
    paths = [ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "template.yaml", *ROOT.glob("*.md")]
    paths += [path for folder in folders for kind in ("*.md", "*.py") for path in (ROOT / folder).rglob(kind)]
    texts = {path.relative_to(ROOT): path.read_text() for path in paths if "decisions" not in path.parts}
    found = [f"{path}: {match[0]}" for path, text in texts.items() for match in COUNT.finditer(text)]
    assert not found, "say it without a number:\n" + "\n".join(found)
