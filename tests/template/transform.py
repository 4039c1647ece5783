"""The template as CloudFormation would see it: SAM's own transform, then what conditions and functions amount to."""

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from tools.lock import ROOT

#: Run by the interpreter of the SAM CLI, which brings the transform.
_TRANSFORM = """
import json, sys
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
class Policies:
    def load(self):
        return {}
plain, packaged = (yaml_parse(open("template.yaml").read()) for _ in range(2))
for resource in packaged["Resources"].values():
    for name in {"CodeUri", "ContentUri"} & set(resource.get("Properties", {})):
        resource["Properties"][name] = "s3://bucket/key"
print(json.dumps([plain, transform(packaged, {}, Policies())]))
"""
ACCOUNT, REGION = "111122223333", "ap-northeast-2"
STACK_ID = "51af3dc0-da77-11e4-872e-1234567db123"


@cache
def _parsed() -> tuple[dict[str, Any], dict[str, Any]]:
    done = subprocess.run(
        [ROOT / ".tools" / "sam" / "bin" / "python", "-c", _TRANSFORM],
        cwd=ROOT, env={"AWS_DEFAULT_REGION": REGION}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    written, transformed = json.loads(done.stdout)
    return written, transformed


def written() -> dict[str, Any]:
    """Return the template as it stands in the file, short forms of functions spelt out."""
    return _parsed()[0]


def transformed() -> dict[str, Any]:
    """Return the template after SAM's transform."""
    return _parsed()[1]


@dataclass
class Deployed:
    """The resources of a stack with these parameters, every function of the template resolved."""

    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    stack: str = "logarchive"

    def __post_init__(self) -> None:
        declared = transformed()["Parameters"].items()
        self._values: dict[str, Any] = {
            name: str(self.parameters.get(name, item.get("Default", ""))) for name, item in declared
        }
        for name, item in declared:
            if item["Type"] == "CommaDelimitedList":
                self._values[name] = self._values[name].split(",")
        pseudo = {"Partition": "aws", "Region": REGION, "AccountId": ACCOUNT, "URLSuffix": "amazonaws.com"}
        self._values |= {f"AWS::{name}": value for name, value in pseudo.items()} | {"AWS::StackName": self.stack}
        self._values["AWS::StackId"] = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.stack}/{STACK_ID}"
        conditions: dict[str, Any] = transformed()["Conditions"]
        self._conditions = {name: bool(self.resolve(rule)) for name, rule in conditions.items()}
        self.resources: dict[str, dict[str, Any]] = {
            name: item
            for name, item in transformed()["Resources"].items()
            if self._conditions.get(item.get("Condition", ""), True)
        }

    def properties(self, name: str) -> dict[str, Any]:
        resolved: dict[str, Any] = self.resolve(self.resources[name].get("Properties", {}))
        return resolved

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: self.properties(name) for name, item in self.resources.items() if item["Type"] == kind}

    def functions(self) -> dict[str, dict[str, Any]]:
        return self.of_type("AWS::Lambda::Function")

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            items = [self.resolve(item) for item in cast("list[Any]", value)]  # type: ignore[redundant-cast] # pyright needs it
            return [item for item in items if item is not None]
        if not isinstance(value, dict):
            return value
        mapping = cast("dict[str, Any]", value)
        name = next(iter(mapping), "")
        if len(mapping) == 1 and name in _FUNCTIONS:
            return _FUNCTIONS[name](self, mapping[name])
        found: dict[str, Any] = {name: self.resolve(item) for name, item in mapping.items()}
        return {name: item for name, item in found.items() if item is not None}

    def ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return None
        if name in self._values:
            return self._values[name]
        topic = transformed()["Resources"][name]["Type"] == "AWS::SNS::Topic"  # whose name is its ARN
        return self.attribute(name, "Arn") if topic else self._named(name)

    def _named(self, resource: str) -> str:
        """Return a name as CloudFormation might choose it; that of a function tells its provider."""
        return f"{self.stack}-{resource.removesuffix('Function').lower()}"

    def attribute(self, resource: str, attribute: str) -> Any:
        item = transformed()["Resources"][resource]
        if attribute == "Value":
            return self.resolve(item["Properties"]["Value"])
        if attribute.endswith("Name"):
            return self._named(resource)
        service, form = _ARNS[item["Type"]]
        where = {"s3": ":", "iam": f":{ACCOUNT}"}.get(service, f"{REGION}:{ACCOUNT}")
        return f"arn:aws:{service}:{where}:{form}{self._named(resource)}"

    def substituted(self, value: str | list[Any]) -> str:
        """Return a text with its names replaced; those of a mapping that comes with it, too."""
        text, own = (value, dict[str, Any]()) if isinstance(value, str) else (value[0], self.resolve(value[1]))
        found = ""
        while "${" in text:
            before, _, rest = text.partition("${")
            name, _, text = rest.partition("}")
            resource, _, attribute = name.partition(".")
            if name.startswith("!"):
                found += f"{before}${{{name[1:]}}}"
            else:
                known = self.attribute(resource, attribute) if attribute else own.get(name) or self.ref(name)
                found += f"{before}{known}"
        return found + text

    @staticmethod
    def mapped(name: str, first: str, second: str) -> Any:
        return transformed()["Mappings"][name][first][second]

    def holds(self, condition: str) -> bool:
        return bool(self.resolve(transformed()["Conditions"][condition]))

    def chosen(self, arguments: list[Any]) -> Any:
        return self.resolve(arguments[1] if self._conditions[arguments[0]] else arguments[2])


_ARNS = {
    "AWS::S3::Bucket": ("s3", ""),
    "AWS::DynamoDB::Table": ("dynamodb", "table/"),
    "AWS::Lambda::Function": ("lambda", "function:"),
    "AWS::SQS::Queue": ("sqs", ""),
    "AWS::SNS::Topic": ("sns", ""),
    "AWS::KMS::Key": ("kms", "key/"),
    "AWS::IAM::Role": ("iam", "role/"),
    "AWS::Logs::LogGroup": ("logs", "log-group:"),
}


def _pair(value: Any) -> tuple[str, str]:
    resource, attribute = value.split(".") if isinstance(value, str) else value
    return resource, attribute


_FUNCTIONS: Mapping[str, Callable[[Deployed, Any], Any]] = {
    "Ref": Deployed.ref,
    "Fn::GetAtt": lambda stack, value: stack.attribute(*_pair(value)),
    "Fn::Sub": Deployed.substituted,
    "Fn::If": Deployed.chosen,
    "Fn::Equals": lambda stack, value: str(stack.resolve(value[0])) == str(stack.resolve(value[1])),
    "Fn::Not": lambda stack, value: not stack.resolve(value[0]),
    "Condition": lambda stack, value: stack.holds(value),
    "Fn::And": lambda stack, value: all(stack.resolve(item) for item in value),
    "Fn::Or": lambda stack, value: any(stack.resolve(item) for item in value),
    "Fn::Split": lambda stack, value: str(stack.resolve(value[1])).split(value[0]),
    "Fn::Select": lambda stack, value: stack.resolve(value[1])[int(value[0])],
    "Fn::FindInMap": lambda stack, value: stack.mapped(*map(stack.resolve, value)),
    "Fn::Contains": lambda stack, value: stack.resolve(value[1]) in stack.resolve(value[0]),
    "Fn::EachMemberEquals": lambda stack, value: all(item == value[1] for item in stack.resolve(value[0])),
}
