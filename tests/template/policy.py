"""What IAM would say, as far as our policies go: wildcards, the principal's tags, some kinds of conditions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tests.template.transform import Deployed


@dataclass(frozen=True)
class Request:
    """One thing that a caller wants to do: an action on a resource, and what the conditions look at."""

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] | None = None


@dataclass(frozen=True)
class Role:
    """A role with everything that is attached to it."""

    tags: Mapping[str, str]
    statements: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, stack: Deployed, name: str) -> "Role":
        properties = stack.properties(name)
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        documents = [item["PolicyDocument"] for item in properties.get("Policies", [])]
        managed = stack.resources[name]["Properties"].get("ManagedPolicyArns", [])
        documents += [stack.properties(item["Ref"])["PolicyDocument"] for item in managed]
        documents += [
            item["PolicyDocument"]
            for item in stack.of_type("AWS::IAM::Policy").values()
            if stack.ref(name) in item["Roles"]
        ]
        return cls(tags, [statement for document in documents for statement in document["Statement"]])

    def allows(self, request: Request) -> bool:
        return self.effects(request) == {"Allow"}

    def effects(self, request: Request) -> set[str]:
        effects = {statement["Effect"] for statement in self.statements if self._matches(statement, request)}
        assert effects <= {"Allow", "Deny"}
        return effects

    def actions(self) -> set[str]:
        allowed = (statement for statement in self.statements if statement["Effect"] == "Allow")
        return {action for statement in allowed for action in listed(statement["Action"])}

    def _matches(self, statement: Mapping[str, Any], request: Request) -> bool:
        return (
            any(_like(action, request.action) for action in listed(statement["Action"]))
            and any(_like(self._spelt(one), request.resource) for one in listed(statement["Resource"]))
            and all(self._holds(*condition, request.context or {}) for condition in _conditions(statement))
        )

    def _holds(
        self, operator: str, key: str, wanted: Sequence[str], context: Mapping[str, str | Sequence[str]]
    ) -> bool:
        values = listed(context.get(key, []))
        if operator == "Null":
            return listed(str(not values).lower()) == wanted
        if not values:
            return operator.startswith("ForAllValues:") or operator == "ArnNotEquals"
        if operator == "NumericLessThanEquals":
            return all(float(one) <= float(value) for one in values for value in wanted)
        kind = operator.removeprefix("ForAllValues:")
        assert kind in {"StringLike", "StringEquals", "ArnLike", "ArnNotEquals", "Bool"}
        assert kind in {"StringLike", "ArnLike"} or not any("*" in value for value in wanted)
        found = all(any(_like(self._spelt(value), one) for value in wanted) for one in values)
        return found is (kind != "ArnNotEquals")

    def _spelt(self, text: str) -> str:
        for name, value in self.tags.items():
            text = text.replace(f"${{aws:PrincipalTag/{name}}}", value)
        assert "${" not in text, text
        return text


def listed(value: Any) -> list[str]:
    return cast("list[str]", value if isinstance(value, list) else [value])


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            yield operator, key, listed(wanted)


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None
