"""Signed heads of the chain, in the evidence bucket under a COMPLIANCE lock: `ledger/<incident>/<epoch>/<seq>.json`.

Whoever can write to the table can rewrite it; nobody can rewrite these, so they show it.
"""

import base64
from datetime import UTC, datetime

from pydantic import ValidationError

from activities.action import Clients, RuleError
from activities.aws.shared.error_codes import code_of
from domain.audit.storage_format import ALGORITHM, Head, Seal, seal_place
from domain.config.environment import Evidence
from domain.model.timeline import Entry


class Checkpoints:
    """Signs heads and keeps them. Lets botocore's errors through."""

    def __init__(self, clients: Clients, evidence: Evidence) -> None:
        self._clients = clients
        self._s3 = clients.client("s3")
        self._evidence = evidence

    def sign(self, incident: str, epoch: int, last: Entry) -> None:
        """Sign the head (`kms:Sign`) and put it where nobody can change it (`s3:PutObject`).

        The same head that stands there already is left. Raises `RuleError` where another one does.
        """
        body = Head(incident=incident, epoch=epoch, seq=last.seq, head=last.hash, at=last.at.isoformat())
        signed = self._clients.client("kms").sign(
            KeyId=self._evidence.signing_key, Message=body.message(), MessageType="RAW", SigningAlgorithm=ALGORITHM
        )
        signature = base64.b64encode(signed["Signature"]).decode()
        seal = Seal(body=body, key=signed["KeyId"], algorithm=ALGORITHM, signature=signature)
        try:
            self._s3.put_object(
                Bucket=self._evidence.bucket,
                Key=seal_place(incident, epoch, last.seq),
                Body=seal.text().encode(),
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=self._evidence.locked_until(datetime.now(UTC)),
            )
        except Exception as error:
            if code_of(error) != "PreconditionFailed" or not self._stands(body):
                raise

    def has(self, incident: str, epoch: int, seq: int) -> bool:
        """Tell whether a head of this entry is there (`s3:GetObject`, `s3:ListBucket`)."""
        try:
            self._s3.head_object(Bucket=self._evidence.bucket, Key=seal_place(incident, epoch, seq))
        except Exception as error:
            if code_of(error) != "404":  # answers to HEAD have no body: the code is the status
                raise
            return False
        return True

    def _stands(self, body: Head) -> bool:
        """Tell whether this head stands in its place (`s3:GetObject`); its signature may be another, as each is.

        Whether that signature is good is for the audit to find out.
        """
        place = seal_place(body.incident, body.epoch, body.seq)
        try:
            text = self._s3.get_object(Bucket=self._evidence.bucket, Key=place)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return False
        try:
            standing = Seal.model_validate_json(text).body
        except ValidationError:
            standing = None
        if standing != body:
            raise RuleError(
                f"another signed head is already at {place} in {self._evidence.bucket}: somebody else writes there"
            )
        return True
