"""What can be changed in a module: each mutant is its syntax tree with one node replaced."""

import ast
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
#: Whether a call is ordered is a decision, though its keyword could be left out without an error.
_ORDER = {"key", "reverse"}
#: Types are no decisions; decorators and defaults take effect where a function is made, before it is changed.
_SKIPPED = {"annotation", "returns", "type_params", "type_comment", "decorator_list", "defaults", "kw_defaults"}


@dataclass(frozen=True)
class Mutant:
    """One change: what stands at a place of the tree becomes another node."""

    path: Path
    #: The outermost function it lies in, with its classes, or the constant of the module.
    function: str
    constant: str
    line: int
    #: What is changed into what: the name of the mutant within its function.
    text: str
    tree: ast.Module = field(repr=False)
    put: Callable[[], None] = field(repr=False)

    @property
    def place(self) -> tuple[str, str]:
        """The function by its file and name."""
        return str(self.path), self.function

    def concerns(self, entered: Collection[tuple[str, str]]) -> bool:
        """Return whether a test that enters these functions could see it."""
        return self.place in entered if self.function else any(path == str(self.path) for path, _ in entered)

    def apply(self) -> ast.Module:
        """Change the tree, for good."""
        self.put()
        return ast.fix_missing_locations(self.tree)


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a module's functions and constants."""
    tree = ast.parse(path.read_text())
    known: Counter[tuple[str, str]] = Counter()
    for function, constant, scope in _scopes(tree.body, ""):
        for parent, name, index, node in _nodes(scope):
            for changed in _changes(node, parent):
                if constant and isinstance(getattr(changed, "value", None), bool):
                    continue  # the settings of a model take effect where its class is made
                text = f"{ast.unparse(node).splitlines()[0]} -> {ast.unparse(changed).splitlines()[0]}"
                known[function + constant, text] += 1
                number = known[function + constant, text]
                text += f" ({number})" if number > 1 else ""
                put = partial(_put, parent, name, index, changed)
                yield Mutant(path, function, constant, getattr(node, "lineno", 0), text, tree, put)


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    ast.copy_location(node, parent)
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _scopes(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, str, ast.AST]]:
    """Yield functions and constants: the function's name, or the constant's, and the node."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name):
                yield prefix + name, "", node
            case ast.ClassDef(name=name):
                yield from _scopes(node.body, f"{prefix}{name}.")
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)) if not prefix:
                yield "", name, node
            case _:
                continue


def _nodes(parent: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield each node below another, with its parent and its place there."""
    for name, value in ast.iter_fields(parent):
        if name in _SKIPPED:
            continue
        if isinstance(value, ast.AST):
            yield parent, name, None, value
            yield from _nodes(value)
        elif isinstance(value, list):
            for index, node in enumerate(cast("list[object]", value)):
                if isinstance(node, ast.AST):
                    yield parent, name, index, node
                    yield from _nodes(node)


def _changes(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in place of a node."""
    if isinstance(node, ast.stmt):
        yield from _statement(node, parent)
    elif isinstance(node, ast.expr):
        yield from _expression(node)
        tested = isinstance(parent, ast.If | ast.While | ast.IfExp) and parent.test is node
        chosen = isinstance(parent, ast.comprehension) and node in parent.ifs
        if (tested or chosen) and not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield ast.UnaryOp(ast.Not(), node)


def _statement(node: ast.stmt, parent: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Expr(value=ast.Constant()):
            return  # a docstring
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Return() if not isinstance(parent, ast.FunctionDef):
            yield ast.Pass()
        case _:
            return


def _expression(node: ast.expr) -> Iterator[ast.AST]:  # noqa: C901 (a table of cases)
    match node:
        case ast.Compare(left, ops, comparators):
            for at, operator in enumerate(ops):
                for other in _COMPARISONS[type(operator)]:
                    yield ast.Compare(left, [*ops[:at], other(), *ops[at + 1 :]], comparators)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, ast.BitAnd() | ast.BitOr(), right):
            yield from (left, right)
        case ast.BinOp(left, operator, right) if type(operator) in _OPERATORS:
            yield ast.BinOp(left, _OPERATORS[type(operator)](), right)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Call(ast.Name(name), arguments, keywords) if name in _CALLS:
            yield ast.Call(ast.Name(_CALLS[name]), arguments, keywords)
        case ast.Call(function, arguments, keywords) if {one.arg for one in keywords} & _ORDER:
            yield ast.Call(function, arguments, [one for one in keywords if one.arg not in _ORDER])
        case _:
            return
