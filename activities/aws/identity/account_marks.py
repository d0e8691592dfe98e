"""How often something was done to an account that leaves no trace in AWS: a mark in the ledger's table.

    pk                            sk        what it holds
    account#<pool>/<sub>          <what>    count: how often it was done, by any incident

Every write is conditional on the count that was read before, so that two writers count twice and none is lost.
"""

from collections.abc import Iterable
from typing import ClassVar

from activities.action import Clients
from activities.aws.identity.cognito_accounts import Account, AccountsParams, PoolChange
from activities.ledger.table import Table, keys
from domain.model.calls import Scope
from domain.model.plan import State


class MarkedAccount(Account):
    """An account to which `what` is done once, after `planned` times that are on record already."""

    what: ClassVar[str]

    def __init__(self, clients: Clients, table: str, pool: str, user: str, planned: int) -> None:
        super().__init__(clients, pool, user)
        self.planned = planned
        self._table = Table(clients, table)
        self._key = keys(f"account#{pool}/{user}", self.what)

    def count(self) -> int:
        """How often it was done (`dynamodb:GetItem`)."""
        found = self._table.get(self._key)
        return int(found["count"]["N"]) if found else 0

    def mark(self) -> None:
        """Count it as done once more than `planned`; a second time does nothing (`dynamodb:PutItem`).

        Where somebody has counted it meanwhile it was done more often than `planned`, which is all that is asked.
        """
        self._table.put(
            {**self._key, "count": {"N": str(self.planned + 1)}},
            "attribute_not_exists(pk) OR #count = :before",
            {":before": {"N": str(self.planned)}},
            {"#count": "count"},  # the bare word is reserved
        )


class MarkedChange(PoolChange[AccountsParams]):
    """A change of accounts that AWS shows no trace of, or not for long; `context["counts"]` is how often before."""

    marked: ClassVar[type[MarkedAccount]]

    def account(self, scope: Scope, context: State, user: str) -> MarkedAccount:
        count = context["counts"].get(user, 0)
        return self.marked(self.clients, scope.environment.ledger_table, context["pool"], user, count)

    def counted(self, scope: Scope, pool: str, users: Iterable[str]) -> State:
        """The context of a plan: the pool, and how often it was done to each account."""
        context: State = {"pool": pool, "counts": {}}
        return context | {"counts": {user: self.account(scope, context, user).count() for user in users}}
