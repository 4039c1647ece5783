"""The subset of Athena's SQL that saved queries may use: what DuckDB, which tests them, was seen to compute alike.

Everything else is a fault, above all what runs in both with different results.
"""

from collections.abc import Callable, Iterator

from sqlglot import exp

from logarchive.column.schema import COLUMNS
from tools.query import SavedQuery

TABLE, PARTITIONS = "logs", ("provider", "date")
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

type Tree = exp.Expr
type Rule = Callable[[Tree], Iterator[str]]


def faults(query: SavedQuery) -> list[str]:
    """Return everything in a saved query that is outside the subset."""
    tree = query.tree()
    select = tree.expression if isinstance(tree, exp.Create) and tree.kind == "VIEW" else tree
    if not isinstance(select, exp.Select):
        return ["it is neither a SELECT nor a view of one"]
    outside = [fault for rule in RULES for fault in rule(select)]
    return outside + list(_view(query, tree, select) if select is not tree else _days(select))


def _functions(tree: Tree) -> Iterator[str]:
    for node in tree.find_all(exp.Func):
        name = node.name.upper() if isinstance(node, exp.Anonymous) else node.sql_name()
        if name not in FUNCTIONS:
            yield WHY.get(name, f"{name.lower()}: not seen to mean the same")


def _lookups(tree: Tree) -> Iterator[str]:
    for node in tree.find_all(exp.Bracket):
        if not node.args.get("safe"):
            yield f"{node.sql('athena')}: an error where there is no such key; use element_at"


def _zones(tree: Tree) -> Iterator[str]:
    for node in tree.find_all(exp.AtTimeZone):
        yield f"{node.sql('athena')}: a time without a zone moves the other way; stay in UTC"


def _divisions(tree: Tree) -> Iterator[str]:
    """Division of integers differs, and a literal such as 100.0 is a decimal of one digit."""
    for node in tree.find_all(exp.Div):
        if not any(_is_double(one) for one in (*node.find_all(exp.Literal), *node.find_all(exp.Cast))):
            yield f"{node.sql('athena')}: divide doubles, as in 1e2 * a / b"
    for literal in tree.find_all(exp.Literal):
        if not literal.is_string and "." in literal.name:
            yield f"{literal.name}: a decimal, cut to its scale; write 1e2"


def _is_double(node: exp.Expr) -> bool:
    if isinstance(node, exp.Literal):
        return not node.is_string and "e" in node.name.lower()
    return isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.DOUBLE


def _casts(tree: Tree) -> Iterator[str]:
    for node in tree.find_all(exp.Cast):
        if node.to.this not in TYPES:
            yield f"{node.sql('athena')}: cast to double or varchar; '1.5' is an integer to one of the two"


def _intervals(tree: Tree) -> Iterator[str]:
    for node in tree.find_all(exp.Interval):
        if not isinstance(node.parent, exp.Sub) or not isinstance(node.parent.this, exp.CurrentTimestamp):
            yield f"{node.sql('athena')}: only of current_timestamp"


def _names(tree: Tree) -> Iterator[str]:
    tables = {table.sql("athena") for table in tree.find_all(exp.Table)}
    if tables != {TABLE}:
        yield f"it reads {sorted(tables)}, not {TABLE}"
    selects = list(tree.find_all(exp.Select))
    if any(not select.expressions for select in selects) or list(tree.find_all(exp.Star)) != list(_counted(tree)):
        yield "it must name the columns that it selects"
    known = {*COLUMNS, *PARTITIONS, *(alias.alias for alias in tree.find_all(exp.Alias))}
    for column in tree.find_all(exp.Column):
        if column.name not in known:
            yield f"{column.name}: no such column"


def _counted(tree: Tree) -> Iterator[exp.Expr]:
    return (star for star in tree.find_all(exp.Star) if isinstance(star.parent, exp.Count))


def _provider(tree: Tree) -> Iterator[str]:
    if not any(_is_chosen(one) for one in _required(tree)):
        yield "it must name its providers: WHERE provider = '…', or IN"


def _is_chosen(condition: exp.Expr) -> bool:
    values = condition.expressions if isinstance(condition, exp.In) else [condition.args.get("expression")]
    literal = all(isinstance(value, exp.Literal) and value.is_string for value in values) and bool(values)
    return isinstance(condition, exp.EQ | exp.In) and condition.this.name == "provider" and literal


def _required(tree: Tree) -> list[exp.Expr]:
    """Return the conditions that must all hold."""
    where = tree.args.get("where")
    return list(where.this.flatten()) if where and isinstance(where.this, exp.And) else [where.this] if where else []


def _days(tree: Tree) -> Iterator[str]:
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


RULES: tuple[Rule, ...] = (
    _functions,
    _lookups,
    _zones,
    _divisions,
    _casts,
    _intervals,
    _names,
    _provider,
)
