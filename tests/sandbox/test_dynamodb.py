"""The ledger depends on what moto's DynamoDB lacks: atomic transactions, and conditions that hold."""

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.activities.world import LEDGER, WorldClients, create_ledger

AT_ONCE = 8
ROUNDS = 12
NEW = "attribute_not_exists(pk)"


@pytest.fixture
def table() -> Iterator[Any]:
    """A client of an empty ledger, with threads that switch as often as possible."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with mock_aws():
            clients = WorldClients()
            create_ledger(clients)
            yield clients.inner.client("dynamodb")
    finally:
        sys.setswitchinterval(interval)


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "1"}}


def put(name: str, text: str, condition: str | None = None) -> dict[str, Any]:
    more = {"ConditionExpression": condition} if condition else {}
    return {"TableName": LEDGER, "Item": {**key(name), "text": {"S": text}}, **more}


def text(table: Any, name: str) -> str | None:
    item = table.get_item(TableName=LEDGER, Key=key(name)).get("Item")
    return item["text"]["S"] if item else None


def test_of_writes_at_once_that_expect_nothing_one_succeeds(table: Any) -> None:
    """Of two writers that both expect no item, one fails."""

    def answered(number: int, name: str) -> str:
        try:
            table.put_item(**put(name, str(number), NEW))
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "written"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for name in map(str, range(ROUNDS)):
            answers = Counter(pool.map(answered, range(AT_ONCE), [name] * AT_ONCE))
            assert answers == {"written": 1, "ConditionalCheckFailedException": AT_ONCE - 1}


def test_a_cancelled_transaction_leaves_its_items_as_they_were(table: Any) -> None:
    """Whether it creates, replaces, updates or deletes: a transaction leaves nothing once one condition fails."""
    for name in ("over", "updated", "deleted", "there"):
        table.put_item(**put(name, "before"))
    change = {"UpdateExpression": "SET #t = :v", "ExpressionAttributeNames": {"#t": "text"}}
    parts: list[dict[str, Any]] = [
        {"Put": put("new", "after", NEW)},
        {"Put": put("over", "after")},
        {
            "Update": {
                "TableName": LEDGER,
                "Key": key("updated"),
                **change,
                "ExpressionAttributeValues": {":v": {"S": "after"}},
            }
        },
        {"Delete": {"TableName": LEDGER, "Key": key("deleted")}},
    ]
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.transact_write_items(TransactItems=[*parts, {"Put": put("there", "after", NEW)}])
    names = ("new", "over", "updated", "deleted", "there")
    assert [text(table, name) for name in names] == [None, *["before"] * 4]
    table.transact_write_items(TransactItems=parts)
    assert [text(table, name) for name in names] == ["after", "after", "after", None, "before"]


def test_a_cancelled_transaction_takes_nothing_of_others_with_it(table: Any) -> None:
    """What others write while a transaction is cancelled remains."""
    table.put_item(**put("there", "before"))
    many = [{"Put": put(f"part {number}", "after", NEW)} for number in range(10)]

    def cancelled(_number: int) -> None:
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            table.transact_write_items(TransactItems=[*many, {"Put": put("there", "after", NEW)}])

    def written(number: int) -> None:
        table.put_item(**put(f"other {number}", "mine", NEW))

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(one, number) for number in range(ROUNDS) for one in (cancelled, written)]
        assert [one.result() for one in done] == [None] * len(done)
    assert {text(table, f"other {number}") for number in range(ROUNDS)} == {"mine"}
    assert text(table, "part 3") is None
