"""Which claims are used up by entries of a record: each counts once.

In the ledger's table, put with the entry by one transaction:

    pk                 sk                 what it holds
    nonce#<contact>    <nonce>#<epoch>    the hash of the entry that a claim is used up by

A claim is used once within an epoch: a workflow that was reset says again what was said before, in an epoch of its own.
"""

from typing import Any

from activities.ledger.table import Table, keys, text
from authority.claims import Claim
from domain.model.timeline import Entry


def used_up(table: Table, claim: Claim, epoch: int, entry: Entry) -> dict[str, Any]:
    """What a transaction puts: that a claim is used up by this entry, and was by no other."""
    return {
        "Put": {
            "TableName": table.name,
            "Item": {**keys(f"nonce#{claim.by}", f"{claim.nonce}#{epoch:04d}"), "whose": text(entry.hash)},
            "ConditionExpression": "attribute_not_exists(pk) OR whose = :whose",
            "ExpressionAttributeValues": {":whose": text(entry.hash)},
        }
    }
