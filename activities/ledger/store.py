"""The ledger of an incident's timeline: written once, signed, and never rewritten.

In the ledger's table, every item by a conditional put:

    pk                           sk             what it holds
    chain#<incident>#<epoch>     000001         entry 1 of the epoch, as canonical JSON
    chain#<incident>             epoch#0002     where epoch 2 leaves another: the entry before it, its own first hash
    incidents                    <incident>     that there is such an incident, put before its first entry

In the evidence bucket, under a COMPLIANCE lock, the signed head after every write:
`ledger/<incident>/<epoch>/<seq>.json`.
"""

import base64
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from activities.action import Clients, RuleError
from activities.aws.shared.error_codes import code_of
from domain.audit.storage_format import ALGORITHM, INDEX_KEY, Head, Seal, chain_key, seal_place
from domain.config.environment import Environment, Evidence
from domain.model.activity_io import AppendCall, Appended, FollowCall
from domain.model.timeline import Entry, Timeline
from domain.rules.custody import Following

_LOOK_BACK = 50
"""Among how many of the latest entries one that was written before its answer was lost is looked for."""


class LedgerStore:
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
        if call.entries[0].seq == 1:
            self._put({"pk": {"S": INDEX_KEY}, "sk": {"S": call.incident}})
        if not self._put_all(call.incident, epoch, call.entries):
            epoch = self._put_one_by_one(call.incident, epoch, call.entries)
        last = call.entries[-1]
        if self._evidence is not None:
            self._checkpoint(self._evidence, call.incident, epoch, last)
        return Appended(written=last.seq, epoch=epoch)

    def follow(self, incident: str, following: Following, at: datetime) -> Entry:
        """Write one entry after the newest there is (`dynamodb:Query`, `dynamodb:PutItem`), and its signed head.

        For what happens once the incident's workflow, the one writer until then, is over. Two that write at once
        both get a place, one after the other. A repeat after a cut, when the entry stands there but not its signed
        head, signs it and writes no other. Raises `RuleError` when the ledger has nothing of the incident.
        """
        while True:
            epoch, last = self._newest(incident)
            if following.is_said_by(last) and not self._is_sealed(incident, epoch, last):
                entry = last
                break
            entry = Timeline(dropped=last.seq, base=last.hash).append(at, *following)
            if self._put(_item(incident, epoch, entry)) is None:
                break
        if self._evidence is not None:
            self._checkpoint(self._evidence, incident, epoch, entry)
        return entry

    def follow_once(self, call: FollowCall) -> Entry:
        """Write one entry of the follow-up work behind the chain, like `follow`; a repeat finds it and writes none."""
        following = Following(call.actor, call.kind, call.text, {**call.data, "follow_up": call.number})
        epoch, _ = self._newest(call.incident)
        for entry in self._latest(chain_key(call.incident, epoch), _LOOK_BACK):
            if following.is_said_by(entry):
                if self._evidence is not None:
                    self._checkpoint(self._evidence, call.incident, epoch, entry)
                return entry
        return self.follow(call.incident, following, call.at)

    def _newest(self, incident: str) -> tuple[int, Entry]:
        """The newest epoch that holds anything, and its last entry."""
        epoch = self._last(f"chain#{incident}")
        number = 1 if epoch is None else int(epoch["sk"]["S"].removeprefix("epoch#"))
        while number > 0:
            if (last := self._last(chain_key(incident, number))) is not None:
                return number, Entry.model_validate_json(last["content"]["S"])
            number -= 1
        raise RuleError(f"the ledger {self._table} has no record of {incident}")

    def _last(self, key: str) -> dict[str, Any] | None:
        return next(iter(self._backwards(key, 1)), None)

    def _latest(self, key: str, most: int) -> list[Entry]:
        return [Entry.model_validate_json(item["content"]["S"]) for item in self._backwards(key, most)]

    def _backwards(self, key: str, most: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._db.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": key}},
            ScanIndexForward=False,
            Limit=most,
        )["Items"]
        return found

    def _is_sealed(self, incident: str, epoch: int, entry: Entry) -> bool:
        if self._evidence is None:
            return True
        try:
            place = seal_place(incident, epoch, entry.seq)
            self._clients.client("s3").head_object(Bucket=self._evidence.bucket, Key=place)
        except Exception as error:
            if code_of(error) != "404":  # answers to HEAD have no body: the code is the status
                raise
            return False
        return True

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
        """Sign the head and put it where nobody can change it; the same that stands there already is left."""
        body = Head(incident=incident, epoch=epoch, seq=last.seq, head=last.hash, at=last.at.isoformat())
        signed = self._clients.client("kms").sign(
            KeyId=evidence.signing_key, Message=body.message(), MessageType="RAW", SigningAlgorithm=ALGORITHM
        )
        signature = base64.b64encode(signed["Signature"]).decode()
        seal = Seal(body=body, key=signed["KeyId"], algorithm=ALGORITHM, signature=signature)
        try:
            self._clients.client("s3").put_object(
                Bucket=evidence.bucket,
                Key=seal_place(incident, epoch, last.seq),
                Body=seal.text().encode(),
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=evidence.locked_until(datetime.now(UTC)),
            )
        except Exception as error:
            if code_of(error) != "PreconditionFailed" or not self._stands(evidence, body):
                raise

    def _stands(self, evidence: Evidence, body: Head) -> bool:
        """Tell whether this head stands in its place; raises `RuleError` where another does (`s3:GetObject`).

        Its signature may be another, as each is; whether it is good tells the audit.
        """
        s3, place = self._clients.client("s3"), seal_place(body.incident, body.epoch, body.seq)
        try:
            text = s3.get_object(Bucket=evidence.bucket, Key=place)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return False
        try:
            standing = Seal.model_validate_json(text).body
        except ValidationError:
            standing = None
        if standing != body:
            raise RuleError(f"in {evidence.bucket} stands another signed head at {place}: somebody else writes there")
        return True


def _item(incident: str, epoch: int, entry: Entry) -> dict[str, Any]:
    return {
        "pk": {"S": chain_key(incident, epoch)},
        "sk": {"S": f"{entry.seq:06d}"},
        "hash": {"S": entry.hash},
        "content": {"S": entry.canonical()},
    }
