"""What was seen of claims by `aws-iam`: AWS knows such a signature for minutes, and votes wait for hours.

In the ledger's table, where hands alone write:

    pk                            sk      what it holds
    seen#<digest of the claim>    seen    by which key (its ARN) it was signed, the SHA-256 of the signature, and when

By this the hands judge such a claim before they begin, and the keeper of the record before it goes on record.
"""

from datetime import datetime

from activities.ledger.table import Item, Table, keys, text
from authority.claims import Claim
from authority.proofs import Proof, Seen


class SeenClaims:
    """The claims that were looked at, in the table of one environment. Lets botocore's errors through."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, claim: Claim, _: Proof) -> Seen | None:
        """What was seen of this claim to the letter (`dynamodb:GetItem`); None where nobody has looked at it."""
        found = self._table.get(_keys(claim))
        return _seen(found) if found else None

    def put(self, claim: Claim, seen: Seen) -> Seen:
        """Put on record what was seen (`dynamodb:PutItem`); gives what stands, which is the first."""
        said = {"key": text(seen.key), "signature": text(seen.signature), "at": text(seen.at.isoformat())}
        standing = self._table.put({**_keys(claim), **said})
        return seen if standing is None else _seen(standing)


def _keys(claim: Claim) -> Item:
    return keys(f"seen#{claim.digest()}", "seen")


def _seen(item: Item) -> Seen:
    return Seen(item["key"]["S"], item["signature"]["S"], datetime.fromisoformat(item["at"]["S"]))
