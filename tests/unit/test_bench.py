"""Every row of the bench still runs, on few records: what it measures is the archive's own code, which changes."""

import sys
from pathlib import Path

import pytest

from tools.bench.bench import Bench
from tools.bench.measured import figure, measured
from tools.bench.process import Program
from tools.bench.row import ROWS, Row

#: They need the package index, an emulator of AWS, or another tool's environment: `make bench CHECK=1` runs them too.
ELSEWHERE = {"layer", "tick-calls", "tick-seconds", "life-dlt", "life-grove"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    # The cold start is compared with that of the last commit: a clone may have no other.
    return Bench(tmp_path_factory.mktemp("bench"), scale=0.001, runs=1, before="HEAD")


@pytest.mark.slow
def test_every_row_can_be_measured(bench: Bench) -> None:
    with bench:
        figures = {row.name: row.measure(bench) for row in ROWS if row.name not in ELSEWHERE}
    assert [name for name, found in figures.items() if not found.median > 0 and name != "growth"] == []
    assert figures["elsa-build"].facts["rows"] == 199
    assert figures["merge"].facts["rows"] == 110
    assert figures["cdn-mixed"].facts["rejects"] == 0


def test_a_target_is_reached_at_most_or_at_least_there() -> None:
    def measure(_bench: Bench) -> None:
        raise AssertionError

    below, above, told = (Row("r", "", measure, **more) for more in ({"most": 2.0}, {"least": 2.0}, {}))  # type: ignore[arg-type]
    assert [row.reached(2.0) for row in (below, above, told)] == [True, True, None]
    assert [row.reached(2.1) for row in (below, above, told)] == [False, True, None]


def test_a_program_measures_the_layer_of_its_own_tree(tmp_path: Path) -> None:
    layer = tmp_path / "layers" / "shared" / "logarchive" / "__init__.py"
    layer.parent.mkdir(parents=True)
    layer.touch()
    said = "import json, tools, logarchive; print(json.dumps(dict(seconds=0, peak_mib=0, layer=logarchive.__file__)))"
    assert Program((sys.executable, "-P", "-c", said), tmp_path).run().facts == {"layer": str(layer)}


def test_the_tracked_run_has_every_row() -> None:
    assert list(measured()["rows"]) == [row.name for row in ROWS]
    assert figure("hour") > figure("hour", "revisit_seconds") > 0
