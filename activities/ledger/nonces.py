"""Which claims are used up by entries of a record: each counts once.

In the ledger's table, put with the entry by one transaction:

    pk                 sk                 what it holds
    nonce#<contact>    <nonce>#<epoch>    by which entry a claim is used up, when that was, and the claim's digest

All that comes of one command names its first entry. A claim is used once within an epoch: a workflow that was reset
says again what was said before, in an epoch of its own.
"""

from datetime import datetime
from typing import Any, NamedTuple

from activities.ledger.table import Table, keys, text
from authority.claims import Claim


class Used(NamedTuple):
    """A claim, the number of the first entry that came of its command, and when that was (UTC)."""

    claim: Claim
    entry: int
    at: datetime


def used_up(table: Table, used: Used, incident: str, epoch: int) -> dict[str, Any]:
    """What a transaction puts: that a claim is used up by this entry, and was by no other."""
    whose = text(f"{incident}#{used.entry:06d}")
    item = {**_keys(used.claim, epoch), "whose": whose, "at": text(used.at.isoformat())}
    return {
        "Put": {
            "TableName": table.name,
            "Item": {**item, "claim": text(used.claim.digest())},
            "ConditionExpression": "attribute_not_exists(pk) OR whose = :whose",
            "ExpressionAttributeValues": {":whose": whose},
        }
    }


def stands_used(table: Table, claim: Claim, epoch: int, at: datetime | None) -> bool:
    """Whether this claim, and no other under its nonce, was used up then, in this epoch or one before it."""
    for number in range(epoch, 0, -1):
        found = table.get(_keys(claim, number))
        if found is not None:
            when = None if at is None else at.isoformat()
            return (found["claim"]["S"], found["at"]["S"]) == (claim.digest(), when)
    return False


def _keys(claim: Claim, epoch: int) -> dict[str, dict[str, str]]:
    return keys(f"nonce#{claim.by}", f"{claim.nonce}#{epoch:04d}")
