"""The ledger's table, read only: the windows of a range, whose progress a command shows."""

from collections.abc import Generator
from typing import Any, cast

from boto3.dynamodb.conditions import Key

from console.account.stack import SourceName, Stack
from console.core.window import Span, Window, instant, leaves

#: The keys of windows begin with a digit.
_FIRST = "0"
#: So many windows are read at once where mostly one is enough.
_FEW = 10


def windows(stack: Stack, source: SourceName, span: Span) -> list[Window]:
    """Return the windows of a source that overlap a range, in the order of time."""
    # Windows do not overlap: of those that begin before the range, at most the newest that is not split reaches into
    # it. It is read first: if it is split meanwhile, its halves are read besides.
    earlier = _read(stack, source, _FIRST, instant(span.start), newest_first=True)
    before = next((one for one in earlier if one.state != "split"), None)
    within = _read(stack, source, instant(span.start), instant(span.end))
    found = leaves([*([before] if before else []), *within])
    return [one for one in found if one.span.start < span.end and one.span.end > span.start]


def _read(stack: Stack, source: SourceName, first: str, last: str, *, newest_first: bool = False) -> Generator[Window]:
    """Yield the windows whose keys lie between two texts. A window's key is longer than the instant it begins with."""
    table = stack.clients.table(stack.outputs["LedgerTableName"])
    condition = Key("source").eq(_partition(source)) & Key("window").between(first, last)
    # Whoever asks for the newest first needs only a few.
    more: dict[str, Any] = {"Limit": _FEW} if newest_first else {}
    while True:
        page = table.query(
            KeyConditionExpression=condition, ConsistentRead=True, ScanIndexForward=not newest_first, **more
        )
        yield from (Window.of_item(cast("dict[str, Any]", item)) for item in page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _partition(source: SourceName) -> str:
    return f"{source.provider}#{source.name}"
