"""A ledger with its vault in moto, and the chain that writes to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto import mock_aws

from activities.ledger.reader import LedgerReader
from activities.ledger.signatures import Keys
from activities.ledger.store import LedgerStore
from domain.audit.storage_format import INDEX_KEY, StoredCopy
from domain.audit.verdict import Verdict, audit
from domain.config.environment import Environment
from domain.model.activity_io import AppendCall, Appended
from domain.model.timeline import Entry
from sandbox.aws import s3 as sandbox_s3
from tests.activities.scopes import REGION, environment
from tests.activities.world import LEDGER, WorldClients, create_ledger
from tests.records import INCIDENT

BUCKET = "axis-evidence"
EVIDENCE: dict[str, Any] = {
    "bucket": BUCKET,
    "kms_key": "alias/evidence",
    "signing_key": "alias/ledger",
    "retention_days": 2557,
}


def place(**changes: Any) -> Environment:
    """An environment with a vault."""
    return environment(evidence=EVIDENCE, **changes)


def create_vault(clients: Any) -> None:
    """Make the evidence bucket under Object Lock, in an S3 that behaves as AWS does, and the signing key."""
    sandbox_s3.install()
    clients.client("s3").create_bucket(
        Bucket=BUCKET,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": REGION},
    )
    create_key(clients, EVIDENCE["signing_key"])


def create_key(clients: Any, alias: str) -> None:
    key = clients.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    clients.client("kms").create_alias(AliasName=alias, TargetKeyId=key)


@contextmanager
def ledger_and_vault() -> Iterator[WorldClients]:
    with mock_aws():
        clients = WorldClients()
        create_ledger(clients)
        create_vault(clients.inner)
        yield clients


class CutError(Exception):
    """The process died here."""


class Cutting:
    """Clients of which one call dies: `operation`, counted from 1, before or after AWS did it."""

    def __init__(self, clients: Any, operation: str, count: int, *, done: bool) -> None:
        self._clients = clients
        self._operation = operation
        self._left = count
        self._done = done

    def client(self, service: str) -> Any:
        return _Cut(self, self._clients.client(service))

    def once(self, service: str) -> Any:
        return _Cut(self, self._clients.once(service))

    def call(self, name: str, found: Callable[..., Any], asked: dict[str, Any]) -> Any:
        if name != self._operation:
            return found(**asked)
        self._left -= 1
        if self._left == 0 and not self._done:
            raise CutError
        try:
            return found(**asked)
        finally:
            if self._left == 0:
                raise CutError


class _Cut:
    def __init__(self, cutting: Cutting, inner: Any) -> None:
        self._cutting = cutting
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name in {"exceptions", "get_paginator"}:
            return found
        return lambda **asked: self._cutting.call(name, found, asked)


def append(clients: Any, entries: list[Entry], epoch: int = 1, where: Environment | None = None) -> Appended:
    where = where or place()
    call = AppendCall(incident=INCIDENT, environment=where.name, epoch=epoch, entries=entries)
    return LedgerStore(clients, where).append(call)


def stored(clients: Any) -> StoredCopy:
    return LedgerReader(clients, place()).read(INCIDENT, patience_seconds=0).copy


def verdict(clients: Any) -> Verdict:
    """The audit of what is stored, with the keys that KMS gives."""
    record = LedgerReader(clients, place())
    return audit(record.read(INCIDENT, patience_seconds=0).copy, Keys(record.pems()).vouches)


def forks(clients: Any) -> list[int]:
    """The epochs that leave another, in a record in which nothing else is wrong."""
    flaws = verdict(clients).flaws
    assert {flaw.kind for flaw in flaws} <= {"fork"}, flaws
    return sorted(flaw.epoch for flaw in flaws)


def table(clients: WorldClients) -> dict[tuple[str, str], dict[str, str]]:
    """Everything in the ledger's table but the list of incidents."""
    pages = clients.inner.client("dynamodb").get_paginator("scan").paginate(TableName=LEDGER)
    rows = [{name: next(iter(value.values())) for name, value in row.items()} for p in pages for row in p["Items"]]
    return {(row.pop("pk"), row.pop("sk")): row for row in rows if row["pk"] != INDEX_KEY}


def objects(clients: WorldClients) -> list[tuple[str, str]]:
    """Every version of every object in the vault."""
    pages = clients.inner.client("s3").get_paginator("list_object_versions").paginate(Bucket=BUCKET)
    return [(found["Key"], found["VersionId"]) for page in pages for found in page.get("Versions", [])]
