"""How often something was done to an account that leaves no trace in AWS: a mark in the ledger's table.

    pk                            sk        what it holds
    account#<pool>/<sub>          <what>    count: how often it was done, by any incident

Every write is conditional on the count that was read before, so that two writers count twice and none is lost.
"""

from collections.abc import Iterable

from activities.action import Clients


class Marks:
    """The marks of one user pool for one thing that is done to accounts. Lets botocore's errors through."""

    def __init__(self, clients: Clients, table: str, pool: str, what: str) -> None:
        self._db = clients.client("dynamodb")
        self._table = table
        self._pool = pool
        self._what = what

    def counts(self, users: Iterable[str]) -> dict[str, int]:
        """How often it was done to each account (`dynamodb:GetItem`, consistent)."""
        return {user: self.count(user) for user in users}

    def count(self, user: str) -> int:
        found = self._db.get_item(TableName=self._table, Key=self._key(user), ConsistentRead=True).get("Item")
        return int(found["count"]["N"]) if found else 0

    def done(self, user: str, before: int) -> None:
        """Count it as done once more than `before`; again with the same number does nothing (`dynamodb:PutItem`)."""
        try:
            self._db.put_item(
                TableName=self._table,
                Item={**self._key(user), "count": {"N": str(before + 1)}},
                ConditionExpression="attribute_not_exists(pk) OR #count = :before",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues={":before": {"N": str(before)}},
            )
        except self._db.exceptions.ConditionalCheckFailedException:
            # somebody has counted it meanwhile: it is done more often than `before` says, which is all that is asked
            return

    def _key(self, user: str) -> dict[str, dict[str, str]]:
        return {"pk": {"S": f"account#{self._pool}/{user}"}, "sk": {"S": self._what}}
