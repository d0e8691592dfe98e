"""Terms: which life of an incident may write its record and act for it.

    pk                 sk              what it holds
    chain#<incident>   current-term    the number of the term, and the workflow run that took it

A declaration begins term 1 with its first entry. Each restore takes the next one by a conditional put, and from then on
the life before, whose server may come back after all, can neither append nor put an intent on record.
"""

from typing import Any

from activities.action import RuleError
from activities.ledger.table import Item, Table, keys, text

TERM = "current-term"


class SupersededError(RuleError):
    """Another life of the incident has taken a later term, or has ended it; this one has nothing more to say."""


class Terms:
    """The terms of one environment's incidents. Lets botocore's errors through."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put_under(
        self, incident: str, term: int, items: list[Item], *guards: dict[str, Any], while_open: bool = False
    ) -> bool:
        """Put items, each if none is there yet, all or none, in the incident's term, where the guards hold
        (`dynamodb:TransactWriteItems`).

        False when one of them is there already, or a guard does not hold. Raises `SupersededError` under a later
        term, and `RuleError` where they are put `while_open` alone and the incident has ended.
        """
        own = [self._guard(incident, term), *([self._open(incident)] if while_open else [])]
        unmet = self._table.put_all(items, *own, *guards)
        if 0 in unmet:
            raise SupersededError(f"{incident} goes on under a later term; this is term {term}")
        if while_open and 1 in unmet:
            raise RuleError(f"{incident} has ended: nothing is done for it any more")
        return not unmet

    def check(self, incident: str, term: int) -> None:
        """Raise `SupersededError` when the incident goes on under a later term."""
        if (now := self.current(incident)) > term:
            raise SupersededError(f"{incident} goes on under term {now}; this is term {term}")

    def current(self, incident: str) -> int:
        """The term that the incident is in (`dynamodb:GetItem`); 1 where nothing says so."""
        found = self._table.get(_key(incident))
        return int(found["number"]["N"]) if found else 1

    def take(self, incident: str, holder: str) -> int:
        """Take the next term for a workflow run (`dynamodb:PutItem`); the same run again keeps the one that it took.

        Raises `RuleError` when somebody else takes it at the same moment.
        """
        before = self._table.get(_key(incident))
        if before is not None and before["holder"]["S"] == holder:
            return int(before["number"]["N"])
        number = 1 + (int(before["number"]["N"]) if before else 1)
        item = {**_key(incident), "number": {"N": str(number)}, "holder": text(holder)}
        unchanged = "attribute_not_exists(pk) OR #number = :before"
        values, names = {":before": {"N": str(number - 1)}}, {"#number": "number"}
        if self._table.put(item, unchanged, values, names) is not None:
            raise RuleError(f"{incident} is just being restored by somebody else")
        return number

    def _guard(self, incident: str, term: int) -> dict[str, Any]:
        """What a transaction checks: that no later term has been taken."""
        return {
            "ConditionCheck": {
                "TableName": self._table.name,
                "Key": _key(incident),
                "ConditionExpression": "attribute_not_exists(pk) OR #number = :mine",
                "ExpressionAttributeNames": {"#number": "number"},
                "ExpressionAttributeValues": {":mine": {"N": str(term)}},
            }
        }

    def _open(self, incident: str) -> dict[str, Any]:
        """What a transaction checks: that the incident has not ended."""
        unended = {"TableName": self._table.name, "Key": end_key(incident)}
        return {"ConditionCheck": {**unended, "ConditionExpression": "attribute_not_exists(pk)"}}


def _key(incident: str) -> Item:
    return keys(f"chain#{incident}", TERM)


def end_key(incident: str) -> Item:
    """Where it stands that an incident has ended, from its last entry on."""
    return keys(f"declared#{incident}", "ended")
