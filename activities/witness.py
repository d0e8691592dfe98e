"""Who has signed a claim by `aws-iam`: STS is asked as it comes, and its word is kept for whoever judges later."""

from datetime import datetime

from activities.action import Clients
from activities.aws.shared.sts import posting
from activities.house import House
from activities.ledger.seen import SeenClaims
from activities.ledger.table import Table
from activities.proofs import check
from authority.aws_iam import Post
from authority.claims import Claim
from authority.proofs import Proof, Seen, prove_by_sts, signature_digest
from domain.model.proofs import ClaimAsked, Verdict


class Witness:
    """Looks at claims for one environment, with the rights of whoever keeps its record. Safe to share between threads.

    STS is asked by `post`, which is sent where the worker's own clients find it.
    """

    def __init__(self, clients: Clients, house: House, post: Post | None = None) -> None:
        self._clients, self._house = clients, house
        self._post = post or posting(clients)

    def look(self, asked: ClaimAsked, now: datetime) -> Verdict:
        """By what a claim is proven, `now` (UTC), or why it is not; of one by `aws-iam` that goes on record.

        A repeat asks STS again only where nothing is on record: the first answer stands. Raises `RuleError` for another
        environment, and `StsUnavailableError`, to be tried again, where STS does not say. AWS:
        `sts:GetCallerIdentity`, `dynamodb:GetItem`, `dynamodb:PutItem`.
        """
        environment = self._house.environment()
        known = SeenClaims(Table(self._clients, environment.ledger_table))

        def seen(claim: Claim, proof: Proof) -> Seen:
            if (found := known.find(claim, proof)) is not None:
                return found
            by = prove_by_sts(claim, proof, self._house.register(), now, environment.region, self._post)
            return known.put(claim, Seen(by.key, signature_digest(proof), now))

        return check(self._house, asked, now, seen)
