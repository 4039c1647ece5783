"""The subset of Athena's SQL that saved queries may use: what DuckDB, which tests them, was seen to compute alike.

Everything else is a fault, above all what runs in both with different results.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlglot import exp

from console.core.saved_query import SavedQuery
from logarchive.column.schema import COLUMNS
from logarchive.coverage.window_table import WINDOW_COLUMNS

TABLE, PARTITIONS = "logs", ("provider", "date")
#: Table -> its columns.
TABLES = {TABLE: {*COLUMNS, *PARTITIONS}, "windows": set(WINDOW_COLUMNS)}
FUNCTIONS = {
    *("AND", "OR", "CASE", "CAST", "COALESCE", "IF", "LOWER", "UPPER"),
    *("AVG", "COUNT", "COUNT_IF", "MAX", "MIN", "ROUND", "SUM"),
    *("CURRENT_TIMESTAMP", "TIME_TO_STR", "TIMESTAMP_TRUNC"),  # date_format and date_trunc
    "JSON_EXTRACT_SCALAR",  # of a scalar: of an array the two differ, which no tree shows
}
#: Why a function is outside the subset where that is not obvious, by sqlglot's name.
WHY = {
    "APPROX_QUANTILE": "approx_percentile: one of the two interpolates",
    "DATEDIFF": "date_diff: one counts full units, the other boundaries",
    "DATE_ADD": "date_add: of a date it is a timestamp to one of the two",
    "REGEXP_REPLACE": "regexp_replace: groups are written differently",
    "SUBSTRING": "substr: position 0 differs",
    "TRY": "try: a division by zero is no error to one of the two",
    "TRY_CAST": "try_cast: what is no number differs",
    "UNNEST": "unnest: of a map it runs in one only",
}
TYPES = {exp.DataType.Type.DOUBLE, exp.DataType.Type.VARCHAR}

#: A part of a statement, whether it means the same to both, and why it does not otherwise.
RULES: tuple[tuple[type[exp.Expr], Callable[[Any], object], str], ...] = (
    (exp.Bracket, lambda node: node.args.get("safe"), "an error where there is no such key; use element_at"),
    (exp.AtTimeZone, lambda _: False, "a time without a zone moves the other way; stay in UTC"),
    # Division of integers differs, and a literal such as 100.0 is a decimal of one digit.
    (exp.Div, lambda node: any(map(_is_double, node.walk())), "divide doubles, as in 1e2 * a / b"),
    (exp.Literal, lambda node: node.is_string or "." not in node.name, "a decimal, cut to its scale; write 1e2"),
    (exp.Cast, lambda node: node.to.this in TYPES, "cast to double or varchar; '1.5' is an integer to one of the two"),
    (
        exp.Interval,
        lambda node: isinstance(node.parent, exp.Sub) and isinstance(node.parent.this, exp.CurrentTimestamp),
        "only of current_timestamp",
    ),
)


def faults(query: SavedQuery) -> list[str]:
    """Return everything in a saved query that is outside the subset."""
    tree = query.tree()
    select = tree.expression if isinstance(tree, exp.Create) and tree.kind == "VIEW" else tree
    if not isinstance(select, exp.Select):
        return ["it is neither a SELECT nor a view of one"]
    outside = [
        f"{node.sql('athena')}: {why}" for kind, same, why in RULES for node in select.find_all(kind) if not same(node)
    ]
    about_all = _view(query, tree, select) if select is not tree else _days(select)
    return [*outside, *_functions(select), *_names(select), *_provider(select), *about_all]


def _functions(tree: exp.Expr) -> Iterator[str]:
    for node in tree.find_all(exp.Func):
        name = node.name.upper() if isinstance(node, exp.Anonymous) else node.sql_name()
        if name not in FUNCTIONS:
            yield WHY.get(name, f"{name.lower()}: not seen to mean the same")


def _is_double(node: exp.Expr) -> bool:
    if isinstance(node, exp.Literal):
        return not node.is_string and "e" in node.name.lower()
    return isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.DOUBLE


def _names(tree: exp.Expr) -> Iterator[str]:
    tables = _tables(tree)
    if len(tables) != 1 or not tables <= set(TABLES):
        yield f"it reads {sorted(tables)}, not one of {', '.join(TABLES)}"
    stars = [star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    if stars or not all(select.expressions for select in tree.find_all(exp.Select)):
        yield "it must name the columns that it selects"
    columns = set[str]().union(*(TABLES.get(table, set()) for table in tables))
    known = {*columns, *(alias.alias for alias in tree.find_all(exp.Alias))}
    for column in tree.find_all(exp.Column):
        if column.name not in known:
            yield f"{column.name}: no such column"


def _tables(tree: exp.Expr) -> set[str]:
    return {table.sql("athena", comments=False) for table in tree.find_all(exp.Table)}


def _provider(tree: exp.Expr) -> Iterator[str]:
    if TABLE in _tables(tree) and not any(_is_chosen(one) for one in _required(tree)):
        yield "it must name its providers: WHERE provider = '…', or IN"


def _is_chosen(condition: exp.Expr) -> bool:
    values = condition.expressions if isinstance(condition, exp.In) else [condition.args.get("expression")]
    literal = all(isinstance(value, exp.Literal) and value.is_string for value in values) and bool(values)
    return isinstance(condition, exp.EQ | exp.In) and condition.this.name == "provider" and literal


def _required(tree: exp.Expr) -> list[exp.Expr]:
    """Return the conditions that must all hold."""
    where = tree.args.get("where")
    return list(where.this.flatten()) if where and isinstance(where.this, exp.And) else [where.this] if where else []


def _days(tree: exp.Expr) -> Iterator[str]:
    if not any(isinstance(one, exp.GTE) and one.this.sql("athena") == '"date"' for one in _required(tree)):
        yield 'it must say from which day on: WHERE "date" >= …'


def _view(query: SavedQuery, tree: exp.Expr, select: exp.Select) -> Iterator[str]:
    name = tree.this.name
    if name != query.path.stem:
        yield f"the view {name} stands in the file of {query.path.stem}"
    if f"provider = '{name}'" not in [one.sql("athena") for one in _required(select)]:
        yield f"the view {name} must be of the provider {name}"
    if "date" not in select.named_selects:
        yield 'it must select "date": who asks the view names days by it'
