"""The house's sizes: what a reader can take in at once. More needs a comment that says why; ruff counts parameters."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tools.layer import LAYER, trees

ROOT = Path(__file__).parents[2]
OTHERS = ("console", "functions", "verifier")
#: A class with more than eight attributes says why on its first line: `# 9 attributes: why`.
REASON = re.compile(r"# (\d+) attributes: \w")


def attributes(node: ast.ClassDef) -> set[str]:
    """Return the fields of a class, and what its methods assign to `self`."""
    fields = {
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    stored = {
        item.attr
        for item in ast.walk(node)
        if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store) and ast.unparse(item.value) == "self"
    }
    return fields | stored


def definitions[N: (ast.ClassDef, ast.FunctionDef)](kind: type[N]) -> Iterator[tuple[str, N, str]]:
    """Yield each class or function of what is not for development, with its place and its first line."""
    for path in (*LAYER.rglob("*.py"), *(path for name in OTHERS for path in (ROOT / name).rglob("*.py"))):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, kind):
                yield f"{path.relative_to(ROOT)}: {node.name}", node, text.splitlines()[node.lineno - 1]


def test_a_room_has_at_most_twelve_modules() -> None:
    rooms = [name.rpartition(".")[0] for name in trees()]
    assert {room: rooms.count(room) for room in rooms if rooms.count(room) > 12} == {}


def test_a_module_has_at_most_250_lines() -> None:
    lengths = {
        path.name: len(path.read_text().splitlines())
        for folder in (LAYER, ROOT / "console")
        for path in folder.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > 250} == {}


def test_a_function_has_at_most_40_lines() -> None:
    lengths = {place: (node.end_lineno or 0) - node.lineno + 1 for place, node, _ in definitions(ast.FunctionDef)}
    assert {place: length for place, length in lengths.items() if length > 40} == {}


def test_a_class_has_at_most_eight_attributes_or_says_why() -> None:
    sizes = {
        place: (len(attributes(node)), REASON.search(line))
        for place, node, line in definitions(ast.ClassDef)
        if "TypedDict" not in map(ast.unparse, node.bases)
    }
    assert {place: size for place, (size, reason) in sizes.items() if size > 8 and not reason} == {}
    assert [place for place, (size, reason) in sizes.items() if reason and int(reason[1]) != size] == []
