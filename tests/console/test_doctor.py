"""`logarchive doctor`."""

from typing import Any

import pytest

from console.command.doctor import in_short, report
from tests.console.run import Run


def check(name: str, verdict: str, do: str = "") -> dict[str, str]:
    return {"check": name, "verdict": verdict, "said": f"{name} was seen", "do": do}


def result(*checks: dict[str, str], verdict: str = "ok", errors: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    sources = [{"source": "shop", "verdict": verdict, "checks": [*checks]}] if checks else []
    return {"sources": sources, "errors": [*errors], "next": None}


def test_each_source_is_a_table_of_its_checks_with_what_to_do() -> None:
    made = report({"elsa": result(check("secret", "ok"), check("request", "fail", "correct it"), verdict="fail")})
    assert (made.tables[0].title, made.code) == ("elsa/shop: fail", 1)
    assert made.tables[0].rows == [
        ["secret", "ok", "secret was seen"], ["request", "fail", "request was seen\nDo: correct it"],
    ]  # fmt: skip


def test_checks_that_were_not_made_for_the_same_reason_are_one_row() -> None:
    reason = "the configuration must be right first"
    skipped = [check(name, "skipped") | {"said": reason} for name in ("secret", "request", "clock")]
    other = check("logging", "skipped")
    made = report({"elsa": result(check("configuration", "fail", "correct it"), *skipped, other, verdict="fail")})
    assert made.tables[0].rows[1:] == [
        ["3 checks", "skipped", f"{reason}; not made: secret, request, clock"],
        ["logging", "skipped", "logging was seen"],
    ]
    assert len(made.data["sources"][0]["checks"]) == 5


def test_before_a_source_is_written_good_checks_are_one_sentence_and_beside_a_wrong_one_all_are_shown() -> None:
    good, skipped = check("clock", "ok"), check("record_time", "skipped")
    assert in_short("elsa/shop", {"verdict": "ok", "checks": [good, skipped]}) == (
        [],
        "Nothing is wrong with elsa/shop: 1 check passed; skipped: record_time.",
    )
    [table], _ = in_short("elsa/shop", {"verdict": "fail", "checks": [good, check("request", "fail", "see `clock`")]})
    assert [row[0] for row in table.rows] == ["clock", "request"]


@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("warn", 1), ("fail", 1)])
def test_what_is_not_good_is_exit_code_1(verdict: str, code: int) -> None:
    assert report({"elsa": result(check("secret", "ok"), verdict=verdict)}).code == code


def test_a_parameter_that_no_function_reads_is_something_to_look_at() -> None:
    made = report({"elsa": result(errors=({"source": "elza/shop", "error": '"elza" is no provider'},))})
    assert (made.code, made.lines[0]) == (1, 'elza/shop: "elza" is no provider')


@pytest.mark.slow
def test_the_sources_of_a_deployed_stack_are_checked_all_or_those_of_one_provider_or_one(on_stack: Run) -> None:
    def of(*words: str) -> set[str]:
        return {one["source"] for one in on_stack("doctor", *words, "--json").json["sources"]}

    assert {"dsa/one", "elsa/one", "security365/one"} <= of()
    assert of("--provider", "dsa") == of("dsa/one") == {"dsa/one"}
    shown = on_stack("doctor", "security365/one")
    assert "request" in shown.out
    assert shown.out.splitlines()[0].startswith("security365/one: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["doctor", "--provider", "elza"], "--provider elza: the stack's providers are apigateway, dsa, elsa"),
        (["doctor", "elsa/one", "--provider", "elsa"], "either a source or --provider, not both"),
    ],
)
def test_what_cannot_be_checked_is_one_sentence(on_stack: Run, words: list[str], said: str) -> None:
    outcome = on_stack(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"logarchive: {said}")
