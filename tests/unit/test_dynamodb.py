"""What the ledger sends to DynamoDB, and what it makes of the responses; the emulator says whether it is understood."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from logarchive.ledger.dynamodb import ABSENT, Table, Write, equal, where
from tests.scenario import some

KEY = {"source": "elsa#shop", "window": "w1"}


class Dynamo:
    """A table of boto3 that keeps what it was asked and gives one response after another."""

    name = "ledger"

    def __init__(self, *responses: Any) -> None:
        self.responses, self.asked = list(responses), list[dict[str, Any]]()
        self.get_item = self.query = self.scan = self.update_item = self._answer
        client = SimpleNamespace(transact_write_items=self._answer, batch_get_item=self._answer)
        self.meta = SimpleNamespace(client=client)

    def _answer(self, **options: Any) -> Any:
        self.asked.append(dict(options))
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response


def table(*responses: Any) -> tuple[Table, Dynamo]:
    dynamo = Dynamo(*responses)
    return Table(dynamo), dynamo  # type: ignore[arg-type] # a drop-in


def refused(code: str, *reasons: str | None) -> ClientError:
    response: Any = {"Error": {"Code": code}, "CancellationReasons": [{"Code": reason} for reason in reasons]}
    return ClientError(response, "Write")


def test_an_item_is_read_consistently_with_whole_numbers_at_every_depth() -> None:
    ledger, dynamo = table({"Item": {"a": Decimal(1), "b": [Decimal(2), {"c": Decimal(3)}], "d": {"e"}}}, {})
    item = some(ledger.get("elsa#shop", "w1"))
    assert item == {"a": 1, "b": [2, {"c": 3}], "d": {"e"}}
    assert type(item["a"]) is type(item["b"][0]) is type(item["b"][1]["c"]) is int
    assert ledger.get("elsa#shop", "w1") is None
    assert dynamo.asked == [{"Key": KEY, "ConsistentRead": True}] * 2


def test_many_items_are_read_in_one_call_and_what_it_leaves_out_one_by_one() -> None:
    others = [{"source": "elsa#shop", "window": sort} for sort in ("w2", "w3", "w4")]
    left = {"ledger": {"Keys": others[1:], "ConsistentRead": True}}
    many = {"Responses": {"ledger": [KEY | {"n": Decimal(1)}]}, "UnprocessedKeys": left}
    ledger, dynamo = table(many, {"Item": others[1] | {"n": Decimal(3)}}, {})
    keys = [("elsa#shop", sort) for sort in ("w1", "w2", "w3", "w4")]
    assert ledger.get_many(keys) == [KEY | {"n": 1}, others[1] | {"n": 3}]
    asked = {"RequestItems": {"ledger": {"Keys": [KEY, *others], "ConsistentRead": True}}}
    assert dynamo.asked == [asked, *({"Key": key, "ConsistentRead": True} for key in others[1:])]


def test_a_query_follows_its_pages() -> None:
    ledger, dynamo = table({"Items": [{"n": 1}], "LastEvaluatedKey": KEY}, {"Items": [{"n": Decimal(2)}]})
    key = equal(source="elsa#shop") + where("window", "between", "a", "b")
    assert list(ledger.query(key)) == [{"n": 1}, {"n": 2}]
    asked = {
        "KeyConditionExpression": "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2",
        "ExpressionAttributeNames": {"#n0": "source", "#n1": "window"},
        "ExpressionAttributeValues": {":v0": "elsa#shop", ":v1": "a", ":v2": "b"},
        "ConsistentRead": True,
    }
    assert dynamo.asked[-1] == asked | {"ExclusiveStartKey": KEY}
    assert dynamo.asked[0].items() >= asked.items()


def test_an_index_is_read_consistently_and_a_query_backwards_in_small_pages() -> None:
    ledger, dynamo = table({"Items": []}, {"Items": [{"n": 1}], "LastEvaluatedKey": KEY})
    key = where("due_at", "<=", "t")
    assert list(ledger.query(key, index="due", backwards=True)) == []
    assert ledger.first(key, 3, index="due") == [{"n": 1}]
    asked = {
        "KeyConditionExpression": "#n0 <= :v0",
        "ExpressionAttributeNames": {"#n0": "due_at"},
        "ExpressionAttributeValues": {":v0": "t"},
        "ConsistentRead": True,
        "IndexName": "due",
    }
    assert dynamo.asked == [asked | {"ScanIndexForward": False, "Limit": 4}, asked | {"Limit": 3}]


def test_a_scan_returns_a_page_and_where_to_go_on_and_an_index_cannot_be_read_consistently() -> None:
    ledger, dynamo = table({"Items": [{"n": Decimal(1)}], "LastEvaluatedKey": KEY}, {"Items": []})
    assert ledger.scan(2) == ([{"n": 1}], KEY)
    assert ledger.scan(3, KEY, index="unproven") == ([], None)
    assert dynamo.asked == [
        {"Limit": 2, "ConsistentRead": True},
        {"Limit": 3, "IndexName": "unproven", "ExclusiveStartKey": KEY},
    ]


UPDATE = {
    "Key": KEY,
    "UpdateExpression": "SET #state = :state REMOVE #due_at ADD #attempt :attempt",
    "ExpressionAttributeNames": {
        "#state": "state",
        "#due_at": "due_at",
        "#attempt": "attempt",
        "#n0": "until",
        "#n1": "owner",
    },
    "ConditionExpression": "(attribute_not_exists(#n0) OR #n0 <= :v0) AND #n1 = :v1",
    "ExpressionAttributeValues": {":state": "sealed", ":attempt": 1, ":v0": "t", ":v1": "a"},
}
WRITE = Write(
    "elsa#shop",
    "w1",
    {"state": "sealed", "due_at": None},
    where("until", "absent or <=", "t") + equal(owner="a"),
    add={"attempt": 1},
)


def test_an_update_sets_removes_and_adds_under_its_condition_and_returns_the_item() -> None:
    ledger, dynamo = table({"Attributes": {"attempt": Decimal(2)}}, {"Attributes": {}})
    assert ledger.update(WRITE) == {"attempt": 2}
    assert ledger.update(Write("elsa#shop", "w1", {"due_at": None}, ())) == {}
    removed = {"Key": KEY, "UpdateExpression": "REMOVE #due_at", "ExpressionAttributeNames": {"#due_at": "due_at"}}
    assert dynamo.asked == [UPDATE | {"ReturnValues": "ALL_NEW"}, removed | {"ReturnValues": "ALL_NEW"}]


def test_a_transaction_is_all_its_writes_in_the_table() -> None:
    ledger, dynamo = table({})
    assert ledger.transact([WRITE, Write("elsa#shop", "w2", {"n": 1}, ABSENT)])
    new = {
        "Key": KEY | {"window": "w2"},
        "UpdateExpression": "SET #n = :n",
        "ExpressionAttributeNames": {"#n": "n", "#n0": "source"},
        "ConditionExpression": "attribute_not_exists(#n0)",
        "ExpressionAttributeValues": {":n": 1},
    }
    items = [{"Update": {"TableName": "ledger", **update}} for update in (UPDATE, new)]
    assert dynamo.asked == [{"TransactItems": items}]


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "TransactionConflictException"])
def test_an_update_whose_condition_fails_or_that_meets_a_transaction_is_a_result(code: str) -> None:
    assert table(refused(code))[0].update(WRITE) is None


@pytest.mark.parametrize(
    "reasons", [("ConditionalCheckFailed",), ("None", "ConditionalCheckFailed", "TransactionConflict", None)]
)
def test_a_transaction_whose_conditions_fail_is_a_result(reasons: tuple[str | None, ...]) -> None:
    assert not table(refused("TransactionCanceledException", *reasons))[0].transact([WRITE])


@pytest.mark.parametrize(
    "error",
    [
        refused("TransactionCanceledException", "ConditionalCheckFailed", "ThrottlingError"),
        refused("ProvisionedThroughputExceededException"),
        refused("ValidationException", "ConditionalCheckFailed"),
    ],
)
def test_every_other_refusal_is_raised(error: ClientError) -> None:
    with pytest.raises(ClientError) as raised:
        table(error)[0].transact([WRITE])
    assert raised.value is error
    with pytest.raises(ClientError):
        table(error)[0].update(WRITE)
