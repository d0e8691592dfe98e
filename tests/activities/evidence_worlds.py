"""The worlds of what preserves evidence: a database, and a bucket of logs beside one that locks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.rds.models import rds_backends
from moto.s3.models import s3_backends

from activities.aws.database.rds_snapshot import Snapshot
from activities.aws.evidence.s3_preserve_logs import PreserveLogs
from domain.model.calls import Scope
from sandbox.aws import rds as sandbox_rds
from sandbox.aws import s3 as sandbox_s3
from sandbox.aws.rollout import PACE
from tests.activities.change_worlds import ChangeWorld, Worlds
from tests.activities.scopes import ACCOUNT, REGION, environment, scope
from tests.activities.world import WorldClients, create_ledger

DATABASE = environment().databases["primary"].identifier
LOGS = environment().buckets["audit-logs"]
VAULT = "axis-evidence"
EVIDENCE = {"bucket": VAULT, "kms_key": "alias/axis-evidence", "signing_key": "alias/axis-ledger"}
DECLARED = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
FORENSIC_ACCOUNT, FORENSIC_KEY = "210987654321", "alias/axis-forensic-snapshots"
CLUSTER = "axis-cluster"
_POSTGRES: dict[str, Any] = {
    "Engine": "postgres",
    "MasterUsername": "portal",
    "ManageMasterUserPassword": True,
    "AllocatedStorage": 100,
    "StorageEncrypted": True,
}
_LOCATED: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}


def snapshot() -> ChangeWorld:
    """An RDS that behaves as AWS does, and a forensic account; the database is encrypted with AWS's own key."""
    sandbox_rds.install()
    PACE.rollout = timedelta.resolution
    clients = WorldClients()
    create_ledger(clients)
    rds, kms = clients.inner.client("rds"), clients.inner.client("kms")
    for name in (DATABASE, "another"):
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.r6g.large", **_POSTGRES)
    rds.create_db_cluster(DBClusterIdentifier=CLUSTER, DBClusterInstanceClass="db.r6gd.large", **_POSTGRES)
    kms.create_alias(AliasName=FORENSIC_KEY, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    taken = f"ir-{scope().incident}-{DATABASE}-1"

    def there() -> list[Any]:
        found = rds.describe_db_snapshots()["DBSnapshots"]
        return [(one["DBSnapshotIdentifier"], one["DBInstanceIdentifier"], one["TagList"]) for one in found]

    return ChangeWorld(
        clients=clients,
        change=Snapshot(clients),
        snapshot=there,
        meddle=lambda: rds.create_db_snapshot(DBInstanceIdentifier="another", DBSnapshotIdentifier=taken),
        scope=snapshot_scope(),
        params={"database": "primary"},
    )


def cluster_snapshot(**database: Any) -> ChangeWorld:
    """The same account, its primary a cluster, or the `database` that the environment names."""
    world = snapshot()
    rds = world.clients.inner.client("rds")

    def there() -> list[Any]:
        found = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
        return [(one["DBClusterSnapshotIdentifier"], one["DBClusterIdentifier"]) for one in found]

    world.snapshot = there
    world.scope = snapshot_scope(**database or {"identifier": CLUSTER, "cluster": True})
    return world


def plain_cluster_snapshot() -> ChangeWorld:
    """The same cluster, not encrypted."""
    world = cluster_snapshot()
    unencrypted(rds_backends[ACCOUNT][REGION].clusters[CLUSTER])
    return world


def unencrypted(database: Any) -> None:
    """Take the encryption off a database of moto's."""
    database.storage_encrypted, database.kms_key_id = False, None


def snapshot_scope(**database: Any) -> Scope:
    """A scope whose environment names a forensic account; its primary is the one given."""
    evidence = EVIDENCE | {"snapshots": {"account": FORENSIC_ACCOUNT, "kms_key": FORENSIC_KEY}}
    changes = {"databases": {"primary": {"max_connections": 100, **database}}} if database else {}
    return scope(environment=environment(evidence=evidence, **changes))


def furnish(clients: WorldClients) -> None:
    """Make the ledger, the bucket of logs and the vault, in an S3 that behaves as AWS does."""
    sandbox_s3.install()
    create_ledger(clients)
    s3 = clients.inner.client("s3")
    s3.create_bucket(Bucket=VAULT, ObjectLockEnabledForBucket=True, **_LOCATED)
    s3.create_bucket(Bucket=LOGS, **_LOCATED)
    s3.put_bucket_versioning(Bucket=LOGS, VersioningConfiguration={"Status": "Enabled"})


def preserve() -> ChangeWorld:
    clients = WorldClients()
    furnish(clients)
    s3 = clients.inner.client("s3")
    for hours in (1, 2, 30):
        log(f"AWSLogs/{hours}.json.gz", b"{}" * hours, DECLARED - timedelta(hours=hours))
    where = evidence_scope()
    change = PreserveLogs(clients)

    def meddle() -> None:
        records = f"manifests/{where.incident}/{LOGS}/"
        spans = [DECLARED - timedelta(hours=24), DECLARED]
        window = "-".join(f"{moment:%Y%m%dT%H%M%SZ}" for moment in spans)
        s3.put_object(Bucket=VAULT, Key=f"{records}{window}/order.json", Body=b"theirs")

    return ChangeWorld(
        clients=clients,
        change=change,
        snapshot=lambda: sorted(stored(clients)),
        meddle=meddle,
        scope=where,
        params={"bucket": "audit-logs", "since": "24h"},
    )


def evidence_scope() -> Scope:
    return scope(environment=environment(evidence=EVIDENCE), declared_at=DECLARED)


def log(key: str, content: bytes, at: datetime) -> str:
    """Put an object into the bucket of logs as if written `at`; returns its version."""
    made = s3_backends[ACCOUNT]["aws"].put_object(LOGS, key, content)
    made.last_modified = at.replace(tzinfo=None)
    return str(made.version_id)


def stored(clients: WorldClients) -> list[str]:
    """The keys of every version in the evidence bucket."""
    pages = clients.inner.client("s3").get_paginator("list_object_versions").paginate(Bucket=VAULT)
    return [version["Key"] for page in pages for version in page.get("Versions", [])]


CHANGE_WORLDS: Worlds = {Snapshot.name: (snapshot, 1), PreserveLogs.name: (preserve, 1)}
