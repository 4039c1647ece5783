"""The parameters of the template, read from the template."""

from typing import Any

import yaml

from tools.lock import ROOT


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's YAML; tags such as `!Ref` are ignored."""


def _untagged(_loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
    return node.value


_Loader.add_multi_constructor("!", _untagged)


def parameters() -> dict[str, dict[str, Any]]:
    """Return the template's parameters in order."""
    template: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), _Loader)  # noqa: S506 (a SafeLoader)
    declared: dict[str, dict[str, Any]] = template["Parameters"]
    return declared


def rows() -> list[list[str]]:
    """Return name, default, choices and meaning of each parameter."""
    return [[f"`{name}`", _default(item), _choices(item), item["Description"]] for name, item in parameters().items()]


def _default(item: dict[str, Any]) -> str:
    return f"`{item['Default']}`" if item["Default"] != "" else "empty"


def _choices(item: dict[str, Any]) -> str:
    return ", ".join(f"`{value}`" for value in item.get("AllowedValues", []))
