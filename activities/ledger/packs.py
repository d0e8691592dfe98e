"""Compliance packs: made of a whole ledger, signed by the key that signs the records, kept in the evidence bucket.

Nothing in a pack depends on when it is made or by whom: the same ledger gives the same list of contents, and that is
signed once, at `reports/packs/<environment>/<period>/<SHA-256>.json`. So the same ledger gives the same bytes.
"""

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import rfc8785

from activities.action import Clients, RuleError, evidence_of
from activities.aws.shared.s3_objects import put_once, small
from activities.ledger.incidents import chain, state_of
from activities.ledger.reader import LedgerReader
from activities.ledger.signatures import Keys
from domain.audit.storage_format import ALGORITHM, StoredCopy, pack_place
from domain.audit.verdict import check
from domain.config.environment import Environment
from domain.model.state import IncidentState
from domain.values.local_time import Clock
from domain.values.periods import Period
from reporting.pack.contents import Collector, Pack, Statement, Told


class Made(NamedTuple):
    """A whole pack, as bytes of a zip file, and where it may be kept."""

    pack: Pack
    content: bytes
    place: str


class Packer:
    """Makes packs of one environment's ledger. Lets botocore's errors through."""

    def __init__(self, clients: Clients, environment: Environment) -> None:
        self._clients, self._environment = clients, environment
        self._evidence = evidence_of(environment)
        self._ledger = LedgerReader(clients, environment)

    def make(self, period: Period, clock: Clock, now: datetime) -> Made:
        """Read every incident (`dynamodb:Query`), check those that were open in the period, and sign the list.

        `s3:ListBucketVersions`, `s3:GetObjectVersion`, `kms:GetPublicKey`; `kms:Sign` and `s3:PutObject` where the same
        pack was not signed before. Raises `RuleError` without an evidence bucket.
        """
        pems = self._ledger.pems()
        collector = Collector(self._environment.name, period, clock)
        found = self._told(collector, Keys(pems))
        pack = collector.pack((state for told in found for state in collector.take(told)), pems)
        signature = self._signature(pack.statement, period, now)
        place = pack_place(self._environment.name, period.name, pack.statement.contents, "zip")
        return Made(pack, pack.zipped(signature), place)

    def keep(self, made: Made, now: datetime) -> None:
        """Put a pack into the evidence bucket, in GOVERNANCE mode, as reports are (`s3:PutObject`); once."""
        self._put(made.place, made.content, now, ContentType="application/zip")

    def _told(self, collector: Collector, keys: Keys) -> Iterator[Told]:
        for incident in self._ledger.incidents():
            state = self._state(self._chain(incident))
            if isinstance(state, str) or collector.wants(state):
                yield self._checked(self._whole(incident), keys)

    def _chain(self, incident: str) -> StoredCopy:
        """The entries alone; empty where the ledger lists an incident and has nothing of it."""
        try:
            return self._ledger.read_chain(incident)
        except RuleError:
            return StoredCopy(incident, {}, {}, [])

    def _whole(self, incident: str) -> StoredCopy:
        try:
            return self._ledger.read(incident).copy
        except RuleError:
            return StoredCopy(incident, {}, {}, [])

    def _checked(self, copy: StoredCopy, keys: Keys) -> Told:
        """A stored copy, what it comes to, and its first flaw; what cannot be read has one."""
        entries = chain(copy)
        state = self._state(copy)
        flaws = check(copy, keys.vouches).flaws
        flaw = str(flaws[0]) if flaws else state if isinstance(state, str) else None
        if isinstance(entries, str) or isinstance(state, str):
            return Told(copy, [], None, flaw)
        return Told(copy, entries, state, flaw)

    def _state(self, copy: StoredCopy) -> IncidentState | str:
        entries = chain(copy)
        return entries if isinstance(entries, str) else state_of(copy.incident, entries)

    def _signature(self, statement: Statement, period: Period, now: datetime) -> str:
        """The signature that stands for this very list, or a new one, which then stands for it."""
        place = pack_place(self._environment.name, period.name, statement.contents, "json")
        s3, bucket = self._clients.client("s3"), self._evidence.bucket
        if (standing := small(s3, bucket, place)) is not None:
            return standing.decode()
        signed = self._clients.client("kms").sign(
            KeyId=self._evidence.signing_key,
            Message=statement.message(),
            MessageType="RAW",
            SigningAlgorithm=ALGORITHM,
        )
        signature = base64.b64encode(signed["Signature"]).decode()
        seal = {
            "body": statement.model_dump(),
            "key": signed["KeyId"],
            "algorithm": ALGORITHM,
            "signature": signature,
        }
        self._put(place, rfc8785.dumps(seal), now, ContentType="application/json")
        kept = small(s3, bucket, place)  # of two that sign at once the first stands
        if kept is None:
            raise RuleError(f"the signature of the pack was put at {place} in {bucket} and is not there")
        return kept.decode()

    def _put(self, place: str, content: bytes, now: datetime, **options: Any) -> None:
        put_once(
            self._clients.client("s3"),
            self._evidence.bucket,
            place,
            content,
            ObjectLockMode="GOVERNANCE",
            ObjectLockRetainUntilDate=now + timedelta(days=self._evidence.retention_days),
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=self._evidence.kms_key,
            BucketKeyEnabled=True,
            **options,
        )
