"""DynamoDB as the ledger needs it: plain values in and out; a condition that fails is a result, not an exception."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table as DynamoTable

type Item = dict[str, Any]
type Operator = Literal["=", "<", "<=", ">", "between", "begins with", "exists", "absent", "absent or <="]

#: {0} is the attribute, {1} and {2} are values.
_EXPRESSIONS: Mapping[Operator, str] = {
    "=": "{0} = {1}",
    "<": "{0} < {1}",
    "<=": "{0} <= {1}",
    ">": "{0} > {1}",
    "between": "{0} BETWEEN {1} AND {2}",
    "begins with": "begins_with({0}, {1})",
    "exists": "attribute_exists({0})",
    "absent": "attribute_not_exists({0})",
    "absent or <=": "(attribute_not_exists({0}) OR {0} <= {1})",
}


#: Whoever reads backwards needs the last few items.
BACKWARDS_PAGE = 4
#: DynamoDB reads so many items at once.
MOST_KEYS = 100


@dataclass(frozen=True)
class Term:
    """A comparison of one attribute of an item with values."""

    name: str
    operator: Operator
    values: tuple[Any, ...]


#: Terms that must all hold.
type Condition = tuple[Term, ...]


def where(name: str, operator: Operator, *values: Any) -> Condition:  # noqa: ANN401 (any DynamoDB value)
    """Return a condition on one attribute."""
    return (Term(name, operator, values),)


def equal(**attributes: Any) -> Condition:  # noqa: ANN401 (any DynamoDB value)
    """Return the condition that attributes have these values."""
    return tuple(Term(name, "=", (value,)) for name, value in attributes.items())


#: Whether there is an item at all.
EXISTS, ABSENT = where("source", "exists"), where("source", "absent")


@dataclass(frozen=True)
class Write:
    """A write of one item: attributes set (None removes) and added, if `when` holds."""

    partition: str
    sort: str
    put: Mapping[str, Any]
    when: Condition
    add: Mapping[str, int | set[str]] = field(default_factory=dict[str, Any])

    def request(self) -> Item:
        """Return the write as UpdateItem and TransactWriteItems take it, but for the table's name."""
        sets = [f"#{name} = :{name}" for name, value in self.put.items() if value is not None]
        removes = [f"#{name}" for name, value in self.put.items() if value is None]
        adds = [f"#{name} :{name}" for name in self.add]
        clauses = (("SET", sets), ("REMOVE", removes), ("ADD", adds))
        changed = {**self.put, **self.add}
        condition, names, values = _expression(self.when)
        names |= {f"#{name}": name for name in changed}
        values |= {f":{name}": value for name, value in changed.items() if value is not None}
        return {
            "Key": {"source": self.partition, "window": self.sort},
            "UpdateExpression": " ".join(f"{verb} {', '.join(items)}" for verb, items in clauses if items),
            "ExpressionAttributeNames": names,
            **({"ConditionExpression": condition} if condition else {}),
            **({"ExpressionAttributeValues": values} if values else {}),
        }


@dataclass(frozen=True)
class Table:
    """The ledger's table; every read but that of a global index is strongly consistent."""

    table: "DynamoTable"

    def get(self, partition: str, sort: str) -> Item | None:
        """Read one item."""
        response = self.table.get_item(Key={"source": partition, "window": sort}, ConsistentRead=True)
        return plain(response["Item"]) if "Item" in response else None

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        """Read those of at most MOST_KEYS items that there are, in no order.

        What DynamoDB leaves out, being busy or above 16 MB, is read one by one: there the SDK waits and tries again.
        """
        wanted = [{"source": partition, "window": sort} for partition, sort in keys]
        request: Any = {self.table.name: {"Keys": wanted, "ConsistentRead": True}}
        response = self.table.meta.client.batch_get_item(RequestItems=request)
        left: Item = cast("Item", response.get("UnprocessedKeys", {})).get(self.table.name, {})
        found = [self.get(key["source"], key["window"]) for key in left.get("Keys", [])]
        return [*map(plain, response["Responses"].get(self.table.name, [])), *filter(None, found)]

    def query(self, key: Condition, *, index: str | None = None, backwards: bool = False) -> Iterator[Item]:
        """Yield the items of one partition in order of their sort key, page by page; `backwards` in small pages."""
        query = _query(key, index)
        if backwards:
            query |= {"ScanIndexForward": False, "Limit": BACKWARDS_PAGE}
        while True:
            response = self.table.query(**query)
            yield from map(plain, response["Items"])
            if "LastEvaluatedKey" not in response:
                return
            query["ExclusiveStartKey"] = response["LastEvaluatedKey"]

    def first(self, key: Condition, limit: int, *, index: str) -> list[Item]:
        """Return at most `limit` items of one page of an index."""
        return list(map(plain, self.table.query(**_query(key, index), Limit=limit)["Items"]))

    def scan(
        self, limit: int, after: Item | None = None, *, index: str | None = None
    ) -> tuple[list[Item], Item | None]:
        """Return a page of all items, or of those in a global index, and the key to go on `after`; None at the end.

        Such an index is not read consistently: it may lack what was written last, and show what is gone.
        """
        scan: Item = {"Limit": limit, **({"IndexName": index} if index else {"ConsistentRead": True})}
        scan |= {"ExclusiveStartKey": after} if after else {}
        response = self.table.scan(**scan)
        following = response.get("LastEvaluatedKey")
        return list(map(plain, response["Items"])), plain(following) if following else None

    def update(self, write: Write) -> Item | None:
        """Write one item and return it as it is then; None if the condition did not hold."""
        try:
            response = self.table.update_item(**write.request(), ReturnValues="ALL_NEW")
        except ClientError as error:
            if _code(error) in {"ConditionalCheckFailedException", "TransactionConflictException"}:
                return None
            raise
        return plain(response["Attributes"])

    def transact(self, writes: Sequence[Write]) -> bool:
        """Do all writes or none; False if a condition failed or another transaction was in the way."""
        items: Any = [{"Update": {"TableName": self.table.name, **write.request()}} for write in writes]
        try:
            self.table.meta.client.transact_write_items(TransactItems=items)
        except ClientError as error:
            if _code(error) == "TransactionCanceledException" and _conditions_only(error):
                return False
            raise
        return True


def _query(key: Condition, index: str | None) -> Item:
    expression, names, values = _expression(key)
    return {
        "KeyConditionExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ConsistentRead": True,
        **({"IndexName": index} if index else {}),
    }


def _expression(condition: Condition) -> tuple[str, dict[str, str], dict[str, Any]]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    terms: list[str] = []
    for number, term in enumerate(condition):
        places = [f":v{len(values) + at}" for at in range(len(term.values))]
        names[f"#n{number}"] = term.name
        values |= dict(zip(places, term.values, strict=True))
        terms.append(_EXPRESSIONS[term.operator].format(f"#n{number}", *places))
    return " AND ".join(terms), names, values


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
