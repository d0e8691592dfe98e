"""What RDS may refuse of a snapshot, of an instance or of a cluster, of its copy and of sharing that."""

from collections.abc import Callable

from moto.rds.models import rds_backends

from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import (
    CLUSTER,
    DATABASE,
    FORENSIC_KEY,
    cluster_snapshot,
    plain_cluster_snapshot,
    snapshot,
)
from tests.activities.refusals import PlanRefusals, Told
from tests.activities.scopes import ACCOUNT, REGION


def full(kept_already: int = 1000) -> ChangeWorld:
    """The account keeps as many snapshots as it may, or one fewer."""
    world = snapshot()
    world.clients.inner.client("rds").create_db_snapshot(DBInstanceIdentifier=DATABASE, DBSnapshotIdentifier="old")
    kept = rds_backends[ACCOUNT][REGION].database_snapshots
    kept.update({f"old-{number}": kept["old"] for number in range(kept_already - 1)})
    world.snapshot = kept.__len__
    return world


def full_of_clusters(kept_already: int = 1000) -> ChangeWorld:
    """The account keeps as many snapshots of clusters as it may, or one fewer."""
    world = cluster_snapshot()
    rds = world.clients.inner.client("rds")
    rds.create_db_cluster_snapshot(DBClusterIdentifier=CLUSTER, DBClusterSnapshotIdentifier="old")
    kept = rds_backends[ACCOUNT][REGION].cluster_snapshots
    kept.update({f"old-{number}": kept["old"] for number in range(kept_already - 1)})
    world.snapshot = kept.__len__
    return world


def rebooting() -> ChangeWorld:
    world = snapshot()
    rds_backends[ACCOUNT][REGION].databases[DATABASE].status = "rebooting"
    return world


def failing_over() -> ChangeWorld:
    """The cluster is busy, though its members are available."""
    world = cluster_snapshot()
    rds_backends[ACCOUNT][REGION].clusters[CLUSTER].status = "failing-over"
    return world


def disabled(make: Callable[[], ChangeWorld]) -> Callable[[], ChangeWorld]:
    """The key of the copy is switched off."""

    def made() -> ChangeWorld:
        world = make()
        kms = world.clients.inner.client("kms")
        kms.disable_key(KeyId=kms.describe_key(KeyId=FORENSIC_KEY)["KeyMetadata"]["KeyId"])
        return world

    return made


_NAME = "rds.snapshot"
_FIRST = "the plan describes it first, and ends with AWS's own answer"
_LOOKED_AT = "it is asked for only of a snapshot that was just seen to be there and available"
_MODIFIED = "ModifyDBSnapshotAttribute", "ModifyDBClusterSnapshotAttribute"

PLAN_REFUSALS: PlanRefusals = {
    (_NAME, "CreateDBSnapshot", "DBInstanceNotFound"): _FIRST,
    (_NAME, "CreateDBSnapshot", "InvalidDBInstanceState"): Told(rebooting, "that is waited for"),
    (_NAME, "CreateDBSnapshot", "SnapshotQuotaExceeded"): full,
    (_NAME, "CreateDBClusterSnapshot", "DBClusterNotFoundFault"): _FIRST,
    (_NAME, "CreateDBClusterSnapshot", "InvalidDBClusterStateFault"): Told(failing_over, "that is waited for"),
    (_NAME, "CreateDBClusterSnapshot", "InvalidDBClusterSnapshotStateFault"): (
        "no snapshot is named but the new one, under a name that the plan saw to be free"
    ),
    (_NAME, "CreateDBClusterSnapshot", "SnapshotQuotaExceeded"): full_of_clusters,
    (_NAME, "CopyDBSnapshot", "CustomAvailabilityZoneNotFound"): "no zone is named: the copy goes where its source is",
    (_NAME, "CopyDBSnapshot", "DBSnapshotNotFound"): _LOOKED_AT,
    (_NAME, "CopyDBSnapshot", "InvalidDBSnapshotState"): _LOOKED_AT,
    (_NAME, "CopyDBSnapshot", "KMSKeyNotAccessibleFault"): Told(disabled(snapshot), "NOT copied"),
    (_NAME, "CopyDBSnapshot", "SnapshotQuotaExceeded"): Told(lambda: full(999), "NOT copied"),
    (_NAME, "CopyDBClusterSnapshot", "DBClusterSnapshotNotFoundFault"): _LOOKED_AT,
    (_NAME, "CopyDBClusterSnapshot", "InvalidDBClusterSnapshotStateFault"): _LOOKED_AT,
    (_NAME, "CopyDBClusterSnapshot", "InvalidDBClusterStateFault"): (
        "what the cluster is doing by the time its snapshot is available, hours later, nobody knows beforehand"
    ),
    (_NAME, "CopyDBClusterSnapshot", "InvalidParameterCombination"): Told(plain_cluster_snapshot, "as it stands"),
    (_NAME, "CopyDBClusterSnapshot", "KMSKeyNotAccessibleFault"): Told(disabled(cluster_snapshot), "NOT copied"),
    (_NAME, "CopyDBClusterSnapshot", "SnapshotQuotaExceeded"): Told(lambda: full_of_clusters(999), "NOT copied"),
    **{
        (_NAME, operation, code): _LOOKED_AT
        for operation, word in zip(_MODIFIED, ("DBSnapshot", "DBClusterSnapshot"), strict=True)
        for code in (
            ("DBSnapshotNotFound", "InvalidDBSnapshotState")
            if word == "DBSnapshot"
            else ("DBClusterSnapshotNotFoundFault", "InvalidDBClusterSnapshotStateFault")
        )
    },
    **{
        (
            _NAME,
            operation,
            "SharedSnapshotQuotaExceeded",
        ): "what is shared is new, shared with one account, and may be with twenty"
        for operation in _MODIFIED
    },
}
