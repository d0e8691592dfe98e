"""Signed heads of the chain, in the evidence bucket under a COMPLIANCE lock: `ledger/<incident>/<epoch>/<seq>.json`.

Whoever can write to the table can rewrite it; nobody can rewrite these, so they show it.
"""

import base64
from datetime import datetime

from pydantic import ValidationError

from activities.action import Clients, RuleError
from activities.aws.shared.s3_objects import head, put_once, small
from domain.audit.storage_format import ALGORITHM, Head, Seal, seal_place
from domain.config.environment import Evidence
from domain.model.timeline import Entry


class Checkpoints:
    """Signs heads and keeps them. Lets botocore's errors through."""

    def __init__(self, clients: Clients, evidence: Evidence) -> None:
        self._clients = clients
        self._s3 = clients.client("s3")
        self._evidence = evidence

    def sign(self, incident: str, epoch: int, last: Entry, at: datetime) -> None:
        """Sign the head (`kms:Sign`) and put it where nobody can change it (`s3:PutObject`), from `at` (UTC) on.

        The same head that stands there already is left. Raises `RuleError` where another one does.
        """
        body = Head(incident=incident, epoch=epoch, seq=last.seq, head=last.hash, at=last.at.isoformat())
        signed = self._clients.client("kms").sign(
            KeyId=self._evidence.signing_key, Message=body.message(), MessageType="RAW", SigningAlgorithm=ALGORITHM
        )
        signature = base64.b64encode(signed["Signature"]).decode()
        seal = Seal(body=body, key=signed["KeyId"], algorithm=ALGORITHM, signature=signature)
        place = seal_place(incident, epoch, last.seq)
        is_new = put_once(
            self._s3,
            self._evidence.bucket,
            place,
            seal.text().encode(),
            ContentType="application/json",
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=self._evidence.locked_until(at),
        )
        if not is_new and self._standing(place) != body:
            raise RuleError(
                f"another signed head is already at {place} in {self._evidence.bucket}: somebody else writes there"
            )

    def has(self, incident: str, epoch: int, seq: int) -> bool:
        """Tell whether a head of this entry is there (`s3:GetObject`, `s3:ListBucket`)."""
        return head(self._s3, self._evidence.bucket, seal_place(incident, epoch, seq)) is not None

    def _standing(self, place: str) -> Head | None:
        """The head that stands there (`s3:GetObject`); its signature may be another than ours, as each is.

        Whether that signature is good is for the audit to find out.
        """
        try:
            return Seal.model_validate_json(small(self._s3, self._evidence.bucket, place) or b"").body
        except ValidationError:
            return None
