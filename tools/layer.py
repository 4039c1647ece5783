"""Reads rooms, modules and log events of the layer from its source code."""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.lock import ROOT

LAYER = ROOT / "layers" / "shared" / "logarchive"
#: The modules that stand in no room.
GROUND = "ground"


@dataclass(frozen=True)
class Room:
    """A room of the layer: its name, its docstring, and its modules with the first sentence of each."""

    name: str
    said: str
    modules: Mapping[str, str]


@cache
def trees() -> Mapping[str, ast.Module]:
    """Return the syntax tree of every module of the layer."""
    paths = [path for path in sorted(LAYER.rglob("*.py")) if path.stem != "__init__"]
    return {_name(path): ast.parse(path.read_text()) for path in paths}


def _name(path: Path) -> str:
    return ".".join(path.relative_to(LAYER).with_suffix("").parts)


def rooms() -> list[Room]:
    """Return the rooms from the top to the ground, as the import rules in pyproject.toml order them."""
    linter: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (floors,) = (one["layers"] for one in linter["contracts"] if one.get("containers") == ["logarchive"])
    names = [name.strip() for floor in floors for name in floor.split("|")]
    return [_room(name) for name in [*(name for name in names if name not in trees()), GROUND]]


def _room(name: str) -> Room:
    said = "What every room may use." if name == GROUND else _docstring(LAYER / name / "__init__.py")
    return Room(name, said, {module: _first_line(tree) for module, tree in trees().items() if _room_of(module) == name})


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or ""


def _room_of(module: str) -> str:
    room, dot, _ = module.partition(".")
    return room if dot else GROUND


def _first_line(tree: ast.Module) -> str:
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def arrows() -> dict[str, set[str]]:
    """Return what each room imports of the others."""
    targets_of: dict[str, set[str]] = {}
    for module, tree in trees().items():
        targets_of.setdefault(_room_of(module), set()).update(map(_room_of, _imports(tree)))
    return {room: targets - {room} for room, targets in targets_of.items()}


def shortest(arrows: Mapping[str, AbstractSet[str]]) -> dict[str, set[str]]:
    """Return the arrows without those whose target a longer path reaches too. There must be no circle."""

    @cache
    def reached(room: str) -> frozenset[str]:
        return frozenset(arrows[room]).union(*map(reached, arrows[room]))

    return {
        room: {one for one in targets if not any(one in reached(other) for other in targets)}
        for room, targets in arrows.items()
    }


def _imports(tree: ast.Module) -> set[str]:
    return {name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in _named(node)}


def _named(node: ast.ImportFrom) -> Iterator[str]:
    package, _, name = (node.module or "").partition(".")
    if package == "logarchive":
        yield from [name] if name in trees() else [f"{name}.{alias.name}".strip(".") for alias in node.names]


def log_events() -> dict[str, set[str]]:
    """Return the names of the log events, each with its keys; a name that is put together at run time ends in `*`."""
    events: dict[str, set[str]] = {}
    nodes = (node for tree in trees().values() for node in ast.walk(tree))
    for function in (node for node in nodes if isinstance(node, ast.FunctionDef)):
        for call in _calls(function, "log"):
            if name := _event(call.args[0]):
                events.setdefault(name, set()).update(_keys(call, function))
    return events


def _calls(within: ast.AST, method: str) -> Iterator[ast.Call]:
    for node in ast.walk(within):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == method
            and node.args
        ):
            yield node


def _event(node: ast.expr) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return f"{_text(node.values[0])}*"
    return _text(node)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _keys(call: ast.Call, function: ast.FunctionDef) -> Iterator[str]:
    """Yield the keys of a call; for `**name`, those of the dictionary of that name in the same function."""
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg
        else:
            yield from _written(ast.unparse(keyword.value), function)


def _written(name: str, function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name and isinstance(node.value, ast.Dict):
            yield from (key for key in map(_text, filter(None, node.value.keys)) if key)
