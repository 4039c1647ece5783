from typing import Any

import pytest

from logarchive.action.handler import act
from logarchive.checkup.description import described as fields_of
from logarchive.provider.secret import Key, Secret
from logarchive.runtime.metric import Tally
from tests.scenario import HOUR, MINUTE, START, Scenario
from tools.registry import providers

DOCUMENT: dict[str, Any] = {"secret": "la/ncloud/one", "project_key": "p", "project_id": 1}


def described(scenario: Scenario, **fields: object) -> dict[str, Any]:
    return act(scenario.archive(), {"action": "describe", **fields})


def test_the_fields_of_source_and_secret_are_described_and_where_the_secret_belongs() -> None:
    result = described(Scenario([]))
    assert result["source"]["project_id"] == {
        "description": "the project's number", "type": "integer", "minimum": 0, "exclusiveMaximum": 2**63,
        "required": True,
    }  # fmt: skip
    assert (result["source"]["window"]["default"], result["source"]["window"]["required"]) == ("PT1H", False)
    assert {name: field["required"] for name, field in result["secret"].items()} == {
        "access_key": True, "secret_key": True,
    }  # fmt: skip
    assert (result["secret_prefix"], result["errors"]) == ("la/ncloud/", [])


@pytest.mark.parametrize("name", providers())
def test_every_field_has_a_description_and_none_leads_elsewhere(name: str) -> None:
    result = described(Scenario([], provider=providers()[name]))
    for field in (*result["source"].values(), *result["secret"].values()):
        assert field["description"]
        assert not {"$ref", "title"} & field.keys()


def test_an_optional_field_has_the_type_to_which_it_refers() -> None:
    class Keys(Secret):
        needed: Key
        optional: Key | None = None

    fields = fields_of(Keys)
    assert {**fields["optional"]["anyOf"][0], "required": True, "title": "Needed"} == {
        **fields["needed"], "title": "Needed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "begins"),
    [
        ({}, {"begin": "2026-11-20T05:00:00Z", "reason": "first_tick", "windows": 0}),
        ({"retention": "P2D"}, {"begin": "2026-11-18T06:00:00Z", "reason": "retention", "windows": 47}),
        ({"start": "2026-11-20T03:30:00Z"}, {"begin": "2026-11-20T03:30:00Z", "reason": "start", "windows": 2}),
        ({"retention": "P30D"}, {"begin": "2026-11-01T00:00:00Z", "reason": "archive_from", "windows": 461}),
    ],
)
def test_a_good_document_says_from_when_on_it_would_be_archived(
    changed: dict[str, Any], begins: dict[str, Any]
) -> None:
    scenario = Scenario([], now=START + 5 * HOUR + MINUTE, archive_from=START - 19 * 24 * HOUR)
    result = described(scenario, source="new", document=DOCUMENT | changed)
    assert (result["errors"], result["begins"]) == ([], begins)
    assert described(scenario, document=DOCUMENT | {"window": "1h"})["begins"] is None


def test_of_a_name_in_use_only_the_time_that_is_not_planned_yet_is_counted() -> None:
    scenario = Scenario([], source={"window": "PT1H", "revisit": []}, now=START + 5 * HOUR)
    scenario.tick()
    scenario.now += 3 * HOUR
    document = DOCUMENT | {"start": "2026-11-19T22:00:00Z"}
    begins = described(scenario, source="shop", document=document)["begins"]
    assert begins == {"begin": "2026-11-19T22:00:00Z", "reason": "start", "windows": 5}


def test_without_a_name_a_document_is_compared_with_no_source_that_is_called_so() -> None:
    scenario = Scenario([])
    scenario.sources = {"new": DOCUMENT}
    scenario.tick()
    assert described(scenario, document=DOCUMENT | {"project_id": 2})["errors"] == []


def test_what_the_model_fills_in_by_itself_is_not_required() -> None:
    source = described(Scenario([], provider=providers()["dsa"]))["source"]
    assert [name for name, field in source.items() if field["required"]] == ["secret", "api", "hosts"]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({}, None),
        ({"project_idd": 1}, "project_idd: unknown field; did you mean project_id?"),
        ({"secret": "other"}, "secret: the name does not start with la/ncloud/ or la/elsa/"),
        ({"window": "PT1H", "start": "2026-11-20T00:00:00.5Z"}, "start: "),
    ],
)
def test_a_document_is_checked_and_nothing_is_counted_or_changed(changed: dict[str, Any], error: str | None) -> None:
    scenario, tally = Scenario([]), Tally()
    archive = scenario.archive(count=tally)
    result = act(archive, {"action": "describe", "source": "new", "document": DOCUMENT | changed})
    assert [one["error"].startswith(error) for one in result["errors"]] == ([True] if error else [])
    assert not tally.total
    assert not scenario.table.items


def test_a_document_of_another_project_under_a_name_in_use_is_an_error() -> None:
    scenario = Scenario([])
    scenario.tick()
    result = described(scenario, source="shop", document=DOCUMENT | {"project_id": 2})
    assert result["errors"] == [
        {
            "source": "shop",
            "error": 'this name already archives "p/1"; use a new source name for another project, account or address',
        }
    ]
