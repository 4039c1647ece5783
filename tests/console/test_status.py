"""`logarchive status`."""

from typing import Any

import pytest

from console.command.status import report
from tests.console.run import Run

SOURCE: dict[str, Any] = {
    "source": "shop", "state": "active", "sealed_until": "2026-11-20T00:00:00Z",
    "settled_until": "2026-11-20T01:00:00Z", "lag_seconds": 0, "open": 1, "due": 0, "issues": {},
    "hours_to_loss": None, "rows": 1204, "kept": 0, "last_error": None, "outdated": 0, "replaying": 0,
}  # fmt: skip


def result(*sources: dict[str, Any], errors: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    return {"ok": True, "sources": list(sources), "errors": list(errors), "next": None}


def test_a_source_that_is_well_is_a_line_and_exit_code_0() -> None:
    made = report({"elsa": result(SOURCE | {"issues": {"shrunk": 2}, "lag_seconds": 420}), "dsa": result()})
    assert made.tables[0].rows == [
        ["elsa/shop", "active", "2026-11-20 01:00", "7 min", 1, 0, 1204, "2 shrunk", None],
    ]  # fmt: skip
    assert (made.code, made.data["sources"][0]["source"]) == (0, "elsa/shop")


@pytest.mark.parametrize("wrong", [{"issues": {"forbidden": 1}}, {"hours_to_loss": 23.5}])
def test_a_failure_and_a_loss_within_a_day_are_exit_code_1(wrong: dict[str, Any]) -> None:
    assert report({"elsa": result(SOURCE | wrong)}).code == 1


def test_what_every_function_reports_of_a_parameter_without_reader_is_said_once() -> None:
    own = {"source": "shop", "error": "secret: missing"}
    stray = {"source": "elza/shop", "error": '"elza" is no provider'}
    made = report({"dsa": result(errors=(stray,)), "elsa": result(SOURCE, errors=(own, stray))})
    assert made.lines == ['elza/shop: "elza" is no provider', "elsa/shop: secret: missing"]
    assert made.code == 1


def test_a_stack_without_a_source_says_how_to_add_one() -> None:
    made = report({"elsa": result()})
    assert (made.code, made.tables) == (0, [])
    assert made.lines == ["No source yet. Add one: logarchive sources add PROVIDER/SOURCE"]


@pytest.mark.slow
def test_the_status_of_a_deployed_stack_lists_its_sources(on_stack: Run) -> None:
    outcome = on_stack("status", "--json")
    assert {("elsa/one", "active"), ("dsa/one", "active")} <= {
        (one["source"], one["state"]) for one in outcome.json["sources"]
    }
    alone = on_stack("status", "elsa/one")
    assert alone.code == 0
    assert alone.out.splitlines()[-2].startswith("elsa/one")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["status", "one"],
        ["status", "elsa"],
        ["status", "elza/one"],
        ["status", "elsa/two"],
        ["gaps", "elsa/two"],
        ["doctor", "elsa/two"],
        ["coverage", "elsa/two"],
        ["backfill", "elsa/two", "2026-11-20", "2026-11-21"],
        ["replay", "elsa/two", "2026-11-20", "2026-11-21", "--yes"],
        ["sources", "pause", "elsa/two"],
        ["sources", "resume", "elza/one"],
        ["sources", "remove", "elsa/two", "--yes"],
    ],
)
def test_a_source_that_is_not_there_is_one_sentence_that_names_those_there_are(on_stack: Run, words: list[str]) -> None:
    named = next(word for word in words[1:] if word in {"one", "elsa"} or "/" in word)
    outcome = on_stack(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"logarchive: there is no source {named}; the sources are: dsa/one, elsa/one")
    assert outcome.err.count("\n") == 1
