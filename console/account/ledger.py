"""The ledger's table, read only: the windows of a source, and which sources it has ever held."""

from typing import Any, cast

from boto3.dynamodb.conditions import Key

from console.account.stack import SourceName, Stack
from console.core.window import Span, Window, leaves

#: The keys of windows begin with a digit; `:` is the character after 9.
_FIRST, _BEHIND = "0", ":"


def windows(stack: Stack, source: SourceName, span: Span | None = None) -> list[Window]:
    """Return the windows of a source in the order of time: all of them, or those that overlap a range."""
    table = stack.clients.table(stack.outputs["LedgerTableName"])
    condition = Key("source").eq(f"{source.provider}#{source.name}") & Key("window").between(_FIRST, _BEHIND)
    found: list[Window] = []
    more: dict[str, Any] = {}
    while True:
        page = table.query(KeyConditionExpression=condition, ConsistentRead=True, **more)
        found += [Window.of_item(cast("dict[str, Any]", item)) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return [one for one in leaves(found) if span is None or (one.span.start < span.end and one.span.end > span.start)]


def planned(stack: Stack, source: SourceName) -> Span | None:
    """Return the time of a source that its function has planned without a gap; None before its first tick."""
    table = stack.clients.table(stack.outputs["LedgerTableName"])
    item = table.get_item(Key={"source": f"{source.provider}#{source.name}", "window": "#head"}).get("Item")
    return Span.between(str(item["begin"]), str(item["cursor"])) if item and item["begin"] != item["cursor"] else None


def sources(stack: Stack) -> list[SourceName]:
    """Return all sources that the ledger has ever held."""
    table = stack.clients.table(stack.outputs["LedgerTableName"])
    found: list[SourceName] = []
    for provider in stack.providers:
        item = table.get_item(Key={"source": f"{provider}#", "window": "#sources"}).get("Item", {})
        names = cast("set[str]", item.get("names", set[str]()))
        found += [SourceName(provider, name) for name in sorted(names)]
    return found
