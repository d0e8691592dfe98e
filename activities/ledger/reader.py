"""Reading the stored record of an incident back, all of it, the hidden parts too, without believing any of it."""

import base64
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from textwrap import wrap
from typing import NamedTuple

from activities.action import Clients, RuleError, evidence_of
from activities.aws.shared.s3_objects import Lock, lock_of
from activities.ledger.table import Table
from activities.ledger.terms import TERM
from domain.audit.storage_format import INDEX_KEY, Item, KeptSeal, StoredCopy, chain_key, seal_place
from domain.config.environment import Environment
from domain.values.ids import first_of_day

OPEN_FOR = timedelta(days=366)
"""How long ago an incident that is open, or has left work, can have been declared at most."""

_AT_ONCE = 8
_LOOK_AGAIN_SECONDS = 0.25
_SEAL_MAX = 64 * 1024  # more than a signed head has: what is longer is none
_LOCKED_FOR_GOOD = "COMPLIANCE"
_MARK = re.compile(r"epoch#([0-9]{4})")
_NUMBER = re.compile(r"[0-9]{6}")


class Stored(NamedTuple):
    """The stored copy, and what is remarkable about how it is kept."""

    copy: StoredCopy
    remarks: list[str]


class _Found(NamedTuple):
    seal: KeptSeal
    lock: Lock


class LedgerReader:
    """Reads the records of one environment. Lets botocore's errors through."""

    def __init__(self, clients: Clients, environment: Environment) -> None:
        self._clients = clients
        self._table = Table(clients, environment.ledger_table)
        self._environment = environment
        self._seen: dict[tuple[str, str], _Found] = {}

    def pems(self) -> dict[str, str]:
        """The public keys whose signatures count, as PEM by ARN: the environment's own, then earlier ones.

        `kms:GetPublicKey`.
        """
        evidence = evidence_of(self._environment)
        return dict(self._key(key) for key in (evidence.signing_key, *evidence.earlier_signing_keys))

    def incidents(self, since: datetime | None = None) -> list[str]:
        """The ids of all incidents, or of those of the days from `since` on, oldest first (`dynamodb:Query`).

        Temporal forgets them, the ledger does not. Ids are in order of days, so older ones are not even read. Within a
        day the time in the list counts; those that were listed without one come first.
        """
        items = self._table.items(INDEX_KEY, None if since is None else first_of_day(since))
        found = [(item["sk"]["S"], item.get("at", {}).get("S", "").removesuffix("Z")) for item in items]
        return [incident for incident, _ in sorted(found, key=lambda one: (one[0].rpartition("-")[0], one[1], one[0]))]

    def read(self, incident: str, patience_seconds: float = 5) -> Stored:
        """Read everything of an incident (`dynamodb:Query`, `s3:ListBucketVersions`, `s3:GetObjectVersion`).

        Signed heads are read before the entries, so that the entries reach at least as far. An entry is signed a
        moment after it is written: heads of the newest are waited for, `patience_seconds` at most. Raises
        `RuleError` when there is nothing of that incident.
        """
        before, remarks = self._seals(incident)
        marks = self._marks(incident, remarks)
        epochs = {1, *marks, *(epoch for epoch in map(_epoch, before) if epoch is not None)}
        copy = self._copy(incident, epochs, marks, before)
        return Stored(self._with_late_seals(copy, time.monotonic() + patience_seconds), remarks)

    def read_chain(self, incident: str) -> StoredCopy:
        """Read the entries alone (`dynamodb:Query`), without what is signed. Raises `RuleError` like `read`."""
        marks = self._marks(incident, [])
        return self._copy(incident, {1, *marks}, marks, [])

    def _copy(
        self, incident: str, epochs: set[int], marks: dict[int, dict[str, str]], seals: list[KeptSeal]
    ) -> StoredCopy:
        items = {epoch: self._items(incident, epoch) for epoch in sorted(epochs)}
        if not seals and not any(items.values()):
            raise RuleError(f"the ledger {self._table.name} has no record of {incident}")
        return StoredCopy(incident, items, marks, seals)

    def _with_late_seals(self, copy: StoredCopy, until: float) -> StoredCopy:
        written = {
            seal_place(copy.incident, epoch, int(item.number))
            for epoch, items in copy.items.items()
            for item in items
            if _NUMBER.fullmatch(item.number)
        }
        newest, before = max(written, default=None), set(copy.seals)
        if newest is None or self._environment.evidence is None:
            return copy
        while True:
            seals = [seal for seal in self._seals(copy.incident)[0] if seal in before or seal.place in written]
            if newest in {seal.place for seal in seals} or time.monotonic() > until:
                return copy._replace(seals=seals)
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _marks(self, incident: str, remarks: list[str]) -> dict[int, dict[str, str]]:
        """Where each epoch begins, as the table has it."""
        marks = {}
        for row in self._rows(f"chain#{incident}"):
            if row["sk"] == TERM:
                continue
            if found := _MARK.fullmatch(row["sk"]):
                marks[int(found[1])] = {name: value for name, value in row.items() if name != "sk"}
            else:
                remarks.append(f"an item {row['sk']!r} in the ledger is none of ours")
        return marks

    def _items(self, incident: str, epoch: int) -> list[Item]:
        rows = self._rows(chain_key(incident, epoch))
        return [Item(row["sk"], row.get("hash", ""), row.get("content", "")) for row in rows]

    def _rows(self, key: str) -> Iterator[dict[str, str]]:
        """Every item under a partition key, in order, its values as text."""
        for item in self._table.items(key):
            yield {name: str(next(iter(value.values()))) for name, value in item.items() if name != "pk"}

    def _seals(self, incident: str) -> tuple[list[KeptSeal], list[str]]:
        """Every version of every signed head, hidden ones too: the lock keeps them from being deleted, not hidden."""
        if self._environment.evidence is None:
            return [], []
        versions, hidden = [], []
        pages = self._clients.client("s3").get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._environment.evidence.bucket, Prefix=f"ledger/{incident}/"):
            versions += [(found["Key"], found["VersionId"]) for found in page.get("Versions", [])]
            hidden += [found["Key"] for found in page.get("DeleteMarkers", [])]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            new = [one for one in versions if one not in self._seen]
            self._seen.update(zip(new, pool.map(lambda one: self._seal(*one), new), strict=True))
        found = [self._seen[one] for one in versions]
        remarks = [f"{key} is hidden by a delete marker; the locked version under it counts" for key in sorted(hidden)]
        loose = [one for one in found if one.lock.mode != _LOCKED_FOR_GOOD]
        remarks += [
            f"the lock of {one.seal.place} is hidden from us"
            if one.lock.hidden
            else f"{one.seal.place} is not locked in {_LOCKED_FOR_GOOD} mode"
            for one in loose
        ]
        return [one.seal for one in found], remarks

    def _seal(self, key: str, version: str) -> _Found:
        bucket = evidence_of(self._environment).bucket
        s3 = self._clients.client("s3")
        answer = s3.get_object(Bucket=bucket, Key=key, VersionId=version)
        with answer["Body"] as body:
            text = body.read(_SEAL_MAX).decode(errors="replace")
        return _Found(KeptSeal(key, text), lock_of(s3, bucket, key, answer))

    def _key(self, key: str) -> tuple[str, str]:
        answer = self._clients.client("kms").get_public_key(KeyId=key)
        arn = str(answer["KeyId"])
        if not arn.startswith("arn:"):
            arn = self._environment.arn("kms", f"key/{arn}")
        lines = "\n".join(wrap(base64.b64encode(answer["PublicKey"]).decode(), 64))
        return arn, f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"


def _epoch(seal: KeptSeal) -> int | None:
    number = seal.place.split("/")[2]
    return int(number) if number.isdecimal() else None
