"""DynamoDB as the ledger needs it: plain values in and out, one condition that fails as an answer, not an exception."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.conditions import ConditionBase, Key
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table as DynamoTable

type Item = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """The ledger's table; every read is strongly consistent."""

    table: "DynamoTable"

    def get(self, source: str, sort: str) -> Item | None:
        """Read one item."""
        answer = self.table.get_item(Key={"source": source, "window": sort}, ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def query(self, condition: ConditionBase, **options: Any) -> Iterator[Item]:  # noqa: ANN401 (options of Query)
        """Yield the items of one source in order of their sort key, page by page."""
        start: Mapping[str, Any] = {}
        while True:
            answer = self.table.query(KeyConditionExpression=condition, ConsistentRead=True, **options, **start)
            yield from map(plain, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def first(self, condition: ConditionBase, limit: int, **options: Any) -> list[Item]:  # noqa: ANN401
        """Return at most `limit` items of one page."""
        answer = self.table.query(KeyConditionExpression=condition, ConsistentRead=True, Limit=limit, **options)
        return list(map(plain, answer["Items"]))

    def update(
        self,
        source: str,
        sort: str,
        *,
        put: Mapping[str, Any],
        add: Mapping[str, int | set[str]] | None = None,
        when: ConditionBase,
    ) -> Item | None:
        """Set (None removes) and add attributes if `when` holds; return the new item, or None if it does not hold."""
        expression, names, values = _update(put, add or {})
        try:
            answer = self.table.update_item(
                Key={"source": source, "window": sort},
                UpdateExpression=expression,
                ExpressionAttributeNames=names,
                ConditionExpression=when,
                ReturnValues="ALL_NEW",
                **({"ExpressionAttributeValues": values} if values else {}),  # type: ignore[arg-type] # optional key
            )
        except ClientError as error:
            if _code(error) in {"ConditionalCheckFailedException", "TransactionConflictException"}:
                return None
            raise
        return plain(answer["Attributes"])

    def transact(self, writes: Sequence["Write"]) -> bool:
        """Do all writes or none; False if a condition failed or another transaction was in the way."""
        try:
            self.table.meta.client.transact_write_items(
                TransactItems=[write.request(self.table.name) for write in writes]  # type: ignore[misc] # native values
            )
        except ClientError as error:
            if _code(error) == "TransactionCanceledException" and _conditions_only(error):
                return False
            raise
        return True


@dataclass(frozen=True)
class Write:
    """One write of a transaction: attributes set (None removes) and added, if `when` holds.

    `when` is a plain expression: `#name` for attributes of `put`, `add` and `seen`, `:seen_name` for values of `seen`.
    """

    source: str
    sort: str
    put: Mapping[str, Any]
    when: str = "attribute_not_exists(#source)"
    add: Mapping[str, Any] | None = None
    seen: Mapping[str, Any] | None = None

    def request(self, table: str) -> Item:
        """Return the write as TransactWriteItems takes it."""
        expression, names, values = _update(self.put, self.add or {})
        seen = self.seen or {}
        names |= {f"#{name}": name for name in seen} | ({"#source": "source"} if "#source" in self.when else {})
        values |= {f":seen_{name}": value for name, value in seen.items()}
        return {
            "Update": {
                "TableName": table,
                "Key": {"source": self.source, "window": self.sort},
                "UpdateExpression": expression,
                "ExpressionAttributeNames": names,
                **({"ConditionExpression": self.when} if self.when else {}),
                **({"ExpressionAttributeValues": values} if values else {}),
            }
        }


def source_is(source: str) -> ConditionBase:
    """Return the condition that an item belongs to `source`."""
    return Key("source").eq(source)


def _update(put: Mapping[str, Any], add: Mapping[str, Any]) -> tuple[str, dict[str, str], dict[str, Any]]:
    sets = [f"#{name} = :{name}" for name, value in put.items() if value is not None]
    removes = [f"#{name}" for name, value in put.items() if value is None]
    adds = [f"#{name} :{name}" for name in add]
    clauses = (("SET", sets), ("REMOVE", removes), ("ADD", adds))
    expression = " ".join(f"{verb} {', '.join(items)}" for verb, items in clauses if items)
    names = {f"#{name}": name for name in (*put, *add)}
    values = {f":{name}": value for name, value in (*put.items(), *add.items()) if value is not None}
    return expression, names, values


def plain(item: Mapping[str, Any]) -> Item:
    """Return an item with its numbers as int, at every depth; the ledger holds no fractions."""
    return {name: _value(value) for name, value in item.items()}


def _value(value: Any) -> Any:  # noqa: ANN401 (any DynamoDB value)
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, list):
        return list(map(_value, cast("list[Any]", value)))  # type: ignore[redundant-cast] # pyright needs it
    return plain(cast("Item", value)) if isinstance(value, dict) else value


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _conditions_only(error: ClientError) -> bool:
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    return reasons <= {None, "None", "ConditionalCheckFailed", "TransactionConflict"}
