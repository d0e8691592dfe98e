"""The ledger of an incident's timeline: written once, signed, and never rewritten.

In the ledger's table, every item by a conditional put:

    pk                           sk             what it holds
    chain#<incident>#<epoch>     000001         entry 1 of the epoch, as canonical JSON
    chain#<incident>             epoch#0002     where epoch 2 leaves another: the entry before it, its own first hash

In the evidence bucket, under a COMPLIANCE lock, the signed head after every write:
`ledger/<incident>/<epoch>/<seq>.json`.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785

from activities.action import Clients
from activities.aws.codes import code_of
from domain.calls import AppendCall, Appended
from domain.environment import Environment, Evidence
from domain.timeline import Entry

ALGORITHM = "ECDSA_SHA_256"


def chain_key(incident: str, epoch: int) -> str:
    return f"chain#{incident}#{epoch:04d}"


def checkpoint_key(incident: str, epoch: int, seq: int) -> str:
    return f"ledger/{incident}/{epoch:04d}/{seq:06d}.json"


class Chain:
    """Writes the chain of one environment's incidents. The same entry again is done; nothing is overwritten."""

    def __init__(self, clients: Clients, environment: Environment) -> None:
        self._db = clients.client("dynamodb")
        self._clients = clients
        self._table = environment.ledger_table
        self._evidence = environment.evidence

    def append(self, call: AppendCall) -> Appended:
        """Write entries (`dynamodb:TransactWriteItems`) and the signed head (`kms:Sign`, `s3:PutObject`).

        A repeat writes nothing new. Where another entry stands at a number already (a workflow that was reset),
        a new epoch begins that names where it leaves the old one. Lets botocore's errors through.
        """
        epoch = call.epoch
        if not self._put_all(call.incident, epoch, call.entries):
            epoch = self._put_one_by_one(call.incident, epoch, call.entries)
        last = call.entries[-1]
        if self._evidence is not None:
            self._checkpoint(self._evidence, call.incident, epoch, last)
        return Appended(written=last.seq, epoch=epoch)

    def _put_all(self, incident: str, epoch: int, entries: list[Entry]) -> bool:
        """Write all at once where none of them is there; tells whether it did."""
        puts = [
            {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
            for item in (_item(incident, epoch, entry) for entry in entries)
        ]
        try:
            self._db.transact_write_items(TransactItems=puts)
        except self._db.exceptions.TransactionCanceledException:
            return False
        return True

    def _put_one_by_one(self, incident: str, epoch: int, entries: list[Entry]) -> int:
        """Write what is missing, and return the epoch in which the last one stands."""
        for position, entry in enumerate(entries):
            standing = self._put(_item(incident, epoch, entry))
            if standing is not None and standing["content"]["S"] != entry.canonical():
                following = self._fork(incident, epoch, entry)
                return self._put_one_by_one(incident, following, entries[position:])
        return epoch

    def _fork(self, incident: str, epoch: int, first: Entry) -> int:
        """Begin the epoch in which `first` stands; one that was begun with another entry is passed over."""
        following = epoch + 1
        while True:
            item = {
                "pk": {"S": f"chain#{incident}"},
                "sk": {"S": f"epoch#{following:04d}"},
                "leaves": {"N": str(epoch)},
                "after": {"N": str(first.seq - 1)},
                "prev": {"S": first.prev},
                "first": {"S": first.hash},
            }
            standing = self._put(item)
            if standing is None or standing["first"] == item["first"]:
                return following
            following += 1

    def _put(self, item: dict[str, Any]) -> dict[str, Any] | None:
        """Put one new item; returns what stands there instead."""
        try:
            self._db.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._db.exceptions.ConditionalCheckFailedException as error:
            standing: dict[str, Any] = error.response["Item"]
            return standing
        return None

    def _checkpoint(self, evidence: Evidence, incident: str, epoch: int, last: Entry) -> None:
        """Sign the head and put it where nobody can change it; one that stands there already is left."""
        body: dict[str, Any] = {
            "incident": incident,
            "epoch": epoch,
            "seq": last.seq,
            "head": last.hash,
            "at": last.at.isoformat(),
        }
        digest = hashlib.sha256(rfc8785.dumps(body)).digest()
        signed = self._clients.client("kms").sign(
            KeyId=evidence.signing_key, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM
        )
        content = {
            "body": body,
            "key": signed["KeyId"],
            "algorithm": ALGORITHM,
            "signature": base64.b64encode(signed["Signature"]).decode(),
        }
        try:
            self._clients.client("s3").put_object(
                Bucket=evidence.bucket,
                Key=checkpoint_key(incident, epoch, last.seq),
                Body=json.dumps(content, sort_keys=True).encode(),
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=evidence.retention_days),
            )
        except Exception as error:
            if code_of(error) != "PreconditionFailed":
                raise


def _item(incident: str, epoch: int, entry: Entry) -> dict[str, Any]:
    return {
        "pk": {"S": chain_key(incident, epoch)},
        "sk": {"S": f"{entry.seq:06d}"},
        "hash": {"S": entry.hash},
        "content": {"S": entry.canonical()},
    }
