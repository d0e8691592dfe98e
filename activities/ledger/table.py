"""The ledger's table in DynamoDB, with the string keys `pk` and `sk`: conditional writes, consistent reads."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from activities.action import Clients
from activities.ledger.store_time import StoreTime, store_time

Item = dict[str, dict[str, str]]
"""Each value with its type, as DynamoDB has it: `{"S": "text"}`, `{"N": "1"}`."""

_NEW = "attribute_not_exists(pk)"
_UNMET = "ConditionalCheckFailed"


_NO_ITEM: Item = {"pk": {"S": "time"}, "sk": {"S": "time"}}


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: float) -> dict[str, str]:
    return {"N": f"{value:.3f}"}


def keys(pk: str, sk: str) -> Item:
    return {"pk": text(pk), "sk": text(sk)}


class Table:
    """One environment's ledger. Lets botocore's errors through, after one attempt for who would not wait for it."""

    def __init__(self, clients: Clients, name: str, *, once: bool = False) -> None:
        self._db = clients.once("dynamodb") if once else clients.client("dynamodb")
        self.name = name

    def now(self) -> datetime:
        """What time it is in the store, as `StoreTime.now`. Raises `ClockError` where its answers do not tell."""
        return self._time().now()

    def refuse_wrong_clock(self) -> None:
        """Raise `ClockError` where this machine's clock is off by the store's newest answer, or that does not tell."""
        self._time().refuse_wrong_clock()

    def _time(self) -> StoreTime:
        """The store's time, asked for where no answer is new (`dynamodb:GetItem` of an item that is never there)."""
        if not (known := store_time(self._db)).is_fresh:
            self.get(_NO_ITEM)
        return known

    def get(self, key: Item) -> Item | None:
        """Look up one item (`dynamodb:GetItem`)."""
        found: Item | None = self._db.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")
        return found

    def put(
        self, item: Item, condition: str = _NEW, values: Item | None = None, names: dict[str, str] | None = None
    ) -> Item | None:
        """Put an item if the condition holds (`dynamodb:PutItem`); else write nothing and return what stands there."""
        try:
            self._db.put_item(
                TableName=self.name,
                Item=item,
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **({"ExpressionAttributeValues": values} if values else {}),
                **({"ExpressionAttributeNames": names} if names else {}),
            )
        except self._db.exceptions.ConditionalCheckFailedException as error:
            standing: Item = error.response["Item"]
            return standing
        return None

    def put_all(self, items: list[Item], *guards: dict[str, Any]) -> list[int]:
        """Put all of them if none is there yet and the guards hold (`dynamodb:TransactWriteItems`).

        Tells what kept it from being done: the positions of guards, and behind them of items; none where it was done.
        Two transactions at the same item at once cancel each other, though every condition holds: that comes through as
        an error, to be retried, and not as an answer.
        """
        puts: list[dict[str, Any]] = [
            {"Put": {"TableName": self.name, "Item": item, "ConditionExpression": _NEW}} for item in items
        ]
        try:
            self._db.transact_write_items(TransactItems=[*guards, *puts])
        except self._db.exceptions.TransactionCanceledException as error:
            reasons = enumerate(error.response.get("CancellationReasons", []))
            if not (unmet := [position for position, reason in reasons if reason["Code"] == _UNMET]):
                raise
            return unmet
        return []

    def delete(self, key: Item, condition: str, values: Item) -> bool:
        """Delete an item if the condition holds (`dynamodb:DeleteItem`); tells whether it did."""
        try:
            self._db.delete_item(
                TableName=self.name, Key=key, ConditionExpression=condition, ExpressionAttributeValues=values
            )
        except self._db.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def items(self, pk: str, since: str | None = None) -> Iterator[Item]:
        """Every item under a partition key, or those whose `sk` is at or after `since`, in order (`dynamodb:Query`)."""
        for page in self._db.get_paginator("query").paginate(**self._asked(pk, since)):
            yield from page["Items"]

    def latest(self, pk: str, most: int) -> list[Item]:
        """The last items under a partition key, the newest first (`dynamodb:Query`)."""
        found: list[Item] = self._db.query(**self._asked(pk), ScanIndexForward=False, Limit=most)["Items"]
        return found

    def _asked(self, pk: str, since: str | None = None) -> dict[str, Any]:
        return {
            "TableName": self.name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk" + (" AND sk >= :since" if since else ""),
            "ExpressionAttributeValues": {":pk": text(pk)} | ({":since": text(since)} if since else {}),
        }
