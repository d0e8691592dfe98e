"""How often something was done to an account that leaves no trace in AWS: a mark in the ledger's table.

    pk                            sk        what it holds
    account#<pool>/<sub>          <what>    count: how often it was done, by any incident

Every write is conditional on the count that was read before, so that two writers count twice and none is lost.
"""

from collections.abc import Iterable

from activities.action import Clients
from activities.ledger.table import Item, Table, keys


class Marks:
    """The marks of one user pool for one thing that is done to accounts. Lets botocore's errors through."""

    def __init__(self, clients: Clients, table: str, pool: str, what: str) -> None:
        self._table = Table(clients, table)
        self._pool = pool
        self._what = what

    def counts(self, users: Iterable[str]) -> dict[str, int]:
        """How often it was done to each account (`dynamodb:GetItem`)."""
        found = {user: self._table.get(self._key(user)) for user in users}
        return {user: int(item["count"]["N"]) if item else 0 for user, item in found.items()}

    def done(self, user: str, before: int) -> None:
        """Count it as done once more than `before`; again with the same number does nothing (`dynamodb:PutItem`).

        Where somebody has counted it meanwhile it was done more often than `before` says, which is all that is asked.
        """
        self._table.put(
            {**self._key(user), "count": {"N": str(before + 1)}},
            "attribute_not_exists(pk) OR #count = :before",
            {":before": {"N": str(before)}},
            {"#count": "count"},  # the bare word is reserved
        )

    def _key(self, user: str) -> Item:
        return keys(f"account#{self._pool}/{user}", self._what)
