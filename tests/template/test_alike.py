"""The template says of each provider what it says of the others, letter by letter; what is missing is told in words."""

import pytest

from tools import alike
from tools.lock import ROOT
from tools.named_query import REGION
from tools.registry import names

#: Without the saved queries, which `test_subset` looks at; every line keeps its number.
TEXT = REGION.sub(lambda found: "\n" * found[0].count("\n"), (ROOT / "template.yaml").read_text())


def test_the_template_says_of_every_provider_what_it_says_of_the_others() -> None:
    faults = [f"template.yaml: {fault}" for fault in alike.faults(TEXT, names())]
    assert not faults, "\n".join(faults)


def test_no_line_about_a_provider_can_be_left_out_or_be_about_something_else() -> None:
    """Be it a right, a variable, a search of the dashboard, or an output."""
    lines = TEXT.splitlines()
    about = [number for number, line in enumerate(lines) if alike.named(line, ["dsa"])]
    assert len(about) > 30
    for number in about:
        changed = [*lines[:number], alike.renamed(lines[number], "dsa", "other"), *lines[number + 1 :]]
        assert list(alike.faults("\n".join(changed), names())), lines[number]


@pytest.mark.parametrize(
    "told",
    [
        'no block of resources for provider "newcomer": copy what "elsa" has (ElsaFunction, ElsaRole, ',
        'no NewcomerFunctionName for provider "newcomer": copy what "elsa" has (ElsaFunctionName)',
        'Tested has no line for provider "newcomer": copy the one of "elsa"',
        'lists providers, but not "newcomer": projection.provider.values: elsa,',
        'lists providers, but not "newcomer": Resource: [!GetAtt ElsaFunction.Arn, ',
    ],
)
def test_what_is_missing_of_a_provider_is_told_in_words(told: str) -> None:
    lines = "".join(f"    - of {name}\n" for name in names())
    assert any(told in fault for fault in alike.faults(f"{TEXT}  Tested:\n{lines}", [*names(), "newcomer"]))


def test_a_block_that_differs_is_told_with_both_lines() -> None:
    changed = TEXT.replace("LogGroupName: !Sub /aws/lambda/${AWS::StackName}-dsa", "LogGroupName: dsa")
    (fault,) = alike.faults(changed, names())
    assert "is not as with \"elsa\": 'LogGroupName: dsa' in place of 'LogGroupName: !Sub /aws/lambda/" in fault


def test_one_more_provider_stands_wherever_the_others_do() -> None:
    text = alike.with_provider(TEXT, names(), "newcomer")
    assert list(alike.faults(text, [*names(), "newcomer"])) == []
    assert set(TEXT.splitlines()) - set(text.splitlines()) == {
        line for line in TEXT.splitlines() if len(alike.named(line, names())) > 1
    }
